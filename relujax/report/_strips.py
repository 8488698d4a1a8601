"""Figures with one row per activation: every seed, the mean and its interval."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relujax.report._style import FAINT, INK, SOFT, Style, canvas, rows_height, wrapped
from relujax.statistics import (
    UNIT,
    Metric,
    final,
    mean_interval,
    metric_name,
    metric_of,
    scores,
)

Values = Mapping[str, np.ndarray]


def score_strip(
    frame: pd.DataFrame, metric: str, look: Mapping[str, Style], baseline: str
) -> Figure:
    """A metric at the end of training, per activation, with the baseline's mean."""
    m = metric_of(metric)
    values = _per_activation(scores(frame, metric), look)
    figure = canvas(0.75 + rows_height(values))
    axes = figure.subplots()
    _strip(axes, values, m, look)
    own = values.get(baseline, np.empty(0))
    if len(own):
        axes.axvline(m.scale * own.mean(), color=INK, lw=0.9, ls=(0, (4, 3)), zorder=1)
    _within_bounds(axes, m)
    axes.set_xlabel(_axis(metric_name(metric, "test"), m.unit))
    _column(axes, values, m, "mean [95 % CI]")
    return figure


def difference_strip(
    table: pd.DataFrame,
    frame: pd.DataFrame,
    metric: str,
    look: Mapping[str, Style],
    baseline: str,
) -> Figure:
    """The difference from the baseline in every seed; `table`: `paired_comparisons`."""
    m = metric_of(metric)._replace(bounds=(-np.inf, np.inf))
    wide = scores(frame, metric).unstack("activation")
    values = {
        name: (wide[name] - wide[baseline]).dropna().to_numpy()
        for name in table["activation"]
        if name in wide and baseline in wide
    }
    figure = canvas(0.75 + rows_height(values))
    axes = figure.subplots()
    _strip(axes, values, m, look)
    axes.axvline(0, color=INK, lw=0.9, ls=(0, (4, 3)), zorder=1)
    side = "right" if m.higher_is_better else "left"
    axes.set_xlabel(
        f"{_axis(f'test {m.label} minus that of {baseline}', m.points)} "
        f"– better to the {side}"
    )
    p = table.set_index("activation")["p_holm"]
    extra = {name: f"p = {p[name]:.2g}" for name in values}
    _column(axes, values, m, "mean [95 % CI], corrected p", sign=True, extra=extra)
    return figure


def layer_strip(frame: pd.DataFrame, look: Mapping[str, Style]) -> Figure:
    """The fraction of dead units in each hidden layer, one panel per layer."""
    rows = final(frame).set_index([*UNIT, "seed"])["dead"]
    rows = rows[rows.map(len) > 0]
    layers = int(rows.map(len).max())
    m = metric_of("dead")
    figure = canvas(0.75 + rows_height(look))
    grid = figure.subplots(1, layers, sharey=True, sharex=True, squeeze=False)[0]
    for i, axes in enumerate(grid):
        column = rows[rows.map(len) > i].map(lambda x, i=i: x[i]).astype(float)
        _strip(axes, _per_activation(column, look), m, look)
        axes.set_title(f"hidden layer {i + 1}")
    _within_bounds(grid[0], m)
    figure.supxlabel("dead units on the test split, % of the layer", fontsize=9)
    return figure


def _per_activation(values: pd.Series, look: Mapping[str, Style]) -> Values:
    names = values.index.get_level_values("activation")
    return {name: values[names == name].to_numpy() for name in look}


def _axis(label: str, unit: str) -> str:
    return f"{label}, {unit}" if unit else label


def _strip(axes: Axes, values: Values, m: Metric, look: Mapping[str, Style]) -> None:
    everything = m.scale * np.concatenate([np.empty(0), *values.values()])
    span = np.ptp(everything) if len(everything) else 0.0
    for row, (name, stored) in enumerate(values.items()):
        x, style = m.scale * stored, look[name]
        if not len(x):
            axes.text(0.5, row, "no seed trained to the end", color=SOFT, va="center",
                      ha="center", transform=axes.get_yaxis_transform())  # fmt: skip
            continue
        axes.scatter(
            x,
            row - 0.16 + _spread(x, span / 45),
            s=15,
            color=style.color,
            marker=style.marker,
            alpha=0.65,
            lw=0,
        )
        estimate = mean_interval(stored, bounds=m.bounds)
        if np.isfinite(estimate.low):
            ends = [m.scale * estimate.low, m.scale * estimate.high]
            axes.plot(ends, [row + 0.29] * 2, color=style.color, lw=2.6,
                      solid_capstyle="butt")  # fmt: skip
        mean = m.scale * estimate.value
        axes.plot(mean, row + 0.29, marker="o", ms=5.5, color="white",
                  mec=style.color, mew=1.6)  # fmt: skip
    axes.set_yticks(range(len(values)), [wrapped(name) for name in values])
    axes.set_ylim(len(values) - 0.42, -0.58)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    for row in range(1, len(values)):
        axes.axhline(row - 0.5, color=FAINT, lw=0.7)
    axes.margins(x=0.04)


def _within_bounds(axes: Axes, m: Metric) -> None:
    # No axis runs to −2 % or 102 %. Setting limits ends autoscaling: call it last.
    left, right = axes.get_xlim()
    low, high = (m.scale * end for end in m.bounds)
    slack = 0.03 * (min(right, high) - max(left, low))
    axes.set_xlim(max(left, low - slack), min(right, high + slack))


def _spread(x: np.ndarray, width: float, room: float = 0.26) -> np.ndarray:
    """Vertical offsets that keep points closer than `width` apart: a beeswarm."""
    offsets = np.zeros(len(x))
    bins = (
        np.round((x - x.min()) / width).astype(int) if width > 0 else np.zeros(len(x))
    )
    for b in np.unique(bins):
        here = np.flatnonzero(bins == b)
        step = min(0.11, room * 2 / max(len(here) - 1, 1))
        offsets[here] = (np.arange(len(here)) - (len(here) - 1) / 2) * step
    return np.clip(offsets, -room, room)


def _column(
    axes: Axes,
    values: Values,
    m: Metric,
    heading: str,
    *,
    sign: bool = False,
    extra: Mapping[str, str] | None = None,
) -> None:
    place: dict = dict(transform=axes.get_yaxis_transform(), fontsize=8.5)
    axes.text(1.02, -0.72, heading, color=SOFT, va="bottom", **place)
    for row, (name, x) in enumerate(values.items()):
        if not len(x):
            continue
        e = mean_interval(x, bounds=m.bounds)
        text = m.show(e.value, sign=sign)
        if np.isfinite(e.low):
            text += f" [{m.show(e.low, sign=sign)}, {m.show(e.high, sign=sign)}]"
        if extra:
            text += f", {extra[name]}"
        axes.text(1.02, row, text, va="center", **place)


def seeds_phrase(frame: pd.DataFrame, activations: Sequence[str]) -> str:
    """How many seeds each activation has, and which seeds diverged.

    The words that every caption ends with.
    """
    good = final(frame).groupby("activation")["seed"].nunique()
    counts = [int(good.get(name, 0)) for name in activations]
    most = max(counts, default=0)
    text = f"n = {most} seed{'s' * (most != 1)} per activation"
    fewer = [
        f"{name}: {n}" for name, n in zip(activations, counts, strict=True) if n < most
    ]
    return f"{text} ({', '.join(fewer)})" if fewer else text
