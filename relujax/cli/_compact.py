"""`relujax compact`: the many small files of studies into few."""

from pathlib import Path

from rich.markup import escape

from relujax import files
from relujax.cli._console import console, plain, say
from relujax.engine import compact, packed_or_loose, results_folder
from relujax.errors import InputError


def compact_all(runs: Path) -> None:
    """Compact a study's folder, or each one in a folder of results.

    Raises:
      InputError: there is no such folder, nothing was run in it, or another process is
        compacting it.
    """
    runs = results_folder(runs)
    if not runs.is_dir():
        raise InputError(
            f"Expected a folder of results, got {files.shown(runs)!r}: no such folder."
        )
    studies = [path for path in (runs, *files.folders(runs)) if packed_or_loose(path)]
    if not studies:
        raise InputError(f"No study has been run in {files.shown(runs)!r} yet.")
    for folder in studies:
        with console.status(f"{escape(folder.name)} …"):
            done = compact(folder)
        left = f"; {done.busy} cells are running, and were left" if done.busy else ""
        say(
            f"{plain(folder)}: {done.files} files of {done.cells} cells are in "
            f"{done.packs} new packs{left}."
        )
