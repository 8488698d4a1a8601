"""What a run found: rows, tables, tests, pictures, a report, trained weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from relujax import files, statistics
from relujax.engine import (
    Request,
    Stored,
    Task,
    collect,
    history,
    read_request,
    results_folder,
    stored_cells,
    weights_of,
)
from relujax.errors import InputError, short, unknown
from relujax.studies._axes import Point
from relujax.studies._probes import set_probes_apart
from relujax.studies._study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from relujax.diagnosis import Diagnosis


@dataclass(frozen=True, eq=False)
class Results:
    """What `run`, `sweep`, `compare`, `experiment` or a study found.

    Attributes:
      frame: one row per cell, seed, epoch (0 is before training) and split; see
        "Columns of the results" in the documentation. A sweep has a column per axis.
      study: its question, baseline and claims; only a name if it was not a study file.
      profile: the name of the grid.
      provenance: command, date, versions, device, data and time of the training.
      metric: the metric that is compared.
      axes: the names of the numbers that vary, in a sweep.
      points: cell digest to the values of the axes.
      folder: where it is stored; None where nothing was kept.
    """

    frame: pd.DataFrame
    study: Study
    profile: str
    provenance: Mapping[str, Any]
    metric: str
    axes: tuple[str, ...] = ()
    points: Sequence[Point] = ()
    folder: Path | None = None

    @property
    def baseline(self) -> str:
        """The activation that the others are compared with."""
        return self.study.baseline

    def table(self, metric: str | None = None, split: str = "test") -> pd.DataFrame:
        """Means over seeds at the end of training, with 95 % intervals.

        A row per activation and task; of a sweep, per point: the axes, `mean`, `low`,
        `high`, `n` (seeds that trained to the end) and `diverged` (seeds that did not).

        Args:
          metric: of a sweep; by default `self.metric`.
          split: of a sweep: `test`, `validation` or `train`.
        """
        metric = self._chosen(metric)
        if self.axes:
            return self._table_of_points(metric, split)
        return statistics.summary(self.frame, self.baseline)

    def tests(self, metric: str | None = None) -> pd.DataFrame:
        """Every activation against the baseline, paired by seed, Holm-corrected.

        Args:
          metric: a metric's name, such as "loss" or "dead"; by default `self.metric`.
        """
        return statistics.paired_comparisons(
            self.frame, self._chosen(metric), self.baseline
        )

    def plot(self, metric: str | None = None) -> "Figure":
        """Every seed, the mean and its interval; of a sweep, over its first axis.

        Args:
          metric: as in `tests`.
        """
        from relujax import report

        chosen = self._chosen(metric)
        if self.axes:
            return report.grid_figure(self.table(chosen), list(self.axes), chosen)
        return report.score_figure(self.frame, chosen, self.baseline)

    def conclusion(self) -> str:
        """One sentence: what these results support.

        Of a sweep under one activation, which point is the best.
        """
        metric = self._chosen(None)
        if self.axes and self.frame["activation"].nunique() == 1:
            return self._best_point(metric)
        return statistics.conclusion(self.frame, metric, self.baseline)

    def best(self, metric: str | None = None, split: str = "test") -> Point:
        """The point of a sweep with the best mean, the first if several have it.

        Its own mean flatters it, as that of any winner does: run its `cell` with other
        seeds, and other test examples, to learn how good it is. With a validation part,
        choose on that: `split="validation"`.

        Raises:
          InputError: it is not a sweep, or every network diverged.
        """
        if not self.points:
            raise InputError("Expected a sweep for best(), got results without axes.")
        chosen = self._chosen(metric)
        means = self._table_of_points(chosen, split)["mean"].to_numpy()
        if np.isnan(means).all():
            raise InputError("Expected networks that trained to the end, got none.")
        if statistics.metric_of(chosen).higher_is_better:
            means = -means
        return self.points[int(np.nanargmin(means))]

    def report(self, path: str | Path) -> Path:
        """Write the report: tables, tests, curves, dead units by layer and epoch.

        Args:
          path: a folder; it receives `report.html`, tables, figures, and the data as
            `results.parquet`.

        Returns:
          The path of the page.
        """
        from relujax.report import write

        folder = results_folder(path)
        statistics.know_metrics(self.frame)
        page = write(self.study, self.profile, self.frame, self.provenance, folder)
        files.write(folder / "results.parquet", self.frame.to_parquet())
        return page

    def params(self, activation: str, seed: int, **where: str) -> Any:
        """The trained weights of a seed: a tree of arrays by name.

        Args:
          activation: which cell, as the column of the frame has it.
          seed: the seed id.
          **where: other columns (`data`, `model`, `optimizer`) where several cells
            have the activation.

        Raises:
          InputError: no such network, or its weights were not kept.
        """
        return weights_of(self._store(activation, seed, where), seed)

    def diagnose(self, activation: str, seed: int, **where: Any) -> "Diagnosis":
        """Diagnose a stored network on its training data; needs `keep=` in the run.

        Args:
          activation: as in `params`.
          seed: the seed id.
          **where: as in `params`.
        """
        from relujax.studies._trained import diagnose_stored

        return diagnose_stored(self._store(activation, seed, where), seed)

    @classmethod
    def load(cls, path: str | Path, profile: str | None = None) -> "Results":
        """Read stored results; nothing that they name is imported or run.

        Args:
          path: the folder of a run: `runs/<study>`, in an object store, too.
          profile: which of its runs, where it has several.

        Raises:
          InputError: the folder holds no run, or several and none is named.
        """
        folder = results_folder(path)
        request = read_request(_request_file(folder, profile))
        stored = stored_cells(request, folder)
        return results_of(stored, request, folder)

    def _chosen(self, metric: str | None) -> str:
        if metric is not None and not isinstance(metric, str):
            raise InputError(f"Expected a metric's name, got {short(metric)}.")
        # Other results may have had another direction of a metric of this name.
        statistics.know_metrics(self.frame)
        return self.metric if metric is None else metric

    def _store(self, activation: str, seed: int, where: Mapping[str, Any]) -> Any:
        wanted = {"activation": activation, "seed": seed, **where}
        rows = self.frame
        for column, value in wanted.items():
            if column not in rows or not (rows[column] == value).any():
                known = [str(v) for v in self.frame.get(column, pd.Series()).unique()]
                raise unknown(column, str(value), known)
            rows = rows[rows[column] == value]
        cells = rows["cell"].unique()
        if len(cells) != 1:
            raise InputError(
                f"Expected one cell with {wanted}, got {len(cells)}: say which by "
                f"data=, model= or optimizer=."
            )
        if self.folder is None:
            raise InputError("Expected stored results, got some without a folder.")
        return self.folder / cells[0]

    def _best_point(self, metric: str) -> str:
        """The sentence of a sweep whose points differ in other things."""
        table, m = self.table(metric), statistics.metric_of(metric, self.frame)
        means = table["mean"] if m.higher_is_better else -table["mean"]
        name = statistics.metric_name(metric, "test", self.frame)
        if means.isna().all():
            return f"No network of the {len(table)} points trained to the end."
        row = table.loc[means.idxmax()]
        where = ", ".join(f"{axis} = {row[axis]:g}" for axis in self.axes)
        unit = f" {m.unit}" if m.unit else ""
        return (
            f"Of {len(table)} points, {where} has the best mean {name}: "
            f"{m.show(row['mean'])}{unit} (95 % CI {m.show(row['low'])} to "
            f"{m.show(row['high'])}, n = {row['n']:.0f})."
        )

    def _table_of_points(self, metric: str, split: str) -> pd.DataFrame:
        bounds = statistics.metric_of(metric).bounds
        rows = []
        for values, frame in self.frame.groupby(list(self.axes), sort=False):
            found = statistics.scores(frame, metric, split)
            mean = statistics.mean_interval(found.to_numpy(), bounds=bounds)
            lost = frame["seed"].nunique() - mean.n
            ended = dict(zip(("mean", "low", "high", "n"), mean, strict=True))
            point = dict(zip(self.axes, values, strict=True))  # pyright: ignore
            rows.append({**point, **ended, "diverged": lost})
        return pd.DataFrame(rows)


def results_of(
    tasks: Sequence[Task | Stored],
    request: Request,
    folder: Path | None,
    study: Study | None = None,
    points: Sequence[Point] = (),
) -> Results:
    """The results of tasks, as the request has them.

    Args:
      tasks: cells and their stores.
      request: what was asked for.
      folder: where they are stored.
      study: the study, where its file is known.
      points: the points of a sweep, in the order of the tasks.
    """
    frame = set_probes_apart(collect(tasks, request.seeds))
    facts = request.facts
    axes = tuple(facts.get("axes", ()))
    if axes:
        values = facts["points"]
        columns = pd.DataFrame([values[cell] for cell in frame["cell"]], columns=axes)
        frame = pd.concat([columns, frame], axis=1)
    metric = describe(frame, facts)
    if study is None:
        study = Study(
            id=request.study,
            question=facts.get("question", f"what did {request.study} find?"),
            baseline=facts.get("baseline", tasks[0].labels["activation"]),
        )
    provenance = {"command": request.command, **history(tasks)}
    return Results(
        frame, study, request.profile, provenance, metric, axes, points, folder
    )


def describe(frame: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    """Tell a frame of results what its request says of its metrics.

    Args:
      frame: its `attrs` get the `metric` that is compared, and `directions`.
      facts: those of the request.

    Returns:
      The metric that is compared.
    """
    frame.attrs["directions"] = dict(facts.get("directions", {}))
    statistics.know_metrics(frame)
    metric = facts.get("metric") or statistics.primary_metric(frame)
    frame.attrs["metric"] = metric
    return metric


def _request_file(folder: Path, profile: str | None) -> Path:
    found = {path.stem: path for path in sorted(folder.glob("*.json"))}
    found.pop("report", None)  # A report may lie beside what it is of.
    if not found:
        raise InputError(
            f"Expected the folder of a run, such as runs/srelu, got {str(folder)!r}, "
            f"which holds none."
        )
    if profile is None and len(found) == 1:
        return next(iter(found.values()))
    if profile not in found:
        if profile is None:
            raise InputError(
                f"Expected profile= for {str(folder)!r}, which holds several: "
                f"{', '.join(found)}."
            )
        raise unknown("profile", profile, found)
    return found[profile]
