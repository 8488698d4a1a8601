"""One run as three pure functions: init, step, evaluate."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax

from relujax.errors import InputError
from relujax.kernels.barrier import all_at_once
from relujax.networks import Model, Stack
from relujax.training._fates import Masks
from relujax.training._metrics import SplitMetric, measured
from relujax.training._objectives import Objective
from relujax.training._streams import Streams
from relujax.training._update import start, update

Tree = Any

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
    """Examples `x [n, ...]` and targets `y [n]`.

    `weight [n]`, of 0 and more, says how much each counts in the loss of an update:
    the mean loss is ∑ wᵢ lossᵢ / ∑ wᵢ over a batch. Evaluation counts all alike.
    """

    x: jax.Array
    y: jax.Array
    weight: jax.Array | None = None


class Batch(NamedTuple):
    """A batch of fixed size; `mask [n]` is 0 where it is padding.

    `weight [n]` are the weights of the examples, None if they are equal.
    """

    x: jax.Array
    y: jax.Array
    mask: jax.Array
    weight: jax.Array | None = None


class Run(NamedTuple):
    """The three functions of one run.

    Attributes:
      init: `init(streams, x) -> TrainState`, `x` a batch of inputs for its shape.
      step: `step(state, batch, streams) -> (state, loss)`: one update on the mean loss
        over the unmasked examples.
      evaluate: `evaluate(state, split) -> (metrics, dead)` without noise or dropout,
        over every example; `dead` has a boolean `[units]` per activation layer, or
        `[layers, units]` for a `Stack` (metric `layers` tells how many there are):
        whose pre-activation is positive on no example.
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
    eval_batch: int | None = None,
    tolerances: Sequence[float] = (),
    metrics: Sequence[SplitMetric] = (),
) -> Run:
    """Compose a run.

    Args:
      model: the network.
      optimizer: the optax transformation.
      objective: loss and metrics.
      classes: number of classes; None for regression.
      transform: from stored inputs (say, uint8 pixels) to what the network takes.
      eval_batch: examples per evaluation batch: bounds memory, changes no number
        beyond rounding; by default what `examples_at_once` says.
      tolerances: adds metrics `small_<tolerance>`, for models with a `Stack`.
      metrics: adds each under its name; the outputs of a split, `[n, outputs]`, are
        kept for them, and only for them.

    Raises:
      InputError: from `step`, the optimiser asks for what no update has; from
        `evaluate`, a metric is of another form or has the name of another number.
    """

    def init(streams, x):
        params, state = model.init(streams.init, transform(x))
        return TrainState(params, state, start(optimizer, params), jnp.int32(0))

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
            return _mean(objective.loss(logits, batch.y), batch), changed

        gradient = jax.value_and_grad(mean_loss, has_aux=True)
        (loss, changed), grads = gradient(state.params)
        grads = all_at_once(grads)
        params, opt_state = update(
            optimizer,
            grads,
            state.opt_state,
            state.params,
            loss,
            lambda params: mean_loss(params)[0],
        )
        return TrainState(params, changed, opt_state, state.step + 1), loss

    def evaluate(state, split):
        fed = feed(state.state, step=state.step)

        def statistics(batch):
            logits, _, preactivations = model.apply(
                state.params, fed, transform(batch.x)
            )
            sums = objective.sums(logits, batch.y, batch.mask, classes)
            reached = tuple(_reach(site, batch.mask) for site in preactivations)
            return sums, reached, logits if metrics else None

        size = eval_batch or examples_at_once(split.x)
        sums, reached, outputs = _over_batches(statistics, split, size)
        dead = tuple(r.highest <= 0 for r in reached)
        found = objective.metrics(sums, split.y) | _stack_metrics(reached, tolerances)
        return found | measured(metrics, outputs, split.y, taken=found), dead

    return Run(init, step, evaluate)


def _mean(losses: jax.Array, batch: Batch) -> jax.Array:
    """The mean over the unmasked examples, by their weights if they have some."""
    mask = batch.mask.astype(losses.dtype)
    if batch.weight is None:
        return (losses * mask).sum() / mask.sum()
    weight = mask * batch.weight.astype(losses.dtype)
    total = weight.sum()
    # A batch in which nothing counts has a loss of 0, and no gradient.
    return (losses * weight).sum() / jnp.where(total > 0, total, 1)


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


def examples_at_once(x: Any) -> int:
    """Examples per evaluation batch for inputs like `x [n, ...]`.

    A CPU takes fewer images at once, so that what a convolution makes of them stays in
    its cache: it evaluates the CNN twice as fast then, and an MLP as fast.
    """
    images = len(x.shape) > 2
    return 128 if images and jax.default_backend() == "cpu" else 1024


def in_batches(split: Split, size: int) -> Batch:
    """`split` cut in order into batches `[n_batches, size, ...]`, padded and masked."""
    n = len(split.x)
    index = jnp.arange(-(-n // size) * size).reshape(-1, size)
    inside = jnp.minimum(index, n - 1)
    mask = (index < n).astype(jnp.float32)
    return Batch(split.x[inside], split.y[inside], mask)


def _over_batches(
    statistics: Callable[[Batch], tuple[Tree, Tree, Any]], split: Split, size: int
) -> tuple[Tree, Tree, Any]:
    """The sums, the highest reach and the outputs `[n, ...]` over a whole split."""
    n = len(split.x)
    if n <= size:
        return statistics(Batch(split.x, split.y, jnp.ones(n, jnp.float32)))
    sums, reached, outputs = jax.lax.map(statistics, in_batches(split, size))
    sums = jax.tree.map(lambda s: s.sum(0), sums)
    reached = jax.tree.map(lambda r: r.max(0), reached)
    if outputs is not None:  # The padding is at the end.
        outputs = outputs.reshape(-1, *outputs.shape[2:])[:n]
    return sums, reached, outputs


class _Reach(NamedTuple):
    """How far the units of a site go over the unmasked examples of a batch.

    Attributes:
      highest: the highest pre-activation, `[units]`, or `[layers, units]` of a stack.
      largest: the largest absolute output, likewise; of a stack only.
      layers: how many layers the stack has.
    """

    highest: jax.Array
    largest: jax.Array | None = None
    layers: jax.Array | None = None


def _reach(site: jax.Array | Stack, mask: jax.Array) -> _Reach:
    if isinstance(site, Stack):
        over = lambda values, least: jnp.where(mask > 0, values, least).max(axis=-1)
        return _Reach(over(site.z, -jnp.inf), over(jnp.abs(site.y), 0), site.count)
    real = mask.reshape(-1, *[1] * (site.ndim - 1)) > 0
    masked = jnp.where(real, site, -jnp.inf)
    return _Reach(masked.max(axis=tuple(range(site.ndim - 1))))


def _stack_metrics(reached: Sequence[_Reach], tolerances: Sequence[float]) -> Metrics:
    """How many layers a stack has, and the fraction of small units in each."""
    if not reached or reached[0].largest is None:
        if tolerances:
            raise InputError("Expected a deep_mlp for tolerances, got another network.")
        return {}
    (stack,) = reached
    metrics: Metrics = {"layers": stack.layers}
    for e in tolerances:
        metrics[f"small_{e:g}"] = (cast(jax.Array, stack.largest) < e).mean(axis=-1)
    return metrics
