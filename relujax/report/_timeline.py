"""Dead units by epoch: how many there are, are born and revive, and who survives."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relujax.report._curves import band, epoch_axis, stagger
from relujax.report._style import INK, Style, canvas, wrapped
from relujax.statistics import diverged

COLUMNS = ("dead", "births", "revivals", "ever_dead")
PANELS_TO = 3  # layers with a column each; deeper networks are averaged


def by_layer(rows: pd.DataFrame) -> bool:
    """Whether dead units are told for each layer: a training of one's own may not."""
    return len(rows) > 0 and "dead" in rows and bool(rows["dead"].map(np.ndim).min())


def has_timeline(frame: pd.DataFrame) -> bool:
    """Whether the results tell births and revivals of at least one epoch."""
    if not set(COLUMNS) <= set(frame) or frame["epoch"].nunique() < 2:
        return False
    rows = _rows(frame)
    return by_layer(rows) and rows["dead"].map(len).min() > 0


def timeline(frame: pd.DataFrame, look: Mapping[str, Style]) -> Figure:
    """Fractions of units by epoch on the training split, a column for each layer."""
    rows = _rows(frame)
    layers = int(rows["dead"].map(len).max())
    shown = range(layers) if layers <= PANELS_TO else [None]
    legend = 0.24 * -(-len(look) // 3)
    figure = canvas(5.6 + legend)
    grid = figure.subplots(3, len(shown), sharex=True, sharey="row", squeeze=False)
    for column, layer in zip(grid.T, shown, strict=True):
        mean = f"mean over {layers} layers"
        column[0].set_title(mean if layer is None else f"hidden layer {layer + 1}")
        for i, (name, style) in enumerate(look.items()):
            own = rows[rows["activation"] == name]
            tables = {c: _table(own, c, layer) for c in COLUMNS}
            if tables["dead"].empty:
                continue
            _draw(column, tables, style, name, stagger(tables["dead"], i, len(look)))
        column[1].axhline(0, color=INK, lw=0.6)
        epoch_axis(column[2])
    for axes, label in zip(grid[:, 0], _LABELS, strict=True):
        axes.set_ylabel(label)
    for axes in grid.flat:
        axes.grid(axis="y")
    for axes in (*grid[0], *grid[2]):
        axes.set_ylim(bottom=0)
    handles, names = grid[0, 0].get_legend_handles_labels()
    names = [wrapped(name, 30) for name in names]
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure


_LABELS = (
    "dead units, %",
    "born (up), revived\n(down), % an epoch",
    "ever dead, %",
)


def _draw(
    column: Sequence[Axes],
    tables: Mapping[str, pd.DataFrame],
    style: Style,
    name: str,
    marks: tuple[int, int],
) -> None:
    share = lambda axes, part, label="": band(
        axes, tables[part], style, label, marks, alpha=0.12, bounds=(0, 100)
    )
    share(column[0], "dead", name)
    share(column[2], "ever_dead")
    # Those dead from the start were not born during training. Bands of what is mostly
    # zero would hide it.
    for flow in (tables["births"], -tables["revivals"]):
        band(column[1], flow.drop(columns=0), style, "", marks, alpha=0)


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The training rows of good seeds that have every column."""
    rows = frame[~diverged(frame) & (frame["split"] == "train")]
    return rows.dropna(subset=list(COLUMNS))


def _table(rows: pd.DataFrame, column: str, layer: int | None) -> pd.DataFrame:
    """Percentages `[seeds, epochs]` of one layer, or of the mean over layers."""
    pick = lambda x: np.mean(x) if layer is None else x[layer]
    values = rows.assign(value=rows[column].map(lambda x: 100 * float(pick(x))))
    return values.pivot(index="seed", columns="epoch", values="value").dropna(axis=0)
