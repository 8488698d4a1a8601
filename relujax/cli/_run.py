"""`relujax run` and `relujax demo`: plan, train what is missing, report."""

import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import typer
from rich import box
from rich.markup import escape
from rich.table import Table

import relujax
from relujax import files, report, statistics, studies
from relujax.cli._console import console, plain, say
from relujax.cli._start import start
from relujax.cli._study_file import load_study, study_file
from relujax.clusters import where_of
from relujax.engine import (
    Failure,
    Plan,
    Request,
    Task,
    as_plan,
    place_of,
    results_folder,
)
from relujax.studies import How, Study, planned, request, results_of, seed_ids, train

_FEW = 5  # claims that are named one by one

#: Rows of the table that is printed; a longer one is in the report.
LONGEST = 40


class Running(NamedTuple):
    """How the networks are run, as the options say it.

    Attributes:
      plan: `auto`, `vmap` or `map`.
      chunk: networks per call; None for what suits the plan.
      devices: how many local devices; None for all of them.
      keep: "last" or "best" to store weights.
      stale: what is done with stored numbers of a program that has changed.
      where: the place; see `relujax.run`, also for `cluster` and `mix`.
      cluster: what a cluster is asked for.
      mix: whether several backends may be mixed.
      checkpoint_every: minutes between checkpoints inside a network.
    """

    plan: str = "auto"
    chunk: int | None = None
    devices: int | None = None
    keep: str | None = None
    stale: str = "refuse"
    where: str = "here"
    cluster: Mapping[str, Any] | None = None
    mix: bool = False
    checkpoint_every: float | None = None


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
    start()
    plan = _plan(how)
    path = study_file(file)
    study = load_study(path)
    cells = study.cells_of(profile)
    ids = seed_ids(study.seeds_of(profile) if seeds is None else seeds)
    out = results_folder(out, study=study.id)
    title = study.paper.title if study.paper else study.id
    say(f"[bold]{escape(title)}[/]: {escape(study.question)}")
    given = How(
        plan=plan,
        data_dir=data_dir,
        keep=how.keep,
        stale=how.stale,
        checkpoint_every=how.checkpoint_every,
        where=how.where,
        cluster=how.cluster,
        mix=how.mix,
    )
    tasks = planned(
        cells, ids, out / study.id, given, baseline=study.baseline, profile=profile
    )
    asked = request(
        study.id,
        profile,
        tasks,
        given,
        file=str(path.resolve()),
        command=_command(file, profile, len(ids)),
        options=_options(out, data_dir, how),
        facts={"baseline": study.baseline, "question": study.question},
    )
    # Folders that cannot be written to are found out before anything is trained.
    asked.write(files.inside(out, study.id))
    made_in = files.inside(out, study.id, "report", profile)
    copied_to = None if publish is None else files.inside(publish, study.id, profile)
    finish(train(tasks, given, console, profile=profile))
    _report(study, path, asked, tasks, made_in, copied_to)


def _plan(how: Running) -> Plan | str | None:
    """The plan of the options; what is only a word suits the place."""
    if how.chunk is None and how.devices is None:
        return how.plan
    devices = how.devices
    if devices is None and where_of(how.where).kind in ("ray", "slurm"):
        devices = 1
    return as_plan(how.plan, chunk=how.chunk, devices=devices)


def _report(
    study: Study,
    file: Path,
    asked: Request,
    tasks: Sequence[Task],
    folder: Path,
    copied_to: Path | None,
) -> None:
    """Write the report of what is stored, and its copy; say where they are."""
    mark = _mark(file, asked, tasks)
    made = report.current(folder, mark)
    if made is not None and copied_to is None and len(tasks) > LONGEST:
        # Tests of thousands of cells take minutes, and would say the same.
        _say_report(made["sentence"], folder / "report.html")
        return
    with console.status("Writing the report …"):
        results = results_of(tasks, asked, folder.parent.parent, study)
        frame, facts = results.frame, dict(results.provenance)
        written = report.write(study, asked.profile, frame, facts, folder, mark=mark)
    show(study, frame, written)
    _say_claims(report.current(folder, mark) or {})
    if copied_to is not None:
        copy = report.publish(
            study, asked.profile, frame, facts, written.parent, copied_to
        )
        say(f"Copy: {plain(copy)}")


