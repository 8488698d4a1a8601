"""The one loop that trains: run tasks, keep what is done, resume what is not."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from relujax.engine._allocation import cores
from relujax.engine._auto import choose, plan_name
from relujax.engine._cell import Cell
from relujax.engine._checkpoints import Checkpoints, forget_checkpoints, same_numbers
from relujax.engine._cost import parameters
from relujax.engine._host import train_on_host
from relujax.engine._joint import Joined, but_activation, join, pays, separate
from relujax.engine._plan import Plan
from relujax.engine._population import Member, train_population
from relujax.engine._provenance import provenance
from relujax.engine._stale import fingerprint_of
from relujax.engine._tasks import Task
from relujax.engine._weights import to_bytes
from relujax.engine._workers import side_by_side
from relujax.switches import own_placement

#: Parameters below which compiling takes as long as training, roughly.
_SMALL = 20_000

#: Cells that are claimed at the same time: each claim gives signs of life.
_CLAIMS = 256


class Failure(NamedTuple):
    """Tasks that could not be finished, and why."""

    tasks: tuple[Task, ...]
    error: Exception


@dataclass(frozen=True)
class Watcher:
    """What a run tells while it goes on; by default nobody listens.

    Attributes:
      group: called with the tasks of each program before it starts.
      plan: called with the plan that was chosen for a program, and why, in one line.
      epochs: called with the number of epochs (times members) that have been done.
      rows: called with a task and the rows of some of its seeds, once they are stored.
      total: called with the number of epochs (times members) that will be done, where
        it is not that of all that is missing.
      say: called with a sentence on how it goes.
    """

    group: Callable[[Sequence[Task]], None] = lambda _tasks: None
    plan: Callable[[str], None] = lambda _why: None
    epochs: Callable[[int], None] = lambda _epochs: None
    rows: Callable[[Task, pd.DataFrame], None] = lambda _task, _rows: None
    total: Callable[[int], None] = lambda _epochs: None
    say: Callable[[str], None] = lambda _sentence: None


@own_placement()
def run_tasks(
    tasks: Sequence[Task],
    *,
    root: int = 0,
    plan: Plan | None = None,
    workers: int | None = None,
    watcher: Watcher = Watcher(),
    checkpoint_every: float | None = None,
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
      watcher: what is told meanwhile.
      checkpoint_every: minutes from one checkpoint of the training state to the next;
        None for none. A checkpoint that is there is gone on from in any case.

    Returns:
      What went wrong; the other groups have run. The traceback is in `error.txt`
      beside the results.

    Raises:
      InputError: the program of a stored cell has changed, and `stale` is "refuse".
    """
    missing = _open(tasks, root)
    groups = [g for g in _groups(tasks) if any(id(task) in missing for task in g)]
    if plan is None:
        groups = _joined(groups)
    if workers is None:
        workers = _workers(groups)
    failures: list[Failure] = []
    busy: list[Task] = []

    def decide(group: Sequence[Task], networks: int) -> Plan:
        if plan is not None:
            return plan
        cell, dataset = group[0].cell, group[0].dataset
        chosen = choose(cell, dataset, networks, alone=workers == 1)
        watcher.plan(chosen.why)
        return chosen.plan

    def attempt(
        group: Sequence[Task], checkpoint: Callable[[], None], *, wait: bool
    ) -> None:
        def done(epochs: int) -> None:
            checkpoint()
            watcher.epochs(epochs)

        try:
            how = Setup(
                root,
                decide,
                done,
                _put_weights,
                watcher,
                workers,
                wait,
                checkpoint_every,
            )
            with own_placement():  # It may be in a thread of its own.
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


def _open(tasks: Sequence[Task], root: int) -> set[int]:
    """The ids of the tasks that lack seeds; the others have a description again."""
    missing = {id(task) for task in tasks if task.missing}
    for task in tasks:
        # Damaged since: without it nobody can tell what the rows are of.
        if id(task) not in missing and not task.store.is_described():
            task.store.describe(description(task, root))
    return missing


def _workers(groups: Sequence[Sequence[Task]]) -> int:
    """How many groups gain from running at the same time."""
    if not all(_is_small(group[0]) for group in groups):
        return 1
    return max(1, min(cores(), len(groups)))


def _is_small(task: Task) -> bool:
    if task.dataset is None:
        return False
    leaves = jax.tree.leaves(parameters(task.cell, task.dataset))
    return sum(leaf.size for leaf in leaves) < _SMALL


def _groups(tasks: Sequence[Task]) -> list[list[Task]]:
    """The tasks that share a program and data, in the order of the grid."""
    groups: dict[tuple, list[Task]] = {}
    for task in tasks:
        key = (task.cell.skeleton, task.cell.data)
        groups.setdefault(key, []).append(task)
    return list(groups.values())


def _joined(groups: Sequence[list[Task]]) -> list[list[Task]]:
    """Groups that differ in their activation only, together where that pays."""
    alike: dict[tuple, list[list[Task]]] = {}
    for group in groups:
        first = group[0]
        joins = first.cell.is_stock and first.keep is None
        key = but_activation(first.cell) if joins else id(group)
        alike.setdefault((key, first.cell.data), []).append(group)
    result = []
    for several in alike.values():
        firsts = [group[0] for group in several]
        networks = [sum(len(task.missing) for task in group) for group in several]
        cells, data = [task.cell for task in firsts], firsts[0].dataset
        together = len(several) > 1 and join(cells) is not None
        if together and data is not None and pays(cells, data, networks):
            result.append([task for group in several for task in group])
        else:
            result += several
    return result


