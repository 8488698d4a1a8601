"""Results on disk: one folder per cell, one parquet file per chunk of seeds.

    runs/<study>/<digest>/cell.json             what was run
    runs/<study>/<digest>/seeds-<ids>.parquet   one row per seed, epoch and split
    runs/<study>/<digest>/seeds-<ids>.json      when, where, with which versions
    runs/<study>/<digest>/<name>, <name>.json   a file that is kept, and its record
    runs/<study>/<digest>/claim.json            who is running the cell
    runs/<study>/<digest>/error.txt             the traceback of the last failure
    runs/<study>/packs/                         what was compacted; see `_packs`

Every file is written under a temporary name and moved, so it is whole or absent. Every
file is sealed (see `_seal`): damage, and files of another cell, do not go unnoticed.
Files that were written before there were seals are read if the record beside them has
the hash of the table.
"""

import contextlib
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from relujax import files
from relujax.engine import _claims
from relujax.engine._folder import CLAIM, ERROR, CellFolder, is_claim
from relujax.engine._mirror import SharedClaim, mirror_of
from relujax.engine._packs import File, PackedFile
from relujax.engine._seal import Damaged, open_json, set_aside
from relujax.engine._tables import (
    KEYS,
    Budget,
    Verified,
    chunk_name,
    in_order,
    is_table,
    read_table,
    split_rows,
    table_bytes,
    verified,
)
from relujax.engine._unsealed import check_old_description, is_seeds
from relujax.errors import InputError

if TYPE_CHECKING:
    import pandas as pd  # Who asks how far a run is reads no rows.

# What every record of a chunk has, and its type.
_RECORD = {
    "seeds": list,
    "wall_seconds": int | float,
    "date": str,
    "versions": dict,
    "device": str,
    "git": str,
}

_ERROR_BYTES = 2**20


class Contents(NamedTuple):
    """What is stored of a cell.

    Attributes:
      seeds: those whose rows are stored.
      damaged: files whose content is not what was written, and why.
      running: who runs the cell at the moment, in words; empty if nobody.
      failed: whether its last run has failed.
      known: each file's size, time stamp and seeds, by its name.
    """

    seeds: set[int]
    damaged: dict[Path, Damaged]
    running: str
    failed: bool
    known: dict[str, list]


