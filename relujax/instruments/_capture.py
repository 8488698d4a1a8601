"""A function that also returns what goes in and out of its activations."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from relujax.instruments._interpreter import Visitor, interpret
from relujax.instruments._sites import keep, select, sites_of, trace


class Captured(NamedTuple):
    """What one activation saw.

    Attributes:
      pre: its input, shape `[*loops, *site.shape]`: one leading axis for each scan
        around the site.
      post: its output, same shape.
      ran: shape `[*loops]`; False where a `cond` went another way, and where a
        `while_loop` did not run at all: `pre` and `post` are zeros there.
    """

    pre: jax.Array
    post: jax.Array
    ran: jax.Array


def capture(
    fn: Callable[..., Any], *, sites: Collection[str] | None = None
) -> Callable[..., tuple[Any, dict[str, Captured]]]:
    """`fn` with the inputs and outputs of its activations beside its result.

    The result is that of `fn`, and `jit`, `vmap` and `grad` (with `has_aux=True`) work
    on the new function as on the old one. A `while_loop`, whose length is unknown,
    gives its last iteration. Every call traces `fn` anew: put `jax.jit` around it.

    Args:
      fn: any function of arrays that JAX can trace.
      sites: ids or activation names to capture; by default all that are within reach,
        which those inside a `shard_map` or a kernel are not.

    Returns:
      A function of the arguments of `fn` that returns `(result, {site id: Captured})`.

    Raises:
      InputError: when called, if there are no activations, one of `sites` is not in
        the function, or one is inside a `shard_map`.

    Examples:
      >>> net = lambda x: 2 * jax.nn.relu(x - 1)
      >>> result, seen = capture(net)(jnp.array([0.0, 3.0]))
      >>> result, seen["relu_0"].pre
      (Array([0., 4.], dtype=float32), Array([-1.,  2.], dtype=float32))
    """

    def visit(site, function, pre, feed, iteration):
        del site, feed, iteration
        post = function(pre)
        return post, Captured(pre, post, jnp.array(True))

    visitor = Visitor(visit)

    @wraps(fn)
    def captured(*args, **kwargs):
        traced = trace(fn, args, kwargs)
        chosen = select(tuple(sites_of(traced.plan)), sites)
        plan = keep(traced.plan, {site.id for site in chosen})
        outs, taps = interpret(visitor, plan, traced.inputs)
        return traced.unflatten(outs), taps

    return captured
