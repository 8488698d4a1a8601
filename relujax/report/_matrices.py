"""Figures made of cells: confusion matrices, dead units of deep networks, overviews."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from relujax.report._many import ROW
from relujax.report._style import (
    SOFT,
    WIDTH,
    Style,
    canvas,
    fitted,
    rows_height,
    wrapped,
)
from relujax.statistics import final, metric_of, only, short_labels, signed

TITLE = 22  # characters in a line of a panel's title
AIRY = 12  # rows of an overview that are two lines high; more of them, one


def confusion_matrices(frame: pd.DataFrame, look: Mapping[str, Style]) -> Figure:
    """The share of each true class given each label, over all seeds' test examples.

    The diagonal carries its number but no colour, so that the colour shows errors.
    """
    counts = _confusions(frame, look)
    classes = len(next(iter(counts.values())))
    share = {k: 100 * c / c.sum(axis=1, keepdims=True) for k, c in counts.items()}
    errors = {k: np.where(np.eye(classes), np.nan, s) for k, s in share.items()}
    # Without an error, the scale is that of one in a hundred: white.
    top = max(np.nanmax(e) for e in errors.values()) or 1.0
    columns = _columns(len(counts), (3, 4, 5) if classes <= 4 else (2, 3))
    rows = -(-len(counts) // columns)
    side = min((WIDTH - 1.1) / columns, 1.35 if classes <= 4 else 2.2)
    titles = max(len(wrapped(name, TITLE).split("\n")) for name in counts)
    figure = canvas(0.5 + rows * (side + 0.16 * titles), 1.1 + side * columns)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    image: Any = None
    for axes, name in zip(grid.flat, counts, strict=False):
        image = axes.imshow(errors[name], cmap="Oranges", vmin=0, vmax=top)
        axes.set_title(wrapped(name, TITLE), fontsize=8.5)
        _numbers(axes, share[name], top, classes)
        axes.set_xticks(range(classes))
        axes.set_yticks(range(classes))
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    for axes in grid.flat[len(counts) :]:
        axes.set_visible(False)
    for axes in grid.flat[max(0, len(counts) - columns) : len(counts)]:
        axes.tick_params(labelbottom=True)
    figure.supxlabel("predicted class", fontsize=9)
    figure.supylabel("true class", fontsize=9)
    _bar(figure, image, grid, "errors, % of the true class", shrink=0.7, aspect=30)
    return figure


def _columns(panels: int, allowed: Sequence[int]) -> int:
    # The fewest empty places, then the fewest rows.
    if panels <= max(allowed):
        return panels
    return min(allowed, key=lambda c: (-panels % c, -c))


def _confusions(frame: pd.DataFrame, look: Mapping[str, Style]) -> dict:
    rows = final(frame).dropna(subset="confusion")
    found = {}
    for name in look:
        flat = [
            np.asarray(c) for c in rows.loc[rows["activation"] == name, "confusion"]
        ]
        if flat:
            k = int(np.sqrt(flat[0].size))
            found[name] = np.sum(flat, axis=0).reshape(k, k)
    return found


def _numbers(axes: Axes, share: np.ndarray, top: float, classes: int) -> None:
    size = 8.5 if classes <= 4 else 5.2
    for (i, j), value in np.ndenumerate(share):
        if not np.isfinite(value) or (classes > 4 and i != j and value < 0.05):
            continue
        digits = 1 if classes <= 4 or i != j else 0
        color = SOFT if i == j else "white" if value > 0.6 * top else "black"
        axes.text(j, i, f"{value:.{digits}f}", ha="center", va="center", color=color,
                  fontsize=size)  # fmt: skip


def dead_heatmap(frame: pd.DataFrame, look: Mapping[str, Style]) -> Figure:
    """The mean fraction of dead units by activation and layer, for deep networks."""
    rows = final(frame)
    means = {}
    for name in look:
        own = [x for x in rows.loc[rows["activation"] == name, "dead"] if len(x)]
        if own:
            means[name] = 100 * np.mean(own, axis=0)
    table = np.array(list(means.values()))
    # Where nothing is dead, the scale is that of one in a hundred: white.
    top = table.max() or 1.0
    figure = canvas(0.75 + rows_height(means))
    axes = figure.subplots()
    image = axes.imshow(table, cmap=_from_white(), vmin=0, vmax=top, aspect="auto")
    if table.shape[1] <= 16:
        _annotate(axes, table, "{:.1f}".format, top * 0.6)
    layers = range(0, table.shape[1], max(1, table.shape[1] // 15))
    axes.set_xticks(layers, [str(i + 1) for i in layers])
    axes.set_yticks(range(len(means)), [wrapped(name) for name in means])
    axes.set_xlabel("hidden layer")
    _bare(axes)
    _bar(figure, image, axes, "dead units, %")
    return figure


def _from_white() -> LinearSegmentedColormap:
    """Orange that begins at white: matplotlib's own begins with a tint."""
    tints = colormaps["Oranges"](np.linspace(0.1, 1, 10))
    return LinearSegmentedColormap.from_list("oranges", ["white", *tints])


