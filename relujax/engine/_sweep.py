"""Run cells for seeds, keep what is done, resume what is not."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from relujax import data
from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._plan import Plan, auto
from relujax.engine._population import train_population
from relujax.engine._provenance import provenance
from relujax.engine._store import Store


class Task(NamedTuple):
    """A cell with its data, its store, and the seeds that have yet to run."""

    cell: Cell
    dataset: Dataset
    store: Store
    missing: tuple[int, ...]


def plan_tasks(
    cells: Sequence[Cell], seeds: Sequence[int], folder: Path, *, root: int = 0
) -> list[Task]:
    """Look up what has been done. Loads every data set, so that bad data fail first.

    Args:
      cells: the grid.
      seeds: seed ids, any list without repetition.
      folder: `runs/<study>`.
      root: the root seed.
    """
    datasets: dict[str, Dataset] = {}
    tasks = []
    for cell in cells:
        if cell.data not in datasets:
            datasets[cell.data] = data.load_dataset(cell.data)
        dataset = datasets[cell.data]
        digest = cell.digest(dataset.provenance.sha256, root)
        store = Store(folder / digest)
        done = set(store.load()["seed"])
        missing = tuple(seed for seed in seeds if seed not in done)
        tasks.append(Task(cell, dataset, store, missing))
    return tasks


def run_task(
    task: Task,
    *,
    root: int = 0,
    plan: Plan | None = None,
    on_epochs: Callable[[int], None] = lambda _epochs: None,
) -> None:
    """Train the missing seeds of a task and store their rows."""
    if not task.missing:
        return
    plan = plan or auto()
    task.store.describe(
        {
            "cell": asdict(task.cell),
            "canonical": asdict(task.cell.canonical()),
            "root": root,
            "data": _origin(task.dataset),
        }
    )
    start = time.perf_counter()
    frame = train_population(
        task.cell, task.dataset, task.missing, root=root, plan=plan, on_epochs=on_epochs
    )
    seconds = round(time.perf_counter() - start, 3)
    task.store.add(
        frame, {"wall_seconds": seconds, "plan": asdict(plan), **provenance()}
    )


def collect(tasks: Sequence[Task], seeds: Sequence[int]) -> pd.DataFrame:
    """The stored rows of all tasks, with the columns that name the cell."""
    tables = []
    for task in tasks:
        frame = task.store.load()
        frame = frame[frame["seed"].isin(seeds)]
        cell = task.cell
        labels = {
            "cell": task.store.folder.name,
            "data": cell.data,
            "model": cell.model,
            "activation": cell.activation,
            "optimizer": cell.optimizer,
        }
        tables.append(frame.assign(**labels))
    return pd.concat(tables, ignore_index=True)


def _origin(dataset: Dataset) -> dict:
    return {"name": dataset.name, **dataset.provenance._asdict()}


def history(tasks: Sequence[Task]) -> dict:
    """Where the stored numbers of all tasks come from, as one record.

    The date, versions and device are those of the last chunk; `wall_seconds` adds up
    the training of all chunks, whenever they ran.
    """
    records = [record for task in tasks for record in task.store.records()]
    last = max(records, key=lambda record: record["date"])
    datasets = {task.cell.data: _origin(task.dataset) for task in tasks}
    keep = ("date", "versions", "device", "git")
    return {
        **{name: last[name] for name in keep},
        "wall_seconds": round(sum(record["wall_seconds"] for record in records), 1),
        "data": list(datasets.values()),
    }
