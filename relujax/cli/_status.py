"""`relujax status`: what of each study is done, running, failed or missing."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from relujax.engine import Request, Store, read_request
from relujax.errors import InputError

console = Console(highlight=False)

State = Literal["done", "running", "failed", "missing"]


class Progress(NamedTuple):
    """How far one study and profile is.

    Attributes:
      request: what was asked for.
      cells: how many cells are in each state.
      seeds: how many seeds are stored, over all cells.
      errors: the last line of each failure, by cell.
      damaged: result files that cannot be read.
    """

    request: Request
    cells: Counter[State]
    seeds: int
    errors: dict[str, str]
    damaged: list[Path]


def show_status(runs: Path) -> None:
    """Print a table over all studies, and how to resume what is not done."""
    found = list(requests(runs))
    states = [progress(r, folder) for _, folder, r in found if isinstance(r, Request)]
    if states:
        console.print(_table(states))
    for state in states:
        _explain(state)
    for name, _, problem in found:
        if isinstance(problem, InputError):
            reason = escape(str(problem))
            console.print(f"[bold]{escape(name)}[/]: {reason}", soft_wrap=True)


def requests(runs: Path) -> Iterator[tuple[str, Path, Request | InputError]]:
    """What was asked for in each folder of `runs`, or why that cannot be told.

    Yields:
      A name such as "srelu, quick", the study's folder, and the request.

    Raises:
      InputError: there is no such folder, or nothing was run in it.
    """
    if not runs.is_dir():
        raise InputError(
            f"Expected a folder of results, got {str(runs)!r}: no such folder; "
            "`relujax run` makes one."
        )
    folders = [path for path in sorted(runs.iterdir()) if path.is_dir()]
    empty = True
    for folder in folders:
        records = sorted(folder.glob("*.json"))
        for path in records:
            empty = False
            try:
                found = read_request(path)
            except InputError as problem:
                found = problem
            yield f"{folder.name}, {path.stem}", folder, found
        if not records and any(folder.glob("*/cell.json")):
            empty = False
            problem = InputError(
                f"No record in {folder} of a study: what is there is continued by the "
                f"`relujax.sweep` or the study that made it, and nothing stored is "
                f"trained again. {_contents(folder)}"
            )
            yield folder.name, folder, problem
    if empty:
        raise InputError(f"No study has been run in {str(runs)!r} yet.")


def _contents(folder: Path) -> str:
    """What is stored in a folder that nothing else is known of."""
    stores = [Store(path.parent) for path in sorted(folder.glob("*/cell.json"))]
    seeds = sum(len(store.done()[0]) for store in stores)
    running = sum(store.running() for store in stores)
    failed = sum(bool(store.error()) for store in stores)
    return (
        f"It has {len(stores)} cells, with {seeds} seeds stored; {running} are "
        f"running, {failed} failed."
    )


def progress(request: Request, folder: Path) -> Progress:
    """How far the cells of a request are; nothing in `folder` is changed."""
    wanted = set(request.seeds)
    cells: Counter[State] = Counter()
    seeds, errors, damaged = 0, {}, []
    for name in request.cells:
        store = Store(folder / name)
        done, unreadable = store.done()
        damaged += unreadable
        seeds += len(done & wanted)
        state = _state(store, done >= wanted)
        cells[state] += 1
        if state == "failed":
            errors[name] = store.error()
    return Progress(request, cells, seeds, errors, damaged)


def _state(store: Store, done: bool) -> State:
    if done:
        return "done"
    if store.running():
        return "running"
    return "failed" if store.error() else "missing"


def _table(states: list[Progress]) -> Table:
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


def _explain(state: Progress) -> None:
    """What went wrong with a run, and how to go on with it."""
    say = lambda text: console.print(text, soft_wrap=True)
    name = f"[bold]{escape(state.request.study)}[/], {escape(state.request.profile)}"
    for cell, error in state.errors.items():
        say(f"{name}: [red]failed[/] in {cell}: {escape(error)}")
    for path in state.damaged:
        say(f"{name}: cannot read {escape(str(path))}: its seeds will run again.")
    open_ = state.cells["failed"] + state.cells["missing"]
    if open_ and not state.cells["running"]:
        say(f"{name}: continue with\n  {escape(state.request.resume)}")