def overview(
    table: pd.DataFrame,
    tasks: Sequence[tuple[str, ...]],
    look: Mapping[str, Style],
    metric: str,
    baseline: str,
    alpha: float = 0.05,
) -> Figure:
    """The difference from the baseline, task by activation; bold where significant."""
    m = metric_of(metric)
    names = [n for n in look if n != baseline and n in set(table["activation"])]
    value, bold = np.full((2, len(tasks), len(names)), np.nan)
    for i, task in enumerate(tasks):
        rows = only(table, task).set_index("activation")
        for j, name in enumerate(names):
            if name in rows.index:
                value[i, j] = m.scale * rows.loc[name, "difference"]
                bold[i, j] = rows.loc[name, "p_holm"] <= alpha
    top = (np.nanmax(np.abs(value)) if np.isfinite(value).any() else 0.0) or 1.0
    rows = [wrapped(label, 36) for label in short_labels(tasks)]
    turned = max(map(len, names), default=0) > 60 // max(len(names), 1)
    heads = [wrapped(name, 48 if turned else 26) for name in names]
    top_room = 0.07 * max(map(len, heads), default=0) if turned else 0.4
    air = 2 if len(rows) <= AIRY else 1
    lines = sum(max(air, len(row.split("\n"))) for row in rows)
    figure = canvas(max(0.7 + ROW * lines, 2.2) + min(top_room, 3.2))
    axes = figure.subplots()
    better = value if m.higher_is_better else -value
    image = axes.imshow(better, cmap="PuOr_r", vmin=-top, vmax=top, aspect="auto")
    digits = m.digits if m.unit else 3
    _annotate(axes, value, lambda v: signed(v, digits), 0.6 * top, bold == 1)
    turn = {"rotation": 90, "fontsize": 7.5} if turned else {}
    axes.set_xticks(range(len(names)), heads, **turn)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(tasks)), rows)
    _bare(axes)
    points = f", {m.points}" if m.points else ""
    _bar(figure, image, axes, f"improvement on {baseline}{points}")
    return figure


def _annotate(
    axes: Axes,
    table: np.ndarray,
    form: Callable[[float], str],
    dark: float,
    bold: np.ndarray | None = None,
) -> None:
    for (i, j), value in np.ndenumerate(table):
        text = form(value) if np.isfinite(value) else "–"
        strong = bold is not None and bold[i, j]
        axes.text(j, i, text, ha="center", va="center", fontsize=7.5,
                  weight="bold" if strong else "normal",
                  color="white" if abs(value) > dark else "black")  # fmt: skip


def _bar(
    figure: Figure,
    image: Any,
    axes: Any,
    label: str,
    *,
    shrink: float = 1.0,
    **how: Any,
) -> None:
    """A colour bar, whose label is broken to lines that fit beside it."""
    bar = figure.colorbar(image, ax=axes, pad=0.02, shrink=shrink, **how)
    bar.set_label(fitted(label, 0.8 * shrink * figure.get_figheight()))
    bar.outline.set_visible(False)  # type: ignore[operator]


def _bare(axes: Axes) -> None:
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
