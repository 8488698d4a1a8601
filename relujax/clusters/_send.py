"""A run to the place where it is trained."""

import importlib
from collections.abc import Callable
from typing import Any

from relujax.clusters._job import Job
from relujax.clusters._where import Where
from relujax.engine import Failure, check_portable

# Each module has `check(place, job)` and `send(place, job)`.
_MODULES = {
    "part": "relujax.clusters._part",
    "ray": "relujax.clusters._ray",
    "slurm": "relujax.clusters._slurm",
}


def check(place: Where, job: Job) -> None:
    """Refuse what this place cannot do, before anything is trained or sent.

    Raises:
      InputError: a package, an option or the cluster is missing; a worker could not
        import a part of a cell; or, of a part, the others are of another run.
    """
    if place.kind in ("ray", "slurm"):
        check_portable(task.cell for task in job.tasks)
    _function(place, "check")(place, job)


def send(place: Where, job: Job) -> list[Failure]:
    """Train what is missing of a run at a place other than `here`.

    Returns:
      What went wrong. What is then still missing is trained by others, or later.
    """
    return _function(place, "send")(place, job)


def _function(place: Where, name: str) -> Callable[[Where, Job], Any]:
    return getattr(importlib.import_module(_MODULES[place.kind]), name)
