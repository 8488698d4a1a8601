"""`relujax report`: the reports of all studies again, and one page over them."""

import warnings
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from relujax import report
from relujax.cli._run import report_folder
from relujax.cli._status import requests
from relujax.cli._study_file import load_study, packaged_study
from relujax.engine import Request, collect, history
from relujax.errors import InputError
from relujax.study import Study

console = Console(highlight=False)


def report_all(runs: Path) -> None:
    """Write every report again from what is stored, and `report.html` over them.

    What cannot be reported is named and skipped.

    Raises:
      InputError: there is no such folder, or nothing was run in it.
    """
    written, skipped = [], {}
    for name, folder, request in requests(runs):
        with console.status(f"{escape(name)} …"):
            try:
                written.append(_report(request, folder))
            except InputError as problem:
                skipped[name] = str(problem)
            except Exception as error:  # A study's own code may raise anything.
                skipped[name] = f"Its report failed: {type(error).__name__}: {error}"
        if name in skipped:
            reason = escape(skipped[name])
            console.print(
                f"[bold red]Skipped:[/] {escape(name)}: {reason}", soft_wrap=True
            )
        else:
            console.print(f"{escape(name)}: {written[-1]}", soft_wrap=True)
    command = "relujax report" + (f" {runs}" if runs != Path("runs") else "")
    index = report.write_index(written, runs, skipped=skipped, command=command)
    console.print(f"Report: {index}", soft_wrap=True)
    if skipped:
        raise typer.Exit(1)


def _report(request: Request | InputError, folder: Path) -> Path:
    """The report of one study and profile, from stored results alone."""
    if isinstance(request, InputError):
        raise request
    study = _study(request)
    if request.profile not in study.profiles:
        raise InputError(f"Its study file has no profile {request.profile!r} any more.")
    stored = request.stored(study.profiles[request.profile], folder)
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        frame = collect(stored, request.seeds)
    for notice in noticed:
        console.print(escape(str(notice.message)), soft_wrap=True)
    wanted = len(stored) * len(request.seeds)
    found = len(frame.drop_duplicates(["cell", "seed"])) if len(frame) else 0
    if found < wanted:
        raise InputError(
            f"{wanted - found} of {wanted} networks are missing: `{request.resume}` "
            "trains them."
        )
    provenance = {"command": request.command, **history(stored)}
    out = report_folder(folder, request.profile)
    return report.write(study, request.profile, frame, provenance, out)


def _study(request: Request) -> Study:
    """The study of the file that was run, or else of the shipped file of that name."""
    path = Path(request.file)
    found = path if path.is_file() else packaged_study(path.name)
    if found is None:
        raise InputError(
            f"Its study file {request.file} is gone: run the study from where it is "
            "now, nothing stored is trained again."
        )
    study = load_study(found)
    if study.id != request.study:
        raise InputError(f"Its study file {found} holds another study, {study.id!r}.")
    return study
