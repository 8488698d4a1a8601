"""Barriers that XLA does not remove on a CPU."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from relujax.kernels.platform import by_platform


def apart(function: Callable[..., Any], *args: jax.Array) -> Any:
    """`function(*args)`, on a CPU compiled apart from what computes and reads it.

    XLA on a CPU merges cheap elementwise work into every operation that reads its
    result and does it once for each of them, nine times for the windows of a
    convolution, and in loops that it cannot vectorise; its optimisation barriers are
    gone before that. A branch whose condition is known at run time only is a barrier.
    Where nothing is compiled, and on other backends, there is none.

    Args:
      function: what to compute.
      *args: its arguments; an element of the first, a number or a typed PRNG key, gives
        the condition.
    """
    first = args[0]
    if not isinstance(first, Tracer):
        return function(*args)
    return by_platform(lambda *args: _behind_branch(function, *args), function, *args)


def _behind_branch(function: Callable[..., Any], *args: jax.Array) -> Any:
    first = args[0]
    if jnp.issubdtype(first.dtype, jax.dtypes.prng_key):
        first = jax.random.key_data(first)
    element = first[(0,) * first.ndim].astype(jnp.float32)
    shapes = jax.eval_shape(function, *args)
    zeros = lambda *_: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    return jax.lax.cond(~(element > jnp.inf), function, zeros, *args)


def all_at_once(tree: Any) -> Any:
    """The same floats, on a CPU none of them to be used before all are known.

    Of gradients, so that weights are updated in place: while the backward pass still
    has to read one, XLA would update a copy of it, made anew at every step. Its own
    barriers are gone before it decides so.
    """
    return by_platform(_times_one, lambda tree: tree, tree)


def _times_one(tree: Any) -> Any:
    elements = [leaf[(0,) * leaf.ndim] for leaf in jax.tree.leaves(tree) if leaf.size]
    # That a number is not at once infinite and none is known at run time only.
    never = [jnp.isnan(element) & jnp.isinf(element) for element in elements]
    one = 1.0 - jnp.any(jnp.array(never)).astype(jnp.float32)
    return jax.tree.map(lambda leaf: leaf * one.astype(leaf.dtype), tree)
