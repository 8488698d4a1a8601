"""Which figures a report has, and their captions."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from relujax.report._curves import loss_curves, signal_paths
from relujax.report._many import is_ratio, seeds_strip
from relujax.report._matrices import confusion_matrices, dead_heatmap, overview
from relujax.report._strips import (
    difference_strip,
    layer_strip,
    score_strip,
    seeds_phrase,
)
from relujax.report._style import Plate, Style, drawing, slug, styles
from relujax.report._timeline import by_layer, has_timeline, timeline
from relujax.statistics import (
    final,
    gap_metric,
    metric_of,
    only,
    own_metrics,
    primary_metric,
    task_label,
    tasks,
)

INTERVAL = "95 % confidence interval"
GAPS = {
    "gap": "Training accuracy minus test accuracy, in percentage points",
    "mse_gap": "Test error minus training error",
}
STRIPS_TO = 3  # hidden layers drawn seed by seed; deeper networks get a heat map


def overview_plate(
    frame: pd.DataFrame, table: pd.DataFrame, look: Mapping[str, Style], baseline: str
) -> Plate:
    """All tasks in one figure; `table` holds the comparisons."""
    metric = primary_metric(frame)
    label = metric_of(metric, frame).label
    caption = (
        f"Each number is the mean difference in test {label} from "
        f"{baseline}, paired by seed; orange is better, violet worse. Bold: p ≤ 0.05 "
        f"after Holm’s correction over the whole figure. {_n(frame, look)}"
    )
    with drawing():
        figure = overview(table, tasks(frame), look, metric, baseline)
    name = "overview-regression" if metric == "mse" else "overview"
    return Plate(name, f"Every task against {baseline}", caption, figure)


def seeds_plate(frame: pd.DataFrame, look: Mapping[str, Style], baseline: str) -> Plate:
    """Every seed of every task, where these are too many for figures of their own."""
    metric = primary_metric(frame)
    label = metric_of(metric, frame).label
    way = "divided by" if is_ratio(metric) else "minus"
    side = "right" if metric_of(metric, frame).higher_is_better else "left"
    caption = (
        f"A mark for each seed: its test {label} {way} that of {baseline} with the "
        f"same seed. Better to the {side}. {_n(frame, look)}"
    )
    with drawing():
        figure = seeds_strip(frame, metric, look, baseline)
    name = "seeds-regression" if metric == "mse" else "seeds"
    return Plate(name, f"Every seed against {baseline}", caption, figure)


def score_figure(frame: pd.DataFrame, metric: str, baseline: str) -> Figure:
    """A metric at the end of training: every seed, mean and interval by activation."""
    look = styles(list(frame["activation"].unique()), baseline)
    with drawing():
        return score_strip(frame, metric, look, baseline)


def confusion_figure(frame: pd.DataFrame, baseline: str) -> Figure:
    """The confusion matrices of one task, a panel for each activation."""
    look = styles(list(frame["activation"].unique()), baseline)
    with drawing():
        return confusion_matrices(frame, look)


class Sketch(NamedTuple):
    """A figure that is drawn where `wanted`."""

    wanted: bool
    name: str
    title: str
    caption: str
    draw: Callable[[], Figure]


def task_plates(
    frame: pd.DataFrame,
    table: pd.DataFrame,
    task: tuple[str, ...],
    look: Mapping[str, Style],
    baseline: str,
) -> list[Plate]:
    """The figures of one task, from the rows of the whole frame."""
    every = tasks(frame)
    rows, compared = only(frame, task), only(table, task)
    here = set(rows["activation"])
    look = {name: style for name, style in look.items() if name in here}
    prefix = f"{slug(task_label(task, every))}-" if len(every) > 1 else ""
    with drawing():
        return [
            Plate(
                f"{prefix}{sketch.name}",
                sketch.title,
                f"{sketch.caption} {_n(rows, look)}",
                sketch.draw(),
            )
            for sketch in _sketches(rows, compared[compared["n"] > 0], look, baseline)
            if sketch.wanted
        ]


def _sketches(
    rows: pd.DataFrame,
    compared: pd.DataFrame,
    look: Mapping[str, Style],
    baseline: str,
) -> list[Sketch]:
    one = rows["seed"].nunique() == 1
    marks = f"Small marks: one per seed. Circle and bar: mean and {INTERVAL}."
    marks = "One seed, so no interval." if one else marks
    band = "" if one else f" Band: {INTERVAL} of the mean, epoch by epoch."
    scores = _score_sketches(rows, compared, look, baseline, marks, band)
    return scores + _unit_sketches(rows, look, marks, band)


def _score_sketches(
    rows: pd.DataFrame,
    compared: pd.DataFrame,
    look: Mapping[str, Style],
    baseline: str,
    marks: str,
    band: str,
) -> list[Sketch]:
    """How well the networks do."""
    metric, gap = primary_metric(rows), gap_metric(rows)
    label, last = metric_of(metric, rows).label, final(rows)
    shown = dict.fromkeys([metric, *own_metrics(rows)])
    has_loss = "loss" in rows and {"train", "test"} <= set(rows["split"])
    # Student's intervals of few seeds may reach below zero.
    cut = " On a log scale it ends at the lowest seed." if band else ""
    return [
        *(
            Sketch(
                not last.empty,
                slug(name),
                f"Test {metric_of(name, rows).label} per activation",
                f"{marks} Dashed line: mean of {baseline}.",
                lambda name=name: score_strip(rows, name, look, baseline),
            )
            for name in shown
        ),
        Sketch(
            not compared.empty,
            "differences",
            f"Test {label} against {baseline}, within seeds",
            f"{marks} p-values are Holm’s, over all comparisons of the report.",
            lambda: difference_strip(compared, rows, metric, look, baseline),
        ),
        Sketch(
            has_loss and not last.empty and rows["epoch"].nunique() > 1,
            "loss",
            "Loss by epoch",
            "Line: mean over seeds, in evaluation mode; epoch 0 is before "
            f"training.{band}{cut}",
            lambda: loss_curves(rows, look),
        ),
        Sketch(
            has_loss and not last.empty,
            "gap",
            "Generalisation gap",
            f"{GAPS[gap]}; smaller is better. {marks}",
            lambda: score_strip(rows, gap, look, baseline),
        ),
        Sketch(
            "confusion" in last and last["confusion"].notna().any(),
            "confusion",
            "Confusion matrices on the test split",
            "Rows sum to 100 %, counted over all seeds; colour marks errors only, "
            "so the diagonal (recall) is left white.",
            lambda: confusion_matrices(rows, look),
        ),
    ]


def _unit_sketches(
    rows: pd.DataFrame, look: Mapping[str, Style], marks: str, band: str
) -> list[Sketch]:
    """What the units do."""
    last = final(rows)
    layers = last["dead"].map(len).max() if by_layer(last) else 0
    bare = " Births and revivals have none." if band else ""
    dead = "A unit is dead when it is positive for no example of the test split"
    return [
        Sketch(
            0 < layers <= STRIPS_TO,
            "dead",
            "Dead units by layer",
            f"{dead}. {marks}",
            lambda: layer_strip(rows, look),
        ),
        Sketch(
            layers > STRIPS_TO,
            "dead",
            "Dead units by layer",
            f"{dead}; numbers are means over seeds.",
            lambda: dead_heatmap(rows, look),
        ),
        Sketch(
            has_timeline(rows),
            "timeline",
            "Dead units by epoch",
            "Mean over seeds, on the training split. Births are dead but were not an "
            "epoch before, revivals the reverse; epoch 0 is before training. Units "
            f"that were ever dead include those that revived.{band}{bare}",
            lambda: timeline(rows, look),
        ),
        Sketch(
            "signal" in last and last["signal"].notna().any(),
            "signal",
            "Slope fed back from the training loss",
            "Thin lines: one per seed. Thick line: mean. The slope in force during "
            "each epoch.",
            lambda: signal_paths(rows, look),
        ),
    ]


def _n(rows: pd.DataFrame, look: Mapping[str, Style]) -> str:
    flags = rows.groupby(["cell", "seed"])["diverged"].any()
    lost = f"; {int(flags.sum())} diverged and left out" if flags.any() else ""
    return f"{seeds_phrase(rows, list(look))}{lost}."
