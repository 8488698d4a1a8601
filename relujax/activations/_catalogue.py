"""The table of all activations: each one once, with what makes it that one."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from relujax.activations import (
    _exponential,
    _learnable,
    _rectifiers,
    _smooth,
    _stochastic,
    _surrogate,
)
from relujax.activations._registry import Definition, refuse, register
from relujax.activations._spec import (
    Activation,
    deterministic,
    learnable,
    loss_driven,
    stochastic,
)


def _defaults(fn: Callable) -> dict[str, Any]:
    """The keyword-only parameters of `fn` with their defaults."""
    parameters = inspect.signature(fn).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def _deterministic(fn: Callable, **facts: Any) -> Definition:
    name = fn.__name__
    build = partial(deterministic, name, fn)
    return Definition(name, build, _defaults(fn), fn, **facts)


def _stochastic_pair(fn: Callable, evaluation: Callable, **facts: Any) -> Definition:
    name = fn.__name__
    build = partial(stochastic, name, fn, evaluation)
    return Definition(name, build, _defaults(fn), fn, evaluation=evaluation, **facts)


def _learnable_form(
    fn: Callable, initial: Mapping[str, float], **facts: Any
) -> Definition:
    name = fn.__name__

    def build(*, axis, **initial):
        return learnable(name, fn, initial, axis=axis)

    return Definition(name, build, {**initial, "axis": None}, fn, **facts)


def _trainable(fn: Callable, **facts: Any) -> Definition:
    """A deterministic activation whose hyperparameters can be learned instead."""
    name = fn.__name__
    off = {"trainable": False, "axis": None}

    def build(*, trainable, axis, **initial) -> Activation:
        if trainable:
            by_keyword = lambda x, **params: fn(x, **params)
            return learnable(name, by_keyword, initial, axis=axis)
        return deterministic(name, fn, **initial)

    return Definition(name, build, _defaults(fn) | off, fn, **facts)


_ALL = "jax.nn, Flax, torch, Keras"

register(
    _deterministic(
        _rectifiers.relu,
        formula="max(x, 0)",
        paper="Nair & Hinton 2010",
        kinks={0.0: 0.0},
        elsewhere=_ALL,
    )
)
register(
    _deterministic(
        _rectifiers.leaky_relu,
        formula="x if x >= 0 else negative_slope x",
        paper="Maas, Hannun & Ng 2013",
        kinks={0.0: 1.0},
        elsewhere=_ALL,
    ),
    aliases=("lrelu",),
)
register(
    _trainable(
        _rectifiers.al_relu,
        formula="x if x > 0 else |alpha x|",
        paper="Mastromichalakis 2020, arXiv:2012.07564",
        kinks={0.0: -0.01},
        domain=(("alpha", ">=", 0.0),),
        elsewhere="alrelu-torch, alrelu-keras",
    )
)
register(
    _deterministic(
        _exponential.elu,
        formula="x if x > 0 else alpha (e^x - 1)",
        paper="Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289",
        kinks={0.0: 1.0},
        elsewhere=_ALL,
    )
)
register(
    _deterministic(
        _exponential.selu,
        formula="1.0507 x if x > 0 else 1.7581 (e^x - 1)",
        paper="Klambauer et al. 2017, arXiv:1706.02515, eq. 2",
        kinks={0.0: 1.7580993408473766},
        elsewhere=_ALL,
    )
)
register(
    _deterministic(
        _exponential.celu,
        formula="max(x, 0) + min(alpha (e^(x / alpha) - 1), 0)",
        paper="Barron 2017, arXiv:1704.07483",
        kinks={0.0: 1.0},
        domain=(("alpha", ">", 0.0),),
        elsewhere=_ALL,
    )
)
register(
    _trainable(
        _exponential.srelu,
        formula="alpha x if x > 0 else beta (e^x - 1)",
        paper="Bhat, section III",
        kinks={0.0: 1.0},
    ),
    aliases=("smooth_relu", "srelu_smooth"),
)
register(
    _deterministic(
        _smooth.gelu,
        formula="x Phi(x), by tanh unless approximate=False",
        paper="Hendrycks & Gimpel 2016, arXiv:1606.08415",
        elsewhere=_ALL,
    )
)
register(
    _deterministic(
        _smooth.silu,
        formula="x sigmoid(x)",
        paper="Elfwing, Uchibe & Doya 2017, arXiv:1702.03118",
        elsewhere=_ALL,
    ),
    aliases=("swish",),
)
register(
    _deterministic(
        _smooth.mish,
        formula="x tanh(softplus(x))",
        paper="Misra 2019, arXiv:1908.08681",
        elsewhere="jax.nn, torch, Keras",
    )
)
register(
    _deterministic(
        _smooth.softplus,
        formula="log(1 + e^x)",
        paper="Dugas et al. 2000",
        elsewhere=_ALL,
    )
)
register(
    _deterministic(
        _smooth.sigmoid,
        formula="1 / (1 + e^-x)",
        paper="Rumelhart, Hinton & Williams 1986, eq. 2",
        elsewhere=_ALL,
    ),
    aliases=("logistic",),
)
register(
    _deterministic(
        _smooth.tanh,
        formula="tanh(x)",
        paper="LeCun et al. 1998, section 4.4",
        elsewhere=_ALL,
    )
)
register(
    _deterministic(
        _rectifiers.relu6,
        formula="min(max(x, 0), 6)",
        paper="Krizhevsky 2010",
        kinks={0.0: 0.0, 6.0: 0.0},
        elsewhere=_ALL,
    )
)
register(
    _deterministic(
        _rectifiers.q_relu,
        formula="x if x > 0 else alpha x - 2 x",
        paper="Parisi et al. 2020, arXiv:2010.08031",
        kinks={0.0: -1.99},
        elsewhere="quantum_relu",
    )
)
register(
    _deterministic(
        _rectifiers.m_q_relu,
        formula="x if x > 0 else alpha x - x",
        paper="Parisi et al. 2020, arXiv:2010.08031",
        kinks={0.0: -0.99},
        elsewhere="quantum_relu",
    )
)
register(
    _deterministic(
        _smooth.msaf,
        formula="a + sum over k of sigmoid(x - b_k)",
        paper="Cai et al. 2015",
        elsewhere="torch_activation",
    )
)
register(
    _deterministic(
        _smooth.sym_msaf,
        formula="sigmoid(x) + sigmoid(x + a) - 1",
        paper="Cai et al. 2015",
        elsewhere="torch_activation (a = 1)",
    )
)
register(
    _learnable_form(
        _learnable.prelu,
        {"alpha": 0.25},
        formula="x if x > 0 else alpha x, alpha learned",
        paper="He et al. 2015, arXiv:1502.01852, eq. 1",
        kinks={0.0: 0.25},
        elsewhere="Flax (alpha 0.01), torch, Keras (alpha 0)",
    )
)
register(
    _learnable_form(
        _learnable.adaptive_tanh,
        {"a": 1.0, "b": 1.0},
        formula="a tanh(b x), a and b learned",
        paper="Kunc & Kléma 2024, arXiv:2402.09092",
    )
)
register(
    _learnable_form(
        _learnable.arelu_attention,
        {"alpha": 0.9, "beta": 2.0},
        formula="(1 + sigmoid(beta)) max(x, 0) - clip(alpha, 0.01, 0.99) max(-x, 0)",
        paper="Chen, Li & Xu 2020, arXiv:2006.13858",
        kinks={0.0: 0.0},
        elsewhere="activations on PyPI (torch)",
    )
)
register(
    _learnable_form(
        _learnable.srelu_sshaped,
        {"t_left": 0.0, "a_left": 0.2, "t_right": 1.0, "a_right": 1.0},
        formula="x between t_left and t_right, learned slopes outside",
        paper="Jin et al. 2015, arXiv:1512.07030, eq. 1",
        kinks={0.0: 0.2, 1.0: 1.0},
        domain=(("t_left", "<=", "t_right"),),
        elsewhere="keras-contrib",
    )
)
register(
    Definition(
        "arelu",
        partial(loss_driven, "arelu", _learnable.arelu),
        {"initial_slope": 0.1},
        _learnable.arelu,
        formula="x if x > 0 else l x, l the last training loss",
        paper="Atoum 2023, IJACSA 14(2)",
        kinks={0.0: 0.1},
    ),
    aliases=("arelu_loss",),
)
register(
    _stochastic_pair(
        _stochastic.n_relu,
        _stochastic.n_relu_mean,
        formula="x if x > 0 else sigma N(0, 1)",
        paper="Manik, Islam & Wang 2025, arXiv:2511.07559",
        kinks={0.0: 0.0},
        domain=(("sigma", ">=", 0.0),),
    )
)
register(
    _stochastic_pair(
        _stochastic.rrelu,
        _stochastic.rrelu_mean,
        formula="x if x > 0 else U(lower, upper) x",
        paper="Xu et al. 2015, arXiv:1505.00853",
        kinks={0.0: 11 / 48},
        domain=(("lower", "<=", "upper"),),
        elsewhere="torch",
    )
)
register(
    _stochastic_pair(
        _stochastic.noisy_relu,
        _stochastic.noisy_relu_mean,
        formula="max(0, x + sqrt(sigmoid(x)) N(0, 1))",
        paper="Nair & Hinton 2010, section 2",
    ),
    aliases=("noisy_relu_nair_hinton",),
)
register(
    _deterministic(
        _surrogate.sugar_relu,
        formula="max(x, 0), with the derivative of (x + alpha) sigmoid(x)",
        paper="Horuz et al. 2025, arXiv:2505.22074",
        kinks={0.0: 0.9175},
    ),
    aliases=("sugar",),
)
register(
    _trainable(
        _rectifiers.star_relu,
        formula="scale max(x, 0)^2 + bias",
        paper="Yu et al. 2022, arXiv:2210.13452",
        kinks={0.0: 0.0},
        elsewhere="MetaFormer code (scale 1, bias 0)",
    )
)
register(
    _deterministic(
        _rectifiers.squared_relu,
        formula="max(x, 0)^2",
        paper="So et al. 2021, arXiv:2109.08668",
        kinks={0.0: 0.0},
    ),
    aliases=("relu2", "relu_squared", "sqrrelu"),
)
register(
    _deterministic(
        _rectifiers.crelu,
        formula="[max(x, 0), max(-x, 0)]",
        paper="Shang et al. 2016, arXiv:1603.05201",
        kinks={0.0: 0.0},
    )
)

refuse("nrelu", ("n_relu", "noisy_relu"))
refuse("arelu", ("arelu", "arelu_attention"))
refuse("srelu", ("srelu", "srelu_sshaped"))
