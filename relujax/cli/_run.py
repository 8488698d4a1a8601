"""`relujax run` and `relujax demo`: plan, train what is missing, report."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from relujax.cli._study_file import load_study
from relujax.cli._study_file import packaged_study as packaged_study
from relujax.engine import Task, collect, history, plan_tasks, run_tasks
from relujax.errors import unknown

console = Console(highlight=False)


def run_study(path: Path, *, profile: str, seeds: int | None, out: Path) -> None:
    """Run the study of a file, or what is missing of it, and write its report."""
    study = load_study(path)
    if profile not in study.profiles:
        raise unknown(f"profile of study {study.id}:", profile, study.profiles)
    ids = range(study.seeds[profile] if seeds is None else seeds)
    console.print(
        f"[bold]{study.paper.title}[/] ({study.paper.year}): {study.question}"
    )
    tasks = plan_tasks(study.profiles[profile], ids, out / study.id)
    train(tasks)
    frame = collect(tasks, ids)
    show(study, profile, frame, tasks, out)


def show(
    study: Study, profile: str, frame: pd.DataFrame, tasks: Sequence[Task], out: Path
) -> None:
    """Write the report; print its table, its sentence and where it is."""
    from relujax import report

    command = f"relujax run {study.id}.py --profile {profile}"
    provenance = {"command": command, **history(tasks)}
    folder = out / study.id / "report" / profile
    written = report.write(study, profile, frame, provenance, folder)
    console.print(_table(report.summary_table(study, frame)))
    console.print(report.sentence(study, frame), soft_wrap=True)
    console.print(f"Report: {written}", soft_wrap=True)


def _table(frame: pd.DataFrame) -> Table:
    table = Table(caption="Means over seeds with 95 % bootstrap confidence intervals.")
    for name in frame.columns:
        table.add_column(name)
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    return table


def _label(tasks: Sequence[Task]) -> str:
    names = list(dict.fromkeys(task.cell.activation for task in tasks))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def train(tasks: Sequence[Task]) -> float:
    """Train the missing seeds of all tasks with a progress bar; returns the seconds."""
    todo = [task for task in tasks if task.missing]
    networks = sum(len(task.missing) for task in todo)
    if not todo:
        console.print("Everything is stored already: nothing to train.")
        return 0.0
    console.print(f"Training {networks} networks in {len(todo)} compiled programs.")
    start = time.perf_counter()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs, elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        total = sum(len(task.missing) * task.cell.epochs for task in todo)
        bar = progress.add_task("", total=total)
        run_tasks(
            todo,
            on_group=lambda group: progress.update(bar, description=_label(group)),
            on_epochs=lambda n: progress.advance(bar, n),
        )
    seconds = time.perf_counter() - start
    console.print(f"Trained {networks} networks in {seconds:.1f} s.")
    return seconds
