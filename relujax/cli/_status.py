"""`relujax status`: what of each study is done, running, failed or missing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from rich import box
from rich.markup import escape
from rich.table import Table

from relujax.cli._console import console, plain, say
from relujax.cli._requests import requests
from relujax.cli._units import show_units
from relujax.clusters import in_queue
from relujax.engine import (
    Index,
    Request,
    Store,
    place_of,
    results_folder,
    running_units,
)
from relujax.errors import InputError

State = Literal["done", "running", "failed", "missing"]

#: Failures, and damaged files, that are named for each study.
_NAMED = 10


class StudyProgress(NamedTuple):
    """How far one study and profile is.

    Attributes:
      request: what was asked for.
      cells: how many cells are in each state.
      seeds: how many seeds are stored, over all cells.
      running: who runs cells at the moment.
      errors: the last line of each failure, by cell.
      damaged: result files that are not what was written, and why.
    """

    request: Request
    cells: Counter[State]
    seeds: int
    running: Sequence[str]
    errors: dict[str, str]
    damaged: dict[Path, str]


def show_status(runs: Path, *, units: bool = False) -> None:
    """Print a table over all studies, and how to resume what is not done.

    Args:
      runs: the folder of the studies.
      units: also print the host and the device of each unit.
    """
    runs = results_folder(runs)
    found = list(requests(runs)) if runs.is_dir() else []
    if not found:
        where = plain(place_of(runs))
        say(f"Nothing has been run in '{where}' yet; `relujax demo` is a start.")
        return
    states = [
        (progress(request, folder), folder)
        for _, folder, request in found
        if isinstance(request, Request)
    ]
    if states:
        console.print(_table([state for state, _ in states]))
    for state, folder in states:
        _explain(state, folder)
        if units:
            show_units(state.request, folder)
    for name, _, problem in found:
        if isinstance(problem, InputError):
            say(f"[bold]{plain(name)}[/]: {plain(problem)}")


def progress(request: Request, folder: Path) -> StudyProgress:
    """How far the cells of a request are; nothing that is stored in `folder` changes.

    Only the index of the folder is brought up to date, so that the next look is quick.
    """
    wanted = set(request.seeds)
    cells: Counter[State] = Counter()
    seeds, running, errors, damaged = 0, [], {}, {}
    index = Index(folder)
    for name in request.cells:
        found = index.contents(name)
        damaged |= {path: str(error) for path, error in found.damaged.items()}
        seeds += len(found.seeds & wanted)
        state = "failed" if found.failed else "missing"
        if found.running:
            state = "running"
            running.append(found.running)
        if found.seeds >= wanted:
            state = "done"
        cells[state] += 1
        if state == "failed":
            errors[name] = Store(folder / name).error()
    index.save()
    return StudyProgress(request, cells, seeds, running, errors, damaged)


def _table(states: list[StudyProgress]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("study", style="bold")
    table.add_column("profile")
    for name in ("cells done", "seeds done", "running", "failed", "missing"):
        table.add_column(name, justify="right")
    for state in states:
        asked = state.request
        wanted = len(asked.cells) * len(asked.seeds)
        others = [state.cells[s] for s in ("running", "failed", "missing")]
        table.add_row(
            escape(asked.study),
            escape(asked.profile),
            f"{state.cells['done']} of {len(asked.cells)}",
            f"{state.seeds} of {wanted}",
            *(str(n) if n else "–" for n in others),
        )
    return table


def _explain(state: StudyProgress, folder: Path) -> None:
    """What went wrong with a run, and how to go on with it."""
    name = f"[bold]{escape(state.request.study)}[/], {escape(state.request.profile)}"
    for who, count in Counter(state.running).items():
        say(f"{name}: {count} running: {plain(who)}")
    units = Counter(running_units(folder).values())
    for who, count in list(units.items())[:_NAMED]:
        say(f"{name}: {count} units running: {plain(who)}")
    open_ = state.cells["failed"] + state.cells["missing"]
    queued = in_queue(folder, state.request.profile) if open_ else ""
    if queued:
        say(f"{name}: {plain(queued)}")
    for cell, error in list(state.errors.items())[:_NAMED]:
        say(f"{name}: [red]failed[/] in {escape(cell)}: {plain(error)}")
    for path, why in list(state.damaged.items())[:_NAMED]:
        say(f"{name}: cannot read {plain(path)} ({plain(why)}): its seeds will run "
             "again.")  # fmt: skip
    more = sum(max(0, len(x) - _NAMED) for x in (units, state.errors, state.damaged))
    if more:
        say(f"{name}: {more} more like these.")
    if open_ and not (state.cells["running"] or units or queued):
        resume = state.request.resume or "the command that has begun it"
        say(f"{name}: continue with\n  {plain(resume)}")
