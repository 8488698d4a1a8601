"""Figures of a diagnosis and of its history."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import pandas as pd

    from relujax.diagnosis._diagnosis import Diagnosis
    from relujax.diagnosis._monitor import Monitor

_SHOWN = ("never_positive", "zero_gradient", "saturated", "always_on")
_BINS = 20
# Up to how many layers have bars of their own, and up to how many a line and a colour.
_BARS = 30
_LINES = 10
# How many names fit beside an axis.
_NAMES = 40


class Picture(Figure):
    """A figure that a notebook shows without a backend for it."""

    def _repr_html_(self) -> str:
        buffer = io.StringIO()
        self.savefig(buffer, format="svg", metadata={"Date": None})
        svg = buffer.getvalue()
        return svg[svg.index("<svg") :]


def diagnosis_figure(diagnosis: "Diagnosis") -> Figure:
    """Units by definition, as bars or many layers as an image, and how often they fire.

    Of a layer with seeds it shows the mean.
    """
    table = diagnosis.table()
    shown = [name for name in _SHOWN if name in diagnosis.definitions]
    shown += [name for name in diagnosis.definitions if name.startswith("dormant")][-1:]
    fractions: Any = table[shown].div(table["units"], axis=0)
    mean = fractions.groupby(table["site"], sort=False).mean()
    height = 1.8 + 0.45 * min(len(mean), _BARS)
    figure = Picture(figsize=(11, height), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    if len(mean) <= _BARS:
        _bars(left, mean, shown)
        figure.legend(fontsize="small", loc="outside lower left", ncols=len(shown))
    else:
        image = _image(left, mean.to_numpy(), "magma_r", (0, 1))
        left.set_xticks(range(len(shown)), [_label(n) for n in shown], rotation=20)
        figure.colorbar(image, ax=left, label="fraction of units")
    image = right.imshow(
        _firing(diagnosis, list(mean.index)),
        aspect="auto",
        interpolation="nearest",
        extent=(0, 1, len(mean) - 0.5, -0.5),
        cmap="magma_r",
        vmin=0,
        vmax=1,
    )
    right.set(xlabel="fraction of observations on which a unit fires")
    figure.colorbar(image, ax=right, label="fraction of units")
    _name_rows(left, list(mean.index))
    left.set_ylim(len(mean) - 0.5, -0.5)
    seen = f"{diagnosis.examples:,} example{'s' * (diagnosis.examples != 1)}"
    figure.suptitle(f"{seen}, mean over seeds" if diagnosis.seeded else seen)
    return figure


def _bars(axes: Any, mean: "pd.DataFrame", shown: Sequence[str]) -> None:
    rows, height = np.arange(len(mean)), 0.8 / len(shown)
    for i, name in enumerate(shown):
        at = rows + (i + 0.5) * height - 0.4
        axes.barh(at, mean[name], height, label=_label(name))
    axes.set(xlim=(0, 1), xlabel="fraction of units")


def _image(axes: Any, values: np.ndarray, cmap: str, ends: tuple[float, float]) -> Any:
    """Rows as they are, whatever their number, on the same scale for all."""
    low, high = ends
    return axes.imshow(
        values, aspect="auto", interpolation="nearest", cmap=cmap, vmin=low, vmax=high
    )


def _name_rows(axes: Any, names: Sequence[str]) -> None:
    """Name the rows, or as many as fit."""
    step = -(-len(names) // _NAMES)
    at = range(0, len(names), step)
    axes.set_yticks(at, [_plain(names[i]) for i in at])
    axes.tick_params(axis="y", labelsize="small" if len(names) > _LINES else "medium")


def _label(name: str) -> str:
    """A definition as words."""
    return name.replace("_", " ")


def _plain(name: str) -> str:
    """A name as it is: its dollars are no formula."""
    return name.replace("$", r"\$")


def _firing(diagnosis: "Diagnosis", names: list[str]) -> np.ndarray:
    """The histogram of firing frequencies of every layer, `[layers, bins]`."""
    total = {name: np.zeros(_BINS) for name in names}
    for layer in diagnosis.layers():
        s = layer.statistics
        rates = s.positive / np.maximum(s.count, 1)
        total[layer.name] += np.histogram(rates, _BINS, (0, 1))[0]
    return np.stack([total[name] / total[name].sum() for name in names])


def timeline_figure(monitor: "Monitor") -> Figure:
    """By epoch and layer: units that are dead, born, revived, and ever dead.

    A line per seed, all seeds of a layer in one colour; or of many layers images, a row
    per layer, the mean over seeds.
    """
    figure = Picture(figsize=(8, 8), layout="constrained")
    above, middle, below = figure.subplots(3, 1, sharex=True)
    table = monitor.table()
    dead = f"fraction {monitor.definition.replace('_', ' ')}"
    if table["site"].nunique() > _LINES:
        _timeline_images(figure, table, dead)
        return figure
    for number, (name, layer) in enumerate(table.groupby("site", sort=False)):
        seeds = layer.groupby("seed") if "seed" in layer else [(0, layer)]
        for i, (_, rows) in enumerate(seeds):
            label = _plain(str(name)) if i == 0 else None
            look: Any = {"color": f"C{number}", "label": label}
            share = lambda event, rows=rows: rows[event] / rows["units"]
            above.plot(rows["epoch"], share("dead"), "o-", **look)
            middle.plot(rows["epoch"], share("births"), "v-", **look)
            middle.plot(rows["epoch"], -share("revivals"), "^--", color=look["color"])
            below.plot(rows["epoch"], share("ever_dead"), "o-", **look)
    above.set(ylabel=dead, ylim=(0, 1))
    above.legend(fontsize="small")
    middle.axhline(0, color="black", linewidth=0.5)
    middle.set(ylabel="born (up), revived (down)")
    below.set(xlabel="epoch", ylabel="fraction ever dead", ylim=(0, 1))
    return figure


def _timeline_images(figure: Figure, table: "pd.DataFrame", dead: str) -> None:
    """The same as images: layers down, epochs to the right."""
    table = table.assign(change=table["births"] - table["revivals"])
    names = list(table["site"].unique())
    epochs = list(table["epoch"].unique())
    panels = [
        ("dead", dead, "magma_r", (0, 1)),
        ("change", "born less revived", "RdBu_r", (-1, 1)),
        ("ever_dead", "fraction ever dead", "magma_r", (0, 1)),
    ]
    for axes, (event, label, cmap, ends) in zip(figure.axes, panels, strict=True):
        share = table.assign(share=table[event] / table["units"])
        values = share.pivot_table("share", "site", "epoch", aggfunc="mean")
        image = _image(axes, values.loc[names, epochs].to_numpy(), cmap, ends)
        figure.colorbar(image, ax=axes, label=label)
        _name_rows(axes, names)
        axes.tick_params(axis="y", labelsize="x-small")
    at = range(0, len(epochs), -(-len(epochs) // 20))
    figure.axes[2].set_xticks(at, [f"{epochs[i]:g}" for i in at])
    figure.axes[2].set(xlabel="epoch")
