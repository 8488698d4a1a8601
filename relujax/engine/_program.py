"""A cell's compiled program: all members of a population in one call."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.data import Dataset, Transform
from relujax.engine._cell import Cell, Skeleton
from relujax.engine._own import OwnCell, OwnSkeleton
from relujax.engine._plan import Plan
from relujax.training import (
    EVAL_BATCH,
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
      advance: `advance(counts, states, members, (data, epochs)) -> (states, metrics)`:
        `epochs`, `[evaluations]`, has how many epochs come before each evaluation.
        Every leaf of the metrics is `[members, evaluations, ...]`.
      member_bytes: estimate of the memory that one more member needs under `vmap`.
    """

    start: Callable[..., Progress]
    advance: Callable[..., tuple[Progress, Any]]
    member_bytes: int


def put_on_device(data: Dataset) -> Data:
    """The arrays of a data set as they are stored (images stay uint8)."""
    return jax.tree.map(jnp.asarray, _splits(data))


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

    return Program(start, _advance(one, plan), _member_bytes(one, cell, data))


class _Member(NamedTuple):
    """What is done for one member, as pure functions of its numbers and the data."""

    skeleton: Skeleton | OwnSkeleton
    classes: int | None
    transform: Transform
    root: int

    def start(self, member: Members, first: Data):
        run, keys = self._run(member)
        state = run.init(keys, first.train.x)
        _, dead = jax.eval_shape(run.evaluate, state, first.train)
        return Progress(state, dict.fromkeys(Data._fields, alive(dead)))

    def advance(self, progress: Progress, member: Members, shared: Any):
        data, epochs = shared
        run, keys = self._run(member)

        def epoch(_, carry):
            state, before = carry
            slope = signal(state)
            state, (loss, diverged) = train_epoch(
                run, state, data.train, keys, batch_size=self.skeleton.batch_size
            )
            diverged = jnp.fmin(before["diverged_step"], diverged)
            return state, _losses(loss, diverged, slope)

        def evaluation(progress, epochs):
            unknown = _losses(*[jnp.float32(jnp.nan)] * 3)
            # The trip count is traced: none before the first evaluation.
            state, losses = jax.lax.fori_loop(
                0, epochs, epoch, (progress.train, unknown)
            )
            fates, metrics = _measure(run, state, data, progress.fates)
            return Progress(state, fates), {**metrics, **losses}

        return jax.lax.scan(evaluation, progress, epochs)

    def _run(self, member: Members) -> tuple[Run, Streams]:
        parts = self.skeleton.build(member.hyperparameters, self.classes)
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


def _member_bytes(one: _Member, cell: Cell | OwnCell, data: Dataset) -> int:
    """A rough upper estimate: the state four times over, plus an evaluation batch.

    The state is held with its gradient, update and a temporary copy; an evaluation
    batch of inputs is gathered, and every layer's values live with some temporaries.
    """
    arrays = jax.tree.map(
        lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), _splits(data)
    )
    numbers = jax.tree.map(jnp.float32, cell.hyperparameters)
    state = jax.eval_shape(one.start, Members(jnp.int32(0), numbers), arrays)
    values = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    examples = min(EVAL_BATCH, len(data.x_train))
    params = jax.tree.leaves(state.train.params)
    widths = sum(math.prod(p.shape[-1:]) for p in params)
    return 4 * values + 16 * examples * (widths + math.prod(data.shape))


def signal(state: TrainState) -> jax.Array:
    """The loss that the activations are fed, NaN where none listens."""
    leaves = jax.tree_util.tree_leaves_with_path(state.state.get("signal", {}))
    fed = [leaf for path, leaf in leaves if path[-1].key == "loss"]
    return fed[0] if fed else jnp.float32(jnp.nan)
