"""Results on disk: one folder per cell, one parquet file per chunk of seeds.

    runs/<study>/<digest>/cell.json             what was run
    runs/<study>/<digest>/seeds-<ids>.parquet   one row per seed, epoch and split
    runs/<study>/<digest>/seeds-<ids>.json      when, where, with which versions

Every file is written under a temporary name and moved, so it is whole or absent.
"""

import contextlib
import hashlib
import json
import os
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import pyarrow as pa


class Store:
    """The results of one cell.

    Args:
      folder: `runs/<study>/<digest>`; created when the cell is claimed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def claim(self, *, wait: bool) -> filelock.FileLock | None:
        """The exclusive right to run this cell, or None if another process has it.

        The operating system gives the right back when its holder dies, however it dies.

        Args:
          wait: wait for the other process instead of returning None.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.folder / "running.lock")
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except filelock.Timeout:
            return None
        return lock

    def running(self) -> bool:
        """Whether a process is running this cell."""
        path = self.folder / "running.lock"
        if not path.exists():
            return False
        lock = filelock.FileLock(path)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return True
        except OSError:  # A folder that cannot be written to: nobody runs in it.
            return False
        lock.release()
        return False

    def done(self) -> tuple[set[int], list[Path]]:
        """The seeds whose rows are stored, and the files that cannot be read.

        Unlike `load`, it changes nothing, and reads the seeds alone.
        """
        seeds, damaged = set(), []
        for path in sorted(self.folder.glob("seeds-*.parquet")):
            try:
                seeds |= set(pd.read_parquet(path, columns=["seed"])["seed"])
            except (OSError, pa.ArrowException):
                damaged.append(path)
        return seeds, damaged

    def error(self) -> str:
        """The last line of the traceback of the last failure; empty without one."""
        path = self.folder / "error.txt"
        lines = path.read_text().strip().splitlines() if path.is_file() else []
        return lines[-1] if lines else ""

    def note_error(self, error: Exception) -> None:
        """Keep the traceback of a failure; a full disk must not hide the failure."""
        with contextlib.suppress(OSError):
            text = "".join(traceback.format_exception(error))
            (self.folder / "error.txt").write_text(text)

    def describe(self, content: Mapping[str, Any]) -> None:
        """Write `cell.json`."""
        write_json(self.folder / "cell.json", content)

    def add(self, frame: pd.DataFrame, record: Mapping[str, Any]) -> None:
        """Write the rows of a chunk of seeds, and how they came about."""
        seeds = sorted(int(seed) for seed in frame["seed"].unique())
        stem = self.folder / _chunk_name(seeds)
        # The rows come last: a chunk counts as done once its parquet file is there.
        write_json(stem.with_suffix(".json"), {"seeds": seeds, **record})
        _write(stem.with_suffix(".parquet"), frame.to_parquet)

    def load(self) -> pd.DataFrame:
        """All rows, in the order of seeds; empty when there are none.

        A file that cannot be read is set aside under another name, with a warning:
        its seeds count as not run.
        """
        frames = []
        for path in sorted(self.folder.glob("seeds-*.parquet")):
            try:
                frames.append(pd.read_parquet(path))
            except (OSError, pa.ArrowException) as error:
                aside = path.with_suffix(".corrupt")
                path.replace(aside)
                warnings.warn(
                    f"Cannot read {path.name} ({error}); set aside as {aside.name}, "
                    f"its seeds will run again.",
                    stacklevel=2,
                )
        if not frames:
            return pd.DataFrame({"seed": pd.Series(dtype="int64")})
        rows = pd.concat(frames, ignore_index=True)
        # Two processes may have run the same seeds; the rows are the same.
        rows = rows.drop_duplicates(["seed", "epoch", "split"])
        return rows.sort_values(["seed", "epoch", "split"], ignore_index=True)

    def records(self) -> list[dict[str, Any]]:
        """How each chunk came about."""
        paths = sorted(self.folder.glob("seeds-*.json"))
        return [json.loads(path.read_text()) for path in paths]


def _chunk_name(seeds: Sequence[int]) -> str:
    ids = ",".join(map(str, seeds))
    short = hashlib.sha256(ids.encode()).hexdigest()[:8]
    return f"seeds-{seeds[0]:04d}-{seeds[-1]:04d}-{short}"


def write_json(path: Path, content: Any) -> None:
    """Write JSON under a temporary name, then move it into place."""
    _write(path, lambda name: name.write_text(json.dumps(content, indent=2)))


def _write(path: Path, write: Callable[[Path], Any]) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        write(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
