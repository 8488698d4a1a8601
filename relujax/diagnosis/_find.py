"""The activations of a function or module."""

from typing import Any

from relujax.diagnosis._jaxpr.plan import Site, sites_of
from relujax.diagnosis._jaxpr.sites import trace
from relujax.diagnosis._models import as_function


def find_activations(fn: Any, *args: Any, **kwargs: Any) -> tuple[Site, ...]:
    """The activations of `fn`, found in its jaxpr.

    They are found inside `jit`, `scan`, `while_loop`, `cond`, `checkpoint`, `vmap`,
    `shard_map` and functions with custom derivatives: the functions of `jax.nn` and of
    this library, `tanh` and `sigmoid`, and whatever has the values of one of them in
    any spelling: `maximum(x, 0)`, `where(x > 0, x, a * x)`, `(x + abs(x)) / 2`,
    `maximum(x, 0) + a * minimum(x, 0)`. What takes one pre-activation is one site, and
    an activation inside another one is not counted (`mish` holds a `softplus`). Nor is
    the arithmetic of JAX, Flax, Equinox and optax themselves (the maximum in a
    softmax, the clamped variance of a normalisation), and of the user's own what can be
    told apart: a clamp of one number, of a variance or distance, or of data before
    any weight, and the margin of a hinge loss.

    Ask it of the forward function. In a function that calls `jax.grad` itself, the
    sites of its forward pass are listed as far as they are still recognisable.

    Args:
      fn: any function of arrays that JAX can trace, or a module. A Linen module takes
        its variables first, and runs in evaluation mode, as an NNX module does.
      *args: its arguments; `jax.ShapeDtypeStruct` will do for an array. What is not an
        array is passed on as it is.
      **kwargs: the same, by keyword.

    Returns:
      The sites in program order; empty when there are none.

    Examples:
      >>> import jax
      >>> import jax.numpy as jnp
      >>> net = lambda x: jax.nn.relu(x) + jnp.maximum(x, 0.1 * x)
      >>> [site.id for site in find_activations(net, jnp.ones((2, 3)))]
      ['relu_0', 'leaky_relu_0']
    """
    return tuple(sites_of(trace(as_function(fn), args, kwargs).plan))
