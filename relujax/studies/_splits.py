"""Repeated splits: one data set, split into training and test part again and again.

`wdbc(split=0)`, `wdbc(split=1)`, ... hold the same examples, so that results on them
are not independent: two training parts of 80 % share four examples in five. What is
independent are the examples, and there is one sample of these.

Two things of chance remain in the mean improvement of one activation on another: the
split and the seed (initialisation and order of the data). Both are crossed: each seed
is trained on each split. The squared standard error is the sum of what each contributes
(the noise within the cells counts twice, on the safe side; Owen, "The pigeonhole
bootstrap", The Annals of Applied Statistics 1, 2007). The share of the splits has the
correction for their overlap of Nadeau and Bengio, "Inference for the Generalization
Error", Machine Learning 52, 2003.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from relujax import specs
from relujax.data import TEST_FRACTION
from relujax.errors import InputError
from relujax.statistics import (
    TIE,
    UNIT,
    Metric,
    Where,
    end_of_training,
    least_p,
    metric_name,
    metric_of,
    paired_table,
    paired_test,
    resolve,
    select,
    sign_tails,
    skewed,
    task_label,
)
from relujax.studies._evidence import amount, jointly, least
from relujax.studies._study import Evidence

#: Test examples per training example: what the overlap of the splits adds to 1 / J.
OVERLAP = TEST_FRACTION / (1 - TEST_FRACTION)


class Contrast(NamedTuple):
    """The mean improvement of one activation on another.

    Attributes:
      value: mean over tasks, splits and seeds; positive is better.
      error: its standard error; NaN where one seed leaves it unknown.
      df: degrees of freedom of `error` (Welch-Satterthwaite).
      by_seed: the improvement of each seed, averaged over tasks and splits.
      by_split: data set (with the model and the optimiser, if they vary) to the
        improvement on each of its splits, averaged over seeds.
    """

    value: float
    error: float
    df: float
    by_seed: np.ndarray
    by_split: Mapping[str, np.ndarray]

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's confidence interval of the value."""
        half = stats.t.isf((1 - confidence) / 2, self.df) * self.error
        return float(self.value - half), float(self.value + half)

    def p(self, alternative: Literal["greater", "less"], by: float = 0.0) -> float:
        """The one-sided p-value of "the improvement is `by`"; 1 for a single seed."""
        if not self._spread(by):
            return paired_test(self.by_seed - by, alternative=alternative)
        t = (self.value - by) / self.error
        return float(stats.t.sf(t if alternative == "greater" else -t, self.df))

    def least_p(self, by: float = 0.0) -> float:
        """The smallest that `p` can be."""
        return 0.0 if self._spread(by) else least_p(self.by_seed - by)

    def sign_p(self, by: float = 0.0) -> tuple[float, float]:
        """The sign test over seeds, for and against; NaN where splits are repeated.

        Splits overlap, so that their signs are not independent.
        """
        if any(len(x) > 1 for x in self.by_split.values()):
            return np.nan, np.nan
        greater, less = sign_tails(self.by_seed - by)
        return float(greater), float(less)

    def _spread(self, by: float) -> bool:
        # Not if all are equal, or there is one seed.
        return self.error > TIE * abs(self.value - by)


def contrast(
    frame: pd.DataFrame, metric: str, a: str, b: str, split: str = "test"
) -> Contrast:
    """The improvement of activation `a` on `b` over fresh examples and seeds.

    Only seeds count that were trained to the end with both on every split.

    Raises:
      InputError: there is no such seed.
    """
    table = paired_table(frame, metric, a, b, split)
    if not table.size:
        raise InputError(f"No seed was trained to the end with both {a} and {b}.")
    names = pooled_names(frame["data"].unique())
    task = table.index.map(lambda unit: (names[unit[0]], *unit[1:]))
    groups = {key: d.to_numpy() for key, d in table.groupby(task, sort=False)}
    one_each = len({data for data, *_ in groups}) == len(groups)
    label = lambda key: key[0] if one_each else task_label(key, list(groups))
    return combine({label(key): d for key, d in groups.items()})


