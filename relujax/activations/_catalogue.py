"""The table of all activations: each one once, with what makes it that one."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from relujax.activations import _learnable, _rectifiers, _stochastic
from relujax.activations._registry import Definition, refuse, register
from relujax.activations._spec import deterministic, learnable, stochastic


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
    return Definition(name, build, _defaults(fn), fn, **facts)


def _prelu(*, alpha: float = 0.25, axis: int | None = None):
    return learnable(
        "prelu", _learnable.prelu, {"alpha": alpha}, axis=axis, **{"alpha": alpha}
    )


register(
    _deterministic(
        _rectifiers.relu,
        formula="max(x, 0)",
        paper="Nair & Hinton 2010",
        kinks={0.0: 0.0},
    )
)
register(
    _deterministic(
        _rectifiers.al_relu,
        formula="x if x > 0 else |alpha x|",
        paper="Mastromichalakis 2020, arXiv:2012.07564",
        kinks={0.0: -0.01},
    )
)
register(
    _stochastic_pair(
        _stochastic.n_relu,
        _stochastic.n_relu_mean,
        formula="x if x > 0 else sigma * N(0, 1)",
        paper="Manik, Islam & Wang 2025, arXiv:2511.07559",
        kinks={0.0: 0.0},
    )
)
refuse("nrelu", ("n_relu", "noisy_relu"))
