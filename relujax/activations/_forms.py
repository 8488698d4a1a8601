"""The definitions of the library's functions, by the form that they have."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax.numpy as jnp

from relujax import specs
from relujax.activations._definition import Definition, Line
from relujax.activations._spec import (
    Activation,
    deterministic,
    learnable,
    stochastic,
)
from relujax.specs import Parameter


def _parameters(fn: Callable) -> dict[str, Parameter]:
    """The keyword-only parameters of `fn`."""
    known = inspect.signature(fn).parameters.values()
    inputs = tuple(p.name for p in known if p.kind is not p.KEYWORD_ONLY)
    return specs.parameters_of(fn, skip=inputs)


def numbers(initial: Mapping[str, float]) -> dict[str, Parameter]:
    """Parameters that are numbers, with these defaults."""
    return {name: specs.parameter(value) for name, value in initial.items()}


#: Which axis has parameters of its own for every index.
AXIS = {"axis": specs.parameter(None, "int | None")}


def deterministic_form(fn: Callable, **facts: Any) -> Definition:
    """Of `f(x, *, ...)`."""
    name = fn.__name__
    build = partial(deterministic, name, fn)
    return Definition(name, build, _parameters(fn), fn, **facts)


#: A gated unit whose value is 1 is its gate.
_GATE = Line(
    lambda x, **_: jnp.concatenate([jnp.ones_like(x), x], -1),
    "by its gate, with the value 1",
)
#: Of an activation that keeps `k` features.
BESIDE_ZEROS = Line(
    lambda x, k: jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, k)]),
    "beside k other features, which are 0",
)


def gated_form(fn: Callable, **facts: Any) -> Definition:
    """Of `f(x, *, ...)` that multiplies one half of the features by a gate."""
    return deterministic_form(fn, line=_GATE, gated=True, **facts)


def stochastic_form(fn: Callable, evaluation: Callable, **facts: Any) -> Definition:
    """Of `f(key, x, *, ...)` and the rule that evaluates it."""
    name = fn.__name__
    build = partial(stochastic, name, fn, evaluation)
    return Definition(name, build, _parameters(fn), fn, evaluation=evaluation, **facts)


def learnable_form(
    fn: Callable, initial: Mapping[str, float], **facts: Any
) -> Definition:
    """Of `f(x, a, b, ...)`, where all but `x` is learned."""
    name = fn.__name__

    def build(*, axis, **initial):
        return learnable(name, fn, initial, axis=axis)

    return Definition(name, build, numbers(initial) | AXIS, fn, **facts)


def trainable_form(fn: Callable, **facts: Any) -> Definition:
    """A deterministic activation whose hyperparameters can be learned instead."""
    name = fn.__name__

    def build(*, trainable, axis, **initial) -> Activation:
        if trainable:
            by_keyword = lambda x, **params: fn(x, **params)
            return learnable(name, by_keyword, initial, axis=axis)
        return deterministic(name, fn, **initial)

    parameters = _parameters(fn) | {"trainable": specs.parameter(False)} | AXIS
    return Definition(name, build, parameters, fn, **facts)
