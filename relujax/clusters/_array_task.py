"""What an array task of SLURM does: its share of the units, then that of others."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from relujax.clusters._slurm import units_in
from relujax.clusters._where import where_of
from relujax.engine import Failure, Store, Unit, Watcher, share, work_off


def work_off_share(path: Path, part: str, watcher: Watcher) -> list[Failure]:
    """Work off the units of a task.

    Args:
      path: the file of all units, `runs/<study>/slurm/<profile>-units.json`.
      part: which part of them, such as `3/16`.
      watcher: what is told meanwhile.

    Returns:
      What went wrong.

    Raises:
      Mismatch: this machine differs from that which has submitted the job.
    """
    units, folder = units_in(path), path.parent.parent
    i, n = where_of(part).part
    stored = threading.Event()

    def rows(task, frame):
        stored.set()
        watcher.rows(task, frame)

    _requeue_when_told(stored)
    told = replace(watcher, rows=rows)
    failures = work_off(share(units, i, n), folder, watcher=told)
    others = _of_others(units, folder, i, n)
    return failures + work_off(others, folder, watcher=told, wait=False)


def _of_others(units: Sequence[Unit], folder: Path, i: int, n: int) -> Iterator[Unit]:
    """The units of others, from their ends, but for those that have failed there."""
    for step in range(1, n):
        for unit in reversed(share(units, i + step, n)):
            if not any(Store(folder / cell["digest"]).error() for cell in unit.cells):
                yield unit


def _requeue_when_told(stored: threading.Event) -> None:
    """Get back into the queue shortly before the time limit.

    Unless nothing has been stored since the start: it would be the same once more.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # A handler of Python's waits for the main thread, which may train for minutes.
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait() -> None:
        while os.read(reader, 1) != bytes([signal.SIGUSR1]):
            pass
        if stored.is_set():
            print("The time is nearly up: back into the queue.", flush=True)
            subprocess.run(["scontrol", "requeue", job], check=False)

    threading.Thread(target=wait, daemon=True).start()
