"""Results on disk: one folder per cell, one parquet file per chunk of seeds.

    runs/<study>/<digest>/cell.json             what was run
    runs/<study>/<digest>/seeds-<ids>.parquet   one row per seed, epoch and split
    runs/<study>/<digest>/seeds-<ids>.json      when, where, with which versions

Every file is written under a temporary name and moved, so it is whole or absent. The
record of a chunk has the SHA-256 of its rows: damage on the disk does not go unnoticed.
"""

import contextlib
import hashlib
import io
import json
import os
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock
import pandas as pd

# What every record of a chunk has, and its type.
_RECORD = {
    "seeds": list,
    "wall_seconds": int | float,
    "date": str,
    "versions": dict,
    "device": str,
    "git": str,
}


class Damaged(Exception):
    """The content of a file is not what was written. Not raised where reading fails."""


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
        """The seeds whose rows are stored, and the files that are damaged.

        Unlike `seeds` and `load`, it changes nothing.
        """
        damaged: list[Path] = []
        frames = self._frames(["seed"], lambda path, _error: damaged.append(path))
        return {int(seed) for frame in frames for seed in frame["seed"]}, damaged

    def seeds(self) -> set[int]:
        """The seeds whose rows are stored; a damaged file is set aside, see `load`."""
        frames = self._frames(["seed"], _set_aside)
        return {int(seed) for frame in frames for seed in frame["seed"]}

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
        """Write `cell.json`, and forget an earlier failure: the cell runs again."""
        write_json(self.folder / "cell.json", content)
        (self.folder / "error.txt").unlink(missing_ok=True)

    def add(self, frame: pd.DataFrame, record: Mapping[str, Any]) -> None:
        """Write the rows of a chunk of seeds, and how they came about."""
        seeds = sorted(int(seed) for seed in frame["seed"].unique())
        stem = self.folder / _chunk_name(seeds)
        rows = frame.to_parquet()
        known = {"seeds": seeds, "sha256": hashlib.sha256(rows).hexdigest(), **record}
        # The rows come last: a chunk counts as done once its parquet file is there.
        write_json(stem.with_suffix(".json"), known)
        _write(stem.with_suffix(".parquet"), rows, sync=True)

    def load(self) -> pd.DataFrame:
        """All rows, in the order of seeds; empty when there are none.

        A damaged file is set aside under another name, with a warning: its seeds count
        as not run.
        """
        frames = list(self._frames(None, _set_aside))
        if not frames:
            return pd.DataFrame({"seed": pd.Series(dtype="int64")})
        rows = pd.concat(frames, ignore_index=True)
        # Two processes may have run the same seeds; the rows are the same.
        rows = rows.drop_duplicates(["seed", "epoch", "split"])
        return rows.sort_values(["seed", "epoch", "split"], ignore_index=True)

    def records(self) -> list[dict[str, Any]]:
        """How each stored chunk came about, as far as that is known.

        A damaged record is set aside, with a warning: its rows count all the same.
        """
        found = []
        for path in self._chunks():
            try:
                found.append(_read_record(path.with_suffix(".json")))
            except FileNotFoundError:
                continue
            except Damaged as error:
                _set_aside(path.with_suffix(".json"), error)
        return found

    def _chunks(self) -> list[Path]:
        return sorted(self.folder.glob("seeds-*.parquet"))

    def _frames(
        self, columns: list[str] | None, on_damage: Callable[[Path, Damaged], Any]
    ) -> Iterator[pd.DataFrame]:
        """The tables of all chunks but the damaged ones."""
        for path in self._chunks():
            try:
                yield _read_rows(path, columns)
            except FileNotFoundError:
                continue  # Another process has set it aside since.
            except Damaged as error:
                on_damage(path, error)


def _read_rows(path: Path, columns: list[str] | None) -> pd.DataFrame:
    """The table of a chunk, compared with the hash in its record where there is one."""
    content = path.read_bytes()
    try:
        expected = _read_record(path.with_suffix(".json")).get("sha256")
    except (FileNotFoundError, Damaged):
        expected = None
    if expected not in (None, hashlib.sha256(content).hexdigest()):
        raise Damaged("its content has changed since it was written")
    try:
        return pd.read_parquet(io.BytesIO(content), columns=columns)
    except MemoryError:
        raise
    except Exception as error:  # Of many types; the content is in memory already.
        raise Damaged(str(error)) from error


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
    except ValueError as error:
        raise Damaged(str(error)) from error
    for name, kind in _RECORD.items():
        if not isinstance(record, dict) or not isinstance(record.get(name), kind):
            raise Damaged(f"no {name} in it")
    return record


def _set_aside(path: Path, error: Damaged) -> None:
    """Give a damaged file another name, unless another process has done so."""
    aside = path.with_name(f"{path.name}.corrupt")
    try:
        path.replace(aside)
    except FileNotFoundError:
        return
    what = "its seeds will run again" if path.suffix == ".parquet" else "its rows stay"
    warnings.warn(
        f"Cannot read {path.name} ({error}); set aside as {aside.name}, {what}.",
        stacklevel=2,
    )


def _chunk_name(seeds: Sequence[int]) -> str:
    ids = ",".join(map(str, seeds))
    short = hashlib.sha256(ids.encode()).hexdigest()[:8]
    return f"seeds-{seeds[0]:04d}-{seeds[-1]:04d}-{short}"


def write_json(path: Path, content: Any) -> None:
    """Write JSON under a temporary name, then move it into place."""
    _write(path, json.dumps(content, indent=2).encode())


def _write(path: Path, content: bytes, *, sync: bool = False) -> None:
    """Write a file; `sync` waits for the disk, some milliseconds.

    Else a power failure could leave the name without the content: rows would have to
    be trained again, a record is only missed.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
