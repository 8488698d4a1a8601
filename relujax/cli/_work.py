"""What runs on a queue: a task's share of a run, and taking a run from the queue."""

import datetime
import platform
from pathlib import Path

import pandas as pd

from relujax.cli._console import plain, say
from relujax.cli._run import finish
from relujax.cli._start import start
from relujax.clusters import cancel, work_off_share
from relujax.engine import Task, Watcher
from relujax.errors import InputError


def cancel_study(folder: Path) -> None:
    """End the jobs of a study.

    Raises:
      InputError: there is no such study.
    """
    if not folder.is_dir():
        raise InputError(f"Expected the folder of a study, found none at '{folder}'.")
    jobs = cancel(folder)
    if jobs:
        say(f"Taken from the queue: {', '.join(jobs)}. What was finished is stored.")
    else:
        say(f"Nothing of '{plain(folder)}' is in the queue.")


def work_off_part(units: Path, part: str) -> None:
    """Work off a part of the units of a file, and then what others have not begun.

    Args:
      units: the file.
      part: such as `3/16`.
    """
    start()
    say(f"{_now()} Part {plain(part)} on {plain(platform.node())}.")
    finish(work_off_share(units, part, Watcher(rows=_say_stored)))
    say(f"{_now()} Done.")


def _say_stored(task: Task, rows: pd.DataFrame) -> None:
    networks, name = rows["seed"].nunique(), task.labels["activation"]
    say(f"{_now()} {networks} stored: {plain(name)} ({task.store.folder.name}).")


def _now() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
