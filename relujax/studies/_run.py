"""`relujax.run`: any cells, any seeds; and what the other fronts do with it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from relujax import statistics
from relujax.engine import Cell, results_folder
from relujax.errors import InputError, short, unknown
from relujax.files import as_name, inside
from relujax.studies._axes import Point
from relujax.studies._execute import How, Logger, planned, raise_first, request, train
from relujax.studies._results import Results, results_of
from relujax.studies._seeds import seed_ids
from relujax.studies._study import Study


def run(
    cells: Cell | Sequence[Cell],
    seeds: int | Sequence[int] = 20,
    *,
    out: str | Path = "runs/run",
    baseline: str | None = None,
    metric: str | None = None,
    plan: Any = None,
    keep: str | None = None,
    log: Logger | Sequence[Logger] | None = None,
    stale: str = "refuse",
    checkpoint_every: float | None = None,
    root: int = 0,
    data_dir: str | Path | None = None,
    progress: bool = True,
    where: str = "here",
    cluster: Mapping[str, Any] | None = None,
    mix: bool = False,
) -> Results:
    """Train cells over seeds; what is stored under `out` is not trained again.

    The same call goes on where a killed one stopped, and more seeds or cells extend
    what is there. A seed's numbers depend on its id alone.

    Args:
      cells: one or several; those that differ in numbers only share a program.
      seeds: how many (ids 0, 1, ...), or a list of ids.
      out: folder of the results, or `s3://bucket/prefix` or `gs://bucket/prefix`.
      baseline: the activation that the others are compared with; by default that of
        the first cell.
      metric: what is compared; by default accuracy, or the mean squared error.
      plan: how networks are run: `vmap`, `map` (both on all local devices), a
        `relujax.engine.Plan`, or by default `auto`, what suits network and backend.
      keep: "last" or "best" (on the validation part) to store weights as safetensors.
      log: functions of a network and its rows; see `relujax.loggers`.
      stale: what is done with stored numbers of a program that has changed since:
        "refuse" them, "keep" them, or "rerun" their seeds.
      checkpoint_every: minutes from one checkpoint of the training state to the next,
        for networks that take long: a killed run goes on inside them.
      root: the root seed.
      data_dir: folder of raw data files; see `relujax.load_dataset`.
      progress: whether to show how far it is.
      where: "here"; a part of the run, such as "2/16" (counted from 0 or 1), for
        several processes that share the folder; "ray" or "ray:HOST:PORT", to which
        this process sends units of work; or "slurm".
      cluster: what a cluster is asked for: `gpus` for each unit (0.5 for two at a time
        on one), `cpus`, and what its page in the documentation lists.
      mix: whether to add networks of this backend to stored ones of another.

    Raises:
      InputError: a cell does not fit its data, a program has changed, or an option is
        unknown; nothing has been trained then.
      Unfinished: some networks failed; the others are stored.
      relujax.errors.Pending: the rest of the run is trained elsewhere.
    """
    given: Any = cells
    if isinstance(cells, Cell) or not isinstance(cells, Iterable):
        given = [cells]
    given = list(given)
    for cell in given:
        if not isinstance(cell, Cell):
            raise InputError(f"Expected relujax.Cell objects to run, got {cell!r}.")
    how = How(
        plan=plan,
        keep=keep,
        log=log,
        stale=stale,
        checkpoint_every=checkpoint_every,
        root=root,
        data_dir=data_dir,
        progress=progress,
        where=where,
        cluster=cluster,
        mix=mix,
    )
    first = given[0].activation if given else ""
    facts = {"baseline": baseline or first, "metric": metric}
    return execute(given, seeds, Path(out), how, profile="run", facts=facts)


def execute(
    cells: Sequence[Cell],
    seeds: int | Sequence[int],
    folder: Path,
    how: How,
    *,
    profile: str,
    facts: Mapping[str, Any],
    points: Sequence[Point] = (),
    command: str = "",
) -> Results:
    """Plan, train what is missing, store, read back.

    Args:
      cells: what is trained.
      seeds: how many, or which.
      folder: where it is stored.
      how: how it is run.
      profile: the name of the request beside the results.
      facts: what the results need besides: `baseline`, `metric`, `question`, `axes`.
      points: the points of a sweep, in the order of the cells.
      command: what repeats it; the command line of this process by default.
    """
    ids = seed_ids(seeds)
    _check_metric(facts.get("metric"), cells)
    folder = results_folder(folder)
    tasks = planned(
        cells, ids, folder, how, baseline=facts.get("baseline"), profile=profile
    )
    directions = {**_directions(cells), **facts.get("directions", {})}
    known: dict[str, Any] = {**facts, "directions": directions}
    if points:
        digests = [task.store.folder.name for task in tasks]
        values = [list(point.values.values()) for point in points]
        known["axes"] = list(points[0].values)
        known["points"] = dict(zip(digests, values, strict=True))
    asked = request(
        as_name(folder.name), profile, tasks, how, command=command, facts=known
    )
    asked.write(folder)
    raise_first(train(tasks, how, profile=profile))
    return results_of(tasks, asked, folder, points=points)


def run_study(
    study: Study,
    profile: str,
    seeds: int | Sequence[int] | None,
    out: Path,
    how: How,
) -> Results:
    """Run a profile of a study; see `Study.run`."""
    ids = seed_ids(study.seeds_of(profile) if seeds is None else seeds)
    out = results_folder(out, study=study.id)
    folder = out / study.id
    cells = study.cells_of(profile)
    tasks = planned(cells, ids, folder, how, baseline=study.baseline, profile=profile)
    facts = {"baseline": study.baseline, "question": study.question}
    asked = request(study.id, profile, tasks, how, facts=facts)
    asked.write(inside(out, study.id))
    raise_first(train(tasks, how, profile=profile))
    return results_of(tasks, asked, folder, study)


def _check_metric(metric: Any, cells: Sequence[Cell]) -> None:
    """Refuse a metric that no network will have; a user's own training may have any."""
    if metric is None or any(cell.training for cell in cells):
        return
    if not isinstance(metric, str):
        raise InputError(f"Expected the name of a metric, got {short(metric)}.")
    known = {*statistics.METRICS, *_directions(cells)}
    if metric not in known:
        raise unknown("metric", metric, known)


def _directions(cells: Sequence[Cell]) -> dict[str, bool]:
    """Which way each metric of the user's points."""
    return {name: up for cell in cells for name, up in cell.directions().items()}
