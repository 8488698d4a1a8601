"""Reading the long-form results: metrics, tasks, one number per trained network."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from relujax import errors, specs
from relujax.errors import InputError

TASK = ["data", "model", "optimizer"]
UNIT = [*TASK, "activation"]

# Column to one wanted value, or to several.
Where = Mapping[str, str | Sequence[str]]


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


METRICS: Mapping[str, Metric] = {
    "accuracy": _percent("accuracy"),
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


def metric_of(name: str) -> Metric:
    """The entry of METRICS, or an error that names the nearest ones."""
    if name not in METRICS:
        raise errors.unknown("metric", name, METRICS)
    return METRICS[name]


def metric_name(metric: str, split: str) -> str:
    """The metric in a sentence, with the split that it is read on.

    >>> metric_name("accuracy", "test"), metric_name("gap", "test")
    ('test accuracy', 'generalisation gap')
    """
    label = metric_of(metric).label
    words = {"test": "test", "train": "training"}
    return label if metric.endswith("gap") else f"{words[split]} {label}"


def is_regression(frame: pd.DataFrame) -> bool:
    """Whether no row has an accuracy."""
    return "accuracy" not in frame or bool(frame["accuracy"].isna().all())


def by_kind(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of the classification tasks and those of regression, where there are.

    They have no metric in common but the loss, and are compared by themselves.
    """
    if "accuracy" not in frame or "mse" not in frame:
        return [frame]
    classified = frame["accuracy"].notna().groupby(frame["cell"]).transform("any")
    parts = [frame[classified], frame[~classified]]
    return [part for part in parts if len(part)]


def primary_metric(frame: pd.DataFrame) -> str:
    """The metric that the report leads with."""
    return "mse" if is_regression(frame) else "accuracy"


def gap_metric(frame: pd.DataFrame) -> str:
    """The generalisation gap that the frame has."""
    return "mse_gap" if is_regression(frame) else "gap"


def final(frame: pd.DataFrame, split: str = "test") -> pd.DataFrame:
    """The rows at each cell's last epoch, of seeds that did not diverge.

    Raises:
      InputError: two cells share data, model, optimizer and activation.
    """
    cells = frame[[*UNIT, "cell"]].drop_duplicates()
    twice = cells[cells.duplicated(UNIT)]
    if len(twice):
        raise InputError(
            "Expected one cell per data, model, optimizer and activation, got two for "
            f"{', '.join(map(str, twice.iloc[0][UNIT]))}: report them separately."
        )
    last = frame.groupby("cell")["epoch"].transform("max")
    rows = (frame["epoch"] == last) & (frame["split"] == split)
    return frame[rows & ~diverged(frame)]


def diverged(frame: pd.DataFrame) -> pd.Series:
    """For each row, whether its network diverged at any epoch."""
    flag = frame["diverged"].astype(bool)
    return flag.groupby([frame["cell"], frame["seed"]]).transform("any")


def scores(frame: pd.DataFrame, metric: str, split: str = "test") -> pd.Series:
    """One number per trained network at the end of training.

    Args:
      frame: long-form results.
      metric: a name in METRICS. `dead` is the mean over hidden layers of the fraction
        of units that are never positive, and `small_0.01` of units whose output stays
        smaller than 0.01 on every example (likewise 0.001 and 1e-05); `gap` is accuracy
        on the training split minus that on the test split, `mse_gap` test error minus
        training error.
        `mean_loss` is the mean loss over all epochs from the first: less is faster.
      split: which split to read; a gap takes both.

    Returns:
      A series indexed by data, model, optimizer, activation and seed; seeds that
      diverged, and undefined values, are left out.
    """
    metric_of(metric)
    index = [*UNIT, "seed"]
    if metric == "gap":
        gap = scores(frame, "accuracy", "train") - scores(frame, "accuracy")
        return gap.dropna().rename(metric)
    if metric == "mse_gap":
        gap = scores(frame, "mse") - scores(frame, "mse", "train")
        return gap.dropna().rename(metric)
    if metric == "mean_loss":
        rows = frame[~diverged(frame) & (frame["split"] == split)]
        rows = rows[rows["epoch"] > 0].dropna(subset="loss")
        return rows.groupby(index, sort=False)["loss"].mean().rename(metric)
    rows = final(frame, split).set_index(index)
    if metric not in rows:
        return pd.Series(dtype=float, index=rows.index[:0], name=metric)
    values = rows[metric]
    if metric == "dead" or metric.startswith("small_"):
        values = values.map(lambda layers: np.mean(layers) if len(layers) else np.nan)
    return values.astype(float).dropna()


