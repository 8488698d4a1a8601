"""What has been submitted to SLURM, and is still in its queue; asking needs no JAX."""

import contextlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from relujax import files
from relujax.clusters import _sbatch
from relujax.errors import InputError

#: Where it is noted, in `runs/<study>`.
FOLDER = "slurm"


class Submitted(NamedTuple):
    """An array that was submitted.

    Attributes:
      job: its number.
      tasks: how many tasks it has.
      units: how many units they share.
    """

    job: str
    tasks: int
    units: int


def submitted(path: Path) -> Submitted | None:
    """What a file says has been submitted; None where there is none."""
    with contextlib.suppress(OSError, ValueError, TypeError, files.Refused):
        found = Submitted(**files.parse(files.read(path)))
        if isinstance(found.job, str) and found.job.isdecimal():
            return found
    return None


def cancel(folder: Path) -> list[str]:
    """End the arrays of a study.

    Args:
      folder: `runs/<study>`.

    Returns:
      The numbers of the jobs that were in the queue.
    """
    found = [submitted(path) for path in sorted((folder / FOLDER).glob("*.json"))]
    jobs = [job.job for job in found if job is not None and _sbatch.states(job.job)]
    for job in jobs:
        _sbatch.cancel(job)
    return jobs


def in_queue(folder: Path, profile: str) -> str:
    """What SLURM still has of a run, in words; empty if nothing.

    Args:
      folder: `runs/<study>`.
      profile: the name of the grid.
    """
    now = submitted(folder / FOLDER / f"{profile}.json")
    if now is None:
        return ""
    try:
        tasks = Counter(_sbatch.states(now.job))
    except InputError:  # It may be another cluster's.
        return f"sent to SLURM as job {now.job}, which cannot be asked from here"
    states = ", ".join(f"{n} {state.lower()}" for state, n in tasks.items())
    return f"job {now.job} of SLURM: {states}" if states else ""
