"""The index of a study's folder: which seeds its files hold, without reading them.

    runs/<study>/.index

It knows a file by its size and time stamp, so that what has changed since is read
again. It serves listings alone: whoever uses rows, or decides what to train, reads and
verifies the files. A damaged index is made anew.
"""

import contextlib
from pathlib import Path
from typing import Any

from relujax import files
from relujax.engine._seal import Damaged, open_json, sealed_json
from relujax.engine._store import Contents, Store

_NAME = ".index"


class Index:
    """What the cells of a study hold, as of the last look at each file.

    Args:
      folder: `runs/<study>`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = _read(folder / _NAME)
        self._changed = False

    def contents(self, cell: str) -> Contents:
        """What is stored of a cell; its folder need not exist."""
        known = self._known.get(cell) or {}
        found = Store(self.folder / cell).contents(known if _is_known(known) else {})
        self._note(cell, found.known)
        return found

    def note(self, store: Store) -> None:
        """Take over what is known of a cell whose files have been verified."""
        store.seeds()
        self._note(store.folder.name, store.known)

    def _note(self, cell: str, known: dict[str, list]) -> None:
        if known != (self._known.get(cell) or {}):
            self._known[cell] = known
            self._changed = True

    def save(self) -> None:
        """Keep it for the next time, where that is possible."""
        if not self._changed:
            return
        content = sealed_json({"cells": self._known}, indent=None, file=_NAME)
        if len(content) <= files.JSON_BYTES:
            # A folder that cannot be written to can be read all the same.
            with contextlib.suppress(OSError):
                files.write(self.folder / _NAME, content)
        self._changed = False


def _read(path: Path) -> dict[str, Any]:
    try:
        content, was_sealed = open_json(files.read(path), file=_NAME)
    except (OSError, Damaged, files.Refused):
        return {}
    cells = content.get("cells")
    return cells if was_sealed and isinstance(cells, dict) else {}


def _is_known(known: Any) -> bool:
    """Whether it is {file name: [size, time stamp, seeds]}."""
    return isinstance(known, dict) and all(
        isinstance(item, list) and len(item) == 3 and isinstance(item[2], list)
        for item in known.values()
    )
