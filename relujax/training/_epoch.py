"""One epoch of training: every example once, in the seed's own order."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from relujax.training._run import Batch, Run, Split, TrainState, feed
from relujax.training._streams import Streams

#: In compiled programs, the step of what has not happened: later than any other, and
#: finite, so that nothing stops where NaN or infinity are not allowed.
NEVER = float(np.finfo(np.float32).max)


class EpochLosses(NamedTuple):
    """The training losses of one epoch.

    Attributes:
      running_loss: the mean over the epoch's examples, each at the step that used it,
        with noise and dropout on: what Keras reports, and what `arelu` is fed.
      diverged_step: the first step of the epoch whose loss is not finite, float32;
        `NEVER` if all are.
    """

    running_loss: jax.Array
    diverged_step: jax.Array


def train_epoch(
    run: Run,
    state: TrainState,
    split: Split,
    streams: Streams,
    *,
    batch_size: int,
) -> tuple[TrainState, EpochLosses]:
    """Train on all examples of `split` once, then feed the mean loss back.

    The last batch may be smaller: it is padded, and masked in the loss.

    Args:
      run: the three functions.
      state: where to start.
      split: the training examples.
      streams: the seed's streams; the order is drawn from `streams.order` folded with
        the epoch.
      batch_size: examples per update.

    Returns:
      The new state and the losses.
    """
    n = len(split.x)
    steps = -(-n // batch_size)
    epoch = state.step // steps
    first = state.step
    if steps == 1:
        # The order of the examples makes no difference to their mean.
        ones = jnp.ones(n, jnp.float32)
        whole = Batch(split.x, split.y, ones, split.weight)
        state, loss = run.step(state, whole, streams)
        return _fed(state, first, loss[None], loss)
    order = jax.random.permutation(jax.random.fold_in(streams.order, epoch), n)
    place = jnp.arange(steps * batch_size).reshape(steps, batch_size)
    index = order[place % n]
    mask = (place < n).astype(jnp.float32)
    weight = None if split.weight is None else split.weight[index]

    def body(state, chosen):
        index, mask, weight = chosen
        batch = Batch(split.x[index], split.y[index], mask, weight)
        return run.step(state, batch, streams)

    state, losses = jax.lax.scan(body, state, (index, mask, weight))
    if split.weight is None or weight is None:
        return _fed(state, first, losses, (losses * mask.sum(1)).sum() / n)
    counted = (mask * weight).sum(1).astype(losses.dtype)
    total = counted.sum()
    mean = (losses * counted).sum() / jnp.where(total > 0, total, 1)
    return _fed(state, first, losses, mean)


def _fed(
    state: TrainState, first: jax.Array, losses: jax.Array, mean: jax.Array
) -> tuple[TrainState, EpochLosses]:
    """Feed the mean loss back, and find the first step whose loss is not finite."""
    bad = ~jnp.isfinite(losses)
    step = first + bad.argmax().astype(first.dtype)
    diverged = jnp.where(bad.any(), step.astype(jnp.float32), NEVER)
    fed = state._replace(state=feed(state.state, loss=mean))
    return fed, EpochLosses(mean, diverged)
