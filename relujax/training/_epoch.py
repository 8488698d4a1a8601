"""One epoch of training: every example once, in the seed's own order."""

import jax
import jax.numpy as jnp

from relujax.training._run import Batch, Run, Split, TrainState, feed
from relujax.training._streams import Streams


def train_epoch(
    run: Run,
    state: TrainState,
    split: Split,
    streams: Streams,
    *,
    batch_size: int,
) -> tuple[TrainState, jax.Array]:
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
      The new state, and the mean training loss over the epoch: the running mean that
      Keras reports, with noise and dropout on. It is what `arelu` gets as its slope.
    """
    n = len(split.x)
    steps = -(-n // batch_size)
    epoch = state.step // steps
    order = jax.random.permutation(jax.random.fold_in(streams.order, epoch), n)
    place = jnp.arange(steps * batch_size).reshape(steps, batch_size)
    index = order[place % n]
    mask = (place < n).astype(jnp.float32)

    def body(state, chosen):
        index, mask = chosen
        batch = Batch(split.x[index], split.y[index], mask)
        state, loss = run.step(state, batch, streams)
        return state, loss * mask.sum()

    state, losses = jax.lax.scan(body, state, (index, mask))
    mean_loss = losses.sum() / n
    return state._replace(state=feed(state.state, loss=mean_loss)), mean_loss
