"""The figure of a sweep: a metric over the values of a hyperparameter."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from relujax.report._style import COLORS, DASHES, MARKERS, canvas, drawing
from relujax.statistics import metric_name, metric_of

# From this ratio of the largest to the smallest value on, an axis is logarithmic.
_LOG_FROM = 20


def grid_figure(table: pd.DataFrame, axes: Sequence[str], metric: str) -> Figure:
    """Mean and 95 % interval on the test split over the first axis.

    Args:
      table: a row per point of the grid: the axes, `mean`, `low` and `high`.
      axes: their names; each combination of values of the others has a line.
      metric: what the mean is of, a name in `METRICS`.
    """
    m = metric_of(metric)
    with drawing():
        figure = canvas(3.2, 5.2)
        panel = figure.subplots()
        if not axes:
            table, axes = table.assign(cell=0.0), ["cell"]
        first, *others = axes
        lines = table.groupby(others, sort=False) if others else [((), table)]
        for i, (values, line) in enumerate(lines):
            line = line.sort_values(first)
            scaled = line[["mean", "low", "high"]] * m.scale
            spread = [scaled["mean"] - scaled["low"], scaled["high"] - scaled["mean"]]
            panel.errorbar(
                line[first],
                scaled["mean"],
                yerr=np.nan_to_num(np.clip(spread, 0, None)),
                color=COLORS[i % len(COLORS)],
                marker=MARKERS[i % len(MARKERS)],
                linestyle=DASHES[i // len(COLORS) % len(DASHES)],
                capsize=2.5,
                markersize=4.5,
                label=", ".join(
                    f"{n.partition('.')[2]} = {v:g}"
                    for n, v in zip(others, values, strict=True)
                ),
            )
        x = table[first]
        if x.min() > 0 and x.max() > _LOG_FROM * x.min():
            panel.set_xscale("log")
        panel.set_xlabel(first)
        unit = f" ({m.unit})" if m.unit else ""
        panel.set_ylabel(f"{metric_name(metric, 'test')}{unit}")
        panel.grid(axis="y")
        if others:
            figure.legend(loc="outside right center")
    return figure
