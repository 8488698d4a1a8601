"""Train a population: the members of cells that share one compiled program."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._plan import Plan
from relujax.engine._program import Data, Members, Program, compile_program
from relujax.engine._program import put_on_device as put_on_device
from relujax.engine._rows import mark_diverged, rows

#: Progress is reported about this often per population.
_REPORTS = 20


class Member(NamedTuple):
    """One network of a population."""

    cell: Cell
    seed: int


def train_population(
    members: Sequence[Member],
    data: Dataset,
    *,
    root: int,
    plan: Plan,
    on_epochs: Callable[[int], None] = lambda _epochs: None,
) -> Iterator[tuple[list[Member], pd.DataFrame]]:
    """Train members, chunk by chunk, with one compiled program.

    Args:
      members: networks whose cells differ in numbers only (`Cell.skeleton`).
      data: their data set.
      root: the root seed.
      plan: how the members are run.
      on_epochs: called with the number of epochs (times members) that have been done.

    Yields:
      The members of each chunk, and their rows: one per member, epoch (from 0, before
      training) and split; `member` is the position in the chunk.
    """
    cell = members[0].cell
    if any(member.cell.skeleton != cell.skeleton for member in members):
        raise ValueError("Expected members whose cells differ in numbers only.")
    stride = _stride(cell.epochs)
    program = compile_program(cell, data, root=root, epochs=stride, plan=plan)
    arrays = put_on_device(data)
    for chunk in plan.chunks(members, member_bytes=program.member_bytes):
        yield chunk, _train_chunk(program, chunk, arrays, plan, stride, on_epochs)


def _train_chunk(
    program: Program,
    chunk: Sequence[Member],
    data: Data,
    plan: Plan,
    stride: int,
    on_epochs: Callable[[int], None],
) -> pd.DataFrame:
    n = len(chunk)
    padded = [chunk[i] for i in plan.padded(n)]
    numbers = [member.cell.hyperparameters for member in padded]
    members = Members(
        jnp.asarray([member.seed for member in padded], jnp.int32),
        jax.tree.map(lambda *values: jnp.asarray(values, jnp.float32), *numbers),
    )
    states, initial = program.start(members, data)
    host = lambda tree: jax.tree.map(lambda leaf: np.asarray(leaf)[:n], tree)
    tables = [rows(np.arange(1), host(initial))]
    for first in range(1, chunk[0].cell.epochs + 1, stride):
        states, metrics = program.advance(states, members, data)
        tables.append(rows(np.arange(first, first + stride), host(metrics)))
        on_epochs(stride * n)
    frame = pd.concat(tables, ignore_index=True)
    seeds = np.asarray([member.seed for member in chunk])
    return mark_diverged(frame.assign(seed=seeds[frame["member"]]))


def _stride(epochs: int) -> int:
    """Epochs per call: the largest divisor of `epochs` that leaves enough reports."""
    most = max(1, epochs // _REPORTS)
    return max(d for d in range(1, most + 1) if epochs % d == 0)
