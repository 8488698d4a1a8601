"""Packs: the small files of many cells in one file, as they were.

    runs/<study>/packs/pack-<number>-<hash>.parquet

A pack has a row per file: its cell and name, the seeds whose rows it has, its hash and
its content, seal and all. A file in the folder of a cell stands before one of that name
in a pack, and a later pack before an earlier one. A pack never changes.
"""

import hashlib
import io
import json
import re
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from relujax import files
from relujax.engine._seal import (
    Damaged,
    binding,
    check_belongs,
    embedded_binding,
    read_whole,
    sealed,
)
from relujax.engine._unsealed import is_seeds

FOLDER = "packs"

#: Bytes of the files in a pack, and in what is read of it at once.
PACK_BYTES = 64 * 2**20
_GROUP_BYTES = 2**17

_LARGEST = 512 * 2**20  # bytes of a pack, and of a group of it in memory
_FILES = 10**6
_TICK = 5 * 10**9  # nanoseconds
_NAME = re.compile(r"pack-(\d{6})-[0-9a-f]{16}\.parquet")
_SCHEMA = pa.schema(
    {
        "cell": pa.string(),
        "name": pa.string(),
        "seeds": pa.list_(pa.int32()),
        "sha256": pa.string(),
        "content": pa.large_binary(),
    }
)
_LISTED = ["cell", "name", "seeds", "sha256"]


class File(NamedTuple):
    """A small file of a cell, to be packed.

    Attributes:
      seeds: those whose rows it has.
    """

    cell: str
    name: str
    seeds: list[int]
    content: bytes


class PackedFile(NamedTuple):
    """A file in a pack.

    Attributes:
      pack: the pack's file.
      row: its row there.
      seeds: the seeds whose rows it has; None if the pack does not vouch for them.
      sha256: of its content.
    """

    pack: Path
    row: int
    seeds: list[int] | None
    sha256: str


class Packs:
    """The packs of a study, and what they hold.

    Args:
      folder: `runs/<study>`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._opened: dict[str, _Pack | None] = {}
        self._names: tuple[str, ...] = ()
        self._whole: list[_Pack] = []
        self._stamp: int | None = None

    def names(self) -> tuple[str, ...]:
        """The packs there are now, the latest first."""
        found = [entry.name for entry in files.entries(self.folder)]
        return tuple(sorted(filter(_NAME.fullmatch, found), reverse=True))

    def cells(self) -> set[str]:
        """The cells of which they hold files."""
        return {cell for pack in self._packs() for cell in pack.places}

    def small(self) -> set[str]:
        """The names of those that are not half full."""
        return {p.path.name for p in self._packs() if 2 * p.size < PACK_BYTES}

    def files(self, cell: str) -> dict[str, PackedFile]:
        """Name to file of what they hold of a cell."""
        found: dict[str, PackedFile] = {}
        for pack in self._packs():
            if cell in pack.places:
                found = {file: packed for file, packed in pack.files(cell)} | found
        return found

    def read(self, packed: PackedFile) -> bytes:
        """The content of a file.

        Raises:
          Damaged: the pack has changed.
          FileNotFoundError: the pack is gone: another one has its files.
        """
        pack = self._opened.get(packed.pack.name)
        if pack is None:
            raise FileNotFoundError(str(packed.pack))
        return pack.read(packed.row)

    def _packs(self) -> list["_Pack"]:
        try:
            stamp = self.folder.stat().st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return []
        if stamp == self._stamp:
            return self._whole
        names = self.names()
        if names != self._names:
            known = self._opened
            opened = {n: known[n] if n in known else self._open(n) for n in names}
            self._opened, self._names = opened, names
            self._whole = [pack for pack in opened.values() if pack is not None]
        # A folder that has just changed may change again within its clock's tick.
        settled = time.time_ns() - stamp > _TICK
        self._stamp = stamp if settled else None
        return self._whole

    def _open(self, name: str) -> "_Pack | None":
        try:
            return _Pack(self.folder / name)
        except FileNotFoundError:
            return None
        except Damaged as error:
            warnings.warn(
                f"Cannot read {files.shown(name)} ({error}); it is left where it is, "
                "and what only it has will run again.",
                stacklevel=2,
            )
            return None


class _Pack:
    """One pack: what it lists is in memory, contents are read when they are wanted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        content = read_whole(path, _LARGEST)
        try:
            bound = embedded_binding(content)
            check_belongs(bound or {}, kind="pack")
            self.is_whole = True
        except Damaged:
            self.is_whole = False  # Each of its files has a seal of its own.
        try:
            file = pq.ParquetFile(
                pa.BufferReader(content), page_checksum_verification=True
            )
            groups = _groups_of(file.metadata)
            self._ends = np.cumsum([group.num_rows for group in groups])
            self.size = sum(group.total_byte_size for group in groups)
            table = file.read(columns=_LISTED, use_threads=False)
            if table.schema.names != _LISTED:
                raise Damaged("its columns are not those of a pack")
            self._names = [sys.intern(name) for name in table["name"].to_pylist()]
            if not all(map(files.is_name, set(self._names))):
                raise Damaged("it has files whose names are no names")
            self._hashes = table["sha256"].to_pylist()
            self._seeds = table["seeds"].combine_chunks()
            self.places = _by_cell(table["cell"])
        except (MemoryError, Damaged):
            raise
        except Exception as error:  # Of many types; the content is in memory already.
            raise Damaged(files.shown(error, 200)) from error
        self._lock = threading.Lock()
        self._file: pq.ParquetFile | None = None
        self._group: tuple[int, pa.ChunkedArray] | None = None

    def files(self, cell: str) -> Iterator[tuple[str, PackedFile]]:
        first, count = self.places[cell]
        for row in range(first, first + count):
            name = self._names[row]
            seeds = self._seeds[row].as_py() if self.is_whole else None
            vouched = seeds if is_seeds(seeds) else None
            yield name, PackedFile(self.path, row, vouched, str(self._hashes[row]))

    def read(self, row: int) -> bytes:
        number = int(np.searchsorted(self._ends, row, side="right"))
        first = int(self._ends[number - 1]) if number else 0
        with self._lock:
            if self._group is None or self._group[0] != number:
                self._group = number, self._contents(number)
            return self._group[1][row - first].as_py()

    def _contents(self, number: int) -> pa.ChunkedArray:
        try:
            # It stays open: most of a pack is read, in any order.
            file = self._file = self._file or pq.ParquetFile(
                self.path, page_checksum_verification=True
            )
            return file.read_row_group(number, ["content"], use_threads=False)[0]
        except (MemoryError, FileNotFoundError):
            raise
        except Exception as error:
            raise Damaged(files.shown(error, 200)) from error


