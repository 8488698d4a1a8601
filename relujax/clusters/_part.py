"""One part of a run, `2/16`: what a queue's array task or an indexed job works off."""

import jax

from relujax.clusters._job import Job
from relujax.clusters._where import Where
from relujax.engine import Failure, Unit, agree, forget, share, work_off


def check(place: Where, job: Job) -> None:
    """Compare the run with that of the other parts."""
    if all(not task.missing for task in job.tasks):
        return
    agree(job.folder, _name(place, job), _units(place, job))


def send(place: Where, job: Job) -> list[Failure]:
    """Work off the units of this part; the others may run at any time, or twice."""
    mine = share(_units(place, job), *place.part)
    open_ = {
        (task.store.folder.name, seed) for task in job.tasks for seed in task.missing
    }
    job.watcher.total(sum(_epochs(unit, open_) for unit in mine))
    failures = work_off(mine, job.folder, tasks=job.tasks, watcher=job.watcher)
    if all(not task.missing for task in job.tasks):
        forget(job.folder, _name(place, job))
    return failures


def _units(place: Where, job: Job) -> list[Unit]:
    return job.units(
        devices=jax.local_device_count(), workers=place.part[1], missing=False
    )


def _name(place: Where, job: Job) -> str:
    return f"{job.profile}-in-{place.part[1]}"


def _epochs(unit: Unit, open_: set[tuple[str, int]]) -> int:
    """Epochs, times networks, that are missing of a unit."""
    return sum(
        part["fields"]["epochs"]
        for part in unit.cells
        for seed in part["seeds"]
        if (part["digest"], seed) in open_
    )
