"""The epoch that the validation part chooses, and when to stop looking for a better."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Tree = Any


class Best(NamedTuple):
    """The best evaluation so far: that with the lowest loss on the validation part.

    Attributes:
      loss: its loss; infinite before the first evaluation.
      epoch: its epoch.
      weights: parameters and state then; empty where they are not kept.
    """

    loss: jax.Array
    epoch: jax.Array
    weights: Tree


def before(weights: Tree) -> Best:
    """Before the first evaluation."""
    return Best(jnp.float32(jnp.inf), jnp.float32(0), weights)


def follow(best: Best, loss: jax.Array, epoch: jax.Array, weights: Tree) -> Best:
    """One evaluation further; a loss that is NaN is no better than any other.

    Args:
      best: the best before.
      loss: the loss on the validation part now.
      epoch: the epoch now, float32.
      weights: parameters and state now, or the empty tree.
    """
    better = loss < best.loss
    return jax.tree.map(
        lambda new, old: jnp.where(better, new, old), Best(loss, epoch, weights), best
    )


def is_over(best: Best, epoch: jax.Array, patience: int | None) -> jax.Array | bool:
    """Whether `patience` epochs have passed without a better one: training ends."""
    if patience is None:
        return False
    return epoch - best.epoch >= patience
