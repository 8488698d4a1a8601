"""What was asked for: the study, profile and seeds behind the results of a folder.

    runs/<study>/<profile>.json

It is written before training starts, so that reports can be made again, and the state
of a run be told, from the folder alone. Whoever reads it trusts it with nothing: names
are checked, and what it names is neither imported nor run.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from relujax import files
from relujax.engine._seal import Damaged, open_json, sealed_json
from relujax.engine._store import Store
from relujax.engine._unsealed import is_seeds
from relujax.errors import InputError

if TYPE_CHECKING:
    # They need JAX; who asks how far a run is does not.
    from relujax.engine._cell import Cell
    from relujax.engine._tasks import Stored


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
      facts: what results need besides: baseline, metric, question, axes, directions.
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
    facts: Mapping[str, Any] = {}

    def write(self, folder: Path) -> None:
        """Write it to `folder`, which is `runs/<study>`.

        Raises:
          InputError: the profile has a name that no file can have.
        """
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{files.checked_name(self.profile, 'the name of a profile')}.json"
        text = sealed_json(self._asdict(), study=self.study, file=name)
        files.write(folder / name, text)
        files.remove_stale(folder)

    @property
    def resume(self) -> str:
        """The command line that goes on with it here; empty if there is none."""
        return _quoted(f"{self.command} {self.options}")

    def stored(self, cells: Sequence["Cell"], folder: Path) -> list["Stored"]:
        """The results of `cells` in `folder`; no data set is loaded.

        Args:
          cells: the study's grid of this profile, as its file has it now.
          folder: `runs/<study>`.

        Raises:
          InputError: the grid is not the one that was asked for.
        """
        from relujax.engine._tasks import Stored

        found = []
        for cell in cells:
            origin = self.data.get(cell.data, {})  # A training has no data.
            name = cell.digest(origin.get("sha256", ""), self.root)
            found.append(Stored(vars(cell), Store(folder / name), origin))
        if [item.store.folder.name for item in found] != list(self.cells):
            raise InputError(
                f"The grid of profile {self.profile!r} has changed since it ran: "
                f"`{self.resume or 'relujax run'}` trains what is new, keeps the rest."
            )
        return found


def read_request(path: Path) -> Request:
    """The request that a file holds.

    Raises:
      InputError: the file is damaged, or of another version.
    """
    try:
        content, was_sealed = open_json(files.read(path))
        asked = Request(**content)
        _check(asked, path)
        if was_sealed:
            open_json(files.read(path), study=asked.study, file=path.name)
        return asked
    except (OSError, ValueError, TypeError, Damaged) as error:
        raise InputError(
            f"Expected the record of a run in {files.shown(path)}, got a damaged file "
            f"({files.shown(error, 200)}): run the study once more, nothing stored is "
            "trained again."
        ) from None


def stored_cells(request: Request, folder: Path) -> list["Stored"]:
    """The cells of a request, as they are stored; nothing that they name is imported.

    Raises:
      InputError: the description of a cell is missing or damaged.
    """
    return [_described(Store(folder / name)) for name in request.cells]


def _described(store: Store) -> "Stored":
    from relujax.engine._tasks import Stored

    content = store.description()
    fields, origin = content.get("cell"), content.get("data")
    texts = ("data", "model", "activation", "optimizer", "training")
    if not isinstance(fields, dict) or not all(
        isinstance(fields.get(name) or "", str) for name in texts
    ):
        raise InputError(f"Expected a cell in {files.shown(store.folder)}, found none.")
    if origin:  # A training of the user's own has none.
        try:
            _check_origin(origin)
        except InputError as error:
            raise InputError(
                f"Expected a cell with its data set in {files.shown(store.folder)}, "
                f"found {error}: run the study once more."
            ) from None
    return Stored(fields, store, origin or {})


def _check(asked: Request, path: Path) -> None:
    """Raises InputError unless every field is of its kind."""
    files.checked_name(asked.study, "the id of a study")
    if asked.profile != path.stem:
        raise InputError(f"it is of profile {files.shown(asked.profile, 80)!r}")
    texts = ("file", "command", "options")
    for name in texts:
        if not isinstance(getattr(asked, name), str):
            raise InputError(f"no text as {name}")
    if not is_seeds(asked.seeds) or len(set(asked.seeds)) < len(asked.seeds):
        raise InputError("no list of different seeds")
    if not isinstance(asked.root, int) or isinstance(asked.root, bool):
        raise InputError("no root seed")
    if not isinstance(asked.cells, list) or len(asked.cells) > files.ENTRIES:
        raise InputError("no list of cells")
    for name in asked.cells:
        files.checked_name(name, "the folder of a cell")
    if not isinstance(asked.data, dict) or not isinstance(asked.facts, dict):
        raise InputError("no data sets or facts")
    for origin in asked.data.values():
        _check_origin(origin)
    _check_facts(asked.facts)


def _check_facts(facts: Mapping[str, Any]) -> None:
    """Raises InputError unless the facts that results need are of their kinds."""
    for name in ("baseline", "metric", "question"):
        if not isinstance(facts.get(name) or "", str):
            raise InputError(f"no text as {name}")
    axes, points = facts.get("axes", []), facts.get("points", {})
    if not isinstance(axes, list) or not all(isinstance(axis, str) for axis in axes):
        raise InputError("no list of axes")
    if not isinstance(points, dict) or not all(
        isinstance(point, list)
        and len(point) == len(axes)
        and all(isinstance(value, int | float) for value in point)
        for point in points.values()
    ):
        raise InputError("no points on the axes")
    directions = facts.get("directions", {})
    if not isinstance(directions, dict) or not all(
        name.isidentifier() and isinstance(up, bool) for name, up in directions.items()
    ):
        raise InputError("no directions of metrics")


def _check_origin(origin: Any) -> None:
    """Raises InputError unless it says what a data set is, as JSON."""
    kinds = {"name": str, "source": str, "sha256": str, "n_train": int, "n_test": int}
    if not isinstance(origin, dict):
        raise InputError("no data set")
    for name, kind in kinds.items():
        if not isinstance(origin.get(name), kind):
            raise InputError(f"no {name} of a data set")
    if not isinstance(origin.get("note", ""), str):
        raise InputError("no note on a data set")


def _quoted(command: str) -> str:
    """A command line of ours, each word quoted; empty if it is none."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    if words[:1] not in (["relujax"], ["python"]):
        return ""
    return files.shown(shlex.join(words), 20_000)