def combine(improvements: Mapping[str, np.ndarray]) -> Contrast:
    r"""The mean of improvements and its standard error.

    With improvements :math:`d_{kjs}` of seed :math:`s` on split :math:`j` of task
    :math:`k`, the value is the mean over all three, and its squared standard error

    .. math::
        \frac{1}{S} \mathrm{Var}_s(\bar d_{\cdot\cdot s})
        + \frac{1}{K^2} \sum_k \Bigl(\frac{1}{J_k}
        + \frac{n_\mathrm{test}}{n_\mathrm{train}}\Bigr)
        \mathrm{Var}_j(\bar d_{kj\cdot}) .

    A task with one split only (MNIST's own) has no share in the sum: what is found
    then holds for that split. Where no split is repeated, this is the paired t-test by
    seed.

    Args:
      improvements: task to its `[splits, seeds]`; the seeds are the same everywhere.
    """
    tables = improvements.values()
    by_seed = np.mean([d.mean(axis=0) for d in tables], axis=0)
    by_split = {task: d.mean(axis=1) for task, d in improvements.items()}
    repeated = [x for x in by_split.values() if len(x) > 1]
    tasks, seeds = len(by_split), len(by_seed)
    shares = [_variance(by_seed) / seeds]
    shares += [(1 / len(x) + OVERLAP) * _variance(x) / tasks**2 for x in repeated]
    squares, df = np.array(shares), np.array([seeds, *map(len, repeated)]) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = squares.sum() ** 2 / (squares**2 / df).sum()
    error = np.sqrt(squares.sum())
    return Contrast(
        float(by_seed.mean()), float(error), float(freedom), by_seed, by_split
    )


def _variance(x: np.ndarray) -> float:
    return float(x.var(ddof=1)) if len(x) > 1 and np.isfinite(x).all() else np.nan


