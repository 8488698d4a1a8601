"""What was asked for: the study, profile and seeds behind the results of a folder.

    runs/<study>/<profile>.json

It is written before training starts, so that reports can be made again, and the state
of a run be told, from the folder alone.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from relujax.engine._cell import Cell
from relujax.engine._store import Store, write_json
from relujax.engine._sweep import Stored
from relujax.errors import InputError


class Request(NamedTuple):
    """One study and profile that was asked for.

    Attributes:
      study: the study's id.
      profile: the name of the profile.
      file: the study file, with its whole path.
      command: the command line that runs it, on any machine.
      options: what this machine adds to it: where results and data are.
      seeds: the seed ids.
      root: the root seed.
      cells: the folders of its cells, in the order of the grid.
      data: what each data spec of the grid named on this machine, with its provenance.
    """

    study: str
    profile: str
    file: str
    command: str
    options: str
    seeds: Sequence[int]
    root: int
    cells: Sequence[str]
    data: Mapping[str, Mapping[str, Any]]

    def write(self, folder: Path) -> None:
        """Write it to `folder`, which is `runs/<study>`."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / f"{self.profile}.json", self._asdict())

    @property
    def resume(self) -> str:
        """The command line that goes on with it here."""
        return f"{self.command} {self.options}".rstrip()

    def stored(self, cells: Sequence[Cell], folder: Path) -> list[Stored]:
        """The results of `cells` in `folder`; no data set is loaded.

        Args:
          cells: the study's grid of this profile, as its file has it now.
          folder: `runs/<study>`.

        Raises:
          InputError: the grid is not the one that was asked for.
        """
        found = []
        for cell in cells:
            origin = self.data.get(cell.data, {"sha256": ""})
            name = cell.digest(origin["sha256"], self.root)
            found.append(Stored(cell, Store(folder / name), origin))
        if [item.store.folder.name for item in found] != list(self.cells):
            raise InputError(
                f"The grid of profile {self.profile!r} has changed since it ran: "
                f"`{self.resume}` trains what is new and keeps the rest."
            )
        return found


def read_request(path: Path) -> Request:
    """The request that a file holds.

    Raises:
      InputError: the file is damaged, or of another version.
    """
    try:
        return Request(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"Expected the record of a run in {path}, got a damaged file ({error}): "
            "run the study once more, nothing stored is trained again."
        ) from None
