"""A cell's compiled program: all members of a population in one call."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from relujax.data import Dataset
from relujax.engine._cache import TRAINING
from relujax.engine._cell import Cell
from relujax.engine._cost import Cost, batch_examples, cost_of
from relujax.engine._custom import Custom
from relujax.engine._fingerprint import fingerprint
from relujax.engine._network import LOSSES, Members, Network, splits
from relujax.engine._plan import Plan
from relujax.kernels.compiler import compiler_options
from relujax.training import NEVER, Batch

Tree = Any

# A program of a user's own functions keeps these alive: the oldest is forgotten.
_PROGRAMS = 64


class Program(NamedTuple):
    """Two compiled functions over the members of a population.

    Attributes:
      start: `start(counts, members) -> states`, before any training; `counts` is that
        of `Plan.map`.
      advance: `advance(counts, states, members, (data, epochs)) -> (states, packed)`:
        `epochs`, `[evaluations]`, has how many epochs come before each evaluation.
      unpack: `unpack(packed) -> metrics`, on the host. Every leaf of the metrics is
        `[members, evaluations, ...]`.
      weights: `weights(states)`, what is kept of each, every leaf `[rows, ...]`.
      cost: estimate of what one member needs.
    """

    start: Callable[..., Any]
    advance: Callable[..., tuple[Any, jax.Array]]
    unpack: Callable[[np.ndarray], dict[str, Any]]
    weights: Callable[[Any], Tree]
    cost: Cost


def put_on_device(data: Dataset | None, plan: Plan) -> Any:
    """The arrays of a data set as they are stored (images stay uint8).

    Every device of the plan has a copy: else each call would hand it out again.
    """
    if data is None:
        return ()
    if plan.devices == 1:
        return jax.device_put(splits(data))
    return jax.device_put(splits(data), NamedSharding(plan.mesh, PartitionSpec()))


def compile_program(
    cell: Cell,
    data: Dataset | None,
    *,
    root: int,
    plan: Plan,
    keep: str | None = None,
) -> Program:
    """The program of a cell; cells that differ in numbers only share one.

    Args:
      cell: what to train.
      data: its data set (the program depends on shapes, classes and transform only);
        None for a training of the user's own.
      root: the root seed.
      plan: how the members are run.
      keep: "best" if the weights of the best epoch are to be kept.
    """
    one = member_of(cell, data, root, keep)
    # How members are cut into calls is no part of the program.
    plan = replace(plan, chunk=None)
    initial = one if data is None else one._replace(skeleton=cell.skeleton.initial())
    compiled = _start(initial, plan)
    first = _first(data)

    def start(counts, members):
        # What it depends on, and no more, so that it is rarely compiled anew.
        numbers = initial.skeleton.numbers_in(members.hyperparameters)
        return compiled(counts, members._replace(hyperparameters=numbers), first)

    shapes = shapes_of(cell, data, root=root, keep=keep)
    cost = cost_of(cell, data, shapes)
    return Program(
        start,
        _advance(one, plan),
        partial(_unpack, shapes.metrics),
        one.weights,
        cost,
    )


def member_of(
    cell: Cell, data: Dataset | None, root: int, keep: str | None
) -> Network | Custom:
    """What is done for one member of a population of the cell."""
    if data is None:
        return Custom(cell.skeleton, root)
    skeleton = cell.skeleton
    facts = skeleton.facts(data)
    return Network(skeleton, facts, data.transform, root, keep == "best")


@lru_cache(maxsize=_PROGRAMS)
def _start(one: Network | Custom, plan: Plan):
    return jax.jit(
        lambda counts, members, data: plan.map(one.start, counts, (members,), data)
    )


@lru_cache(maxsize=_PROGRAMS)
def _advance(one: Network | Custom, plan: Plan):
    def advance(counts, states, members, shared):
        return plan.map(one.advance, counts, (states, members), shared)

    # Compilations are counted by this name.
    advance.__name__ = TRAINING
    return jax.jit(advance, donate_argnums=1, compiler_options=compiler_options())


def _unpack(shapes: dict[str, Any], packed: np.ndarray) -> dict[str, Any]:
    """The metrics of `packed`, `[members, evaluations, size]`."""
    leaves, tree = jax.tree.flatten(shapes)
    ends = np.cumsum([leaf.size for leaf in leaves])
    parts = [
        part.reshape(*packed.shape[:2], *leaf.shape).astype(leaf.dtype)
        for part, leaf in zip(np.split(packed, ends[:-1], axis=2), leaves, strict=True)
    ]
    metrics = jax.tree.unflatten(tree, parts)
    known = lambda value: np.where(value == NEVER, np.nan, value)
    losses = {name: known(metrics[name]) for name in LOSSES if name in metrics}
    return {**metrics, **losses}


class Shapes(NamedTuple):
    """The shapes of a member: its state, its metrics, what a batch becomes in it."""

    state: Any
    metrics: dict[str, Any]
    values: Any


def shapes_of(
    cell: Cell, data: Dataset | None, *, root: int = 0, keep: str | None = None
) -> Shapes:
    """The shapes of a member of the cell; nothing is computed or compiled."""
    examples = 0 if data is None else batch_examples(cell, data)
    one = member_of(cell, data, root, keep)
    return _shapes(one, _names(cell), _arrays(data), examples)


def program_fingerprint(
    cell: Cell, data: Dataset | None, *, root: int = 0, keep: str | None = None
) -> str:
    """The hash of what is done for one member of the cell; see `_fingerprint`."""
    return _fingerprint(member_of(cell, data, root, keep), _names(cell), _arrays(data))


def _first(data: Dataset | None) -> Any:
    if data is None:
        return ()
    return jax.tree.map(lambda array: array[:1], splits(data))


def _names(cell: Cell) -> tuple[tuple[str, ...], ...]:
    return tuple((part, *names) for part, names in cell.hyperparameters.items())


def _arrays(data: Dataset | None) -> Any:
    """The shapes of the arrays of a data set."""
    shape = lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype)
    return () if data is None else jax.tree.map(shape, splits(data))


def _member(numbers: tuple[tuple[str, ...], ...]) -> Members:
    """The shapes of a member with these traced numbers."""
    number = jax.ShapeDtypeStruct((), jnp.float32)
    values = {part: dict.fromkeys(names, number) for part, *names in numbers}
    return Members(cast(Any, jax.ShapeDtypeStruct((), jnp.int32)), values)


@lru_cache(maxsize=_PROGRAMS)
def _shapes(
    one: Network | Custom,
    numbers: tuple[tuple[str, ...], ...],
    data: Any,
    examples: int,
) -> Shapes:
    """The shapes of a member, by its traced numbers' names."""
    member = _member(numbers)
    state = jax.eval_shape(one.start, member, data)
    metrics = jax.eval_shape(one.metrics, state, member, data)
    made = ()
    if isinstance(one, Network):
        x = _resized(data.train.x, examples)
        made = jax.eval_shape(one.values, state, member, x)
    return Shapes(state, metrics, made)


@lru_cache(maxsize=_PROGRAMS)
def _fingerprint(
    one: Network | Custom, numbers: tuple[tuple[str, ...], ...], data: Any
) -> str:
    member, batch = _member(numbers), ()
    traced, state = jax.make_jaxpr(one.start, return_shape=True)(member, data)
    measured = jax.make_jaxpr(one.metrics)(state, member, data)
    if isinstance(one, Network):
        size = min(one.skeleton.batch_size, one.facts.examples)
        mask = jax.ShapeDtypeStruct((size,), jnp.float32)
        x, y = (_resized(array, size) for array in (data.train.x, data.train.y))
        batch = Batch(x, y, cast(Any, mask))
    update = jax.make_jaxpr(one.step)(state, member, batch)
    return fingerprint(traced, measured, update)


def _resized(array: Any, n: int) -> Any:
    return jax.ShapeDtypeStruct((n, *array.shape[1:]), array.dtype)
