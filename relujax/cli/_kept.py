"""`relujax report --from`: a published page again, from the numbers beside it."""

from collections.abc import Sequence
from pathlib import Path

import typer

from relujax import files, report
from relujax.cli._console import plain, say
from relujax.cli._study_file import load_study, packaged_study, study_file
from relujax.errors import InputError
from relujax.report import Kept
from relujax.studies import Study


def report_from(folder: Path, runs: Path, study_files: Sequence[Path] = ()) -> None:
    """Make a published page again, and say whether it is the one that is kept.

    Nothing is trained. The whole report goes to `<runs>/<study>/report/<profile>`, the
    page to `<runs>/<study>/kept/<profile>`.

    Args:
      folder: `README.md`, its numbers and facts.
      runs: where the report is written.
      study_files: the study's file, unless it ships with the package.

    Raises:
      InputError: the folder holds no such report, or the study file is not at hand.
      typer.Exit: with 1, where the page differs from the kept one.
    """
    kept = report.read_kept(folder)
    study = _study(kept, study_files)
    whole = files.inside(runs, kept.study, "report", kept.profile)
    made = (kept.profile, kept.frame, kept.provenance)
    page = report.write(study, *made, whole)
    place = files.inside(runs, kept.study, "kept", kept.profile)
    again = report.publish(study, *made, page.parent, place, changes=kept.changes)
    say(f"Report: {plain(page)}")
    say(f"Page: {plain(again)}")
    lines = _difference(folder / "README.md", again)
    if lines:
        say(f"[bold red]It differs[/] from the kept page, first in: {plain(lines)}")
        raise typer.Exit(1)
    say("It is the kept page.")


def _difference(kept: Path, again: Path) -> str:
    """The first line of the new page that the kept one has otherwise."""
    old, new = (files.read(path).decode().splitlines() for path in (kept, again))
    width = max(len(old), len(new))
    pairs = zip(*(x + [""] * (width - len(x)) for x in (old, new)), strict=True)
    return next((b or "a line that is missing" for a, b in pairs if a != b), "")


def _study(kept: Kept, study_files: Sequence[Path]) -> Study:
    paths = [study_file(path) for path in study_files] or [packaged_study(kept.study)]
    for path in filter(None, paths):
        study = load_study(path)
        if study.id == kept.study:
            return study
    raise InputError(
        f"Expected the study file of {files.shown(kept.study)}, found none: name it by "
        "--study FILE."
    )