def tasks(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """The (data, model, optimizer) triples, in order of appearance."""
    return list(frame[TASK].drop_duplicates().itertuples(index=False, name=None))


def only(frame: pd.DataFrame, task: Sequence[str]) -> pd.DataFrame:
    """The rows of one task."""
    return frame[(frame[TASK] == list(task)).all(axis=1)]


def task_label(task: Sequence[str], among: Sequence[Sequence[str]]) -> str:
    """What tells a task from the others, or its data set if it is the only one.

    >>> task_label(("wdbc", "mlp", "adam"), [("wdbc", "mlp", "adam")])
    'wdbc'
    >>> both = [("wdbc", "mlp", "adam"), ("wdbc", "cnn", "adam")]
    >>> task_label(both[1], both)
    'wdbc · cnn'
    """
    varies = [i for i in range(1, len(task)) if len({t[i] for t in among}) > 1]
    return " · ".join(list(task)[i] for i in [0, *varies])


def short_labels(every: Sequence[Sequence[str]]) -> list[str]:
    """What tells each task from the others, in the fewest words.

    A parameter is named only if it tells tasks apart that those before it do not.

    >>> mlp = "deep_mlp(width=8, depth={}, inputs={})".format
    >>> short_labels(
    ...     [("linear(d=1)", mlp(3, 1), "adam"), ("linear(d=2)", mlp(3, 2), "adam")]
    ... )
    ['d=1', 'd=2']
    """
    parts = [[_parts(spec) for spec in task] for task in every]
    words = [[""] * len(every)]
    for position in range(len(parts[0])):
        columns = [task[position] for task in parts]
        for key in dict.fromkeys(key for column in columns for key in column):
            more = [column.get(key, "") for column in columns]
            known = set(zip(*words, strict=True))
            if len(set(zip(*words, more, strict=True))) > len(known):
                words.append(more)
    labels = [", ".join(filter(None, row)) for row in zip(*words, strict=True)]
    return [
        label or task_label(task, every)
        for label, task in zip(labels, every, strict=True)
    ]


def _parts(spec: str) -> dict[str, str]:
    """Name and parameters of a spec, as they are printed."""
    try:
        name, values = specs.parse(spec)
    except InputError:
        return {"": spec}  # A user's own network, under any name.
    shown = {k: v if isinstance(v, str) else f"{k}={v}" for k, v in values.items()}
    return {"": name} | shown


def _name(spec: str) -> str:
    return spec.partition("(")[0]


def select(frame: pd.DataFrame, where: Where) -> pd.DataFrame:
    """The rows whose specs match: a whole spec string, or its name alone.

    Of several names, those count that the results have.

    Raises:
      InputError: no value matches any row.
    """
    for column, wanted in where.items():
        names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        match = [s for s in frame[column].unique() if {s, _name(s)} & {*names}]
        if not match:
            kind = {"data": "data set"}.get(column, column)
            raise errors.unknown(kind, names[0], frame[column].unique())
        frame = frame[frame[column].isin(match)]
    return frame


def resolve(activation: str, frame: pd.DataFrame) -> str:
    """The full spec in `frame` that `activation` names: itself, or the only match.

    Raises:
      InputError: none matches, or several do.
    """
    known = list(frame["activation"].unique())
    if activation in known:
        return activation
    match = [s for s in known if _name(s) == activation]
    if not match:
        raise errors.unknown("activation", activation, known)
    if len(match) > 1:
        raise InputError(
            f"Expected one activation for {activation!r}, got {', '.join(match)}: "
            "write the whole spec."
        )
    return match[0]


def differences(
    frame: pd.DataFrame, metric: str, a: str, b: str, split: str = "test"
) -> np.ndarray:
    """The improvement of activation `a` on `b` in each seed, averaged over tasks.

    Positive where `a` is better, whichever way the metric points. Only seeds that
    trained to the end with both activations on every task count; averaging over tasks
    first keeps seeds the independent units.
    """
    wide = scores(frame, metric, split).unstack("activation")
    a, b = resolve(a, frame), resolve(b, frame)
    sign = 1.0 if metric_of(metric).higher_is_better else -1.0
    improvement = sign * (wide.get(a, np.nan) - wide.get(b, np.nan))
    if not isinstance(improvement, pd.Series):
        return np.empty(0)
    by_seed = improvement.unstack("seed").dropna(how="all").dropna(axis=1)
    return by_seed.mean(axis=0).to_numpy()
