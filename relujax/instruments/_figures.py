"""Figures of a diagnosis and of its history."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from relujax.instruments._diagnosis import Diagnosis
    from relujax.instruments._monitor import Monitor

_SHOWN = ("never_positive", "zero_gradient", "saturated", "always_on")
_BINS = 20


def diagnosis_figure(diagnosis: "Diagnosis") -> Figure:
    """Bars of the units by definition, beside how often units fire."""
    table = diagnosis.table()
    shown = [name for name in _SHOWN if name in diagnosis.definitions]
    shown += [name for name in diagnosis.definitions if name.startswith("dormant")][-1:]
    fractions: Any = table[shown].div(table["units"], axis=0)
    mean = fractions.groupby(table["site"], sort=False).mean()
    figure = Figure(figsize=(11, 1.8 + 0.45 * len(mean)), layout="constrained")
    bars, heat = figure.subplots(1, 2, sharey=True)
    rows, height = np.arange(len(mean)), 0.8 / len(shown)
    for i, name in enumerate(shown):
        label = name.replace("_", " ")
        bars.barh(rows + (i + 0.5) * height - 0.4, mean[name], height, label=label)
    bars.set(xlim=(0, 1), xlabel="fraction of units", yticks=rows)
    bars.set_yticklabels(mean.index)
    figure.legend(fontsize="small", loc="outside lower left", ncols=len(shown))
    image = heat.imshow(
        _firing(diagnosis, list(mean.index)),
        aspect="auto",
        extent=(0, 1, len(mean) - 0.5, -0.5),
        cmap="magma_r",
        vmin=0,
    )
    heat.set(xlabel="fraction of observations on which a unit fires")
    figure.colorbar(image, ax=heat, label="fraction of units")
    seen = f"{diagnosis.examples:,} examples"
    figure.suptitle(f"{seen}, mean over seeds" if diagnosis.seeded else seen)
    return figure


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

    A line per seed, all seeds of a layer in one colour.
    """
    figure = Figure(figsize=(8, 8), layout="constrained")
    above, middle, below = figure.subplots(3, 1, sharex=True)
    table = monitor.table()
    for number, (name, layer) in enumerate(table.groupby("site", sort=False)):
        seeds = layer.groupby("seed") if "seed" in layer else [(0, layer)]
        for i, (_, rows) in enumerate(seeds):
            look: Any = {"color": f"C{number}", "label": name if i == 0 else None}
            share = lambda event, rows=rows: rows[event] / rows["units"]
            above.plot(rows["epoch"], share("dead"), "o-", **look)
            middle.plot(rows["epoch"], share("births"), "v-", **look)
            middle.plot(rows["epoch"], -share("revivals"), "^--", color=look["color"])
            below.plot(rows["epoch"], share("ever_dead"), "o-", **look)
    above.set(ylabel=f"fraction {monitor.definition.replace('_', ' ')}", ylim=(0, 1))
    above.legend(fontsize="small")
    middle.axhline(0, color="black", linewidth=0.5)
    middle.set(ylabel="born (up), revived (down)")
    below.set(xlabel="epoch", ylabel="fraction ever dead", ylim=(0, 1))
    return figure
