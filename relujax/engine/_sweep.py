"""Run cells for seeds, keep what is done, resume what is not."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from relujax import data
from relujax.data import Dataset
from relujax.engine._auto import choose
from relujax.engine._cell import Cell
from relujax.engine._checks import check_targets
from relujax.engine._cost import parameters
from relujax.engine._plan import Plan
from relujax.engine._population import Member, train_population
from relujax.engine._provenance import provenance
from relujax.engine._store import Store
from relujax.engine._workers import side_by_side

#: Parameters below which compiling takes as long as training, roughly.
_SMALL = 20_000

#: Cells that are claimed at the same time: each claim is an open file.
_CLAIMS = 256


class Task(NamedTuple):
    """A cell with its data, its store, and the seeds that are wanted."""

    cell: Cell
    dataset: Dataset
    store: Store
    seeds: tuple[int, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """The seeds whose rows are not stored yet."""
        done = self.store.seeds()
        return tuple(seed for seed in self.seeds if seed not in done)

    @property
    def origin(self) -> dict:
        """Where its data come from."""
        return origin(self.dataset)


class Stored(NamedTuple):
    """A cell whose results are only read: its data need not be on this machine."""

    cell: Cell
    store: Store
    origin: Mapping[str, Any]


class Failure(NamedTuple):
    """Tasks that could not be finished, and why."""

    tasks: tuple[Task, ...]
    error: Exception


def plan_tasks(
    cells: Sequence[Cell],
    seeds: Sequence[int],
    folder: Path,
    *,
    root: int = 0,
    data_dir: Path | None = None,
) -> list[Task]:
    """The tasks of a grid. Loads every data set, so that bad data fail first.

    Args:
      cells: the grid.
      seeds: seed ids, any list without repetition.
      folder: `runs/<study>`.
      root: the root seed.
      data_dir: folder of raw data files; see `relujax.load_dataset`.

    Raises:
      InputError: a data set is unknown, or its targets are none for the objective.
    """
    datasets = {cell.data: data.load_dataset(cell.data, data_dir) for cell in cells}
    tasks = []
    for cell in cells:
        dataset = datasets[cell.data]
        check_targets(cell.objective, dataset)
        digest = cell.digest(dataset.provenance.sha256, root)
        tasks.append(Task(cell, dataset, Store(folder / digest), tuple(seeds)))
    return tasks


def run_tasks(
    tasks: Sequence[Task],
    *,
    root: int = 0,
    plan: Plan | None = None,
    workers: int | None = None,
    on_group: Callable[[Sequence[Task]], None] = lambda _tasks: None,
    on_plan: Callable[[str], None] = lambda _why: None,
    on_epochs: Callable[[int], None] = lambda _epochs: None,
) -> list[Failure]:
    """Train what is missing and store it, chunk by chunk.

    Cells that differ in numbers only share a program and are trained together. A cell
    that another process is running is left to it, and looked at again at the end.

    Args:
      tasks: from `plan_tasks`.
      root: the root seed.
      plan: how the members are run; None for the one that `choose` takes.
      workers: groups that run at the same time; None for as many as there are groups
        and cores where all networks are small, so that one group compiles while
        another trains, else one. No number changes.
      on_group: called with the tasks of each program before it starts.
      on_plan: called with the plan that was chosen for a program, and why, in one line.
      on_epochs: called with the number of epochs (times members) that have been done.

    Returns:
      What went wrong; the other groups have run. The traceback is in `error.txt`
      beside the results.
    """
    groups = [g for g in _groups(tasks) if any(task.missing for task in g)]
    if workers is None:
        workers = _workers(groups)
    failures: list[Failure] = []
    busy: list[Task] = []

    def decide(group: Sequence[Task], networks: int) -> Plan:
        if plan is not None:
            return plan
        cell, dataset = group[0].cell, group[0].dataset
        chosen = choose(cell, dataset, networks, alone=workers == 1)
        on_plan(chosen.why)
        return chosen.plan

    def attempt(
        group: Sequence[Task], checkpoint: Callable[[], None], *, wait: bool
    ) -> None:
        def done(epochs: int) -> None:
            checkpoint()
            on_epochs(epochs)

        try:
            how = _How(root, decide, workers, on_group, done, wait)
            busy.extend(_run_group(group, how))
        except Exception as error:
            failures.append(Failure(tuple(group), error))
            for task in group:
                task.store.note_error(error)

    most = max(1, _CLAIMS // workers)
    parts = [g[i : i + most] for g in groups for i in range(0, len(g), most)]
    side_by_side([partial(attempt, part, wait=False) for part in parts], workers)
    for task in tuple(busy):
        attempt([task], lambda: None, wait=True)
    return failures


def _workers(groups: Sequence[Sequence[Task]]) -> int:
    """How many groups gain from running at the same time."""
    if not all(_is_small(group[0]) for group in groups):
        return 1
    return max(1, min(os.cpu_count() or 1, len(groups)))


def _is_small(task: Task) -> bool:
    leaves = jax.tree.leaves(parameters(task.cell, task.dataset))
    return sum(leaf.size for leaf in leaves) < _SMALL


def _groups(tasks: Sequence[Task]) -> list[list[Task]]:
    """The tasks that share a program and data, in the order of the grid."""
    groups: dict[tuple, list[Task]] = {}
    for task in tasks:
        key = (task.cell.skeleton, task.cell.data)
        groups.setdefault(key, []).append(task)
    return list(groups.values())


class _How(NamedTuple):
    """How groups are run: see `run_tasks`."""

    root: int
    decide: Callable[[Sequence[Task], int], Plan]
    workers: int
    on_group: Callable[[Sequence[Task]], None]
    on_epochs: Callable[[int], None]
    wait: bool


def _run_group(group: Sequence[Task], how: _How) -> list[Task]:
    """Run the tasks that can be claimed; returns the others."""
    busy = []
    with ExitStack() as claims:
        mine: dict[Cell, Task] = {}
        for task in group:
            if not task.missing:
                continue
            lock = task.store.claim(wait=how.wait)
            if lock is None:
                busy.append(task)
                continue
            claims.callback(lock.release)
            mine[task.cell] = task
        members = [Member(cell, seed) for cell in mine for seed in mine[cell].missing]
        if not members:
            return busy
        how.on_group(list(mine.values()))
        for task in mine.values():
            task.store.describe(_description(task, how.root))
        plan = how.decide(group, len(members))
        start = time.perf_counter()
        for chunk, frame in train_population(
            members,
            group[0].dataset,
            root=how.root,
            plan=plan,
            sharers=how.workers,
            on_epochs=how.on_epochs,
        ):
            # What runs beside it has its share of the machine.
            seconds = (time.perf_counter() - start) / how.workers
            _store_chunk(mine, chunk, frame, seconds, plan)
            start = time.perf_counter()
    return busy


def _store_chunk(
    tasks: Mapping[Any, Task],
    chunk: Sequence[Member],
    frame: pd.DataFrame,
    seconds: float,
    plan: Plan,
) -> None:
    """Store the rows of each cell of a chunk; the time is shared by its members."""
    sizes = Counter(member.cell for member in chunk)
    numbers = {cell: number for number, cell in enumerate(sizes)}
    owners = np.asarray([numbers[member.cell] for member in chunk])
    parts = frame.drop(columns="member").groupby(owners[frame["member"]])
    for (_, mine), (cell, size) in zip(parts, sizes.items(), strict=True):
        share = round(seconds * size / len(chunk), 3)
        record = {"wall_seconds": share, "plan": asdict(plan), **provenance()}
        tasks[cell].store.add(mine, record)


def _description(task: Task, root: int) -> dict:
    return {
        "cell": asdict(task.cell),
        "canonical": asdict(task.cell.canonical()),
        "root": root,
        "data": task.origin,
    }


def collect(tasks: Sequence[Task | Stored], seeds: Sequence[int]) -> pd.DataFrame:
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


def origin(dataset: Dataset) -> dict:
    """What the data are and where they come from, as JSON."""
    return {"name": dataset.name, **dataset.provenance._asdict()}


def history(tasks: Sequence[Task | Stored]) -> dict:
    """Where the stored numbers of all tasks come from, as one record.

    The date, versions and device are those of the last chunk; `wall_seconds` adds up
    the training of all chunks, whenever they ran. Where no record is left, they are
    unknown: the numbers are still there.
    """
    records = [record for task in tasks for record in task.store.records()]
    unknown = {"date": "", "versions": {}, "device": "unknown", "git": ""}
    last = max(records, key=lambda record: record["date"], default=unknown)
    datasets = {task.cell.data: task.origin for task in tasks}
    return {
        **{name: last[name] for name in unknown},
        "wall_seconds": round(sum(record["wall_seconds"] for record in records), 1),
        "data": list(datasets.values()),
    }
