"""What is to be run: cells with their data, their stores, and the seeds wanted."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from relujax.data import Dataset, check_inputs, load_dataset
from relujax.engine._cell import Cell
from relujax.engine._fit import check_fit
from relujax.engine._store import Store
from relujax.engine._tables import Budget
from relujax.errors import InputError
from relujax.switches import own_placement

#: Columns that name the cell of a row.
LABELS = ("data", "model", "activation", "optimizer")


class Task(NamedTuple):
    """A cell with its data, its store, and the seeds that are wanted.

    Attributes:
      dataset: None for a training of the user's own.
      keep: "last" or "best" where weights are kept, else None.
    """

    cell: Cell
    dataset: Dataset | None
    store: Store
    seeds: tuple[int, ...]
    keep: str | None = None

    @property
    def missing(self) -> tuple[int, ...]:
        """The seeds whose rows (or weights, where they are kept) are not stored yet."""
        done = self.store.seeds()
        if self.keep is not None:
            done = {seed for seed in done if self.store.has_weights(seed)}
        return tuple(seed for seed in self.seeds if seed not in done)

    @property
    def origin(self) -> dict:
        """Where its data come from."""
        return {} if self.dataset is None else origin(self.dataset)

    @property
    def labels(self) -> dict[str, str]:
        """The columns that name the cell."""
        return labels_of(vars(self.cell))


class Stored(NamedTuple):
    """A cell whose results are only read: its data need not be on this machine.

    Attributes:
      fields: the cell's fields, by name.
    """

    fields: Mapping[str, Any]
    store: Store
    origin: Mapping[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        """The columns that name the cell."""
        return labels_of(self.fields)


def labels_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """The columns that name a cell, by its fields."""
    if fields.get("training"):
        shown = {**fields, "data": "", "model": fields["training"], "optimizer": ""}
    else:
        shown = fields
    return {name: str(shown.get(name, "")) for name in LABELS}


@own_placement()
def plan_tasks(
    cells: Sequence[Cell],
    seeds: Sequence[int],
    folder: Path,
    *,
    root: int = 0,
    data_dir: Path | None = None,
    keep: str | None = None,
) -> list[Task]:
    """The tasks of a grid. Loads every data set, so that bad data fail first.

    Args:
      cells: the grid.
      seeds: seed ids, any list without repetition.
      folder: `runs/<study>`.
      root: the root seed.
      data_dir: folder of raw data files; see `relujax.load_dataset`.
      keep: "last" or "best" to keep weights.

    Raises:
      InputError: the grid is empty or has a cell twice, a data set is unknown, or a
        cell does not fit its data.
    """
    if not cells:
        raise InputError("Expected at least one cell to run, got none.")
    if keep not in (None, "last", "best"):
        raise InputError(f"Expected keep='last' or keep='best', got {keep!r}.")
    names = dict.fromkeys(cell.data for cell in cells if not cell.training)
    datasets = {name: load_dataset(name, data_dir) for name in names}
    for dataset in datasets.values():
        check_inputs(dataset)
    tasks: dict[str, Task] = {}
    for cell in cells:
        dataset = None if cell.training else datasets[cell.data]
        if dataset is not None:
            check_fit(cell, dataset, keep)
        sha = "" if dataset is None else dataset.provenance.sha256
        digest = cell.digest(sha, root)
        if digest in tasks:
            where = cell.training or f"{cell.model} on {cell.data}"
            raise InputError(
                f"Expected different cells, got {cell.activation} with {where} twice."
            )
        store = Store(folder / digest)
        tasks[digest] = Task(cell, dataset, store, tuple(seeds), keep)
    return list(tasks.values())


def collect(tasks: Sequence[Task | Stored], seeds: Sequence[int]) -> pd.DataFrame:
    """The stored rows of all tasks, with the columns that name the cell."""
    budget = Budget()
    tables = [task.store.load(budget) for task in tasks]
    names = pd.DataFrame([{"cell": t.store.folder.name, **t.labels} for t in tasks])
    # One table of all rows: pandas takes longer over many small ones.
    places = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    labels = names.take(places).reset_index(drop=True)
    frame = pd.concat([pd.concat(tables, ignore_index=True), labels], axis=1)
    return frame[frame["seed"].isin(seeds)].reset_index(drop=True)


def origin(dataset: Dataset) -> dict:
    """What the data are and where they come from, as JSON."""
    names = dataset.class_names
    classes = {"classes": list(names)} if names else {}
    return {"name": dataset.name, **dataset.provenance._asdict(), **classes}
