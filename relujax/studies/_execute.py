"""What every front does: plan, train what is missing, store, read back."""

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from relujax.clusters import Job, backend_of, check, send, where_of
from relujax.engine import (
    Cell,
    Failure,
    Index,
    Plan,
    Request,
    Task,
    Watcher,
    as_plan,
    cache_compilations,
    check_backend,
    check_fresh,
    place_of,
    plan_tasks,
    run_tasks,
    settle_mirrors,
)
from relujax.errors import InputError, Pending, short
from relujax.progress import ProgressBar

#: Called with what names a network and its rows, once they are stored.
Logger = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], None]


class Unfinished(RuntimeError):
    """Some networks could not be trained; what was finished is stored.

    Attributes:
      failures: the tasks and their errors.
    """

    def __init__(self, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        error = failures[0].error
        said = str(error).rstrip(".")
        super().__init__(
            f"{len(failures)} of the programs failed, the first with "
            f"{type(error).__name__}: {said}. What was finished is stored; the same "
            f"call tries the others again."
        )


@dataclass(frozen=True, kw_only=True)
class How:
    """How networks are run and what is kept of them: what all fronts share.

    Attributes:
      plan: `vmap`, `map` (both on all local devices), a `relujax.engine.Plan`, or
        `auto`, what suits network and backend.
      root: the root seed.
      keep: "last" or "best" to store weights.
      log: functions of a network and its rows; see `relujax.loggers`.
      stale: what is done with stored numbers of a program that has changed since:
        "refuse", "keep" or "rerun".
      checkpoint_every: minutes from one checkpoint inside a network to the next, so
        that a killed run goes on there; None for none.
      data_dir: folder of raw data files; see `relujax.load_dataset`.
      progress: whether to say how far it is.
      where: "here", a part of the run here such as "2/16", "ray", "ray:HOST:PORT" or
        "slurm".
      cluster: what a cluster is asked for, such as `{"gpus": 0.5}`.
      mix: whether networks of one study may come from several backends.
    """

    plan: Plan | str | None = None
    root: int = 0
    keep: str | None = None
    log: Logger | Sequence[Logger] | None = None
    stale: str = "refuse"
    checkpoint_every: float | None = None
    data_dir: str | Path | None = None
    progress: bool = True
    where: str = "here"
    cluster: Mapping[str, Any] | None = None
    mix: bool = False

    @property
    def loggers(self) -> tuple[Logger, ...]:
        """The loggers as a tuple."""
        if self.log is None:
            return ()
        given = (self.log,) if callable(self.log) else tuple(self.log)
        if not all(map(callable, given)):
            raise InputError(
                f"Expected log to be a function or a list of functions, got "
                f"{self.log!r}; relujax.loggers has some."
            )
        return given


def planned(
    cells: Sequence[Cell],
    ids: Sequence[int],
    folder: Path,
    how: How,
    *,
    baseline: str | None = None,
    profile: str = "run",
) -> list[Task]:
    """The tasks of a run; everything that can be refused is refused here.

    Args:
      cells: the grid, without repetition.
      ids: seed ids.
      folder: where they are stored.
      how: how they are run.
      baseline: what the others are compared with, one of the grid; None for nothing.
      profile: the name of the grid.

    Raises:
      InputError: one of these does not fit.
    """
    place, _ = where_of(how.where), how.loggers
    as_plan(how.plan)
    _check_root(how.root)
    _check_checkpoints(how.checkpoint_every, cells)
    _check_baseline(baseline, cells)
    _check_shared(place.kind, folder, how.checkpoint_every)
    given = how.data_dir
    tasks = plan_tasks(
        cells,
        ids,
        folder,
        root=how.root,
        data_dir=None if given is None else Path(given),
        keep=how.keep,
    )
    check_fresh(tasks, how.root, how.stale)
    check_backend(tasks, backend_of(place, how.cluster or {}), how.mix)
    if place.kind != "here":
        check(place, _job(tasks, how, folder, profile))
    elif how.cluster:
        raise InputError("Expected where='ray' or 'slurm' with cluster=, got 'here'.")
    # Everything has been read by now: `relujax status` need not read it again.
    index = Index(folder)
    for task in tasks:
        index.note(task.store)
    index.save()
    return tasks


def _job(
    tasks: Sequence[Task],
    how: How,
    folder: Path,
    profile: str,
    watcher: Watcher = Watcher(),
) -> Job:
    """The run as a cluster gets it."""
    plan = how.plan
    # What is named by a word is on one device of each worker of a cluster.
    devices = None if where_of(how.where).kind == "part" else 1
    named = plan in ("vmap", "map")
    return Job(
        tasks=tasks,
        folder=folder,
        profile=profile,
        root=how.root,
        plan=as_plan(plan, devices=devices) if named else as_plan(plan),
        data_dir=None if how.data_dir is None else str(Path(how.data_dir).resolve()),
        options=how.cluster or {},
        watcher=watcher,
        checkpoint_every=how.checkpoint_every,
    )


def _check_root(root: Any) -> None:
    # What a random key is made of.
    whole = isinstance(root, int) and not isinstance(root, bool)
    if not whole or not -(2**63) <= root < 2**63:
        raise InputError(
            f"Expected a whole number of 64 bits as the root seed, got {short(root)}."
        )


def _check_shared(place: str, folder: Path, checkpoints: float | None) -> None:
    shown = place_of(folder)
    if "://" not in shown:
        return
    if place == "slurm":
        raise InputError(
            f"Expected a folder that the queue's machines share with where='slurm', "
            f"got {shown}: a batch file with --part may name a bucket."
        )
    if place == "ray" and checkpoints:
        raise InputError(
            f"Expected a folder that workers share for checkpoint_every with "
            f"where='ray', got {shown}: leave the option out, or name such a folder."
        )


def _check_checkpoints(minutes: Any, cells: Sequence[Cell]) -> None:
    if minutes is None:
        return
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    if not number or not 0 < minutes < float("inf"):
        raise InputError(
            f"Expected a positive number of minutes as checkpoint_every, got "
            f"{short(minutes)}."
        )
    for cell in cells:
        if cell.is_host:
            raise InputError(
                f"Expected networks that relujax trains for checkpoint_every, got the "
                f"Python function {cell.training}, whose state only it knows: leave "
                f"the option out."
            )


def _check_baseline(baseline: str | None, cells: Sequence[Cell]) -> None:
    known = list(dict.fromkeys(cell.activation for cell in cells))
    names = {name.partition("(")[0] for name in known}
    if baseline and cells and baseline not in known and baseline not in names:
        raise InputError(
            f"Expected the baseline among the activations {', '.join(known)}, got "
            f"{baseline!r}."
        )


def train(
    tasks: Sequence[Task],
    how: How,
    console: Console | None = None,
    *,
    profile: str = "run",
) -> list[Failure]:
    """Train what is missing, with progress.

    Args:
      tasks: from `planned`.
      how: how they are run.
      profile: the name of the grid.
      console: where the progress is shown, standard error if None; a console that is
        given is also told what is stored and how long training took.

    Raises:
      Pending: the rest of the run is trained by others, or was left to a cluster.
    """
    quiet = console is None
    console = Console(stderr=True) if console is None else console
    missing = {id(task): len(task.missing) for task in tasks}
    networks = sum(missing.values())
    total = sum(missing[id(task)] * task.cell.epochs for task in tasks)
    if not quiet:
        console.print(_announcement(tasks, networks, how.where))
    began, said = time.perf_counter(), set()
    hidden = not how.progress or not networks
    with ProgressBar(console, total, disable=hidden) as bar:

        def say(why: str) -> None:
            # Many small groups have the same plan for the same reason.
            if why not in said:
                said.add(why)
                bar.say(f"Plan: {why}.")

        watcher = Watcher(
            group=lambda group: bar.describe(_label(group)),
            plan=say,
            epochs=bar.advance,
            rows=lambda task, rows: _log(how.loggers, task, rows),
            total=bar.expect,
            say=bar.say,
        )
        cache_compilations()
        failures = _train(tasks, how, profile, watcher) if networks else []
    settle_mirrors()
    if networks and not quiet:
        console.print(f"Training took {time.perf_counter() - began:.1f} s.")
    if not failures:
        _check_all_stored(tasks, how)
    return failures


def _train(
    tasks: Sequence[Task], how: How, profile: str, watcher: Watcher
) -> list[Failure]:
    place = where_of(how.where)
    if place.kind != "here":
        folder = tasks[0].store.folder.parent
        return send(place, _job(tasks, how, folder, profile, watcher))
    return run_tasks(
        tasks,
        root=how.root,
        plan=as_plan(how.plan),
        watcher=watcher,
        checkpoint_every=how.checkpoint_every,
    )


def _check_all_stored(tasks: Sequence[Task], how: How) -> None:
    """Raises Pending unless all is there, where others have a share in it."""
    if where_of(how.where).kind == "here":
        return
    wanted = sum(len(task.seeds) for task in tasks)
    missing = sum(len(task.missing) for task in tasks)
    if missing:
        raise Pending(
            f"{wanted - missing:,} of {wanted:,} networks of this run are stored: once "
            f"all are, the same command writes the report."
        )


def raise_first(failures: Sequence[Failure]) -> None:
    """Raise what went wrong, if anything did."""
    for failure in failures:
        if isinstance(failure.error, InputError):
            raise failure.error
    if failures:
        raise Unfinished(failures) from failures[0].error


def request(
    study: str,
    profile: str,
    tasks: Sequence[Task],
    how: How,
    *,
    command: str = "",
    options: str = "",
    file: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Request:
    """What was asked for, to be written beside the results."""
    return Request(
        study=study,
        profile=profile,
        file=file,
        command=command or own_command(),
        options=options,
        seeds=list(tasks[0].seeds),
        root=how.root,
        cells=[task.store.folder.name for task in tasks],
        data={task.cell.data: task.origin for task in tasks if task.origin},
        facts=dict(facts or {}),
    )


def own_command() -> str:
    """The command line that started this process."""
    script = sys.argv[0] if sys.argv and sys.argv[0] not in ("", "-c") else ""
    return shlex.join(["python", *sys.argv]) if script else "the same call in Python"


def _announcement(tasks: Sequence[Task], networks: int, where: str) -> str:
    if not networks:
        return "Everything is stored already: nothing to train."
    stored = sum(len(task.seeds) for task in tasks) - networks
    also = f" ({stored} are stored already)" if stored else ""
    if where_of(where).kind == "part":
        return f"Training part {where} of {networks} networks{also}."
    return f"Training {networks} networks{also}."


def _log(loggers: Sequence[Logger], task: Task, rows: pd.DataFrame) -> None:
    for seed, mine in rows.groupby("seed"):
        network = {"cell": task.store.folder.name, **task.labels, "seed": seed}
        for logger in loggers:
            logger(network, mine.to_dict("records"))  # pyright: ignore


def _label(tasks: Sequence[Task]) -> str:
    names = list(dict.fromkeys(task.cell.activation for task in tasks))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