def _by_cell(column: pa.ChunkedArray) -> dict[str, tuple[int, int]]:
    """Cell to its first row and how many it has: they follow one another."""
    cells = column.to_numpy(zero_copy_only=False).astype(str)
    starts = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]][: len(cells)])
    counts = np.diff(np.r_[starts, len(cells)])
    return {
        str(cells[start]): (int(start), int(count))
        for start, count in zip(starts, counts, strict=True)
        if files.is_name(str(cells[start]))
    }


def pack_bytes(packed: Iterable[File]) -> bytes:
    """A sealed pack of files, those of a cell one after the other."""
    buffer = io.BytesIO()
    with pq.ParquetWriter(
        buffer,
        _SCHEMA,
        compression="zstd",
        use_dictionary=["cell", "name"],
        write_statistics=False,
        write_page_checksum=True,
    ) as writer:
        for group in _groups(packed):
            rows = [
                {**f._asdict(), "sha256": hashlib.sha256(f.content).hexdigest()}
                for f in group
            ]
            writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
        writer.add_key_value_metadata({"relujax": json.dumps(binding(kind="pack"))})
    return sealed(buffer.getvalue())


def pack_name(content: bytes, before: Iterable[str]) -> str:
    """The name of a new pack; it is later than those before."""
    found = [match for name in before if (match := _NAME.fullmatch(name))]
    number = max((int(match[1]) for match in found), default=0) + 1
    return f"pack-{number:06d}-{hashlib.sha256(content).hexdigest()[:16]}.parquet"


def packed_cells(folder: Path) -> set[str]:
    """The cells of a study of which packs hold files."""
    return packs_of(folder).cells()


def packs_of(folder: Path) -> Packs:
    """The packs of a study's folder, opened once in this process."""
    if folder not in _PACKS:
        _PACKS[folder] = Packs(folder)
    return _PACKS[folder]


_PACKS: dict[Path, Packs] = {}


def _groups(packed: Iterable[File]) -> Iterator[list[File]]:
    group, size = [], 0
    for file in packed:
        group.append(file)
        size += len(file.content)
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _groups_of(metadata: pq.FileMetaData) -> list[pq.RowGroupMetaData]:
    """The groups of files in a pack; Damaged if one is larger than any of ours."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    large = any(not 0 <= group.total_byte_size <= _LARGEST for group in groups)
    if large or not 0 <= metadata.num_rows <= _FILES:
        raise Damaged("it is larger than any pack")
    return groups
