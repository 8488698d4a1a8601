"""Working off units: check that this process may, train, and hand over or store."""

import functools
import importlib
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from relujax import files
from relujax.data import Dataset, load_dataset
from relujax.engine import _claims
from relujax.engine._cell import Cell
from relujax.engine._checkpoints import forget_checkpoints
from relujax.engine._plan import Plan
from relujax.engine._population import Member
from relujax.engine._runner import Failure, Setup, Watcher, description, trained
from relujax.engine._running import UNITS
from relujax.engine._setting import Mismatch, setting_with
from relujax.engine._stale import fingerprint_of
from relujax.engine._store import Store
from relujax.engine._tasks import Task
from relujax.engine._training import HostTraining
from relujax.engine._trainings import TRAININGS
from relujax.engine._unit import Unit
from relujax.parts import Named
from relujax.paths import imported
from relujax.switches import own_placement


class Done(NamedTuple):
    """Trained networks of one cell.

    Attributes:
      cell: its digest.
      rows: the rows of whole seeds.
      record: how they came about.
      weights: seed to the bytes of its weights, where they are kept.
    """

    cell: str
    rows: pd.DataFrame
    record: dict[str, Any]
    weights: dict[int, bytes]

    def put(self, folder: Path) -> None:
        """Store it in `runs/<study>`; once more, the same files are written again."""
        store = Store(folder / self.cell)
        for seed, content in self.weights.items():
            store.put_weights(seed, content)
        # The rows come last: a seed counts once they are there.
        store.add(self.rows, self.record)


def work(unit: Unit, folder: Path = Path()) -> list[Done]:
    """Train a unit in this process, with its own code and data, and store no results.

    Args:
      unit: from `cut`, perhaps on another machine.
      folder: `runs/<study>` of the sender: a unit that makes checkpoints needs it here.

    Raises:
      Mismatch: this process has other versions, code, data, or another backend than
        the sender; nothing has been trained.
    """
    tasks = tasks_of(unit, folder)
    if unit.checkpoint_every and not all(t.store.is_described() for t in tasks):
        raise Mismatch(
            f"Expected the folder {files.shown(folder, 200)} of {unit.setting.host} on "
            f"{platform.node()}, too, found none: checkpoints need a folder that all "
            f"workers share; without --checkpoint-every, results need none."
        )
    return train_unit(unit, tasks)


def work_off(
    units: Iterable[Unit],
    folder: Path,
    *,
    tasks: Sequence[Task] = (),
    watcher: Watcher = Watcher(),
    wait: bool = True,
) -> list[Failure]:
    """Train what is missing of some units, and store it in a folder that workers share.

    A unit that another process works on is left to it, and looked at again at the end.

    Args:
      units: which, in the order in which they are done.
      folder: `runs/<study>`.
      tasks: the tasks of the run, where this process has cut it itself.
      watcher: what is told meanwhile.
      wait: whether to look again at the units of others, else they are left to them.

    Returns:
      What went wrong; the other units have been worked off.

    Raises:
      Mismatch: as in `work`.
    """
    known = {task.store.folder.name: task for task in tasks}
    failures: list[Failure] = []

    def attempt(unit: Unit, wait: bool) -> bool:
        if known:
            mine = [
                known[part["digest"]]._replace(seeds=tuple(part["seeds"]))
                for part in unit.cells
            ]
        else:
            mine = tasks_of(unit, folder)
        try:
            return _claimed(unit, mine, folder, watcher, wait)
        except Exception as error:
            failures.append(Failure(tuple(mine), error))
            for task in mine:
                task.store.note_error(error)
            return True

    busy = [unit for unit in units if not attempt(unit, False)]
    for unit in busy if wait else ():
        attempt(unit, True)
    return failures