def finish(failures: Sequence[Failure]) -> None:
    """Say what went wrong, and end with exit code 1 if anything did."""
    for failure in failures:
        names = ", ".join(task.cell.activation for task in failure.tasks)
        say(f"[bold red]Failed:[/] {escape(f'{names}: {failure.error}')}")
    if failures:
        say("The others are stored; the same command tries these again.")
        raise typer.Exit(1)


def _command(file: Path, profile: str, seeds: int) -> str:
    """The command line that runs it on any machine."""
    words = ["relujax", "run", file, "--profile", profile, "--seeds", seeds]
    return shlex.join(map(str, words))


def _options(out: Path, data_dir: Path | None, how: Running) -> str:
    """The options that say where this machine keeps what, and how it runs networks."""
    given = {
        "--out": place_of(out) if out != Path("runs") else None,
        "--data-dir": data_dir,
        "--plan": how.plan if how.plan != "auto" else None,
        "--chunk": how.chunk,
        "--devices": how.devices,
        "--keep": how.keep,
        "--checkpoint-every": how.checkpoint_every,
        "--on": how.where if where_of(how.where).kind in ("ray", "slurm") else None,
        "--cluster": ",".join(f"{k}={v}" for k, v in (how.cluster or {}).items()),
    }
    words = [w for k, v in given.items() if v not in (None, "") for w in (k, str(v))]
    return shlex.join(words)


def _mark(file: Path, asked: Request, tasks: Sequence[Task]) -> str:
    """Changes whenever a report would: with the study, the rows, or the version."""
    content = [
        relujax.__version__,
        [hashlib.sha256(part.read_bytes()).hexdigest() for part in _parts(file)],
        asked._asdict(),
        [task.store.state() for task in tasks],
    ]
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(file: Path) -> list[Path]:
    """The files of a study: its code and, beside it, its words."""
    return [part for part in (file, file.with_suffix(".toml")) if part.is_file()]


def show(study: Study, frame: pd.DataFrame, written: Path) -> None:
    """Print the table of a report, its sentence and where it is."""
    frame = studies.pool_splits(frame)
    ended = report.summary_text(statistics.summary(frame, study.baseline), frame)
    if len(ended) <= LONGEST:
        print_table(ended)
    sentences = []
    for part in statistics.by_kind(frame):
        metric = statistics.primary_metric(part)
        sentences.append(statistics.conclusion(part, metric, study.baseline))
    _say_report("\n".join(sentences), written)


def _say_report(sentence: str, written: Path) -> None:
    say(escape(sentence))
    say(f"Report: {plain(written)}")


def _say_claims(record: Mapping[str, Any]) -> None:
    """The verdict on each claim of a report, or how many have each verdict."""
    claims = record.get("claims", [])
    if len(claims) > _FEW:
        counts = Counter(claim["verdict"] for claim in claims)
        tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        say(f"Claims: {tally}.")
        return
    for claim in claims:
        say(f"Claim {plain(claim['id'])}: {claim['verdict']}.")


def print_table(ended: pd.DataFrame, *, columns: int = 4) -> None:
    """Print the first columns of a table: what fits into 80 columns."""
    shown = ended.iloc[:, :columns]
    table = Table(
        box=box.SIMPLE_HEAD,
        caption="Last epoch, mean over seeds [95 % confidence interval].",
    )
    for name in shown.columns:
        table.add_column(name, overflow="fold")
    for row in shown.itertuples(index=False):
        table.add_row(*(escape(str(value)) for value in row))
    console.print(table)
