"""How often networks are born dead: by theory, and counted.

Theory: Lu, Shin, Su and Karniadakis (2020), arXiv:1903.06733. A network has `depth`
affine layers from R to R, of `width` units each.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

import relujax
from relujax.networks import MLP, Model, from_linen

DRAWS, CHUNK, SEED = 100_000, 10_000, 0
RAYS, GRID = (1.0, -1.0), tuple(np.linspace(-1, 1, 41).tolist())


class Case(NamedTuple):
    """One row of the table.

    Attributes:
      initialisation: "he" or "rai".
      inputs: "all" (born dead) or "one" (some hidden layer is zero at x = 1).
      width: N.
      depth: L, the number of affine layers.
      dead: how many of `draws` networks.
    """

    initialisation: str
    inputs: str
    width: int
    depth: int
    dead: int
    draws: int


def single_input(width: int, depth: ArrayLike) -> np.ndarray:
    """1 - (1 - 2^-N)^(L-1): exact for one input; an upper bound for all (theorem 1)."""
    return 1 - (1 - 2.0**-width) ** (np.asarray(depth) - 1)


def lower_bound(width: int, depth: ArrayLike) -> np.ndarray:
    """Theorem 2, for inputs from R and zero biases; exact at L = 3."""
    half = 2.0**-width
    one = 1 - half
    both = 1 - 2 * half - (width - 1) * half**2
    share = (1 - 2 * half) * (1 - half) / (1 + (width - 1) * half)
    layers = np.asarray(depth) - 2
    return 1 - one**layers + share * (both**layers - one**layers)


def network(width: int, depth: int) -> Model:
    """`depth` affine layers from R to R, with He's initialiser."""
    return from_linen(
        MLP(
            outputs=1,
            activation="relu",
            hidden=(width,) * (depth - 1),
            initializer="he",
        )
    )


def rai(key: jax.Array, params):
    """The same layers with weights and biases drawn by `relujax.rai`."""
    keys = jax.random.split(key, len(params))
    return {
        name: dict(zip(("kernel", "bias"), drawn, strict=True))
        for (name, layer), k in zip(params.items(), keys, strict=True)
        for drawn in [relujax.rai(k, layer["kernel"].shape)]
    }


def some_layer_is_zero(preactivations: Sequence[Any]) -> jax.Array:
    """Whether a hidden layer has no positive unit; each is `[inputs, units]`."""
    return jnp.stack([(z <= 0).all() for z in preactivations]).any()


def is_dead(
    key: jax.Array, *, width: int, depth: int, inputs: Sequence[float], use_rai: bool
) -> jax.Array:
    """Whether the network of a key has a hidden layer that is zero at all inputs."""
    model = network(width, depth)
    x = jnp.asarray(inputs)[:, None]
    params, state = model.init(key, x)
    if use_rai:
        params = rai(key, params)
    return some_layer_is_zero(model.apply(params, state, x)[2])


def count(one: Callable[[jax.Array], jax.Array], draws: int) -> int:
    """How many of `draws` keys give true, in chunks that fit the cache."""
    size = min(CHUNK, draws)
    keys = jax.random.split(jax.random.key(SEED), draws).reshape(-1, size)
    found = jax.jit(lambda keys: jax.lax.map(lambda k: jax.vmap(one)(k).sum(), keys))
    return int(found(keys).sum())


def measure(
    initialisation: str, inputs: str, width: int, depth: int, draws: int = DRAWS
) -> Case:
    """One row of the table.

    Args:
      initialisation: "he" or "rai".
      inputs: "all" or "one".
      width: N.
      depth: L.
      draws: networks; a multiple of the chunk, or less than it.
    """
    every = GRID if initialisation == "rai" else RAYS
    one = partial(
        is_dead,
        width=width,
        depth=depth,
        inputs=every if inputs == "all" else RAYS[:1],
        use_rai=initialisation == "rai",
    )
    return Case(initialisation, inputs, width, depth, count(one, draws), draws)
