"""The files of a report: what is written is recorded, so that it can be removed.

Only a file that an earlier report has recorded, and that is still what was written
then, is ever removed; nothing outside of the folder is touched.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relujax import files
from relujax.errors import InputError

FIGURES = "figures"

#: The facts that are kept beside a published page.
FACTS = "kept.json"


class Output:
    """A folder that a report is written to.

    Args:
      folder: made where it is missing; figures go to `figures/` in it.

    Attributes:
      written: each file below the folder to its SHA-256.

    Raises:
      InputError: the folder, or that of its figures, is a link or a file.
    """

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.written: dict[str, str] = {}

    def write(self, name: str, content: str | bytes, *, figure: bool = False) -> None:
        """Write a file, over an earlier one or a link of its name."""
        files.checked_name(name, "the name of a file")
        place = files.inside(self.folder, FIGURES) if figure else self.folder
        raw = content.encode() if isinstance(content, str) else content
        files.write(place / name, raw)
        below = f"{FIGURES}/{name}" if figure else name
        self.written[below] = hashlib.sha256(raw).hexdigest()

    def clear(self, recorded: Any) -> None:
        """Remove the files of an earlier report.

        Args:
          recorded: its `written`, as read from a file that may hold anything.
        """
        for below, digest in _pairs(recorded).items():
            *place, name = below.split("/")
            if place not in ([], [FIGURES]) or not files.is_name(name):
                continue
            folder = self.folder.joinpath(*place)
            if folder.is_symlink() and place:
                continue
            path = folder / name
            with contextlib.suppress(OSError, files.Refused):
                if hashlib.sha256(files.read(path, 2**30)).hexdigest() == digest:
                    path.unlink()


def _pairs(recorded: Any) -> Mapping[str, str]:
    return recorded if isinstance(recorded, dict) else {}


def read_record(path: Path) -> dict[str, Any]:
    """The JSON object in a file that a report has written.

    Raises:
      InputError: it is damaged, or no object.
      OSError: it cannot be read.
    """
    try:
        found = files.parse(files.read(path))
    except ValueError as error:
        raise InputError(
            f"Expected the record of a report in {files.shown(path)}, got a damaged "
            f"file ({error}): write the report again."
        ) from None
    if not isinstance(found, dict):
        raise InputError(
            f"Expected the record of a report in {files.shown(path)}, got a "
            f"{type(found).__name__}: write the report again."
        )
    return found


def current(folder: Path, mark: str) -> dict[str, Any] | None:
    """The record of a report that is what would be written again; None if it is not.

    Args:
      folder: that of the report.
      mark: names what it would be made of, as given to `write`.
    """
    try:
        record = read_record(folder / "report.json")
        page = hashlib.sha256(files.read(folder / "report.html", 2**30)).hexdigest()
    except (OSError, InputError):
        return None
    same = record.get("mark") == mark and isinstance(record.get("sentence"), str)
    whole = _pairs(record.get("files")).get("report.html") == page
    return record if same and whole else None


def earlier(path: Path) -> Any:
    """What an earlier report has recorded as written; nothing if it is damaged."""
    try:
        return read_record(path).get("files")
    except (OSError, InputError):
        return None
