"""The random streams of one seed: its numbers depend on its seed id alone."""

from typing import NamedTuple

import jax
from jax.typing import ArrayLike


class Streams(NamedTuple):
    """Four independent keys; each is only ever folded with a step (or an epoch).

    Attributes:
      init: parameter initialisation.
      order: data order, folded with the epoch.
      activation: activation noise, folded with the step.
      dropout: dropout masks, folded with the step.
    """

    init: jax.Array
    order: jax.Array
    activation: jax.Array
    dropout: jax.Array


def streams(root: int, seed: ArrayLike) -> Streams:
    """The streams of seed id `seed` under the root seed `root`.

    Threefry, whatever generator JAX is set to use: a seed's numbers stay the same.

    >>> a, b = streams(0, 3), streams(0, 4)
    >>> bool(jax.random.normal(a.init) == jax.random.normal(b.init))
    False
    """
    key = jax.random.key(root, impl="threefry2x32")
    return Streams(*jax.random.split(jax.random.fold_in(key, seed), 4))
