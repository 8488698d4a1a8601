"""The table of all activations: each one once, with what makes it that one."""

from functools import partial

from relujax.activations import (
    _exponential,
    _features,
    _hard,
    _learnable,
    _rectifiers,
    _smooth,
    _stochastic,
    _surrogate,
)
from relujax.activations._definition import Definition
from relujax.activations._forms import (
    AXIS,
    BESIDE_ZEROS,
    deterministic_form,
    gated_form,
    learnable_form,
    numbers,
    stochastic_form,
    trainable_form,
)
from relujax.activations._registry import REGISTRY
from relujax.activations._spec import Activation, learnable, loss_driven


def _jump_relu(*, threshold, bandwidth, axis) -> Activation:
    """Its threshold is learned and its bandwidth is not."""
    fn = partial(_hard.jump_relu, bandwidth=bandwidth)
    return learnable("jump_relu", fn, {"threshold": threshold}, axis=axis)


_ALL = "jax.nn, Flax, torch, Keras"

CATALOGUE = (
    deterministic_form(
        _rectifiers.relu,
        formula="max(x, 0)",
        paper="Nair & Hinton 2010",
        kinks={0.0: 0.0},
        elsewhere=_ALL,
    ),
    deterministic_form(
        _rectifiers.leaky_relu,
        formula="x if x >= 0 else negative_slope x",
        paper="Maas, Hannun & Ng 2013",
        kinks={0.0: 1.0},
        elsewhere=_ALL,
        aliases=("lrelu",),
    ),
    trainable_form(
        _rectifiers.al_relu,
        formula="x if x > 0 else |alpha x|",
        paper="Mastromichalakis 2020, arXiv:2012.07564",
        kinks={0.0: -0.01},
        domain=(("alpha", ">=", 0.0),),
        elsewhere="alrelu-torch, alrelu-keras",
    ),
    deterministic_form(
        _exponential.elu,
        formula="x if x > 0 else alpha (e^x - 1)",
        paper="Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289",
        kinks={0.0: 1.0},
        elsewhere=_ALL,
    ),
    deterministic_form(
        _exponential.selu,
        formula="1.0507 x if x > 0 else 1.7581 (e^x - 1)",
        paper="Klambauer et al. 2017, arXiv:1706.02515, eq. 2",
        kinks={0.0: 1.7580993408473766},
        elsewhere=_ALL,
    ),
    deterministic_form(
        _exponential.celu,
        formula="max(x, 0) + min(alpha (e^(x / alpha) - 1), 0)",
        paper="Barron 2017, arXiv:1704.07483",
        kinks={0.0: 1.0},
        domain=(("alpha", ">", 0.0),),
        elsewhere=_ALL,
    ),
    trainable_form(
        _exponential.srelu,
        formula="alpha x if x > 0 else beta (e^x - 1)",
        paper="Bhat, section III",
        kinks={0.0: 1.0},
        aliases=("smooth_relu", "srelu_smooth"),
    ),
    deterministic_form(
        _smooth.gelu,
        formula="x Phi(x), by tanh unless approximate=False",
        paper="Hendrycks & Gimpel 2016, arXiv:1606.08415",
        elsewhere=_ALL,
    ),
    deterministic_form(
        _smooth.silu,
        formula="x sigmoid(x)",
        paper="Elfwing, Uchibe & Doya 2017, arXiv:1702.03118",
        elsewhere=_ALL,
        aliases=("swish",),
    ),
    deterministic_form(
        _smooth.mish,
        formula="x tanh(softplus(x))",
        paper="Misra 2019, arXiv:1908.08681",
        elsewhere="jax.nn, torch, Keras",
    ),
    deterministic_form(
        _smooth.softplus,
        formula="log(1 + e^x)",
        paper="Dugas et al. 2000",
        elsewhere=_ALL,
    ),
    deterministic_form(
        _smooth.sigmoid,
        formula="1 / (1 + e^-x)",
        paper="Rumelhart, Hinton & Williams 1986, eq. 2",
        elsewhere=_ALL,
        aliases=("logistic",),
    ),
    deterministic_form(
        _smooth.tanh,
        formula="tanh(x)",
        paper="LeCun et al. 1998, section 4.4",
        elsewhere=_ALL,
    ),
    deterministic_form(
        _rectifiers.relu6,
        formula="min(max(x, 0), 6)",
        paper="Krizhevsky 2010",
        kinks={0.0: 0.0, 6.0: 0.0},
        elsewhere=_ALL,
    ),
    deterministic_form(
        _rectifiers.q_relu,
        formula="x if x > 0 else alpha x - 2 x",
        paper="Parisi et al. 2020, arXiv:2010.08031",
        kinks={0.0: -1.99},
        elsewhere="quantum_relu",
    ),
    deterministic_form(
        _rectifiers.m_q_relu,
        formula="x if x > 0 else alpha x - x",
        paper="Parisi et al. 2020, arXiv:2010.08031",
        kinks={0.0: -0.99},
        elsewhere="quantum_relu",
    ),
    deterministic_form(
        _smooth.msaf,
        formula="a + sum over k of sigmoid(x - b_k)",
        paper="Cai et al. 2015",
        elsewhere="torch_activation",
    ),
    deterministic_form(
        _smooth.sym_msaf,
        formula="sigmoid(x) + sigmoid(x + a) - 1",
        paper="Cai et al. 2015",
        elsewhere="torch_activation (a = 1)",
    ),
    learnable_form(
        _learnable.prelu,
        {"alpha": 0.25},
        formula="x if x > 0 else alpha x, alpha learned",
        paper="He et al. 2015, arXiv:1502.01852, eq. 1",
        kinks={0.0: 0.25},
        elsewhere="Flax (alpha 0.01), torch, Keras (alpha 0)",
    ),
    learnable_form(
        _learnable.adaptive_tanh,
        {"a": 1.0, "b": 1.0},
        formula="a tanh(b x), a and b learned",
        paper="Kunc & Kléma 2024, arXiv:2402.09092",
    ),
    learnable_form(
        _learnable.arelu_attention,
        {"alpha": 0.9, "beta": 2.0},
        formula="(1 + sigmoid(beta)) max(x, 0) - clip(alpha, 0.01, 0.99) max(-x, 0)",
        paper="Chen, Li & Xu 2020, arXiv:2006.13858",
        kinks={0.0: 0.0},
        elsewhere="activations on PyPI (torch)",
    ),
    learnable_form(
        _learnable.srelu_sshaped,
        {"t_left": 0.0, "a_left": 0.2, "t_right": 1.0, "a_right": 1.0},
        formula="x between t_left and t_right, learned slopes outside",
        paper="Jin et al. 2015, arXiv:1512.07030, eq. 1",
        kinks={0.0: 0.2, 1.0: 1.0},
        domain=(("t_left", "<=", "t_right"),),
        elsewhere="keras-contrib",
    ),
    Definition(
        "arelu",
        partial(loss_driven, "arelu", _learnable.arelu),
        numbers({"initial_slope": 0.1}),
        _learnable.arelu,
        formula="x if x > 0 else l x, l the last training loss",
        paper="Atoum 2023, IJACSA 14(2)",
        kinks={0.0: 0.1},
        aliases=("arelu_loss",),
    ),
    stochastic_form(
        _stochastic.n_relu,
        _stochastic.n_relu_mean,
        formula="x if x > 0 else sigma N(0, 1)",
        paper="Manik, Islam & Wang 2025, arXiv:2511.07559",
        kinks={0.0: 0.0},
        domain=(("sigma", ">=", 0.0),),
    ),
    stochastic_form(
        _stochastic.rrelu,
        _stochastic.rrelu_mean,
        formula="x if x > 0 else U(lower, upper) x",
        paper="Xu et al. 2015, arXiv:1505.00853",
        kinks={0.0: 11 / 48},
        domain=(("lower", "<=", "upper"),),
        elsewhere="torch",
    ),
    stochastic_form(
        _stochastic.noisy_relu,
        _stochastic.noisy_relu_mean,
        formula="max(0, x + sqrt(sigmoid(x)) N(0, 1))",
        paper="Nair & Hinton 2010, section 2",
        aliases=("noisy_relu_nair_hinton",),
    ),
    deterministic_form(
        _surrogate.sugar_relu,
        formula="max(x, 0), with the derivative of (x + alpha) sigmoid(x)",
        paper="Horuz et al. 2025, arXiv:2505.22074",
        kinks={0.0: 0.9175},
        aliases=("sugar",),
    ),
    trainable_form(
        _rectifiers.star_relu,
        formula="scale max(x, 0)^2 + bias",
        paper="Yu et al. 2022, arXiv:2210.13452",
        kinks={0.0: 0.0},
        elsewhere="MetaFormer code (scale 1, bias 0)",
    ),
    deterministic_form(
        _rectifiers.squared_relu,
        formula="max(x, 0)^2",
        paper="So et al. 2021, arXiv:2109.08668",
        kinks={0.0: 0.0},
        aliases=("relu2", "relu_squared", "sqrrelu"),
    ),
    deterministic_form(
        _rectifiers.crelu,
        formula="[max(x, 0), max(-x, 0)]",
        paper="Shang et al. 2016, arXiv:1603.05201",
        kinks={0.0: 0.0},
    ),
    deterministic_form(
        _hard.hard_tanh,
        formula="min(max(x, -1), 1)",
        paper="Collobert 2004",
        kinks={-1.0: 1.0, 1.0: 1.0},
        elsewhere="jax.nn, Flax, torch, Keras",
    ),
    deterministic_form(
        _hard.hard_sigmoid,
        formula="min(max(x + 3, 0), 6) / 6",
        paper="Howard et al. 2019, arXiv:1905.02244",
        kinks={-3.0: 0.0, 3.0: 0.0},
        elsewhere="jax.nn, Flax, torch, Keras",
    ),
    deterministic_form(
        _hard.hard_swish,
        formula="x min(max(x + 3, 0), 6) / 6",
        paper="Howard et al. 2019, arXiv:1905.02244",
        kinks={-3.0: 0.0, 3.0: 1.0},
        elsewhere="jax.nn, Flax, torch, Keras",
        aliases=("hard_silu",),
    ),
    deterministic_form(
        _smooth.squareplus,
        formula="(x + sqrt(x^2 + b)) / 2",
        paper="Barron 2021, arXiv:2112.11687",
        domain=(("b", ">", 0.0),),
        elsewhere="jax.nn, Keras",
    ),
    deterministic_form(
        _smooth.soft_sign,
        formula="x / (1 + |x|)",
        paper="Turian, Bergstra & Bengio 2009",
        kinks={0.0: 1.0},
        elsewhere=_ALL,
    ),
    deterministic_form(
        _smooth.log_sigmoid,
        formula="-log(1 + e^-x)",
        paper="Dugas et al. 2000, mirrored",
        elsewhere=_ALL,
    ),
    deterministic_form(
        _smooth.tanh_shrink,
        formula="x - tanh(x)",
        paper="Paszke et al. 2019 (torch)",
        elsewhere="torch, Keras",
    ),
    deterministic_form(
        _hard.hard_shrink,
        formula="x if |x| > lambd else 0",
        paper="Donoho & Johnstone 1994",
        kinks={-0.5: 0.0, 0.5: 0.0},
        domain=(("lambd", ">=", 0.0),),
        elsewhere="torch, Keras",
    ),
    deterministic_form(
        _hard.soft_shrink,
        formula="sign(x) max(|x| - lambd, 0)",
        paper="Donoho 1995",
        kinks={-0.5: 0.0, 0.5: 0.0},
        domain=(("lambd", ">=", 0.0),),
        elsewhere="torch, Keras",
    ),
    deterministic_form(
        _hard.threshold,
        formula="x if x > threshold else value",
        paper="Konda, Memisevic & Krueger 2014, arXiv:1402.3337",
        kinks={1.0: 0.0},
        elsewhere="torch, Keras",
        aliases=("thresholded_relu",),
    ),
    learnable_form(
        _learnable.apl,
        {"a1": -0.1, "b1": 0.0, "a2": -0.1, "b2": -0.5},
        formula="max(x, 0) + a1 max(b1 - x, 0) + a2 max(b2 - x, 0), all learned",
        paper="Agostinelli et al. 2014, arXiv:1412.6830, eq. 1",
        kinks={-0.5: 0.2, 0.0: 0.1},
    ),
    learnable_form(
        _learnable.rational,
        {
            "p0": 0.0218,
            "p1": 0.5,
            "p2": 1.5957,
            "p3": 1.1915,
            "q0": 1.0,
            "q1": 0.0,
            "q2": 2.383,
        },
        formula="(p3 x^3 + ... + p0) / (q2 x^2 + q1 x + q0), all learned",
        paper="Boullé, Nakatsukasa & Townsend 2020, arXiv:2004.01902",
    ),
    Definition(
        "jump_relu",
        _jump_relu,
        numbers({"threshold": 0.001, "bandwidth": 0.001}) | AXIS,
        _hard.jump_relu,
        formula="x if x > threshold else 0, threshold learned",
        paper="Rajamanoharan et al. 2024, arXiv:2407.14435",
        kinks={0.001: 0.0},
        domain=(("threshold", ">=", 0.0), ("bandwidth", ">", 0.0)),
    ),
    gated_form(
        _features.glu,
        formula="a sigmoid(b), a and b the halves of x",
        paper="Dauphin et al. 2017, arXiv:1612.08083, eq. 1",
        elsewhere="jax.nn, Flax, torch",
    ),
    gated_form(
        _features.reglu,
        formula="a max(b, 0), a and b the halves of x",
        paper="Shazeer 2020, arXiv:2002.05202, eq. 5",
        kinks={0.0: 0.0},
    ),
    gated_form(
        _features.geglu,
        formula="a gelu(b), a and b the halves of x",
        paper="Shazeer 2020, arXiv:2002.05202, eq. 5",
    ),
    gated_form(
        _features.swiglu,
        formula="a silu(b), a and b the halves of x",
        paper="Shazeer 2020, arXiv:2002.05202, eq. 5",
    ),
    deterministic_form(
        _features.top_k,
        formula="x if x is among the k largest features else 0",
        paper="Makhzani & Frey 2013, arXiv:1312.5663",
        kinks={0.0: 1.0},
        line=BESIDE_ZEROS,
    ),
)

for known in CATALOGUE:
    REGISTRY.define(known)

REGISTRY.refuse("nrelu", ("n_relu", "noisy_relu"))
REGISTRY.refuse("arelu", ("arelu", "arelu_attention"))
REGISTRY.refuse("srelu", ("srelu", "srelu_sshaped"))
