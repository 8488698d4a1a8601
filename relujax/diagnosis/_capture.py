"""A function that also returns what goes in and out of its activations."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, NamedTuple

import jax

from relujax.diagnosis._jaxpr.interpreter import Visitor, interpret
from relujax.diagnosis._jaxpr.plan import keep, sites_of
from relujax.diagnosis._jaxpr.selection import select
from relujax.diagnosis._jaxpr.sites import trace
from relujax.diagnosis._models import as_function


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
    fn: Any,
    *,
    sites: str | Collection[str] | None = None,
    exclude: str | Collection[str] | None = None,
) -> Callable[..., tuple[Any, dict[str, Captured]]]:
    """`fn` with the inputs and outputs of its activations beside its result.

    The result is that of `fn`, and `jit`, `vmap` and `grad` (with `has_aux=True`) work
    on the new function as on the old one. A `while_loop`, whose length is unknown,
    gives its last iteration. Every call traces `fn` anew: put `jax.jit` around it.

    Args:
      fn: any function of arrays that JAX can trace, or a module: see
        `find_activations`.
      sites: what to capture: ids, names of activations, or patterns (`*`, `?`) of ids,
        module paths or places in the code; by default all that are within reach,
        which those inside a `shard_map` or a kernel are not.
      exclude: what to leave out, in the same way.

    Returns:
      A function of the arguments of `fn` that returns `(result, {site id: Captured})`,
      the sites in the order of the program, under `jit` too.

    Raises:
      InputError: when called, if there are no activations, one of `sites` is not in
        the function, or one is inside a `shard_map`.

    Examples:
      >>> import jax.numpy as jnp
      >>> net = lambda x: 2 * jax.nn.relu(x - 1)
      >>> result, seen = capture(net)(jnp.array([0.0, 3.0]))
      >>> result, seen["relu_0"].pre
      (Array([0., 4.], dtype=float32), Array([-1.,  2.], dtype=float32))
    """

    def visit(site, function, pre, feed, iteration):
        del site, feed, iteration
        post = function(pre)
        return post, Captured(pre, post, jax.device_put(True))

    visitor, function = Visitor(visit), as_function(fn)

    @wraps(function)
    def captured(*args, **kwargs):
        traced = trace(function, args, kwargs)
        chosen = select(tuple(sites_of(traced.plan)), sites, exclude)
        plan = keep(traced.plan, {site.id for site in chosen})
        # Counters and flags of ours go to the device, too.
        with jax.transfer_guard("allow"):
            outs, taps = interpret(visitor, plan, traced.inputs)
        # JAX sorts the keys of a dict, and `relu_10` would come before `relu_2`.
        seen = OrderedDict((site.id, taps[site.id]) for site in chosen)
        return traced.unflatten(outs), seen

    return captured
