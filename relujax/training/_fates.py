"""What becomes of units over training: dead, born dead, revived, ever dead."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

Masks = tuple[jax.Array, ...]


class Fates(NamedTuple):
    """Which units are dead, one boolean `[units]` per activation layer.

    A stack of equal layers is one array `[layers, units]`.

    Attributes:
      dead: now.
      ever: now or at an earlier evaluation.
    """

    dead: Masks
    ever: Masks


def alive(layers: Sequence[jax.Array]) -> Fates:
    """The fates before the first evaluation: nothing is dead yet."""
    none = tuple(jnp.zeros(mask.shape, bool) for mask in layers)
    return Fates(none, none)


def follow(before: Fates, dead: Masks) -> tuple[Fates, dict[str, jax.Array]]:
    """One evaluation further.

    Args:
      before: the fates at the last evaluation.
      dead: which units are dead now.

    Returns:
      The new fates, and fractions of the units of each layer `[layers]`: `dead`;
      `births`, dead now but not at the last evaluation; `revivals`, the reverse;
      `ever_dead`, dead at this evaluation or an earlier one (one minus it, by epoch,
      is the survival curve of the layer).

    >>> before = alive([jnp.zeros(4)])
    >>> before, _ = follow(before, (jnp.array([True, True, False, False]),))
    >>> _, rates = follow(before, (jnp.array([True, False, True, True]),))
    >>> {name: float(rate[0]) for name, rate in rates.items()}
    {'dead': 0.75, 'births': 0.5, 'revivals': 0.25, 'ever_dead': 1.0}
    """
    pairs = list(zip(before.dead, dead, strict=True))
    ever = tuple(e | d for e, d in zip(before.ever, dead, strict=True))
    rates = {
        "dead": _rates(dead),
        "births": _rates([now & ~old for old, now in pairs]),
        "revivals": _rates([old & ~now for old, now in pairs]),
        "ever_dead": _rates(ever),
    }
    return Fates(dead, ever), rates


def _rates(masks: Sequence[jax.Array]) -> jax.Array:
    """The fraction of true entries of each mask, `[layers]`."""
    means = [jnp.atleast_1d(mask.mean(axis=-1, dtype=jnp.float32)) for mask in masks]
    return jnp.concatenate(means) if means else jnp.zeros(0)
