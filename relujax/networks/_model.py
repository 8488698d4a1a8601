"""A network as a pair of pure functions: all that training knows of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Tree = Any


class Stack(NamedTuple):
    """What went through the activations of a stack of equal layers.

    Attributes:
      z: pre-activations, `[layers, units, batch]`.
      y: outputs of the activations, likewise.
      count: how many of the layers there are; the others are room for more.
    """

    z: jax.Array
    y: jax.Array
    count: jax.Array


class Model(NamedTuple):
    """A network as a pair of pure functions: all that the training loop knows of it.

    Attributes:
      init: `init(key, x) -> (params, state)`: what is learned, and what else changes
        (batch statistics, the `signal` collection, counts of random streams), as nested
        dictionaries of arrays; the latter is often empty. `x` is a batch of inputs.
      apply: `apply(params, state, x, *, rngs=None, train=False) -> (y, state,
        preactivations)`, where `rngs` maps the streams `activation` and `dropout` to
        keys, needed in training alone, and `preactivations` is a tuple of the inputs
        `[batch, ..., units]` of the activations, in the order of the calls; or of one
        `Stack` alone; or empty where the network does not tell them, and its program
        has to be searched. A network that draws from other streams derives their keys
        from that of `activation` and their names. In evaluation `state` comes back as
        it is.
    """

    init: Callable[..., tuple[Tree, Tree]]
    apply: Callable[..., tuple[jax.Array, Tree, tuple[jax.Array | Stack, ...]]]


def in_bfloat16(model: Model) -> Model:
    """The network with its forward and backward pass in bfloat16.

    Its parameters and state stay float32, and so do their gradients; what it returns is
    float32 again.
    """
    down = lambda tree: _floats_to(jnp.bfloat16, tree)

    def apply(params, state, x, *, rngs=None, train=False):
        y, changed, layers = model.apply(
            down(params), state, down(x), rngs=rngs, train=train
        )
        y, changed, layers = _floats_to(jnp.float32, (y, changed, layers))
        return y, changed, layers

    return Model(model.init, apply)


def _floats_to(dtype: Any, tree: Tree) -> Tree:
    """`tree` with its arrays of floats in another type."""
    cast_one = lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a
    return jax.tree.map(cast_one, tree)
