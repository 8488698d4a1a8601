"""Figures over epochs: the loss of each activation, and a loss-driven slope."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from relujax.analysis import mean_band
from relujax.analysis._results import diverged
from relujax.report._style import Style, canvas, wrapped

BAND_RESAMPLES = 1_999


def loss_curves(frame: pd.DataFrame, look: Mapping[str, Style]) -> Figure:
    """Training and test loss by epoch: the mean over seeds and its interval."""
    good = frame[~diverged(frame)]
    below = max(map(len, look)) > 20
    rows = -(-len(look) // 3) if below else 0
    figure = canvas(3.1 + 0.3 * rows)
    panels = figure.subplots(1, 2, sharey=True)
    positive = True
    for axes, split in zip(panels, ("train", "test"), strict=True):
        losses = good[good["split"] == split]
        for i, (name, style) in enumerate(look.items()):
            own = losses[losses["activation"] == name]
            table = own.pivot(index="seed", columns="epoch", values="loss")
            table = table.dropna(axis=0)
            if table.empty:
                continue
            every = max(1, len(table.columns) // 6)
            band(axes, table, style, name, markevery=(i * every // len(look), every))
            positive &= bool((table.to_numpy() > 0).all())
        axes.set_title("training split" if split == "train" else "test split")
        epoch_axis(axes)
    panels[0].set_ylabel("loss (mean over examples)")
    data = good["loss"].replace([np.inf, -np.inf], np.nan).dropna()
    if positive and len(data) and data.max() > 10 * data.min():
        _log(panels[0], data.max() / data.min())
        panels[0].set_ylim(bottom=0.7 * data.min())
        panels[0].set_ylabel("loss (mean over examples, log scale)")
    handles, names = panels[0].get_legend_handles_labels()
    if below:
        names = [wrapped(name, 30) for name in names]
        figure.legend(handles, names, loc="outside lower center", ncols=3)
    else:
        figure.legend(handles, names, loc="outside right center")
    return figure


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


def band(axes: Axes, table: pd.DataFrame, style: Style, name: str, markevery) -> None:
    """The mean over seeds and its interval; `table` is `[seeds, epochs]`."""
    x, y = table.columns.to_numpy(), table.to_numpy()
    axes.plot(x, y.mean(axis=0), color=style.color, ls=style.dash, label=name,
              marker=style.marker, ms=4.2, markevery=markevery)  # fmt: skip
    if len(y) > 1:
        low, high = mean_band(y, resamples=BAND_RESAMPLES)
        axes.fill_between(x, low, high, color=style.color, alpha=0.18, lw=0)


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
