"""Figures over epochs: the loss of each activation, and a loss-driven slope."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from relujax.report._style import Style, canvas, wrapped
from relujax.statistics import diverged, mean_band

BAND_RESAMPLES = 1_999


def loss_curves(frame: pd.DataFrame, look: Mapping[str, Style]) -> Figure:
    """Training and test loss by epoch: the mean over seeds and its interval."""
    good = frame[~diverged(frame)]
    below = max(map(len, look)) > 20
    rows = -(-len(look) // 3) if below else 0
    figure = canvas(3.1 + 0.3 * rows)
    panels = figure.subplots(1, 2)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        losses = good[good["split"] == split]
        label = "training loss" if split == "train" else "test loss"
        _losses(axes, losses, look, label)
    handles, names = panels[0].get_legend_handles_labels()
    if below:
        names = [wrapped(name, 30) for name in names]
        figure.legend(handles, names, loc="outside lower center", ncols=3)
    else:
        figure.legend(handles, names, loc="outside right center")
    return figure


def _losses(
    axes: Axes, losses: pd.DataFrame, look: Mapping[str, Style], label: str
) -> None:
    """The curves of one split; the scale is logarithmic if they span a factor of 10."""
    data = losses["loss"].replace([np.inf, -np.inf], np.nan).dropna()
    log = len(data) > 0 and 0 < 10 * data.min() < data.max()
    for i, (name, style) in enumerate(look.items()):
        own = losses[losses["activation"] == name]
        table = own.pivot(index="seed", columns="epoch", values="loss").dropna(axis=0)
        if table.empty:
            continue
        # A lower end below zero has no place on a log scale.
        floor = table.min().to_numpy() if log else 0.0
        marks = stagger(table, i, len(look))
        band(axes, table, style, name, marks, bounds=(floor, np.inf))
    epoch_axis(axes)
    if log:
        _log(axes, data.max() / data.min())
        axes.set_ylim(bottom=0.7 * data.min())
    axes.set_ylabel(f"{label}, log scale" if log else label)


def stagger(table: pd.DataFrame, i: int, n: int) -> tuple[int, int]:
    """Where the markers of curve `i` of `n` go, so that they do not hide each other."""
    every = max(1, len(table.columns) // 6)
    return i * every // n, every


def signal_paths(frame: pd.DataFrame, look: Mapping[str, Style]) -> Figure:
    """The slope that training feeds back, by epoch: every seed and the mean."""
    good = frame[~diverged(frame) & (frame["split"] == "train")]
    good = good.dropna(subset="signal")
    figure = canvas(2.7, 4.8)
    axes = figure.subplots()
    for name in [name for name in look if name in set(good["activation"])]:
        style = look[name]
        own = good[good["activation"] == name]
        table = own.pivot(index="seed", columns="epoch", values="signal").dropna(axis=0)
        axes.plot(table.columns, table.T, color=style.color, lw=0.6, alpha=0.35)
        every = max(1, len(table.columns) // 8)
        axes.plot(table.columns, table.mean(), color=style.color, marker=style.marker,
                  ms=4.5, lw=2, markevery=every, label=name)  # fmt: skip
    axes.set_ylabel("slope for negative inputs")
    axes.set_ylim(bottom=0)
    epoch_axis(axes)
    axes.legend(loc="best")
    return figure


def band(
    axes: Axes,
    table: pd.DataFrame,
    style: Style,
    name: str,
    markevery: tuple[int, int],
    *,
    alpha: float = 0.18,
    bounds: tuple[Any, Any] = (-np.inf, np.inf),
) -> None:
    """The mean over seeds and its interval; `table` is `[seeds, epochs]`.

    Args:
      axes: what is drawn on.
      table: one row per seed, one column per epoch.
      style: of the activation.
      name: for the legend; none if empty.
      markevery: the first marker and the distance to the next.
      alpha: opacity of the band; 0 for none.
      bounds: what the mean cannot exceed: the band ends there.
    """
    x, y = table.columns.to_numpy(), table.to_numpy()
    axes.plot(x, y.mean(axis=0), color=style.color, ls=style.dash, label=name,
              marker=style.marker, ms=4.2, markevery=markevery)  # fmt: skip
    if len(y) > 1 and alpha:
        ends = mean_band(y, resamples=BAND_RESAMPLES)
        low, high = (np.clip(end, *bounds) for end in ends)
        axes.fill_between(x, low, high, color=style.color, alpha=alpha, lw=0)


def _log(axes: Axes, ratio: float) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if ratio < 1e3 else (1,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def epoch_axis(axes: Axes) -> None:
    """Whole numbers below, lines across."""
    axes.set_xlabel("epoch")
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
