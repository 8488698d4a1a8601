"""Exhibits that papers have: tables of scores, matrices, curves, strips, sweeps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from relujax.errors import InputError
from relujax.statistics import (
    TASK,
    Where,
    mean_band,
    mean_interval,
    metric_of,
    scores,
    select,
)
from relujax.studies._computed import slopes
from relujax.studies._curve_claims import confusions
from relujax.studies._groups import by_parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TableOf = Callable[[pd.DataFrame], pd.DataFrame]
FigureOf = Callable[[pd.DataFrame], "Figure"]

INK, COLORS = "#1a1d21", ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")
#: Of the lines of `by_activation`.
_LINES = (INK, "#0072b2", "#56b4e9", "#d55e00", "#cc79a7", "#009e73")
_MARKERS = "osDv^P"
_WIDTH = 7.2


class Panel(NamedTuple):
    """What one panel of a figure shows, and the label of its axis."""

    metric: str
    label: str
    split: str = "test"


#: How well and how fast networks learn, and how they generalise.
LEARNING = (
    Panel("accuracy", "test accuracy, %"),
    Panel("mean_loss", "training loss, mean over epochs", "train"),
    Panel("gap", "gap, percentage points"),
)


def short(spec: str) -> str:
    """The name of a spec, without its parameters."""
    return spec.partition("(")[0]


_NAMES = {"wdbc": "WDBC", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


def named(data: str, model: str) -> str:
    """Data and model of a task: "WDBC(split=1), MLP"."""
    name, parenthesis, rest = data.partition("(")
    return f"{_NAMES.get(name, name)}{parenthesis}{rest}, {short(model).upper()}"


def by_task(values: pd.Series) -> Iterator[tuple[str, pd.DataFrame]]:
    """The scores of each task: its title, then seeds by activation."""
    several = values.index.unique("optimizer").size > 1
    for (data, model, optimizer), own in values.groupby(level=TASK, sort=False):
        wide = own.droplevel(TASK).unstack("activation")
        title = named(str(data), str(model)) + f", {optimizer}" * several
        yield title, wide[own.index.unique("activation")]


def scores_table(*metrics: str, split: str = "test") -> TableOf:
    """A table of scores: a row per task and activation, `mean [low, high]` over seeds.

    Args:
      *metrics: names in `METRICS`, a column each.
      split: which split is scored.
    """

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        table = {}
        for metric in metrics:
            m, cells = metric_of(metric, frame), {}
            for task, wide in by_task(scores(frame, metric, split)):
                for activation in wide:
                    e = mean_interval(wide[activation].dropna(), bounds=m.bounds)
                    shown = f"{m.show(e.value)} [{m.show(e.low)}, {m.show(e.high)}]"
                    cells[task, activation] = shown
            table[f"{m.label}, {m.unit}".removesuffix(", ")] = cells
        return pd.DataFrame(table).rename_axis(["task", "activation"]).reset_index()

    return make


def scores_by_data(metric: str) -> TableOf:
    """A table of a metric, data sets by activations, over all splits, models, seeds."""

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        x = metric_of(metric, frame).scale * scores(frame, metric)
        name = x.index.get_level_values("data").map(short).rename("data")
        activation = x.index.get_level_values("activation")
        groups = x.groupby([name, activation], sort=False)
        shown = groups.agg(lambda x: f"{x.mean():.2f} ± {x.std():.2f}").unstack()
        return shown[[*dict.fromkeys(activation)]].fillna("–").reset_index()

    return make


def confusion_matrix(
    activation: str, data: str, names: Sequence[str], *, model: str = "mlp"
) -> FigureOf:
    """The confusion matrix at the last epoch, a mean over seeds; see `confusions`."""

    def make(frame: pd.DataFrame) -> "Figure":
        counts = confusions(frame, activation, data, model).mean(axis=0)
        part = counts / counts.sum(axis=1, keepdims=True)
        figure, axes = _figure(4.8, 4.5)
        axes.imshow(part, cmap="Blues", vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts):
            color = "white" if part[i, j] > 0.5 else INK
            text = f"{count:.0f}" if count >= 10 or count == 0 else f"{count:.1f}"
            axes.text(j, i, text, ha="center", va="center", color=color, fontsize=7)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="classified as", ylabel="class")
        return figure

    return make


def curves(
    lines: Sequence[str] | Mapping[str, Where],
    *panels: Panel,
    where: Where | None = None,
    log: bool = False,
) -> FigureOf:
    """Columns by epoch from the first, each line a mean over seeds with its interval.

    Args:
      lines: specs of activations, or label to the rows of a line, such as
        `{"train": {"split": "train"}}`, where the split need not be the panel's.
      *panels: the columns, side by side; `metric` is the name of a column. Of one with
        a number for each layer, it is the mean that is drawn.
      where: the rows that are drawn at all.
      log: whether the vertical axes are logarithmic.
    """
    if not isinstance(lines, Mapping):
        lines = {short(spec): {"activation": spec} for spec in lines}

    def make(frame: pd.DataFrame) -> "Figure":
        rows = select(frame, where or {})
        rows = rows[rows["epoch"] > 0]
        if rows.empty:
            raise InputError("Expected results by epoch, got none.")
        figure, *grid = _figure(_WIDTH, 3.4, 1, len(panels))
        for axes, panel in zip(grid, panels, strict=True):
            for (label, wanted), color in zip(lines.items(), _colors(), strict=False):
                own = _matching(rows, {"split": panel.split, **wanted})
                own = own.assign(value=own[panel.metric].map(np.mean))
                wide = own.pivot_table(index="seed", columns="epoch", values="value")
                _band(axes, metric_of(panel.metric).scale * wide, color, label)
            axes.set(xlabel="epoch", ylabel=panel.label)
            axes.grid(axis="y")
            if log:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter("{x:g}")
        _legend(figure, grid[0])
        return figure

    return make


def strips(metric: str, activations: Sequence[str], *, own: str) -> FigureOf:
    """Every seed, mean and 95 % interval of a metric by activation, a panel per task.

    Args:
      metric: a name in `METRICS`.
      activations: which, from the top.
      own: the one that stands out.
    """

    def make(frame: pd.DataFrame) -> "Figure":
        m = metric_of(metric, frame)
        found = list(by_task(m.scale * scores(frame, metric)))
        figure, *grid = _figure(_WIDTH, 1.2 + 1.5 * len(found), len(found), 1)
        for axes, (task, wide) in zip(grid, found, strict=True):
            shown = [name for name in activations if name in wide]
            for place, name in enumerate(shown):
                e = mean_interval(wide[name].dropna())
                ends = [[e.value - e.low], [e.high - e.value]]
                color = COLORS[1] if name == own else COLORS[0]
                axes.errorbar(e.value, place, xerr=ends, fmt="o", color=color)
                axes.plot(wide[name], np.full(len(wide), place), ".", color="0.6", ms=3)
            axes.set_yticks(range(len(shown)), [short(name) for name in shown])
            axes.set_ylim(len(shown) - 0.5, -0.5)
            axes.set_title(task)
            axes.grid(axis="x")
        grid[-1].set_xlabel(f"{m.label}, {m.unit}")
        return figure

    return make


def metric_over(
    levels: Mapping[str, float],
    parameter: str,
    panels: Sequence[Panel] = LEARNING,
) -> FigureOf:
    """Metrics over a parameter of an activation: a row per task where it varies.

    Args:
      levels: spec to value, in the order of the axis, which is evenly spaced.
      parameter: the label of the axis, such as "β".
      panels: the metrics, side by side.
    """

    def make(frame: pd.DataFrame) -> "Figure":
        rows = frame[frame["activation"].isin(levels)]
        varies = rows.groupby(TASK)["activation"].transform("nunique") > 1
        rows = rows[varies]
        if rows.empty:
            raise InputError(f"Expected results at several {parameter}, got one.")
        count = rows.groupby(TASK).ngroups
        figure, *grid = _figure(_WIDTH, 0.4 + 2.2 * count, count, len(panels))
        columns = np.reshape(np.array(grid, object), (count, len(panels))).T
        for column, panel in zip(columns, panels, strict=True):
            scaled = metric_of(panel.metric, frame).scale
            found = by_task(scaled * scores(rows, panel.metric, panel.split))
            for axes, (task, wide) in zip(column, found, strict=True):
                wide = wide[[spec for spec in levels if spec in wide]]
                _means(axes, wide, color=COLORS[0])
                axes.set_xticks(range(wide.shape[1]), [f"{levels[a]:g}" for a in wide])
                axes.set(xlabel=parameter, ylabel=panel.label, title=task)
                axes.grid(axis="y")
        return figure

    return make


def graphs(
    f: Callable[..., Any],
    over: Mapping[str, Sequence[float]],
    ends: tuple[float, float] = (-4.0, 4.0),
) -> FigureOf:
    """A function and its derivative, side by side, a line for each parameter.

    Args:
      f: a function of a number and of one parameter.
      over: the name of the parameter and its values.
      ends: of the horizontal axis.
    """
    x = np.linspace(*ends, 801, dtype=np.float32)
    ((parameter, values),) = over.items()

    def make(_frame: pd.DataFrame) -> "Figure":
        figure, left, right = _figure(_WIDTH, 3.0, 1, 2)
        for value, color in zip(values, _colors(), strict=False):
            of = lambda x, value=value: f(x, value)
            look = {"color": color, "label": f"{parameter} = {value:g}"}
            left.plot(x, of(x), **look)
            right.plot(x, slopes(of, x), **look)
        for axes, label in ((left, "value"), (right, "derivative")):
            axes.set(xlabel="x", ylabel=label)
            axes.grid()
        _legend(figure, left)
        return figure

    return make


def by_activation(
    over: str,
    activations: Mapping[str, str],
    panels: Mapping[str, tuple[str, Where]],
    label: str,
) -> FigureOf:
    """A metric over a parameter of the task: a line per activation, with intervals.

    Args:
      over: the parameter, such as `model.depth`; its values are evenly spaced.
      activations: spec to label, at most six.
      panels: title to metric and rows, side by side.
      label: of the vertical axis.
    """

    def make(frame: pd.DataFrame) -> "Figure":
        figure, *grid = _figure(_WIDTH, 3.1, 1, len(panels))
        for axes, (title, (metric, where)) in zip(grid, panels.items(), strict=True):
            rows, scale = select(frame, where), metric_of(metric, frame).scale
            # A little apart, so that the bars can be told from each other.
            shifts = 0.06 * (np.arange(len(activations)) - (len(activations) - 1) / 2)
            looks = zip(activations, shifts, _LINES, _MARKERS, strict=False)
            for spec, shift, color, marker in looks:
                wide = scale * by_parameter(rows, metric, over, spec)
                look = {"color": color, "marker": marker, "label": activations[spec]}
                _means(axes, wide, shift=shift, lw=1.2, elinewidth=0.8, **look)
                axes.set_xticks(range(wide.shape[1]), list(map(str, wide)))
            axes.set_xlabel(over.partition(".")[2])
            axes.set_title(title, fontsize=9 if len(panels) > 3 else None)
            axes.grid(axis="y")
        grid[0].set_ylabel(label)
        _legend(figure, grid[0])
        return figure

    return make


def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> Any:
    """A figure and its axes, row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, *figure.subplots(rows, columns, squeeze=False).ravel()


def _means(
    axes: "Axes", wide: pd.DataFrame, *, shift: float = 0.0, **look: Any
) -> None:
    """The mean of each column with its interval, at 0, 1, ... and a shift."""
    found = [mean_interval(wide[name].dropna()) for name in wide]
    value = np.array([e.value for e in found])
    ends = np.array([[e.value - e.low, e.high - e.value] for e in found]).T
    look = {"marker": "o", "ms": 4, **look}
    axes.errorbar(np.arange(len(found)) + shift, value, ends, **look)


def _band(axes: "Axes", wide: pd.DataFrame, color: str, label: str) -> None:
    """The mean over seeds and its 95 % interval, by column."""
    low, high = mean_band(wide.to_numpy())
    axes.plot(wide.columns, wide.mean(), color=color, lw=1.4, label=label)
    axes.fill_between(wide.columns, low, high, color=color, alpha=0.15, lw=0)


def _legend(figure: "Figure", axes: "Axes") -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=6, frameon=False)


def _matching(rows: pd.DataFrame, wanted: Where) -> pd.DataFrame:
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


def _colors() -> Iterator[str]:
    yield from (INK, *COLORS)
