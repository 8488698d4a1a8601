"""The folder of a cell: sealed JSON, and files that are kept with a record each."""

import contextlib
import hashlib
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from relujax import files
from relujax.engine._packs import PackedFile, packs_of
from relujax.engine._seal import (
    Damaged,
    open_json,
    read_whole,
    sealed_json,
    set_aside,
)
from relujax.engine._tables import is_table
from relujax.errors import InputError

#: Who is running the cell, and the traceback of its last failure.
CLAIM = "claim.json"
ERROR = "error.txt"
# A claim of another machine, as its bucket has it; see `_mirror`.
_SHARED = "claim-"

# What packs hold no longer, for it was put aside.
_GONE = "gone.json"
_WEIGHTS = "weights-{}.safetensors"
_KEPT_BYTES = 2 * 2**30  # of a file that is kept


class CellFolder:
    """What a cell has beside its rows.

    Args:
      folder: `runs/<study>/<digest>`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put_file(self, name: str, content: bytes, record: Mapping[str, Any]) -> None:
        """Keep a file beside the rows, such as `weights-3.safetensors`.

        Args:
          name: its name.
          content: its bytes.
          record: JSON: how it came about.
        """
        self._make()
        files.write(self.folder / _kept_name(name), content, sync=True)
        # The record comes last: without one the file does not count.
        known = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self._write_json(f"{name}.json", {"record": dict(record), **known})

    def get_file(self, name: str) -> tuple[bytes, dict[str, Any]] | None:
        """A file that was kept, and its record; None if none is, or a damaged one."""
        path = self.folder / _kept_name(name)
        try:
            known, was_sealed = self._read_json(path.with_name(f"{name}.json"))
            content = read_whole(path, _KEPT_BYTES)
            hashed = hashlib.sha256(content).hexdigest()
            if not was_sealed or known.get("sha256") != hashed:
                raise Damaged("its content has changed since it was written")
            return content, dict(known["record"])
        except FileNotFoundError:
            return None
        except Damaged as error:
            set_aside(path, error)
            return None

    def has_weights(self, seed: int) -> bool:
        """Whether the weights of a seed are stored; they are verified when read."""
        name = _WEIGHTS.format(seed)
        try:
            known, _ = self._read_json(self.folder / f"{name}.json")
            return (self.folder / name).lstat().st_size == known.get("size")
        except (FileNotFoundError, Damaged):
            return False

    def put_weights(
        self, seed: int, content: bytes, record: Mapping[str, Any] = {}
    ) -> None:
        """Store the weights of a seed."""
        self.put_file(_WEIGHTS.format(seed), content, record)

    def weights(self, seed: int) -> bytes:
        """The weights of a seed; InputError if there are none, or damaged ones."""
        found = self.get_file(_WEIGHTS.format(seed))
        if found is None:
            raise InputError(
                f"Expected the weights of seed {seed} in {files.shown(self.folder)}, "
                "got none: run it with keep='last' or keep='best' (--keep)."
            )
        return found[0]

    def packed(self, present: Container[str] = (_GONE,)) -> dict[str, PackedFile]:
        """Name to file of what packs hold of the cell, but for what was put aside.

        Args:
          present: the names in the folder, where they are known.
        """
        found = packs_of(self.folder.parent).files(self.folder.name)
        gone = self._gone() if found and _GONE in present else {}
        return {n: file for n, file in found.items() if gone.get(n) != file.sha256}

    def read(self, path: Path, limit: int = files.JSON_BYTES) -> bytes:
        """The content of a file of the cell, wherever it is.

        Raises:
          Damaged, FileNotFoundError, OSError: as `read_whole`.
        """
        while True:
            try:
                return read_whole(path, limit)
            except FileNotFoundError:
                packed = self.packed().get(path.name)
                if packed is None:
                    raise
            # Should the pack be gone since, another one has what it had.
            with contextlib.suppress(FileNotFoundError):
                return packs_of(self.folder.parent).read(packed)

    def put_aside(self, name: str) -> None:
        """Give a file another name, under which it does not count."""
        aside = f"{name}.stale"
        packed = self.packed().get(name)
        if packed is not None:
            # Packs do not change: from now on this one does not hold it.
            self._make()
            content = packs_of(self.folder.parent).read(packed)
            files.write(self.folder / aside, content)
            self._write_json(_GONE, {"files": {**self._gone(), name: packed.sha256}})
        with contextlib.suppress(FileNotFoundError):
            files.rename(self.folder / name, aside)

    def _gone(self) -> dict[str, str]:
        """The files of packs that were put aside, and their hashes."""
        path = self.folder / _GONE
        with contextlib.suppress(FileNotFoundError, Damaged):
            known, _ = open_json(
                read_whole(path), cell=self.folder.name, file=path.name
            )
            return dict(known["files"])
        return {}

    def kept(self, start: str) -> list[str]:
        """The names of the files that are kept, of those that start like this."""
        names = [entry.name for entry in files.entries(self.folder)]
        return [n for n in names if n.startswith(start) and f"{n}.json" in names]

    def forget(self, name: str) -> None:
        """Remove a file that was kept, and its record, which vouches for it, first."""
        for path in (self.folder / f"{name}.json", self.folder / _kept_name(name)):
            files.remove(path)

    def _make(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        files.inside(self.folder.parent, self.folder.name)

    def _read_json(self, path: Path) -> tuple[dict[str, Any], bool]:
        """The content of a JSON file of this cell, and whether it was sealed."""
        return open_json(self.read(path), cell=self.folder.name, file=path.name)

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        text = sealed_json(content, cell=self.folder.name, file=name)
        try:
            files.write(self.folder / name, text)
        except FileNotFoundError:  # It was empty, and was compacted.
            self._make()
            files.write(self.folder / name, text)


def is_claim(name: str) -> bool:
    """Whether a file of this name says who is running the cell."""
    return name == CLAIM or (name.startswith(_SHARED) and name.endswith(".json"))


def _kept_name(name: str) -> str:
    files.checked_name(name, "the name of a file to keep")
    if name.endswith(".json") or is_table(name) or name in (CLAIM, ERROR):
        raise InputError(f"Expected a name that the store does not use, got {name!r}.")
    return name
