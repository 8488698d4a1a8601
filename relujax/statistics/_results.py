"""Reading the long-form results: tasks, one number per trained network."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from relujax import errors, specs
from relujax.errors import InputError
from relujax.statistics._metrics import METRICS, NOT_METRICS, SHIPPED, assume_metric
from relujax.statistics._metrics import Metric as Metric
from relujax.statistics._metrics import metric_name as metric_name
from relujax.statistics._metrics import metric_of as metric_of
from relujax.statistics._metrics import signed as signed
from relujax.statistics._select import resolve

TASK = ["data", "model", "optimizer"]
UNIT = [*TASK, "activation"]


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
    """The metric that the report leads with.

    The one that the results name (`frame.attrs["metric"]`); else accuracy, the mean
    squared error, or the first metric of the user's.
    """
    chosen = frame.attrs.get("metric")
    if chosen is not None and _has(frame, chosen):
        return chosen
    if not is_regression(frame):
        return "accuracy"
    own = own_metrics(frame)
    return own[0] if own and "mse" not in frame else "mse"


def _has(frame: pd.DataFrame, metric: str) -> bool:
    """Whether a metric can be read: what results name may be of their other part."""
    if metric in frame:
        return bool(frame[metric].notna().any())
    return metric in METRICS


def gap_metric(frame: pd.DataFrame) -> str:
    """The generalisation gap that the frame has."""
    return "mse_gap" if is_regression(frame) else "gap"


def own_metrics(frame: pd.DataFrame) -> list[str]:
    """The columns of metrics that are not the library's.

    >>> own_metrics(pd.DataFrame({"seed": [0], "loss": [0.1], "auroc": [0.9]}))
    ['auroc']
    """
    parts = ("activation.", "model.", "optimizer.", "objective.", "training.")
    return [
        name
        for name in frame.select_dtypes("number")
        if name not in SHIPPED
        and name not in NOT_METRICS
        and not name.startswith((*parts, "small_"))
    ]


def know_metrics(frame: pd.DataFrame) -> None:
    """Take the user's metrics in a frame as its `attrs["directions"]` have them.

    Tables and figures of parts of the frame then find them by name. More is better of
    one that is not there; what `add_metric` was told wins.
    """
    directions = frame.attrs.get("directions", {})
    for name in own_metrics(frame):
        assume_metric(name, higher_is_better=directions.get(name, True))


def final(frame: pd.DataFrame, split: str = "test") -> pd.DataFrame:
    """The rows at the end of each network's training, of seeds that did not diverge.

    The end is the `best_epoch` that the network's last row names, chosen on the
    validation part; where there is none, its last epoch. Networks may stop at different
    epochs.

    Raises:
      InputError: two cells share data, model, optimizer and activation, or the results
        of a best epoch are not stored.
    """
    cells = frame[[*UNIT, "cell"]].drop_duplicates()
    twice = cells[cells.duplicated(UNIT)]
    if len(twice):
        raise InputError(
            "Expected one cell per data, model, optimizer and activation, got two for "
            f"{', '.join(map(str, twice.iloc[0][UNIT]))}: report them separately."
        )
    rows = (frame["epoch"] == end_of_training(frame)) & (frame["split"] == split)
    return frame[rows & ~diverged(frame)]


def end_of_training(frame: pd.DataFrame) -> pd.Series:
    """For each row, the epoch that its network's results are read at."""
    network = [frame["cell"], frame["seed"]]
    last = frame.groupby(network)["epoch"].transform("max")
    if "best_epoch" not in frame:
        return last
    named = frame["best_epoch"].where(frame["epoch"] == last)
    best = named.groupby(network).transform("max")
    stored = (frame["epoch"] == best).groupby(network).transform("any")
    lost = best.notna() & ~stored
    if lost.any():
        row = frame[lost].iloc[0]
        raise InputError(
            f"Expected the results of epoch {best[lost].iloc[0]:g}, the best of "
            f"{row['cell']}, seed {row['seed']}; its stored epochs end at "
            f"{last[lost].iloc[0]:g} and leave it out."
        )
    return best.fillna(last)


def diverged(frame: pd.DataFrame) -> pd.Series:
    """For each row, whether its network diverged at any epoch."""
    flag = frame["diverged"].astype(bool)
    return flag.groupby([frame["cell"], frame["seed"]]).transform("any")


