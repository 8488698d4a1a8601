"""Many tasks in one figure: every seed of every task."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from relujax.report._style import FAINT, INK, Style, canvas, wrapped
from relujax.statistics import metric_of, scores, short_labels, tasks

ROW = 0.15  # inches: a line of 7.5 points with some air


def seeds_strip(
    frame: pd.DataFrame, metric: str, look: Mapping[str, Style], baseline: str
) -> Figure:
    """Each seed of each task against the baseline, a panel for each activation."""
    m, every = metric_of(metric), tasks(frame)
    wide = scores(frame, metric).unstack("activation")
    names = [name for name in look if name in wide and name != baseline]
    row = {task: i for i, task in enumerate(every)}
    figure = canvas(1.1 + ROW * len(every))
    panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        x = against(wide[name], wide[baseline], metric).dropna()
        rows = [row[task] for task in x.index.droplevel("seed")]
        axes.axvline(is_ratio(metric), color=INK, lw=0.8, zorder=1)
        axes.plot(x, rows, ls="", marker="o", ms=2.8, mew=0, alpha=0.5,
                  color=look[name].color)  # fmt: skip
        axes.set_title(wrapped(name, 60 // len(names)), fontsize=8)
        axes.tick_params(axis="y", length=0, labelsize=7)
        axes.tick_params(axis="x", labelsize=7.5)
        axes.spines["left"].set_visible(False)
        for i in range(len(every)):
            axes.axhline(i, color=FAINT, lw=0.5, zorder=0)
    if is_ratio(metric):
        _ratio_axis(panels[0])
    panels[0].set_yticks(range(len(every)), short_labels(every))
    panels[0].set_ylim(len(every) - 0.4, -0.6)
    kind = "divided by" if is_ratio(metric) else "minus"
    unit = f", {m.points}" if m.points else ""
    figure.supxlabel(f"test {m.label} {kind} that of {baseline}{unit}", fontsize=9)
    return figure


def _ratio_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 1e3 * low else (1,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def is_ratio(metric: str) -> bool:
    """Whether seeds are compared by a ratio: errors differ too much between tasks."""
    return metric_of(metric).bounds == (0, np.inf)


def against(x: pd.Series, baseline: pd.Series, metric: str) -> pd.Series:
    """Scores against the baseline's of the same task and seed."""
    if is_ratio(metric):
        return x / baseline
    return metric_of(metric).scale * (x - baseline)
