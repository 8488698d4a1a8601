"""One run as three pure functions: init, step, evaluate."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from relujax.models import Model
from relujax.training._fates import Masks
from relujax.training._objectives import Objective
from relujax.training._streams import Streams

Tree = Any

#: Examples per evaluation batch.
EVAL_BATCH = 1024
Metrics = dict[str, Any]


class TrainState(NamedTuple):
    """All that changes during training.

    Attributes:
      params: what the optimiser updates.
      state: the model's other collections; `state["signal"]` is fed by the loop.
      opt_state: the optimiser's state.
      step: number of updates done.
    """

    params: Tree
    state: Tree
    opt_state: Tree
    step: jax.Array


class Split(NamedTuple):
    """Examples `x [n, ...]` and targets `y [n]`."""

    x: jax.Array
    y: jax.Array


class Batch(NamedTuple):
    """A batch of fixed size; `mask [n]` is 0 where it is padding."""

    x: jax.Array
    y: jax.Array
    mask: jax.Array


class Run(NamedTuple):
    """The three functions of one run.

    Attributes:
      init: `init(streams, x) -> TrainState`, `x` a batch of inputs for its shape.
      step: `step(state, batch, streams) -> (state, loss)`: one update on the mean loss
        over the unmasked examples.
      evaluate: `evaluate(state, split) -> (metrics, dead)` without noise or dropout,
        over every example; `dead` has a boolean `[units]` per activation layer: whose
        pre-activation is positive on no example.
    """

    init: Callable[[Streams, jax.Array], TrainState]
    step: Callable[[TrainState, Batch, Streams], tuple[TrainState, jax.Array]]
    evaluate: Callable[[TrainState, Split], tuple[Metrics, Masks]]


def make_run(
    model: Model,
    optimizer: optax.GradientTransformation,
    objective: Objective,
    *,
    classes: int | None,
    transform: Callable[[jax.Array], jax.Array],
    eval_batch: int = EVAL_BATCH,
) -> Run:
    """Compose a run.

    Args:
      model: the network.
      optimizer: the optax transformation.
      objective: loss and metrics.
      classes: number of classes; None for regression.
      transform: from stored inputs (say, uint8 pixels) to what the network takes.
      eval_batch: examples per evaluation batch: bounds memory, changes no number
        beyond rounding.
    """

    def init(streams, x):
        params, state = model.init(streams.init, transform(x))
        return TrainState(params, state, optimizer.init(params), jnp.int32(0))

    def step(state, batch, streams):
        rngs = {
            "activation": jax.random.fold_in(streams.activation, state.step),
            "dropout": jax.random.fold_in(streams.dropout, state.step),
        }
        fed = feed(state.state, step=state.step)

        def mean_loss(params):
            logits, changed, _ = model.apply(
                params, fed, transform(batch.x), rngs=rngs, train=True
            )
            losses = objective.loss(logits, batch.y)
            return (losses * batch.mask).sum() / batch.mask.sum(), changed

        gradient = jax.value_and_grad(mean_loss, has_aux=True)
        (loss, changed), grads = gradient(state.params)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return TrainState(params, changed, opt_state, state.step + 1), loss

    def evaluate(state, split):
        fed = feed(state.state, step=state.step)

        def statistics(batch):
            logits, _, preactivations = model.apply(
                state.params, fed, transform(batch.x)
            )
            sums = objective.sums(logits, batch.y, batch.mask, classes)
            highest = tuple(_highest(z, batch.mask) for z in preactivations)
            return sums, highest

        batches = in_batches(split, min(eval_batch, len(split.x)))
        sums, highest = jax.lax.map(statistics, batches)
        sums = jax.tree.map(lambda s: s.sum(0), sums)
        dead = tuple(z.max(0) <= 0 for z in highest)
        return objective.metrics(sums, split.y), dead

    return Run(init, step, evaluate)


def feed(state: Mapping[str, Tree], **signals: jax.Array) -> Tree:
    """`state` with the leaves of its `signal` collection set by name.

    >>> feed({"signal": {"layer": {"loss": jnp.float32(0.1)}}}, loss=jnp.float32(0.7))
    {'signal': {'layer': {'loss': Array(0.7, dtype=float32)}}}
    """
    if "signal" not in state:
        return state

    def leaf(path, old):
        name = path[-1].key
        return signals[name].astype(old.dtype) if name in signals else old

    return {
        **state,
        "signal": jax.tree_util.tree_map_with_path(leaf, state["signal"]),
    }


def in_batches(split: Split, size: int) -> Batch:
    """`split` cut in order into batches `[n_batches, size, ...]`, padded and masked."""
    n = len(split.x)
    index = jnp.arange(-(-n // size) * size).reshape(-1, size)
    inside = jnp.minimum(index, n - 1)
    mask = (index < n).astype(jnp.float32)
    return Batch(split.x[inside], split.y[inside], mask)


def _highest(z: jax.Array, mask: jax.Array) -> jax.Array:
    """The highest value per unit (last axis) over the unmasked examples."""
    real = mask.reshape(-1, *[1] * (z.ndim - 1)) > 0
    return jnp.where(real, z, -jnp.inf).max(axis=tuple(range(z.ndim - 1)))