def scores(frame: pd.DataFrame, metric: str, split: str = "test") -> pd.Series:
    """One number per trained network at the end of training.

    Args:
      frame: long-form results.
      metric: a name in METRICS, or a numeric column of your own. `dead` is the mean
        over hidden layers of the fraction of units that are never positive, and
        `small_0.01` of units whose output stays smaller than 0.01 on every example
        (likewise 0.001 and 1e-05); `gap` is accuracy on the training split minus that
        on the test split, `mse_gap` test error minus training error.
        `error_rate` is 1 minus accuracy.
        `mean_loss` is the mean loss over all epochs from the first: less is faster.
      split: which split to read; a gap takes both.

    Returns:
      A series indexed by data, model, optimizer, activation and seed. Seeds that
      diverged are left out, and so is a cell without any value. A single value that is
      not a number stays: what is computed from it is no number either.
    """
    metric_of(metric, frame)
    index = [*UNIT, "seed"]
    if metric == "gap":
        return _minus(scores(frame, "accuracy", "train"), scores(frame, "accuracy"))
    if metric == "error_rate":
        return (1 - scores(frame, "accuracy", split)).rename(metric)
    if metric == "mse_gap":
        return _minus(scores(frame, "mse"), scores(frame, "mse", "train"), metric)
    if metric == "mean_loss":
        rows = frame[~diverged(frame) & (frame["split"] == split)]
        rows = rows[rows["epoch"] > 0].dropna(subset="loss")
        return rows.groupby(index, sort=False)["loss"].mean().rename(metric)
    rows = final(frame, split).set_index(index)
    if metric not in rows:
        return pd.Series(dtype=float, index=rows.index[:0], name=metric)
    values = rows[metric]
    if metric == "dead" or metric.startswith("small_"):
        values = values.map(
            lambda layers: np.mean(layers) if np.size(layers) else np.nan
        )
    if len(values) and values.dtype == object:
        raise InputError(
            f"Expected one number for each network as {metric!r}, got "
            f"{errors.short(values.iloc[0])}: name another metric."
        )
    return _defined(values.astype(float))


def _minus(a: pd.Series, b: pd.Series, name: str = "gap") -> pd.Series:
    """The difference of two scores of the networks that have both."""
    a, b = a.align(b, join="inner")
    return (a - b).rename(name)


def _defined(values: pd.Series) -> pd.Series:
    """The values of the cells that have any."""
    known = values.notna()
    if known.all():
        return values
    return values[known.groupby(level=UNIT).transform("any")]


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


def differences(
    frame: pd.DataFrame, metric: str, a: str, b: str, split: str = "test"
) -> np.ndarray:
    """`improvements` without the seeds that they are of."""
    return improvements(frame, metric, a, b, split).to_numpy()


def improvements(
    frame: pd.DataFrame, metric: str, a: str, b: str, split: str = "test"
) -> pd.Series:
    """The improvement of activation `a` on `b` in each seed, averaged over tasks.

    Positive where `a` is better, whichever way the metric points. Only seeds that
    trained to the end with both activations on every task count; averaging over tasks
    first keeps seeds the independent units.
    """
    table = paired_table(frame, metric, a, b, split)
    return table.mean(axis=0, skipna=False) if table.size else pd.Series(dtype=float)


def paired_table(
    frame: pd.DataFrame, metric: str, a: str, b: str, split: str = "test"
) -> pd.DataFrame:
    """`improvements` before averaging, `[tasks, seeds]`: of seeds with every task."""
    values = scores(frame, metric, split)
    a, b = resolve(a, frame), resolve(b, frame)
    sign = 1.0 if metric_of(metric, frame).higher_is_better else -1.0
    of = lambda name: values[values.index.get_level_values("activation") == name]
    both = [of(name).droplevel("activation") for name in (a, b)]
    ours, theirs = both[0].align(both[1], join="inner")
    improvement = sign * (ours - theirs)
    if improvement.empty:
        return pd.DataFrame()
    # A seed counts if it has every task; a value that is not a number is one it has.
    every = improvement.index.droplevel("seed")
    count = improvement.groupby(level="seed").transform("size")
    return improvement[count == len(every.unique())].unstack("seed")
