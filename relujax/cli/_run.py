"""`relujax run` and `relujax demo`: plan, train what is missing, report."""

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from relujax import analysis, report
from relujax.cli._start import start
from relujax.cli._study_file import load_study, study_file
from relujax.engine import (
    Failure,
    Plan,
    Request,
    Task,
    as_plan,
    collect,
    history,
    plan_tasks,
    run_tasks,
)
from relujax.errors import InputError, unknown
from relujax.progress import epochs_bar
from relujax.study import Study

console = Console(highlight=False)

#: Rows of the table that is printed; a longer one is in the report.
LONGEST = 40


class Running(NamedTuple):
    """How the networks are run, as the options say it.

    Attributes:
      plan: `auto`, `vmap` or `map`.
      chunk: networks per call; None for what suits the plan.
      devices: how many local devices; None for all of them.
    """

    plan: str = "auto"
    chunk: int | None = None
    devices: int | None = None


def run_study(
    file: Path,
    *,
    profile: str,
    seeds: int | None,
    out: Path,
    data_dir: Path | None = None,
    publish: Path | None = None,
    how: Running = Running(),
) -> None:
    """Run the study of a file, or what is missing of it, and write its report.

    Args:
      file: the study file, or the name of a shipped one.
      profile: which grid of it.
      seeds: how many seeds; None for the study's own number.
      out: folder of the results.
      data_dir: folder of raw data files; None for RELUJAX_DATA_DIR.
      publish: receives a small copy of the report, `<study>/<profile>/README.md`.
      how: how the networks are run.
    """
    if seeds is not None and seeds < 1:
        raise InputError(f"Expected at least 1 for --seeds, got {seeds}.")
    start()
    plan = as_plan(how.plan, chunk=how.chunk, devices=how.devices)
    path = study_file(file)
    study = load_study(path)
    if profile not in study.profiles:
        raise unknown(f"profile of study {study.id}:", profile, study.profiles)
    ids = range(study.seeds[profile] if seeds is None else seeds)
    title = study.paper.title if study.paper else study.id
    console.print(f"[bold]{title}[/]: {study.question}")
    folder = out / study.id
    tasks = plan_tasks(study.profiles[profile], ids, folder, data_dir=data_dir)
    request = Request(
        study=study.id,
        profile=profile,
        file=str(path.resolve()),
        command=f"relujax run {file} --profile {profile} --seeds {len(ids)}",
        options=_options(out, data_dir, how),
        seeds=list(ids),
        root=0,
        cells=[task.store.folder.name for task in tasks],
        data={task.cell.data: task.origin for task in tasks},
    )
    request.write(folder)
    failures = train(tasks, plan)
    for failure in failures:
        names = ", ".join(task.cell.activation for task in failure.tasks)
        console.print(f"[bold red]Failed:[/] {names}: {failure.error}", soft_wrap=True)
    if failures:
        console.print("The others are stored; the same command tries these again.")
        raise typer.Exit(1)
    frame = collect(tasks, ids)
    provenance = {"command": request.command, **history(tasks)}
    written = show(study, profile, frame, provenance, out)
    if publish is not None:
        folder = publish / study.id / profile
        copy = report.publish(study, profile, frame, provenance, written.parent, folder)
        console.print(f"Copy: {copy}", soft_wrap=True)


def _options(out: Path, data_dir: Path | None, how: Running) -> str:
    """The options that say where this machine keeps what, and how it runs networks."""
    given = {
        "--out": out if out != Path("runs") else None,
        "--data-dir": data_dir,
        "--plan": how.plan if how.plan != "auto" else None,
        "--chunk": how.chunk,
        "--devices": how.devices,
    }
    words = [w for k, v in given.items() if v is not None for w in (k, str(v))]
    return shlex.join(words)


def train(tasks: Sequence[Task], plan: Plan | None = None) -> list[Failure]:
    """Train what is missing, with a progress bar and an estimate of the time left.

    Args:
      tasks: from `plan_tasks`.
      plan: how the networks are run; None for the plan that `choose` takes.
    """
    missing = {id(task): len(task.missing) for task in tasks}
    networks = sum(missing.values())
    if not networks:
        console.print("Everything is stored already: nothing to train.")
        return []
    stored = sum(len(task.seeds) for task in tasks) - networks
    also = f" ({stored} are stored already)" if stored else ""
    console.print(f"Training {networks} networks{also}.")
    began = time.perf_counter()
    with epochs_bar(console) as progress:
        total = sum(missing[id(task)] * task.cell.epochs for task in tasks)
        bar = progress.add_task("compiling", total=total)
        said: set[str] = set()

        def say(why: str) -> None:
            # Many small groups have the same plan for the same reason.
            if why not in said:
                said.add(why)
                progress.console.print(f"Plan: {why}.", soft_wrap=True)

        failures = run_tasks(
            tasks,
            plan=plan,
            on_group=lambda group: progress.update(bar, description=_label(group)),
            on_plan=say,
            on_epochs=lambda n: progress.advance(bar, n),
        )
    seconds = time.perf_counter() - began
    console.print(f"Training took {seconds:.1f} s.")
    return failures


def show(
    study: Study, profile: str, frame: pd.DataFrame, provenance: dict, out: Path
) -> Path:
    """Write the report; print its table, its sentence and where it is."""
    folder = report_folder(out / study.id, profile)
    written = report.write(study, profile, frame, provenance, folder)
    frame = analysis.pool_splits(frame)
    ended = report.summary_text(analysis.summary(frame, study.baseline), frame)
    if len(ended) <= LONGEST:
        _print_table(ended)
    for part in analysis.by_kind(frame):
        metric = analysis.primary_metric(part)
        sentence = analysis.conclusion(part, metric, study.baseline)
        console.print(sentence, soft_wrap=True)
    console.print(f"Report: {written}", soft_wrap=True)
    return written


def _print_table(ended: pd.DataFrame) -> None:
    # What fits into 80 columns; the report has the rest.
    shown = ended.iloc[:, :4]
    table = Table(
        box=box.SIMPLE_HEAD,
        caption="Last epoch, mean over seeds [95 % confidence interval].",
    )
    for name in shown.columns:
        table.add_column(name, overflow="fold")
    for row in shown.itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)


def report_folder(folder: Path, profile: str) -> Path:
    """Where the report of a profile lies, below `runs/<study>`."""
    return folder / "report" / profile


def _label(tasks: Sequence[Task]) -> str:
    names = list(dict.fromkeys(task.cell.activation for task in tasks))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
