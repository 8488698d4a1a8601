"""A cell's compiled program: all members of a population in one call."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp

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

Hyperparameters = dict[str, dict[str, jax.Array]]

# A program of a user's own functions keeps these alive: the oldest is forgotten.
_PROGRAMS = 64


class Members(NamedTuple):
    """The population: one row per network, along the leading axis of every leaf.

    Attributes:
      seed: seed ids, `[members]` int32.
      hyperparameters: the cell's traced numbers, each `[members]` float32.
    """

    seed: jax.Array
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
      start: `start(counts, members, data) -> (states, metrics)`, metrics of epoch 0;
        `counts` is that of `Plan.map`.
      advance: `advance(counts, states, members, data) -> (states, metrics)`: a few
        epochs. Every leaf of the metrics is `[members, epochs, ...]`.
      member_bytes: estimate of the memory that one more member needs under `vmap`.
    """

    start: Callable[..., tuple[Progress, Any]]
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
    cell: Cell | OwnCell, data: Dataset, *, root: int, epochs: int, plan: Plan
) -> Program:
    """The program of a cell; cells that differ in numbers only share one.

    Args:
      cell: what to train.
      data: its data set (the program depends on shapes, classes and transform only).
      root: the root seed.
      epochs: epochs per call of `advance`.
      plan: how the members are run.
    """
    one = _Member(cell.skeleton, data.classes, data.transform, root, epochs)
    # How members are cut into calls is no part of the program.
    start, advance = _compiled(one, replace(plan, chunk=None))
    return Program(start, advance, _member_bytes(one, cell, data))


class _Member(NamedTuple):
    """What is done for one member, as pure functions of its numbers and the data."""

    skeleton: Skeleton | OwnSkeleton
    classes: int | None
    transform: Transform
    root: int
    epochs: int

    def start(self, member: Members, data: Data):
        run, keys = self._run(member)
        state = run.init(keys, data.train.x[:1])
        fates, metrics = _measure(run, state, data, {})
        blank = jnp.float32(jnp.nan)
        unknown = {"running_loss": blank, "diverged_step": blank, "signal": blank}
        metrics = jax.tree.map(lambda value: value[None], {**metrics, **unknown})
        return Progress(state, fates), metrics

    def advance(self, progress: Progress, member: Members, data: Data):
        run, keys = self._run(member)

        def epoch(progress, _):
            state, fates = progress
            slope = signal(state)
            state, losses = train_epoch(
                run, state, data.train, keys, batch_size=self.skeleton.batch_size
            )
            known = {**losses._asdict(), "signal": slope}
            fates, metrics = _measure(run, state, data, fates)
            return Progress(state, fates), {**metrics, **known}

        return jax.lax.scan(epoch, progress, length=self.epochs)

    def _run(self, member: Members) -> tuple[Run, Streams]:
        parts = self.skeleton.build(member.hyperparameters, self.classes)
        run = make_run(*parts, classes=self.classes, transform=self.transform)
        return run, streams(self.root, member.seed)


@lru_cache(maxsize=_PROGRAMS)
def _compiled(one: _Member, plan: Plan):
    def start(counts, members, data):
        return plan.map(one.start, counts, (members,), data)

    def advance(counts, states, members, data):
        return plan.map(one.advance, counts, (states, members), data)

    return jax.jit(start), jax.jit(advance, donate_argnums=1)


def _measure(
    run: Run, state: TrainState, data: Data, before: dict[str, Fates]
) -> tuple[dict[str, Fates], dict[str, Any]]:
    """The new fates and the metrics of both splits; `before` is empty at first."""
    fates, metrics = {}, {}
    for split, examples in data._asdict().items():
        scores, dead = run.evaluate(state, examples)
        fates[split], rates = follow(before.get(split, alive(dead)), dead)
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
    state, _ = jax.eval_shape(one.start, Members(jnp.int32(0), numbers), arrays)
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
