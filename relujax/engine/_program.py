"""A cell's compiled program: all members of a population in one call."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from jax.typing import ArrayLike

from relujax.data import Dataset, Transform
from relujax.engine._cell import Cell, Skeleton
from relujax.engine._compiler import compiler_options
from relujax.engine._cost import Cost, batch_examples, cost_of
from relujax.engine._own import OwnCell, OwnSkeleton
from relujax.engine._plan import Plan
from relujax.training import (
    Fates,
    Run,
    Split,
    Streams,
    TrainState,
    alive,
    follow,
    make_run,
    streams,
    train_epoch,
)

Hyperparameters = Mapping[str, Mapping[str, ArrayLike]]

# A program of a user's own functions keeps these alive: the oldest is forgotten.
_PROGRAMS = 64


class Members(NamedTuple):
    """The population: one row per network, along the leading axis of every leaf.

    Attributes:
      seed: seed ids, `[members]` int32.
      hyperparameters: the cell's traced numbers, each `[members]` float32.
    """

    seed: ArrayLike
    hyperparameters: Hyperparameters


class Data(NamedTuple):
    """The data set on the device, shared by all members."""

    train: Split
    test: Split


class Progress(NamedTuple):
    """How far a member is.

    Attributes:
      train: the training state.
      fates: which units are dead on the examples of each split.
    """

    train: TrainState
    fates: dict[str, Fates]


class Program(NamedTuple):
    """Two compiled functions over the members of a population.

    Attributes:
      start: `start(counts, members) -> states`, before any training; `counts` is that
        of `Plan.map`.
      advance: `advance(counts, states, members, (data, epochs)) -> (states, packed)`:
        `epochs`, `[evaluations]`, has how many epochs come before each evaluation.
      unpack: `unpack(packed) -> metrics`, on the host. Every leaf of the metrics is
        `[members, evaluations, ...]`.
      cost: estimate of what one member needs.
    """

    start: Callable[..., Progress]
    advance: Callable[..., tuple[Progress, jax.Array]]
    unpack: Callable[[np.ndarray], dict[str, Any]]
    cost: Cost


def put_on_device(data: Dataset, plan: Plan) -> Data:
    """The arrays of a data set as they are stored (images stay uint8).

    Every device of the plan has a copy: else each call would hand it out again.
    """
    if plan.devices == 1:
        return jax.tree.map(jnp.asarray, _splits(data))
    return jax.device_put(_splits(data), NamedSharding(plan.mesh, PartitionSpec()))


def _splits(data: Dataset) -> Any:
    return Data(
        Split(*cast(Any, (data.x_train, data.y_train))),
        Split(*cast(Any, (data.x_test, data.y_test))),
    )


def compile_program(
    cell: Cell | OwnCell, data: Dataset, *, root: int, plan: Plan
) -> Program:
    """The program of a cell; cells that differ in numbers only share one.

    Args:
      cell: what to train.
      data: its data set (the program depends on shapes, classes and transform only).
      root: the root seed.
      plan: how the members are run.
    """
    one = _Member(cell.skeleton, data.classes, data.transform, root)
    # How members are cut into calls is no part of the program.
    plan = replace(plan, chunk=None)
    initial = cell.skeleton.initial()
    compiled = _start(one._replace(skeleton=initial), plan)

    first = jax.tree.map(lambda array: array[:1], _splits(data))

    def start(counts, members):
        # What it depends on, and no more, so that it is rarely compiled anew.
        numbers = initial.numbers_in(members.hyperparameters)
        return compiled(counts, members._replace(hyperparameters=numbers), first)

    shape = lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype)
    numbers = [(part, *names) for part, names in cell.hyperparameters.items()]
    shapes = _shapes(
        one,
        tuple(numbers),
        jax.tree.map(shape, _splits(data)),
        batch_examples(cell, data),
    )
    cost = cost_of(
        cell,
        data,
        state=shapes.state,
        params=shapes.state.train.params,
        values=shapes.values,
    )
    return Program(start, _advance(one, plan), partial(_unpack, shapes.metrics), cost)


class _Member(NamedTuple):
    """What is done for one member, as pure functions of its numbers and the data."""

    skeleton: Skeleton | OwnSkeleton
    classes: int | None
    transform: Transform
    root: int

    def start(self, member: Members, first: Data):
        run, keys = self._run(member, first)
        state = run.init(keys, first.train.x)
        _, dead = jax.eval_shape(run.evaluate, state, first.train)
        return Progress(state, dict.fromkeys(Data._fields, alive(dead)))

    def advance(self, progress: Progress, member: Members, shared: Any):
        data, epochs = shared
        run, keys = self._run(member, data)

        def epoch(_, carry):
            state, before = carry
            slope = signal(state)
            state, (loss, diverged) = train_epoch(
                run, state, data.train, keys, batch_size=self.skeleton.batch_size
            )
            diverged = jnp.fmin(before["diverged_step"], diverged)
            return state, _losses(loss, diverged, slope)

        def evaluation(progress, epochs):
            # The trip count is traced: none before the first evaluation.
            state, losses = jax.lax.fori_loop(
                0, epochs, epoch, (progress.train, _no_losses())
            )
            fates, metrics = _measure(run, state, data, progress.fates)
            losses["diverged_step"] = _lost_at(state, losses, metrics)
            return Progress(state, fates), _pack({**metrics, **losses})

        return jax.lax.scan(evaluation, progress, epochs)

    def metrics(self, progress: Progress, member: Members, data: Data):
        """The metrics of an evaluation, for their shapes."""
        run, _ = self._run(member, data)
        _, metrics = _measure(run, progress.train, data, progress.fates)
        return {**metrics, **_no_losses()}

    def values(self, progress: Progress, member: Members, x: jax.Array):
        """What a batch of inputs becomes in the network: outputs, pre-activations."""
        examples, state = len(x), progress.train
        numbers = member.hyperparameters
        model, _, _ = self.skeleton.build(numbers, self.classes, examples)
        y, _, layers = model.apply(state.params, state.state, self.transform(x))
        return y, layers

    def _run(self, member: Members, data: Data) -> tuple[Run, Streams]:
        examples = len(data.train.y)
        parts = self.skeleton.build(member.hyperparameters, self.classes, examples)
        run = make_run(
            *parts,
            classes=self.classes,
            transform=self.transform,
            tolerances=self.skeleton.tolerances,
        )
        return run, streams(self.root, member.seed)


@lru_cache(maxsize=_PROGRAMS)
def _start(one: _Member, plan: Plan):
    return jax.jit(
        lambda counts, members, data: plan.map(one.start, counts, (members,), data)
    )


@lru_cache(maxsize=_PROGRAMS)
def _advance(one: _Member, plan: Plan):
    return jax.jit(
        lambda counts, states, members, shared: plan.map(
            one.advance, counts, (states, members), shared
        ),
        donate_argnums=1,
        compiler_options=compiler_options(),
    )


def _losses(
    running_loss: jax.Array, diverged_step: jax.Array, signal: jax.Array
) -> dict[str, jax.Array]:
    """What is known of the last epoch; and the first step of all that diverged."""
    return {
        "running_loss": running_loss,
        "diverged_step": diverged_step,
        "signal": signal,
    }


def _lost_at(
    state: TrainState, losses: dict[str, jax.Array], metrics: dict[str, Any]
) -> jax.Array:
    """The first step whose loss is not finite; NaN where there is none.

    The update before an evaluation may be the one that ruins the network: the losses
    of the steps are finite, that of the next one would not be.
    """
    found = [metrics[split]["loss"] for split in Data._fields]
    lost = ~jnp.isfinite(jnp.stack(found)).all()
    at = jnp.where(lost, state.step.astype(jnp.float32), jnp.nan)
    return jnp.fmin(losses["diverged_step"], at)


def _no_losses() -> dict[str, jax.Array]:
    return _losses(*[jnp.float32(jnp.nan)] * 3)


def _measure(
    run: Run, state: TrainState, data: Data, before: dict[str, Fates]
) -> tuple[dict[str, Fates], dict[str, Any]]:
    """The new fates and the metrics of both splits."""
    fates, metrics = {}, {}
    for split, examples in data._asdict().items():
        scores, dead = run.evaluate(state, examples)
        fates[split], rates = follow(before[split], dead)
        metrics[split] = {**scores, **rates}
    return fates, metrics


def _pack(metrics: dict[str, Any]) -> jax.Array:
    """All metrics as one vector: dozens of scalars take long to compile and to fetch.

    Counts stay exact: they are at most the size of a split.
    """
    leaves = jax.tree.leaves(metrics)
    dtype = jnp.result_type(jnp.float32, *leaves)
    return jnp.concatenate([jnp.ravel(leaf).astype(dtype) for leaf in leaves])


def _unpack(shapes: dict[str, Any], packed: np.ndarray) -> dict[str, Any]:
    """The metrics of `packed`, `[members, evaluations, size]`."""
    leaves, tree = jax.tree.flatten(shapes)
    ends = np.cumsum([leaf.size for leaf in leaves])
    parts = [
        part.reshape(*packed.shape[:2], *leaf.shape).astype(leaf.dtype)
        for part, leaf in zip(np.split(packed, ends[:-1], axis=2), leaves, strict=True)
    ]
    return jax.tree.unflatten(tree, parts)


class _Shapes(NamedTuple):
    """The shapes of a member: its state, its metrics, what a batch becomes in it."""

    state: Progress
    metrics: dict[str, Any]
    values: Any


@lru_cache(maxsize=_PROGRAMS)
def _shapes(
    one: _Member, numbers: tuple[tuple[str, ...], ...], data: Data, examples: int
) -> _Shapes:
    """The shapes of a member, by its traced numbers' names."""
    one_each = lambda names: {name: jnp.float32(1) for name in names}
    values = {part: one_each(names) for part, *names in numbers}
    member = Members(jnp.int32(0), values)
    state = jax.eval_shape(one.start, member, data)
    x = jax.ShapeDtypeStruct((examples, *data.train.x.shape[1:]), data.train.x.dtype)
    return _Shapes(
        state,
        jax.eval_shape(one.metrics, state, member, data),
        jax.eval_shape(one.values, state, member, x),
    )


def signal(state: TrainState) -> jax.Array:
    """The loss that the activations are fed, NaN where none listens."""
    leaves = jax.tree_util.tree_leaves_with_path(state.state.get("signal", {}))
    fed = [leaf for path, leaf in leaves if path[-1].key == "loss"]
    return fed[0] if fed else jnp.float32(jnp.nan)
