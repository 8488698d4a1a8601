"""`relujax report`: the reports of all studies again, and one page over them."""

import shlex
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
from rich.markup import escape

from relujax import files, report
from relujax.cli._console import console, plain, say
from relujax.cli._requests import Asked, requests
from relujax.cli._start import find_modules_here
from relujax.cli._study_file import load_study, packaged_study, study_file
from relujax.engine import (
    Request,
    collect,
    history,
    place_of,
    results_folder,
    stored_cells,
)
from relujax.errors import InputError, unknown
from relujax.studies import Study, describe, set_probes_apart


def report_all(runs: Path, study_files: Sequence[Path] = ()) -> None:
    """Write every report again from what is stored, and `report.html` over them.

    What cannot be reported is named and skipped. Claims and exhibits are code: that of
    a study file which ships with the package, lies in the working directory, or is one
    of `study_files`. Any other that the folder names is not imported; the report then
    has what the numbers alone give.

    Raises:
      InputError: there is no such folder, nothing was run in it, or a study file is of
        a study that was not.
    """
    runs = results_folder(runs)
    if not runs.is_dir():
        raise InputError(
            f"Expected a folder of results, got {files.shown(runs)!r}: no such "
            "folder; `relujax run` makes one."
        )
    asked = list(requests(runs))
    if not asked:
        raise InputError(f"No study has been run in {files.shown(runs)!r} yet.")
    find_modules_here()  # A study names networks and data that lie beside it.
    named = _named(study_files, asked)
    written, skipped = [], {}
    for name, folder, request in asked:
        name = files.shown(name)
        with console.status(f"{escape(name)} …"):
            try:
                if isinstance(request, InputError):
                    raise request
                study = _study(request, runs, named)
                note = "" if study else _missing(request, runs)
                written.append(_report(request, folder, study, note))
            except InputError as problem:
                skipped[name] = str(problem)
            except Exception as error:  # A study's own code may raise anything.
                skipped[name] = f"Its report failed: {type(error).__name__}: {error}"
        if name in skipped:
            say(f"[bold red]Skipped:[/] {escape(name)}: {plain(skipped[name])}")
        else:
            say(f"{escape(name)}: {plain(written[-1])}")
            if note:
                say(plain(note))
    command = _command(runs, study_files)
    index = report.write_index(written, runs, skipped=skipped, command=command)
    say(f"Report: {plain(index)}")
    if skipped:
        raise typer.Exit(1)


def _report(request: Request, folder: Path, study: Study | None, note: str) -> Path:
    """The report of one study and profile, from stored results alone."""
    if study is None:
        stored = stored_cells(request, folder)
    elif request.profile not in study.profiles:
        raise InputError(f"Its study file has no profile {request.profile!r} any more.")
    else:
        stored = request.stored(study.cells_of(request.profile), folder)
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        frame = collect(stored, request.seeds)
    for notice in noticed:
        say(plain(notice.message))
    wanted = len(stored) * len(request.seeds)
    found = len(frame.drop_duplicates(["cell", "seed"])) if len(frame) else 0
    if found < wanted:
        raise InputError(
            f"{wanted - found} of {wanted} networks are missing: `{request.resume}` "
            "trains them."
        )
    frame = set_probes_apart(frame)
    describe(frame, request.facts)
    study = study or _unclaimed(request, list(frame["activation"].unique()))
    provenance = {"command": files.shown(request.command, 20_000), **history(stored)}
    out = files.inside(folder, "report", request.profile)
    return report.write(study, request.profile, frame, provenance, out, note=note)


def _named(study_files: Sequence[Path], asked: Sequence[Asked]) -> dict[str, Study]:
    """The studies of the files that the user names, by id."""
    known = {r.study for _, _, r in asked if isinstance(r, Request)}
    found = {}
    for path in study_files:
        study = load_study(study_file(path))
        if study.id not in known:
            raise unknown("study in this folder of results:", study.id, known)
        found[study.id] = study
    return found


def _study(request: Request, runs: Path, named: Mapping[str, Study]) -> Study | None:
    """The study, from a file that may be imported; None if there is no such file."""
    if request.study in named:
        return named[request.study]
    path = Path(request.file)
    if not _is_ours(path, runs):
        path = packaged_study(path.name)
    if path is None:
        return None
    study = load_study(path)
    if study.id != request.study:
        raise InputError(f"Its study file {path} holds another study, {study.id!r}.")
    return study


def _is_ours(path: Path, runs: Path) -> bool:
    """Whether it is a file of the working directory, outside of the results.

    `relujax run` notes the whole path: what would be looked up from here is not its.
    """
    try:
        if not path.is_absolute() or path.suffix != ".py" or not path.is_file():
            return False
        path = path.resolve()
        return path.is_relative_to(Path.cwd()) and not path.is_relative_to(
            runs.resolve()
        )
    except (OSError, ValueError, RuntimeError):  # No path at all, or a loop of links.
        return False


def _missing(request: Request, runs: Path) -> str:
    """Why there are no claims, and how to get them."""
    file = shlex.quote(request.file) if request.file else "FILE"
    folder = shlex.quote(place_of(runs))
    return (
        f"Claims and exhibits of {request.study} need its study file, which is not in "
        "this directory: if you trust it, "
        f"`relujax report {folder} --study {files.shown(file)}`."
    )


def _unclaimed(request: Request, activations: Sequence[str]) -> Study:
    """A study of which only the numbers are known."""
    baseline = request.facts.get("baseline") or ""
    if baseline not in activations:
        baseline = "relu" if "relu" in activations else activations[0]
    question = (
        request.facts.get("question") or f"What do the results of {request.study} say?"
    )
    return Study(id=request.study, question=question, baseline=baseline)


def _command(runs: Path, study_files: Sequence[Path]) -> str:
    words = ["relujax", "report"]
    words += [place_of(runs)] if runs != Path("runs") else []
    for path in study_files:
        words += ["--study", str(path)]
    return shlex.join(words)