class Setup(NamedTuple):
    """How a group is run.

    Attributes:
      root: the root seed.
      decide: the plan for some tasks and so many networks.
      on_epochs: told how many epochs (times members) have been done.
      on_weights: receives the weights of each trained member where they are kept.
      watcher: what is told meanwhile.
      workers: how many groups run at the same time.
      wait: whether to wait for cells that another process is running.
      checkpoint_every: minutes from one checkpoint to the next; None for none.
    """

    root: int
    decide: Callable[[Sequence[Task], int], Plan]
    on_epochs: Callable[[int], None]
    on_weights: Callable[[Task, int, bytes], None]
    watcher: Watcher = Watcher()
    workers: int = 1
    wait: bool = False
    checkpoint_every: float | None = None


def _run_group(group: Sequence[Task], how: Setup) -> list[Task]:
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
        how.watcher.group(list(mine.values()))
        for task in mine.values():
            task.store.describe(description(task, how.root))
        for task, rows, record in trained(group, mine, members, how):
            task.store.add(rows, record)
            forget_checkpoints(task.store, rows["seed"].unique().tolist())
            how.watcher.rows(task, rows)
    return busy


def trained(
    group: Sequence[Task],
    tasks: Mapping[Cell, Task],
    members: Sequence[Member],
    how: Setup,
) -> Iterator[tuple[Task, pd.DataFrame, dict[str, Any]]]:
    """Train members that share a program.

    Args:
      group: the tasks that share it, also those that another process runs.
      tasks: those that are trained, by cell.
      members: their networks.
      how: how they are run.

    Yields:
      A task, the rows of some of its seeds, and their record.
    """
    start = time.perf_counter()
    for chunk, frame, known in _chunks(group, tasks, members, how):
        # What runs beside it has its share of the machine.
        seconds = (time.perf_counter() - start) / how.workers
        for task, rows, record in _by_task(tasks, chunk, frame, seconds):
            known["fingerprint"] = fingerprint_of(task, how.root)
            yield task, rows, {**record, **known, **provenance()}
        start = time.perf_counter()


def _chunks(
    group: Sequence[Task],
    tasks: Mapping[Cell, Task],
    members: Sequence[Member],
    how: Setup,
) -> Iterator[tuple[Sequence[Member], pd.DataFrame, dict[str, Any]]]:
    """Chunks of members with their rows and what is known of how they were made."""
    first = group[0]
    if first.cell.is_host:
        for chunk, frame in train_on_host(members, on_epochs=how.on_epochs):
            yield chunk, frame, {"plan": {}}
        return
    joined = _as_joined(group)
    stored: dict[Any, Task] = dict(tasks)
    if joined:
        plan = Plan("map", devices=jax.local_device_count())
        how.watcher.plan(f"{plan_name(plan)}: one program for all activations")
        members = [Member(joined[m.cell], m.seed) for m in members]  # pyright: ignore
        stored = {joined[cell]: task for cell, task in tasks.items()}
    else:
        plan = how.decide(list(tasks.values()), len(members))
    for chunk, frame in train_population(
        members,
        first.dataset,
        root=how.root,
        plan=plan,
        sharers=how.workers,
        keep=first.keep,
        checkpoints=_checkpoints(stored, plan, how),
        on_weights=lambda m, w: how.on_weights(tasks[m.cell], m.seed, to_bytes(w)),
        on_epochs=how.on_epochs,
    ):
        if joined:
            chunk, frame = separate(chunk, frame)
        yield chunk, frame, {"plan": asdict(plan)}


def _checkpoints(trained: Mapping[Any, Task], plan: Plan, how: Setup) -> Checkpoints:
    """The checkpoints of a population, by the cells of its program."""

    def about(cell: Any) -> dict[str, Any]:
        mark = fingerprint_of(trained[cell], how.root)
        return {"fingerprint": mark, **same_numbers(plan)}

    stores = {cell: task.store for cell, task in trained.items()}
    return Checkpoints(stores, about, how.checkpoint_every)


def _as_joined(group: Sequence[Task]) -> dict[Cell, Joined] | None:
    """The cells of a group as members of one program, if several make it up."""
    if len({task.cell.skeleton for task in group}) == 1:
        return None
    return join([task.cell for task in group])


def _by_task(
    tasks: Mapping[Cell, Task],
    chunk: Sequence[Member],
    frame: pd.DataFrame,
    seconds: float,
) -> Iterator[tuple[Task, pd.DataFrame, dict[str, Any]]]:
    """The rows of each cell of a chunk; the time is shared by its members."""
    sizes = Counter(member.cell for member in chunk)
    numbers = {cell: number for number, cell in enumerate(sizes)}
    owners = np.asarray([numbers[member.cell] for member in chunk])
    parts = frame.drop(columns="member").groupby(owners[frame["member"]])
    for (_, mine), (cell, size) in zip(parts, sizes.items(), strict=True):
        share = round(seconds * size / len(chunk), 3)
        yield tasks[cell], mine, {"wall_seconds": share}


def _put_weights(task: Task, seed: int, content: bytes) -> None:
    task.store.put_weights(seed, content)


def description(task: Task, root: int) -> dict[str, Any]:
    """What `cell.json` says of a task."""
    return {
        "cell": asdict(task.cell),
        "canonical": task.cell.canonical_fields(),
        "root": root,
        "data": task.origin,
    }
