"""Sweep numeric hyperparameters: a cell × seeds × the values of its numbers.

    results = relujax.sweep(
        relujax.Cell(data="wdbc", model="mlp", activation="n_relu"),
        seeds=20,
        axes={"activation.sigma": [0.01, 0.1, 1.0], "optimizer.learning_rate": [1e-3]},
    )
    results.table()

Values are arguments of the compiled program: a grid of any size compiles once.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np
import pandas as pd
from rich.console import Console

from relujax import analysis, specs
from relujax.engine import (
    Cell,
    Plan,
    Task,
    as_plan,
    collect,
    history,
    plan_tasks,
    run_tasks,
)
from relujax.errors import InputError, unknown
from relujax.progress import epochs_bar
from relujax.report import grid_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Axes = Mapping[str, Sequence[float]]

# Seed ids are int32 in the compiled program.
_SEEDS = 2**31


class Point(NamedTuple):
    """A point of the grid.

    Attributes:
      values: axis to value.
      cell: the cell with these values.
    """

    values: Mapping[str, float]
    cell: Cell


@dataclass(frozen=True, eq=False)
class SweepResults:
    """What a sweep found. Made by `relujax.sweep`.

    Attributes:
      frame: one row per point of the grid, seed, epoch (0 is before training) and
        split; a column per axis, the others as in `relujax.compare`.
      points: the grid, in the order of the axes.
      provenance: date, versions, device, data and time of the training.
    """

    frame: pd.DataFrame
    points: Sequence[Point]
    provenance: Mapping[str, Any]

    @property
    def axes(self) -> list[str]:
        """The names of the axes."""
        return list(self.points[0].values)

    @property
    def metric(self) -> str:
        """The metric of the table: accuracy, or the mean squared error."""
        return analysis.primary_metric(self.frame)

    def table(self, metric: str | None = None, split: str = "test") -> pd.DataFrame:
        """One row per point: the mean over seeds at the end, with its 95 % interval.

        Args:
          metric: a name in `relujax.analysis.METRICS`; by default `self.metric`.
          split: `test` or `train`.

        Returns:
          The axes, `mean`, `low`, `high`, `n` (seeds that trained to the end) and
          `diverged` (seeds that did not).
        """
        metric = self.metric if metric is None else metric
        bounds = analysis.metric_of(metric).bounds
        rows = []
        for point, frame in self._by_point():
            values = analysis.scores(frame, metric, split)
            mean = analysis.mean_interval(values.to_numpy(), bounds=bounds)
            lost = frame["seed"].nunique() - mean.n
            ended = dict(zip(("mean", "low", "high", "n"), mean, strict=True))
            rows.append({**point.values, **ended, "diverged": lost})
        return pd.DataFrame(rows)

    def best(self, metric: str | None = None, split: str = "test") -> Point:
        """The point with the best mean, the first of them if several have it.

        Its own mean flatters it, as that of any winner does: run its `cell` with other
        seeds, and other test examples, to learn how good it is.

        Args:
          metric: as in `table`.
          split: as in `table`.

        Raises:
          InputError: every network diverged.
        """
        metric = self.metric if metric is None else metric
        means = self.table(metric, split)["mean"].to_numpy()
        if np.isnan(means).all():
            raise InputError("Expected networks that trained to the end, got none.")
        if analysis.metric_of(metric).higher_is_better:
            means = -means
        return self.points[int(np.nanargmin(means))]

    def plot(self, metric: str | None = None) -> "Figure":
        """Mean and interval on the test split over the first axis, a line per other.

        Args:
          metric: as in `table`.
        """
        metric = self.metric if metric is None else metric
        return grid_figure(self.table(metric), self.axes, metric)

    def _by_point(self):
        groups = dict(list(self.frame.groupby("point", sort=False)))
        return [(point, groups[i]) for i, point in enumerate(self.points)]


def sweep(
    cell: Cell,
    seeds: int | Sequence[int] = 20,
    axes: Axes | None = None,
    *,
    plan: Plan | str | None = None,
    out: str | Path = "runs/sweep",
    root: int = 0,
    progress: bool = True,
) -> SweepResults:
    """Train a cell for every seed and every combination of values of its numbers.

    All of it is one compiled program. A seed has the same initial weights, data order
    and noise at every point. What is stored under `out` is not trained again, whatever
    the grid and the seeds were when it was; rows of a point may come from different
    plans, whose numbers agree to rounding (under one `map` plan, to the bit).

    Args:
      cell: what the numbers are varied in.
      seeds: how many (ids 0, 1, ...), or a list of ids.
      axes: `"part.number"` to its values: `activation.sigma`, `model.dropout`,
        `optimizer.learning_rate`, `optimizer.weight_decay` and so on: what the parts of
        `cell` take. Several make a product grid; None is the cell alone.
      plan: how the networks are run: `vmap`, `map` (both on all local devices), a
        `relujax.engine.Plan`, or by default `auto`, what suits network and backend.
      out: folder of the results, one folder per point in it.
      root: the root seed.
      progress: whether to draw a progress bar, where there is a terminal.

    Returns:
      `SweepResults`: `.frame`, `.table()`, `.best()`, `.plot()`.

    Raises:
      InputError: an axis is unknown or empty, a value is no number or out of range;
        seeds or plan are none; the objective is none for the data.

    Examples:
      >>> import tempfile
      >>> cell = Cell(data="wdbc", model="mlp(hidden=(4,))", activation="n_relu",
      ...             objective="binary_cross_entropy", epochs=1)
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     results = sweep(cell, 2, {"activation.sigma": [0.1, 1.0]}, out=folder)
      >>> results.table()[["activation.sigma", "n"]].to_dict("list")
      {'activation.sigma': [0.1, 1.0], 'n': [2, 2]}
    """
    ids, chosen = seed_ids(seeds), as_plan(plan)
    if not isinstance(cell, Cell):
        raise InputError(f"Expected a relujax.Cell to sweep, got {cell!r}.")
    points = _grid(cell, {} if axes is None else axes)
    tasks = plan_tasks([point.cell for point in points], ids, Path(out), root=root)
    _train(tasks, chosen, root, progress)
    labels = {
        task.store.folder.name: {"point": i, **point.values}
        for i, (task, point) in enumerate(zip(tasks, points, strict=True))
    }
    frame = collect(tasks, ids)
    columns = pd.DataFrame([labels[digest] for digest in frame["cell"]])
    frame = pd.concat([columns, frame], axis=1)
    return SweepResults(frame, points, history(tasks))


def _train(tasks: Sequence[Task], plan: Plan | None, root: int, progress: bool) -> None:
    """Train what is missing, with a bar; raises what went wrong first."""
    missing = sum(len(task.missing) for task in tasks)
    console = Console(stderr=True)
    shown = progress and missing and (console.is_terminal or console.is_jupyter)
    with epochs_bar(console, disable=not shown) as bar:
        total = missing * tasks[0].cell.epochs
        line = bar.add_task(f"{len(tasks)} points", total=total)
        failures = run_tasks(
            tasks,
            root=root,
            plan=plan,
            on_plan=lambda why: bar.console.print(f"Plan: {why}.") if shown else None,
            on_epochs=lambda n: bar.advance(line, n),
        )
    for failure in failures:
        raise failure.error


def _grid(cell: Cell, axes: Axes) -> list[Point]:
    """The points of the grid, the last axis fastest."""
    if not isinstance(axes, Mapping):
        raise InputError(
            f"Expected axes such as {{'activation.sigma': [0.1, 1.0]}}, got {axes!r}."
        )
    checked = {axis: _values(axis, values) for axis, values in axes.items()}
    points = []
    for combination in itertools.product(*checked.values()):
        values = dict(zip(checked, combination, strict=True))
        chosen = cell
        for axis, value in values.items():
            chosen = _with(chosen, axis, value)
        points.append(Point(values, chosen))
    return points


def _values(axis: str, values: Any) -> list[float]:
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise InputError(
            f"Expected a list of numbers for axis {axis!r}, got {values!r}."
        )
    if not len(values):
        raise InputError(f"Expected at least one value for axis {axis!r}, got none.")
    numbers = []
    for value in values:
        number = isinstance(value, int | float | np.floating | np.integer)
        if not number or isinstance(value, bool) or not math.isfinite(value):
            raise InputError(
                f"Expected finite numbers for axis {axis!r}, got {value!r} among them."
            )
        numbers.append(float(value))
    if len(set(numbers)) < len(numbers):
        raise InputError(
            f"Expected different values for axis {axis!r}, got {values!r}."
        )
    return numbers


def _with(cell: Cell, axis: str, value: float) -> Cell:
    """The cell with one number changed."""
    known = cell.numbers
    if axis not in known:
        raise unknown("axis", axis, known)
    part, _, name = axis.partition(".")
    spec = cell.parts[part]
    values = {**dict(spec.static), **spec.numeric, name: value}
    try:
        return replace(cell, **{part: specs.unparse(spec.name, values)})
    except InputError as error:
        raise InputError(f"Axis {axis!r} at {value}: {error}") from error


def seed_ids(seeds: int | Sequence[int]) -> list[int]:
    """The ids of `seeds` seeds, or those that are given.

    >>> seed_ids(3), seed_ids([7, 2])
    ([0, 1, 2], [7, 2])
    """
    given = seeds.tolist() if isinstance(seeds, np.ndarray) else seeds
    if _is_whole(given):
        ids = range(int(given)) if given < _SEEDS else ()
    else:
        ids = given if isinstance(given, Sequence) else ()
    fitting = all(_is_whole(seed) and 0 <= seed < _SEEDS for seed in ids)
    if not fitting or not len(set(ids)) == len(ids) > 0:
        raise InputError(
            f"Expected a number of seeds of at least 1, or a list of different ids "
            f"from 0 to 2**31 - 1, got {seeds!r}."
        )
    return [int(seed) for seed in ids]


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
