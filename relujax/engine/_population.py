"""Train the seeds of one cell, a chunk of epochs at a time."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._plan import Plan
from relujax.engine._program import Members, compile_program, put_on_device
from relujax.engine._rows import mark_diverged, rows

#: Progress is reported about this often per population.
_REPORTS = 20


def train_population(
    cell: Cell,
    data: Dataset,
    seeds: Sequence[int],
    *,
    root: int,
    plan: Plan,
    on_epochs: Callable[[int], None],
) -> pd.DataFrame:
    """Train a cell for every seed in one compiled program.

    Args:
      cell: what to train.
      data: its data set.
      seeds: seed ids.
      root: the root seed.
      plan: how the seeds are run.
      on_epochs: called with the number of epochs (times seeds) that have been done.

    Returns:
      One row per seed, epoch (from 0, before training) and split.
    """
    stride = _stride(cell.epochs)
    program = compile_program(cell, data, root=root, epochs=stride, plan=plan)
    ids = np.asarray(seeds, np.int32)
    numbers = jax.tree.map(
        lambda number: jnp.full(len(ids), number, jnp.float32), cell.hyperparameters
    )
    members = Members(jnp.asarray(ids), numbers)
    arrays = put_on_device(data)

    states, initial = program.start(members, arrays)
    blank = np.full((len(ids), 1), np.nan, np.float32)
    initial = jax.tree.map(lambda value: np.asarray(value)[:, None], initial)
    tables = [
        rows(ids, np.arange(1), {**initial, "running_loss": blank, "signal": blank})
    ]
    for first in range(1, cell.epochs + 1, stride):
        states, metrics = program.advance(states, members, arrays)
        epochs = np.arange(first, first + stride)
        tables.append(rows(ids, epochs, jax.tree.map(np.asarray, metrics)))
        on_epochs(stride * len(ids))
    return mark_diverged(pd.concat(tables, ignore_index=True))


def _stride(epochs: int) -> int:
    """Epochs per call: the largest divisor of `epochs` that leaves enough reports."""
    most = max(1, epochs // _REPORTS)
    return max(d for d in range(1, most + 1) if epochs % d == 0)
