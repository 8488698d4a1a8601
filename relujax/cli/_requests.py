"""What was asked for in a folder of results: the records of its studies."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from relujax import files
from relujax.engine import Index, Request, packed_cells, read_request
from relujax.errors import InputError


class Asked(NamedTuple):
    """One record of a study in a folder of results, or a folder without one.

    Attributes:
      name: such as "srelu, quick".
      folder: the study's folder.
      request: what was asked for, or why that cannot be told.
    """

    name: str
    folder: Path
    request: Request | InputError


def requests(runs: Path) -> Iterator[Asked]:
    """What was asked for in each folder of `runs`, or why that cannot be told.

    Nothing that a record names is imported; links are not followed.

    Raises:
      InputError: the folder has too many entries.
    """
    for folder in files.folders(runs):
        yield from _in_study(folder)


def _in_study(folder: Path) -> Iterator[Asked]:
    try:
        names = [entry.name for entry in files.entries(folder)]
    except InputError as problem:
        yield Asked(folder.name, folder, problem)
        return
    records = [name.removesuffix(".json") for name in names if name.endswith(".json")]
    # A report may lie beside the results that it is of.
    records = [n for n in records if files.is_name(n) and n != "report"]
    for name in records:
        try:
            request = read_request(folder / f"{name}.json")
        except InputError as problem:
            request = problem
        yield Asked(f"{folder.name}, {name}", folder, request)
    if not records and (contents := _contents(folder)):
        problem = InputError(
            f"No record in {folder} of a study: what is there is continued by the "
            f"`relujax.sweep` or the study that made it, and nothing stored is "
            f"trained again. {contents}"
        )
        yield Asked(folder.name, folder, problem)


def _contents(folder: Path) -> str:
    """What is stored in a folder that nothing else is known of; empty if nothing."""
    index = Index(folder)
    cells = [p.name for p in files.folders(folder) if (p / "cell.json").is_file()]
    cells += sorted(packed_cells(folder) - set(cells))
    found = [index.contents(cell) for cell in cells]
    index.save()
    if not found:
        return ""
    running = sum(bool(cell.running) for cell in found)
    failed = sum(cell.failed for cell in found)
    return (
        f"It has {len(found)} cells, with {sum(len(c.seeds) for c in found)} seeds "
        f"stored; {running} are running, {failed} failed."
    )
