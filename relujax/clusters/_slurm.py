"""A run as an array of SLURM's: each task works off its share, and stores it itself.

    runs/<study>/slurm/<profile>.json         the job, once it is submitted
    runs/<study>/slurm/<profile>-units.json   its units
    runs/<study>/slurm/<job>_<task>.log       what a task prints

Nobody has to stay: how far it is can be told from what is stored. The commands of SLURM
suffice. A package that sends pickled functions would ask an accounting database, which
many queues lack, whether a job lives, and leave the size of an array to its user.
"""

import json
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relujax import files
from relujax.clusters import _sbatch
from relujax.clusters._job import Job
from relujax.clusters._submitted import FOLDER, Submitted, submitted
from relujax.clusters._where import Where, backend_of
from relujax.engine import Failure, Task, Unit, collect
from relujax.errors import InputError, Pending

#: Tasks of an array, if nothing is said.
_TASKS = 16
#: Seconds before its time limit in which a task is told.
WARNING = 60
#: Seconds between two looks at what is stored.
_PAUSE = 2.0
_BYTES = 2**30  # of the units


def check(place: Where, job: Job) -> None:
    """Refuse options that SLURM does not know, before anything is submitted."""
    asked = _sbatch.checked(job.options)
    if any(task.missing for task in job.tasks):
        _sbatch.check(asked)


def send(place: Where, job: Job) -> list[Failure]:
    """Submit what is missing, unless an earlier array is still at it; then look on.

    Raises:
      Pending: the user has left it to SLURM.
    """
    files.checked_name(job.profile, "the name of a profile")
    now = submitted(files.inside(job.folder, FOLDER) / f"{job.profile}.json")
    if now is not None and _sbatch.states(now.job):
        job.watcher.say(f"Job {now.job} of SLURM is at it.")
    else:
        now = _submit(place, job)
        job.watcher.say(
            f"Job {now.job} of SLURM: {now.units} units, {now.tasks} tasks."
        )
    try:
        job.watcher.say("Ctrl-C leaves it to SLURM; the same command comes back to it.")
        return _watch(job, now)
    except KeyboardInterrupt:
        folder = shlex.quote(files.shown_path(str(job.folder)))
        raise Pending(
            f"Left to SLURM as job {now.job}: the same command comes back to it, "
            f"`relujax cancel {folder}` ends it."
        ) from None


def units_in(path: Path) -> list[Unit]:
    """The units of an array."""
    return [Unit.from_json(text) for text in files.parse(files.read(path, _BYTES))]


def _submit(place: Where, job: Job) -> Submitted:
    asked = _sbatch.checked(job.options)
    folder = (job.folder / FOLDER).resolve()
    wanted = min(asked.get("tasks", _TASKS), _sbatch.largest_array())
    backend = backend_of(place, asked)
    threads = asked["cpus"] if backend == "cpu" else 0
    units = job.units(backend=backend, threads=threads, workers=wanted)
    tasks = min(wanted, len(units))
    path = folder / f"{job.profile}-units.json"
    files.write(path, json.dumps([unit.to_json() for unit in units]))
    arguments = [
        f"--job-name=relujax-{job.folder.name}",
        f"--array=0-{tasks - 1}",
        f"--output={_literal(folder)}/%A_%a.log",
        "--open-mode=append",
        "--requeue",
        f"--signal=B:USR1@{WARNING}",
        "--export=ALL",
        *_sbatch.flags(asked),
    ]
    script = _script(path, tasks, asked, units)
    now = Submitted(_sbatch.submit(arguments, script), tasks, len(units))
    files.write_json(folder / f"{job.profile}.json", now._asdict())
    return now


def _literal(folder: Path) -> str:
    """A path in which `%` means nothing to SLURM."""
    return str(folder).replace("%", "%%")


def _script(
    path: Path, tasks: int, asked: Mapping[str, Any], units: Sequence[Unit]
) -> str:
    """What a task runs: the same devices and threads wherever it is."""
    most = max(unit.plan["devices"] for unit in units)
    # The roundings of a product depend on the number of threads.
    settings = {"PJRT_NPROC": asked["cpus"], "JAX_NUM_CPU_DEVICES": most}
    if "gpus" not in asked:
        settings["JAX_PLATFORMS"] = "cpu"
    lines = [f"export {name}={value}" for name, value in settings.items()]
    command = shlex.join([sys.executable, "-m", "relujax", "work", str(path)])
    return "\n".join(
        ["#!/bin/sh", *lines, f'exec {command} "$SLURM_ARRAY_TASK_ID/{tasks}"', ""]
    )


def _watch(job: Job, now: Submitted) -> list[Failure]:
    """Tell what gets stored, until all is or the job has ended."""
    left = [(task, task.missing) for task in job.tasks if task.missing]
    while left:
        # In this order: what is stored by the last task is seen.
        alive, began = _alive(now), time.monotonic()
        looked = [(task, before, task.missing) for task, before in left]
        for task, before, after in looked:
            _tell(job, task, sorted({*before} - {*after}))
        left = [(task, after) for task, _, after in looked if after]
        if not alive:
            break
        if left:
            time.sleep(max(_PAUSE, 5 * (time.monotonic() - began)))
    return _failures(job, now, [task for task, _ in left])


def _alive(now: Submitted) -> bool:
    try:
        return bool(_sbatch.states(now.job))
    except InputError:  # The queue is busy: its tasks go on all the same.
        return True


def _tell(job: Job, task: Task, seeds: Sequence[int]) -> None:
    if seeds:
        job.watcher.group([task])
        job.watcher.epochs(task.cell.epochs * len(seeds))
        frame = collect([task], seeds)
        job.watcher.rows(task, frame.drop(columns=["cell", *task.labels]))


def _failures(job: Job, now: Submitted, tasks: Sequence[Task]) -> list[Failure]:
    """Why networks are missing, as far as anybody has said so."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.store.error(), []).append(task)
    return [
        Failure(tuple(alike), RuntimeError(said or _ended(job, now)))
        for said, alike in found.items()
    ]


def _ended(job: Job, now: Submitted) -> str:
    """That a job has ended too early, with what it has printed last."""
    logs = sorted((job.folder / FOLDER).glob(f"{now.job}_*.log"))
    lines = [line for log in logs[:1] for line in log.read_text().splitlines()]
    last = files.shown(lines[-1], 300) if lines else "it has printed nothing"
    where = files.shown_path(str(job.folder / FOLDER / f"{now.job}_*.log"))
    return f"job {now.job} of SLURM has ended before: {last} ({where})"