def _claimed(
    unit: Unit, tasks: Sequence[Task], folder: Path, watcher: Watcher, wait: bool
) -> bool:
    """Work off one unit, unless another process is at it."""
    if not any(task.missing for task in tasks):
        return True
    place = files.inside(folder, UNITS)
    claim = _claims.take(place / f"{unit.id}.json", wait=wait, say=_claims.tell)
    if claim is None:
        return False
    try:
        open_ = [task._replace(seeds=task.missing) for task in tasks if task.missing]
        if not open_:
            return True
        watcher.group(open_)
        for task in open_:
            if not task.store.is_described():
                task.store.describe(description(task, unit.root))
        for done in train_unit(unit, open_, watcher=watcher):
            done.put(folder)
            task = next(t for t in open_ if t.store.folder.name == done.cell)
            forget_checkpoints(task.store, done.rows["seed"].unique().tolist())
            watcher.rows(task, done.rows)
        return True
    finally:
        claim.release()


@own_placement()
def train_unit(
    unit: Unit, tasks: Sequence[Task], watcher: Watcher = Watcher()
) -> list[Done]:
    """Train the seeds of tasks as the unit says.

    Args:
      unit: the unit.
      tasks: its tasks, as `tasks_of` has them.
      watcher: what is told meanwhile.
    """
    kept: dict[str, dict[int, bytes]] = {}

    def keep(task: Task, seed: int, content: bytes) -> None:
        kept.setdefault(task.store.folder.name, {})[seed] = content

    plan = Plan(**unit.plan)
    how = Setup(
        unit.root,
        lambda _tasks, _n: plan,
        watcher.epochs,
        keep,
        watcher,
        checkpoint_every=unit.checkpoint_every,
    )
    members = [Member(task.cell, seed) for task in tasks for seed in task.seeds]
    by_cell = {task.cell: task for task in tasks}
    found = []
    for task, rows, record in trained(tasks, by_cell, members, how):
        name = task.store.folder.name
        seeds = map(int, rows["seed"].unique())
        weights = {s: kept[name].pop(s) for s in seeds if unit.keep}
        found.append(Done(name, rows, record, weights))
    return found


def tasks_of(unit: Unit, folder: Path = Path()) -> list[Task]:
    """The tasks of a unit, with the data and the code of this machine.

    Args:
      unit: the unit.
      folder: where the cells are stored, for a worker that shares it.

    Raises:
      Mismatch: they are not those of the sender.
    """
    here = setting_with(unit.setting.modules)
    unit.setting.check(here)
    for module in unit.setting.modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            raise Mismatch(
                f"Expected to import {module} on {here.host}, as on "
                f"{unit.setting.host}, got {type(error).__name__}: {error}"
            ) from error
    for name, (path, metric) in unit.functions.items():
        function = imported(path, "training")
        TRAININGS.text(Named(name, HostTraining(function, metric)))
    return [_task(part, unit, folder, here.host) for part in unit.cells]


def _task(part: dict[str, Any], unit: Unit, folder: Path, host: str) -> Task:
    cell = Cell.of(part["fields"])
    dataset = None if cell.training else _dataset(cell.data, unit.data_dir)
    sha = "" if dataset is None else dataset.provenance.sha256
    if sha != part["data"]:
        raise Mismatch(
            f"Expected the data {cell.data} with the hash {part['data'][:16]} as on "
            f"{unit.setting.host}, got {sha[:16]} on {host}: bring the same files "
            f"there, nothing was trained."
        )
    digest = cell.digest(sha, unit.root)
    if digest != part["digest"]:
        raise Mismatch(
            f"Expected the cell {part['digest']} as on {unit.setting.host}, got "
            f"{digest} on {host} for {cell.model} with {cell.activation}: a part of it "
            f"reads otherwise there."
        )
    task = Task(cell, dataset, Store(folder / digest), tuple(part["seeds"]), unit.keep)
    wanted = part["fingerprint"]
    if wanted and (found := fingerprint_of(task, unit.root)) != wanted:
        raise Mismatch(
            f"Expected the program {wanted} of {cell.model} with {cell.activation} as "
            f"on {unit.setting.host}, got {found} on {host}: the code behind it is of "
            f"another revision there."
        )
    return task


@functools.lru_cache(maxsize=4)
def _dataset(spec: str, data_dir: str | None) -> Dataset:
    """A worker meets the same data again and again."""
    return load_dataset(spec, data_dir)
