"""Compaction: the small files of a study into few packs, of which nothing is lost.

A pack is written, read back and compared before what it holds is removed from the
folders of its cells: whenever this is killed, each file is in one place or in both. A
cell is claimed meanwhile, so that nobody writes to it; one that is running is left.
"""

import contextlib
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from relujax import files
from relujax.engine import _claims
from relujax.engine._packs import (
    FOLDER,
    PACK_BYTES,
    File,
    pack_bytes,
    pack_name,
    packs_of,
)
from relujax.engine._seal import read_whole
from relujax.engine._store import Store
from relujax.engine._tables import is_table
from relujax.errors import InputError


class Compaction(NamedTuple):
    """What a compaction has done.

    Attributes:
      cells: how many were packed.
      files: how many small files they had.
      packs: how many were written.
      busy: cells that were left, for somebody is running them.
    """

    cells: int = 0
    files: int = 0
    packs: int = 0
    busy: int = 0


def compact(folder: Path, *, on_cell: Callable[[], None] = lambda: None) -> Compaction:
    """Move the small files of all cells of a study into packs; merge small packs.

    Weights, checkpoints, and what was set aside stay where they are.

    Args:
      folder: `runs/<study>`.
      on_cell: called after each cell.

    Raises:
      InputError: another process is compacting it.
      OSError: a pack cannot be written, or is not what was written.
    """
    home = files.inside(folder, FOLDER)
    turn = _claims.take(home / "claim.json", wait=False, say=_claims.tell)
    if turn is None:
        raise InputError(f"{files.shown(folder)} is being compacted already.")
    with ExitStack() as held:
        held.callback(turn.release)
        files.remove_stale(home)
        bundle = _Bundle(folder)
        held.callback(bundle.release)
        return _compact(folder, bundle, on_cell)


def _compact(
    folder: Path, bundle: "_Bundle", on_cell: Callable[[], None]
) -> Compaction:
    packs = packs_of(folder)
    small = packs.small()
    loose = set(_loose(folder))
    if len(small) < 2 and not loose:
        return Compaction()
    done, busy = Compaction(), set()
    for cell in sorted(loose | packs.cells()):
        store = Store(folder / cell)
        held = {file.pack.name for file in packs.files(cell).values()}
        if cell not in loose and held.isdisjoint(small):
            continue
        claim = store.claim(wait=False)
        if claim is None:
            busy |= held
            done = done._replace(busy=done.busy + 1)
            continue
        whole, done = bundle.add(store, claim, small, done)
        busy |= set() if whole else held
        on_cell()
    done = bundle.close(done)
    for name in small - busy:
        files.remove(packs.folder / name)
    return done


class _Bundle:
    """Cells that are claimed, and what goes into the next pack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._claims = ExitStack()
        self._files: list[File] = []
        self._size = 0  # bytes of them
        self._cells: list[tuple[Store, list[str]]] = []

    def add(
        self, store: Store, claim: Any, small: set[str], done: Compaction
    ) -> tuple[bool, Compaction]:
        """Take a cell; a pack is written once there is enough for one.

        Returns:
          Whether all that packs hold of it was there to be read, and what was done.
        """
        self._claims.callback(claim.release)
        found, whole = store.packable()
        packed = store.packed()
        new = [
            file
            for file in found
            if (old := packed.get(file.name)) is None
            or old.sha256 != hashlib.sha256(file.content).hexdigest()
            or old.pack.name in small
        ]
        self._files += new
        self._size += sum(len(file.content) for file in new)
        self._cells.append((store, [file.name for file in found]))
        if self._size >= PACK_BYTES:
            return whole, self.close(done)
        return whole, done

    def close(self, done: Compaction) -> Compaction:
        """Write the pack, then remove what it holds."""
        with self._claims:
            if self._files:
                self._write()
            removed = sum(_removed(store, names) for store, names in self._cells)
        for store, _ in self._cells:
            with contextlib.suppress(OSError):
                store.folder.rmdir()  # If it is empty.
        done = done._replace(
            cells=done.cells + len(self._cells),
            files=done.files + removed,
            packs=done.packs + bool(self._files),
        )
        self._claims, self._files, self._cells, self._size = ExitStack(), [], [], 0
        return done

    def release(self) -> None:
        """Leave the cells that were taken as they are."""
        self._claims.close()

    def _write(self) -> None:
        packs = packs_of(self._folder)
        content = pack_bytes(self._files)
        path = packs.folder / pack_name(content, packs.names())
        files.write(path, content, sync=True)
        if read_whole(path, 2 * len(content)) != content:
            raise OSError(f"{path} is not what was written: nothing was removed")


def _removed(store: Store, names: list[str]) -> int:
    """Remove files of a cell: rows last, whose records would else be of nothing."""
    present = store.loose()
    gone = [name for name in sorted(names, key=is_table) if name in present]
    for name in gone:
        files.remove(store.folder / name)
    return len(gone)


def packed_or_loose(folder: Path) -> bool:
    """Whether it is the folder of a study with results."""
    return bool(packs_of(folder).names() or _loose(folder))


def _loose(folder: Path) -> list[str]:
    """The cells with rows in their folders."""
    return [
        path.name
        for path in files.folders(folder)
        if any(is_table(entry.name) for entry in files.entries(path))
    ]
