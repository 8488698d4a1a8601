"""Which figures a report has, and their captions."""

from collections.abc import Mapping

import pandas as pd

from relujax.analysis import METRICS, primary_metric
from relujax.analysis._results import final, gap_metric, only, task_label, tasks
from relujax.report._curves import loss_curves, signal_paths
from relujax.report._matrices import confusion_matrices, dead_heatmap, overview
from relujax.report._strips import (
    difference_strip,
    layer_strip,
    score_strip,
    seeds_phrase,
)
from relujax.report._style import Plate, Style, drawing, slug

INTERVAL = "95 % confidence interval"
STRIPS_TO = 3  # hidden layers drawn seed by seed; deeper networks get a heat map


def overview_plate(
    frame: pd.DataFrame, table: pd.DataFrame, look: Mapping[str, Style], baseline: str
) -> Plate:
    """All tasks in one figure; `table` holds the comparisons."""
    metric = primary_metric(frame)
    caption = (
        f"Each number is the mean difference in test {METRICS[metric].label} from "
        f"{baseline}, paired by seed; orange is better, violet worse. Bold: p ≤ 0.05 "
        f"after Holm’s correction over the whole figure. {_n(frame, look)}"
    )
    with drawing():
        figure = overview(table, tasks(frame), look, metric, baseline)
    return Plate("overview", f"Every task against {baseline}", caption, figure)


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
    n = _n(rows, look)
    metric = primary_metric(frame)
    label = METRICS[metric].label
    one = rows["seed"].nunique() == 1
    marks = (
        "One seed, so no interval." if one
        else f"Small marks: one per seed. Circle and bar: mean and {INTERVAL}."
    )  # fmt: skip
    band = "" if one else f" Band: {INTERVAL} of the mean, epoch by epoch."
    prefix = f"{slug(task_label(task, every))}-" if len(every) > 1 else ""
    plates = []

    def add(name, title, caption, figure):
        plates.append(Plate(f"{prefix}{name}", title, f"{caption} {n}", figure))

    with drawing():
        add(metric, f"Test {label} per activation",
            f"{marks} Dashed line: mean of {baseline}.",
            score_strip(rows, metric, look, baseline))  # fmt: skip
        if len(compared):
            add("differences", f"Test {label} against {baseline}, within seeds",
                f"{marks} The corrected p-values are Holm’s over all comparisons of "
                "the report.",
                difference_strip(compared, rows, metric, look, baseline))  # fmt: skip
        if rows["epoch"].nunique() > 1 and rows["loss"].notna().any():
            add("loss", "Loss by epoch",
                f"Line: mean over seeds, in evaluation mode; epoch 0 is before "
                f"training.{band}",
                loss_curves(rows, look))  # fmt: skip
        meaning = (
            "Test error minus training error" if metric == "mse"
            else "Training accuracy minus test accuracy, in percentage points"
        )  # fmt: skip
        add("gap", "Generalisation gap", f"{meaning}; smaller is better. {marks}",
            score_strip(rows, gap_metric(rows), look, baseline))  # fmt: skip
        last = final(rows)
        if last["confusion"].notna().any():
            add("confusion", "Confusion matrices on the test split",
                "Rows sum to 100 %, counted over all seeds; colour marks errors only, "
                "so the diagonal (recall) is left white.",
                confusion_matrices(rows, look))  # fmt: skip
        layers = last["dead"].map(len).max() if len(last) else 0
        if layers:
            dead = "A unit is dead when it is positive for no example of the test split"
            if layers <= STRIPS_TO:
                add("dead", "Dead units by layer", f"{dead}. {marks}",
                    layer_strip(rows, look))  # fmt: skip
            else:
                add("dead", "Dead units by layer",
                    f"{dead}; numbers are means over seeds.",
                    dead_heatmap(rows, look))  # fmt: skip
        if rows["signal"].notna().any():
            add("signal", "Slope fed back from the training loss",
                "Thin lines: one per seed. Thick line: mean. The slope in force "
                "during each epoch.", signal_paths(rows, look))  # fmt: skip
    return plates


def _n(rows: pd.DataFrame, look: Mapping[str, Style]) -> str:
    flags = rows.groupby(["cell", "seed"])["diverged"].any()
    lost = f"; {int(flags.sum())} diverged and left out" if flags.any() else ""
    return f"{seeds_phrase(rows, list(look))}{lost}."
