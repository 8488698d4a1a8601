"""`relujax status --units`: who trains what, and where stored networks come from."""

from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from relujax import files
from relujax.cli._console import console, plain, say
from relujax.engine import Request, Store, running_units

#: Rows of a table, the newest.
_ROWS = 40


def show_units(request: Request, folder: Path) -> None:
    """Print the host and the device of each unit that is stored or running.

    Args:
      request: what was asked for.
      folder: `runs/<study>`.
    """
    name = f"[bold]{escape(request.study)}[/], {escape(request.profile)}"
    for unit, who in running_units(folder).items():
        say(f"{name}: unit {unit} is running: {plain(who)}")
    found = [
        (str(record["date"]), cell, record)
        for cell in request.cells
        for record in Store(folder / cell).records()
    ]
    found.sort(key=lambda item: item[:2])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=name, title_justify="left")
    for column in ("cell", "seeds", "host", "device", "stored"):
        table.add_column(column, overflow="fold")
    for date, cell, record in found[-_ROWS:]:
        about = (record.get("host", ""), record["device"], date[:16])
        table.add_row(cell, _seeds(record["seeds"]), *map(_shown, about))
    console.print(table)
    if len(found) > _ROWS:
        say(f"{len(found) - _ROWS:,} earlier ones are not shown.")


def _seeds(seeds: list[int]) -> str:
    """Seed ids in a few words.

    >>> _seeds([0, 1, 2, 3]), _seeds([7])
    ('0 to 3', '7')
    """
    return str(seeds[0]) if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"


def _shown(value: object) -> str:
    return escape(files.shown(value, 80))
