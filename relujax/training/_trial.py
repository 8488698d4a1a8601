"""Trials: which numbers of a factory can be traced, found by tracing it."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import optax

from relujax.training._update import start, update


def takes_steps(factory: Callable) -> bool:
    """Whether a factory of optimisers wants to know the number of steps."""
    try:
        return "steps" in inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False


@lru_cache(maxsize=256)
def traceable_numbers(
    factory: Callable,
    numbers: tuple[tuple[str, float], ...],
    needed: tuple[str, ...] = (),
) -> frozenset[str]:
    """Those of the numbers that may be tracers in a factory of optimisers.

    All at once if that works, else each that works on its own.

    Args:
      factory: what returns the optax transformation.
      numbers: names and values to try.
      needed: those that are given also where they are not traced.
    """
    values = dict(numbers)
    given = {name: values[name] for name in needed}
    if _works(factory, set(values), given):
        return frozenset(values)
    alone = {name for name in values if _works(factory, {name}, given)}
    return frozenset(alone if _works(factory, alone, given) else ())


def _works(factory: Callable, traced: set[str], rest: dict[str, float]) -> bool:
    try:
        jax.eval_shape(
            lambda traced: _one_update(factory, {**rest, **traced}),
            {name: jax.ShapeDtypeStruct((), jnp.float32) for name in traced},
        )
    except Exception:  # Whatever a user's factory raises, it cannot be traced.
        return False
    return True


def _one_update(factory: Callable, values: dict[str, Any]) -> Any:
    given = {"steps": 10} if takes_steps(factory) else {}
    built = factory(**values, **given)
    if isinstance(built, optax.MultiSteps):
        built = built.gradient_transformation()
    params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    squares = lambda params: (params["kernel"] ** 2).sum() + (params["bias"] ** 2).sum()
    loss, grads = jax.value_and_grad(squares)(params)
    return update(built, grads, start(built, params), params, loss, squares)