def best_over_splits(
    a: str,
    metric: str = "accuracy",
    *,
    among: Sequence[str],
    by: float = 0.0,
    split: str = "test",
    where: Where | None = None,
):
    """The test of "activation `a` is better than each other, on fresh examples too".

    As `best`, but splits are a source of chance beside the seeds; see `contrast`.

    Args:
      a: spec, or its name alone if the results have one of that name.
      metric: a name in `METRICS`; an improvement is a decrease for losses.
      among: the others.
      by: the least improvement claimed, in the stored unit (0.01 is one percentage
        point of accuracy).
      split: which split is scored.
      where: restricts data, model or optimizer. Several tasks weigh the same.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        rows = select(frame, where or {})
        own = resolve(a, rows)
        found = {
            other: contrast(rows, metric, own, other, split)
            for other in (resolve(name, rows) for name in among)
        }
        rival = min(found, key=lambda other: found[other].value)
        low, high = found[rival].interval()
        m, every = metric_of(metric, rows), list(found.values())
        strongest = f"Against the strongest of {len(found)} others: "
        name = metric_name(metric, split, rows)
        p_for, p_against = jointly(
            [c.p("greater", by) for c in every], [c.p("less", by) for c in every]
        )
        return Evidence(
            effect=m.scale * found[rival].value,
            interval=(m.scale * low, m.scale * high),
            p_for=p_for,
            p_against=p_against,
            n=len(found[rival].by_seed),
            unit=m.points or m.label,
            summary=f"{strongest if len(found) > 1 else ''}"
            f"{_sentence(found[rival], m, name, own, rival)}{least(by, m)}",
            least_p=jointly([c.least_p(by) for c in every]),
            sign_p=jointly(*zip(*[c.sign_p(by) for c in every], strict=True)),
            skewed=bool(skewed(found[rival].by_seed)),
            error=m.scale * found[rival].error,
            df=found[rival].df,
        )

    return test


def _sentence(c: Contrast, m: Metric, name: str, a: str, b: str) -> str:
    side = "better than" if c.value >= 0 else "worse than"
    signs = np.sign(np.round(np.concatenate(list(c.by_split.values())), 12))
    wins, losses = int((signs > 0).sum()), int((signs < 0).sum())
    where = ", ".join(
        f"{task} ({m.show(float(x.mean()), sign=True)})"
        for task, x in c.by_split.items()
    )
    return (
        f"{a} is {amount(c.value, m)} {side} {b} in "
        f"{name}, mean of {where}; averaged over "
        f"{len(c.by_seed)} seeds, it is better on {wins}, equal on "
        f"{len(signs) - wins - losses}, worse on {losses} of {len(signs)} splits."
    )


def pooled_names(data: Sequence[str]) -> dict[str, str]:
    """Spec of a data set to the name of all its splits together.

    >>> list(pooled_names(["wdbc(split=0)", "wdbc(split=1)", "mnist"]).values())
    ['wdbc(splits=2)', 'wdbc(splits=2)', 'mnist']
    """
    kinds: dict[str, list[str]] = {}
    for spec in data:
        kinds.setdefault(_kind(spec), []).append(spec)
    names = {}
    for kind, members in kinds.items():
        for spec in members:
            names[spec] = _with_splits(kind, len(members)) if members[1:] else spec
    return {spec: names[spec] for spec in data}


def _kind(spec: str) -> str:
    try:
        name, values = specs.parse(spec)
    except InputError:
        return spec  # A user's own arrays, under any name.
    return specs.unparse(name, {k: v for k, v in values.items() if k != "split"})


def _with_splits(kind: str, count: int) -> str:
    name, values = specs.parse(kind)
    return specs.unparse(name, {**values, "splits": count})


def pool_splits(frame: pd.DataFrame) -> pd.DataFrame:
    """The results with the splits of a data set averaged, within each seed.

    For tables and figures over seeds: they then describe the mean over these splits.
    `wdbc(split=0)` and `wdbc(split=1)` become `wdbc(splits=2)`; confusion counts are
    added; a network has diverged if it did on any split; a seed that lacks a split is
    left out. Data sets with one split stay as they are.

    A network that stopped early is carried to the epoch where the last of its seed's
    networks ends, and what is averaged there is each network at its end: at its best
    epoch, where one was chosen. The pooled rows name no best epoch.
    """
    names = pooled_names(list(frame["data"].unique()))
    repeated = frame["data"].map(lambda spec: names[spec] != spec).astype(bool)
    if not repeated.any():
        return frame
    rows = frame[repeated]
    rows = rows.assign(data=rows["data"].map(names), of=rows["data"])
    wanted = rows.groupby("data")["of"].nunique()
    have = rows.groupby([*UNIT, "seed"])["of"].transform("nunique")
    rows = rows[have == rows["data"].map(wanted)].drop(columns="of")
    rows = _carried(rows)
    keys = [*UNIT, "seed", "epoch", "split"]
    how = {name: _merge(name, rows[name]) for name in rows if name not in keys}
    pooled = rows.groupby(keys, sort=False, as_index=False).agg(how)
    return pd.concat([pooled, frame[~repeated]], ignore_index=True)[list(frame)]


def _carried(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, with each network's end in the epochs after it and at the last one."""
    network, pooled = [rows["cell"], rows["seed"]], [*UNIT, "seed"]
    last = rows.groupby(network)["epoch"].transform("max")
    horizon = rows.groupby(pooled)["epoch"].transform("max")
    end = end_of_training(rows)
    if (end == horizon).all():
        return rows
    ends = rows.assign(last=last, horizon=horizon)[rows["epoch"] == end]
    epochs = rows[[*pooled, "epoch"]].drop_duplicates()
    later = ends.drop(columns="epoch").merge(epochs, on=pooled)
    after = (later["epoch"] > later["last"]) | (later["epoch"] == later["horizon"])
    both = pd.concat([rows[rows["epoch"] < horizon], later[after][list(rows)]])
    return both.assign(best_epoch=np.nan) if "best_epoch" in both else both


def _merge(name: str, column: pd.Series):
    if name == "cell":
        return "first"
    if name == "diverged":
        return "any"
    if name == "diverged_step":
        return "min"
    if pd.api.types.is_numeric_dtype(column):
        return "mean"
    combine = np.sum if name == "confusion" else np.mean
    return lambda lists: (
        None if lists.isna().any() else combine(np.stack(lists.to_list()), axis=0)
    )
