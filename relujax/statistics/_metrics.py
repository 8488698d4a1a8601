"""The one registry of metrics: how a column is named, printed and read."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from relujax import errors
from relujax.errors import InputError


class Metric(NamedTuple):
    """How a column is named, scaled and read.

    Attributes:
      label: its name in a sentence.
      unit: the unit of a value, as printed after it.
      points: the unit of a difference.
      scale: from the stored number to the printed one.
      higher_is_better: the direction of an improvement.
      digits: decimals printed.
      bounds: the least and the largest stored value there can be.
    """

    label: str
    unit: str = ""
    points: str = ""
    scale: float = 1.0
    higher_is_better: bool = True
    digits: int = 4
    bounds: tuple[float, float] = (-np.inf, np.inf)

    def show(self, value: float, *, sign: bool = False) -> str:
        """The printed number, without its unit; a dash for NaN."""
        if not np.isfinite(value):
            return "–"
        text = signed(value * self.scale, self.digits)
        return text if sign else text.lstrip("+")


def signed(value: float, digits: int) -> str:
    """A number with its sign, a real minus, and no sign on zero.

    >>> signed(1.234, 1), signed(-1.234, 1), signed(-0.001, 1)
    ('+1.2', '−1.2', '0.0')
    """
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def _percent(label: str, *, higher_is_better: bool = True) -> Metric:
    return Metric(label, "%", "percentage points", 100.0, higher_is_better, 2, (0, 1))


def _error(label: str) -> Metric:
    return Metric(label, higher_is_better=False, bounds=(0, np.inf))


METRICS: dict[str, Metric] = {
    "accuracy": _percent("accuracy"),
    "error_rate": _percent("misclassification rate", higher_is_better=False),
    "precision_macro": _percent("macro precision"),
    "recall_macro": _percent("macro recall"),
    "f1_macro": _percent("macro F1"),
    "precision_weighted": _percent("weighted precision"),
    "recall_weighted": _percent("weighted recall"),
    "f1_weighted": _percent("weighted F1"),
    "loss": _error("loss"),
    "mean_loss": _error("loss averaged over the epochs"),
    "running_loss": _error("running loss"),
    "mse": _error("mean squared error"),
    "r2": Metric("R²", digits=3),
    "dead": _percent("dead units", higher_is_better=False),
    **{
        f"small_{e}": _percent(f"units below {e}", higher_is_better=False)
        for e in ("0.01", "0.001", "1e-05")
    },
    "gap": _percent("generalisation gap", higher_is_better=False)._replace(
        unit="percentage points", bounds=(-1, 1)
    ),
    "mse_gap": Metric("generalisation gap", higher_is_better=False),
}


#: The names of the library's own.
SHIPPED = frozenset(METRICS)

# What `relujax.training` measures on request; each is a column where it was asked for.
METRICS |= {
    "auroc": Metric("AUROC", bounds=(0, 1)),
    "average_precision": Metric("average precision", bounds=(0, 1)),
    "balanced_accuracy": _percent("balanced accuracy"),
    "matthews": Metric("Matthews correlation", bounds=(-1, 1)),
    "brier": Metric("Brier score", higher_is_better=False, bounds=(0, 2)),
    "ece(bins=15)": Metric("calibration error", higher_is_better=False, bounds=(0, 1)),
    "top_k(k=5)": _percent("top-5 accuracy"),
    "mae": _error("mean absolute error"),
}


def add_metric(
    name: str,
    *,
    label: str | None = None,
    higher_is_better: bool = True,
    unit: str = "",
    points: str | None = None,
    scale: float = 1.0,
    digits: int = 4,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Metric:
    """Say how a metric column of yours is named, printed and read, in this process.

    A numeric column of the results needs no registration: its name is its label, and
    more of it is better.

    >>> add_metric("fid", label="Fréchet distance", higher_is_better=False).label
    'Fréchet distance'

    Args:
      name: the column.
      label: its name in a sentence; by default `name`.
      higher_is_better: the direction of an improvement.
      unit: the unit of a value, as printed after it.
      points: the unit of a difference; by default `unit`.
      scale: from the stored number to the printed one.
      digits: decimals printed.
      bounds: the least and the largest stored value there can be.

    Raises:
      InputError: another meaning of `name` is registered.
    """
    points = unit if points is None else points
    metric = Metric(
        label or name, unit, points, scale, higher_is_better, digits, bounds
    )
    if name not in _ASSUMED and METRICS.get(name, metric) != metric:
        raise InputError(
            f"Expected a new name for a metric, got {name!r}, which is "
            f"{METRICS[name].label!r}: name the column otherwise."
        )
    METRICS[name] = metric
    _ASSUMED.discard(name)
    return metric


# Metrics that only results have described: the next results may say otherwise.
_ASSUMED: set[str] = set()


def assume_metric(name: str, *, higher_is_better: bool) -> None:
    """Take a metric as results have it, unless the library or `add_metric` knows it."""
    if name in METRICS and name not in _ASSUMED:
        return
    METRICS[name] = Metric(name, higher_is_better=higher_is_better)
    _ASSUMED.add(name)


def metric_of(name: str, frame: pd.DataFrame | None = None) -> Metric:
    """What is known of a metric: its entry, or that of a numeric column of `frame`.

    >>> metric_of("reward", pd.DataFrame({"reward": [0.5]}))[:4]
    ('reward', '', '', 1.0)

    Raises:
      InputError: neither the registry nor the frame has it; the nearest are named.
    """
    if name in METRICS:
        return METRICS[name]
    columns = [] if frame is None else list(frame.select_dtypes("number"))
    if name not in columns:
        own = [column for column in columns if column not in NOT_METRICS]
        raise errors.unknown("metric", name, {*METRICS, *own})
    return Metric(name)


# Numeric columns of the results that say which network a row is of.
NOT_METRICS = ("seed", "epoch", "best_epoch", "diverged_step", "signal", "point")


def metric_name(metric: str, split: str, frame: pd.DataFrame | None = None) -> str:
    """The metric in a sentence, with the split that it is read on.

    >>> metric_name("accuracy", "test"), metric_name("gap", "test")
    ('test accuracy', 'generalisation gap')
    """
    label = metric_of(metric, frame).label
    words = {"train": "training"}
    return label if metric.endswith("gap") else f"{words.get(split, split)} {label}"