class Store(CellFolder):
    """The results of one cell.

    Args:
      folder: `runs/<study>/<digest>`; created when the cell is claimed.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._verified: dict[str, list] = {}

    def claim(
        self, *, wait: bool, say: Callable[[str], None] = _claims.tell
    ) -> _claims.CellClaim | SharedClaim | None:
        """The exclusive right to run this cell, or None if another process has it.

        Args:
          wait: wait for the other process instead of returning None.
          say: told once who is waited for.

        Returns:
          An object with `release()`.

        Raises:
          InputError: the folder is a link.
        """
        while True:
            self._make()
            with contextlib.suppress(FileNotFoundError):  # Compacted, and removed.
                claim = _claims.take(self.folder / CLAIM, wait=wait, say=say)
                break
        if claim is not None:
            files.remove_stale(self.folder)
        mirror = mirror_of(self.folder)
        if claim is None or mirror is None:
            return claim
        return mirror.claim(self.folder, claim, wait=wait, say=say)

    def running(self) -> bool:
        """Whether a process is running this cell."""
        return _claims.alive(self.folder / CLAIM) is not None

    def contents(self, known: Mapping[str, Sequence] = {}) -> Contents:
        """What is stored; changes nothing.

        Args:
          known: earlier `Contents.known`: such files are read only if they have
            another size or time stamp now.
        """
        now: dict[str, list] = {}
        damaged: dict[Path, Damaged] = {}
        if self.folder.is_symlink():
            damaged[self.folder] = Damaged("it is a link, which is not followed")
            return Contents(set(), damaged, "", False, now)
        found = {entry.name: entry for entry in files.entries(self.folder)}
        # After the folder: what is compacted is in a pack before it goes from there.
        packed = self.packed(found)
        for name in filter(is_table, sorted({*found, *packed})):
            try:
                now[name] = self._known(found.get(name), packed.get(name), name, known)
            except FileNotFoundError:
                continue  # Another process has set it aside since.
            except Damaged as error:
                damaged[self.folder / name] = error
        claims = [_claims.alive(self.folder / n) for n in filter(is_claim, found)]
        seeds = {seed for item in now.values() for seed in item[2]}
        running = next((str(holder) for holder in claims if holder is not None), "")
        return Contents(seeds, damaged, running, ERROR in found, now)

    def _known(
        self,
        entry: os.DirEntry | None,
        packed: PackedFile | None,
        name: str,
        before: Mapping[str, Sequence],
    ) -> list:
        """The size, time stamp and seeds of a table, wherever it is."""
        try:
            if entry is None:
                raise FileNotFoundError(name)
            about = entry.stat(follow_symlinks=False)
            mark = [about.st_size, about.st_mtime_ns]
        except FileNotFoundError:
            packed = self.packed().get(name) if packed is None else packed
            if packed is None:
                raise
            mark = [0, packed.sha256]
            if packed.seeds is not None:
                return [*mark, packed.seeds]
        old = before.get(name)
        if old is not None and [*old[:2]] == mark and is_seeds(old[2]):
            return [*mark, old[2]]
        return [*mark, verified(self.folder / name, self.read).seeds]

    def loose(self) -> set[str]:
        """The names of the small files in the folder that can be packed."""
        names = [entry.name for entry in files.entries(self.folder)]
        return {name for name in names if _is_small(name)}

    def packable(self) -> tuple[list[File], bool]:
        """The small files of the cell, and whether all that packs hold are there."""
        found, whole = [], True
        packed = self.packed()
        for name in sorted({*filter(_is_small, packed), *self.loose()}):
            path = self.folder / name
            try:
                if is_table(name):
                    table = verified(path, self.read)
                    found.append(
                        File(self.folder.name, name, table.seeds, table.content)
                    )
                else:
                    content = self.read(path)
                    open_json(content, cell=self.folder.name, file=name)
                    found.append(File(self.folder.name, name, [], content))
            except (FileNotFoundError, Damaged):
                whole = whole and name not in packed
        return found, whole

    def seeds(self) -> set[int]:
        """The seeds whose rows are stored.

        A damaged file is set aside, see `load`, and what killed processes have left
        under temporary names is removed: nobody may ever claim this cell again.
        """
        if not self.folder.is_symlink():
            files.remove_stale(self.folder)
        found = self.contents(self._verified)
        for path, error in found.damaged.items():
            set_aside(path, error)
        self._verified = found.known
        return found.seeds

    @property
    def known(self) -> dict[str, list]:
        """As `Contents.known`, of the last call of `seeds`."""
        return self._verified

    def state(self) -> list:
        """Changes whenever the stored rows do."""
        return sorted(self.contents(self._verified).known.items())

    def error(self) -> str:
        """The last line of the traceback of the last failure; empty without one."""
        try:
            content = files.read(self.folder / ERROR, _ERROR_BYTES)
        except FileNotFoundError:
            return ""
        except files.Refused as error:
            return f"The traceback cannot be read: {error}."
        lines = content.decode(errors="replace").strip().splitlines()
        if not lines:
            return "The traceback could not be written; was the disk full?"
        return files.shown(lines[-1])

    def note_error(self, error: Exception) -> None:
        """Keep the traceback of a failure; a full disk must not hide the failure."""
        text = "".join(traceback.format_exception(error))[-_ERROR_BYTES // 4 :]
        path = self.folder / ERROR
        try:
            files.write(path, text.encode(errors="replace"))
        except OSError:
            # An empty file needs no room, and says that something has failed.
            with contextlib.suppress(OSError):
                path.open("xb").close()

    def describe(self, content: Mapping[str, Any]) -> None:
        """Write `cell.json`, and forget an earlier failure: the cell runs again."""
        self._make()
        self._write_json("cell.json", content)
        files.remove(self.folder / ERROR)

    def description(self) -> dict[str, Any]:
        """What `describe` has written.

        Raises:
          InputError: it is missing or damaged.
        """
        path = self.folder / "cell.json"
        try:
            if self.folder.is_symlink():
                raise Damaged("it is a link, which is not followed")
            found, was_sealed = self._read_json(path)
            if not was_sealed:
                check_old_description(found, self.folder.name)
            return found
        except (OSError, Damaged) as error:
            raise InputError(
                f"Cannot read what was run in {files.shown(self.folder)} ({error}): "
                "run the study once more, nothing stored is trained again."
            ) from None

    def is_described(self) -> bool:
        """Whether `cell.json` is there, and what was written."""
        with contextlib.suppress(InputError):
            return bool(self.description())
        return False

    def add(self, frame: "pd.DataFrame", record: Mapping[str, Any]) -> None:
        """Write the rows of a chunk of seeds, and how they came about.

        Args:
          frame: the rows of whole seeds.
          record: JSON; `fingerprint`, where there is one, is bound to the rows, too.

        Raises:
          InputError: the rows of one seed are too many for a file.
        """
        self._make()
        for part in split_rows(frame):
            seeds = sorted(int(seed) for seed in part["seed"].unique())
            stem = chunk_name(seeds)
            rows = table_bytes(
                part,
                cell=self.folder.name,
                seeds=seeds,
                fingerprint=str(record.get("fingerprint", "")),
            )
            # The rows come last: a chunk counts once its parquet file is there.
            self._write_json(f"{stem}.json", {"seeds": seeds, **record})
            files.write(self.folder / f"{stem}.parquet", rows, sync=True)

    def load(self, budget: Budget | None = None) -> "pd.DataFrame":
        """All rows, in the order of seeds; empty when there are none.

        A damaged file is set aside under another name, with a warning: its seeds count
        as not run.

        Args:
          budget: the memory that is left where several cells are read.

        Raises:
          InputError: the rows do not fit into it.
        """
        import pandas as pd

        tables = list(self._tables(budget or Budget()))
        if not tables:
            return pd.DataFrame({"seed": pd.Series(dtype="int64")})
        frames = [frame for _, frame in tables]
        rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
        if in_order([table for table, _ in tables]):
            return rows
        # Two processes may have run the same seeds; the rows are the same.
        rows = rows.drop_duplicates(list(KEYS))
        return rows.sort_values(list(KEYS), ignore_index=True)

    def fingerprints(self) -> dict[int, str]:
        """Seed to the fingerprint of the program that trained it; empty if unknown."""
        found = {}
        for path in self._chunks():
            with contextlib.suppress(FileNotFoundError, Damaged):
                table = verified(path, self.read)
                found |= dict.fromkeys(table.seeds, table.fingerprint)
        return found

    def records(self) -> list[dict[str, Any]]:
        """How each stored chunk came about, as far as that is known.

        A damaged record is set aside, with a warning: sealed rows count all the same.
        """
        found = []
        for path in self._chunks():
            record = path.with_suffix(".json")
            try:
                found.append(self._record(record))
            except FileNotFoundError:
                continue
            except Damaged as error:
                set_aside(record, error)
        return found

    def set_aside(self, seeds: Iterable[int]) -> None:
        """Put the chunks of some seeds aside, so that they run again."""
        wanted = set(seeds)
        for path in self._chunks():
            with contextlib.suppress(FileNotFoundError, Damaged):
                if wanted.isdisjoint(verified(path, self.read).seeds):
                    continue
                for suffix in (".parquet", ".json"):
                    self.put_aside(path.with_suffix(suffix).name)

    def _chunks(self) -> list[Path]:
        if self.folder.is_symlink():
            return []
        names = {entry.name for entry in files.entries(self.folder)}
        names |= self.packed().keys()
        return [self.folder / name for name in sorted(filter(is_table, names))]

    def _tables(self, budget: Budget) -> Iterator[tuple[Verified, "pd.DataFrame"]]:
        """The tables of all chunks but the damaged ones."""
        for path in self._chunks():
            try:
                table = verified(path, self.read)
                yield table, read_table(table.content, table.seeds, budget)
            except FileNotFoundError:
                continue  # Another process has set it aside since.
            except Damaged as error:
                set_aside(path, error)

    def _record(self, path: Path) -> dict[str, Any]:
        record, _ = self._read_json(path)
        for name, kind in _RECORD.items():
            if not isinstance(record.get(name), kind):
                raise Damaged(f"no {name} in it")
        return record


def _is_small(name: str) -> bool:
    """Whether a file is packed: rows, their records, and the description."""
    record = name.startswith("seeds-") and name.endswith(".json")
    return name == "cell.json" or record or is_table(name)
