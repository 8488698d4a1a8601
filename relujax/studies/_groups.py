"""Claims about several activations, and about parts of the results."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from relujax.statistics import (
    Where,
    equivalence_test,
    metric_of,
    paired_test,
    parameter,
    scores,
    select,
)
from relujax.studies._claims import better, every
from relujax.studies._evidence import positive
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]
#: From the results, a number for each seed.
PerSeed = Callable[[pd.DataFrame], pd.Series]


def on(where: Where, test: Test) -> Test:
    """The test on a part of the results."""
    return lambda frame: test(select(frame, where))


def each_better(
    winners: Sequence[str],
    losers: Sequence[str],
    metric: str = "accuracy",
    *,
    where: Where | None = None,
) -> Test:
    """The test of "each of these is better than each of those"."""
    pairs = itertools.product(winners, losers)
    return on(where or {}, every(*(better(a, b, metric) for a, b in pairs)))


def mean_of(metric: str, where: Where | None = None) -> PerSeed:
    """The mean of a metric within each seed, over all activations and tasks.

    Args:
      metric: a name in `METRICS`.
      where: restricts activation, data, model or optimizer, or parameters of these.
    """

    def of(frame: pd.DataFrame) -> pd.Series:
        rows = select(frame, where or {})
        return scores(rows, metric).groupby(level="seed").mean()

    return of


def range_of(metric: str, where: Where | None = None) -> PerSeed:
    """The largest minus the smallest value within each seed, as in `mean_of`."""

    def of(frame: pd.DataFrame) -> pd.Series:
        seeds = scores(select(frame, where or {}), metric).groupby(level="seed")
        return seeds.max() - seeds.min()

    return of


def larger(
    a: PerSeed | float,
    b: PerSeed | float,
    summary: str = "{a:.3g} against {b:.3g}.",
    *,
    scale: float = 1.0,
    unit: str = "",
    told: Mapping[str, PerSeed] | None = None,
) -> Test:
    """The test of "`a` is larger than `b`", of numbers for each seed.

    Args:
      a: a function of the results, such as `mean_of` makes, or a number.
      b: likewise.
      summary: a sentence that may name the means of `a`, `b` and what is told besides.
      scale: from the numbers to their unit.
      unit: of the difference.
      told: more numbers for the sentence, or for the `finding` of the claim, by name.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        sides: dict[str, Any] = {"a": a, "b": b, **(told or {})}
        number: Any = lambda f: f(frame) if callable(f) else f
        found = {k: number(f) for k, f in sides.items()}
        means: dict[str, Any] = {k: scale * float(np.mean(x)) for k, x in found.items()}
        x = pd.Series(found["a"] - found["b"]).dropna()
        return positive(x, summary.format(**means), scale=scale, unit=unit, **means)

    return test


def mostly_best(a: str, metric: str, *, where: Where | None = None) -> Test:
    """The test of "`a` is the best in more than half of a seed's tasks".

    Its evidence has what part of the tasks each activation is the best in, as `shares`.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        wide = scores(select(frame, where or {}), metric).unstack("activation")
        up = metric_of(metric, frame).higher_is_better
        best = wide.idxmax(axis=1) if up else wide.idxmin(axis=1)
        first = (best == a).groupby(level="seed").mean()
        part = best.value_counts(normalize=True)
        shares = ", ".join(f"{name} {100 * part.get(name, 0):.0f} %" for name in wide)
        return positive(
            first - 0.5,
            f"Who is the best, over all tasks and seeds: {shares}.",
            scale=100,
            unit="percentage points above half of the tasks",
            shares=shares,
        )

    return test


def hardest(
    data: Where, metric: str, *, among: Where | None = None, by: str = "data"
) -> Test:
    """The test of "this task has the largest error", with any activation.

    Args:
      data: the task.
      metric: the error.
      among: the tasks that it is compared with, itself included.
      by: what tells tasks apart; over the rest, errors are averaged.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        rows = select(frame, among or {})
        errors = scores(rows, metric).groupby(["seed", "activation", by]).mean()
        wide = errors.unstack(by)
        (own,) = select(rows, data)[by].unique()
        above = wide[own] - wide.drop(columns=own).max(axis=1)
        x, mean = above.groupby(level="seed").min(), wide[own].mean()
        m = metric_of(metric, frame)
        return positive(
            x,
            f"The mean error of {m.show(mean)} is above that of every other, by "
            f"{m.show(x.mean(), sign=True)} with the activation where it is nearest.",
            scale=m.scale,
            unit=f"{m.points or m.label} above the next",
            mean=m.scale * mean,
        )

    return test


def little_range(
    metric: str,
    margin: float,
    ends: tuple[str, str],
    *,
    over: str,
    where: Where | None = None,
) -> Test:
    """The test of "the means of the activations range over less than a margin".

    For it: every pair differs by less, at each value of a parameter. Against it: the
    two that are named, before the results are seen, differ by more on average over the
    values, so that the range is larger at one of them.

    Args:
      metric: a name in `METRICS`.
      margin: in the stored unit.
      ends: the two activations that a paper finds farthest apart.
      over: the parameter, such as `model.depth`.
      where: restricts the tasks.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        rows = select(frame, where or {})
        of = {a: by_parameter(rows, metric, over, a) for a in rows.activation.unique()}
        pairs = [
            (of[a] - of[b])[value].dropna()
            for a, b in itertools.combinations(of, 2)
            for value in of[a]
        ]
        x = (of[ends[0]] - of[ends[1]]).mean(axis=1)
        worst = max(abs(d.mean()) for d in pairs)
        found = positive(
            margin - x.abs(),
            f"On average {ends[0]} is {x.mean():+.3f} above {ends[1]}; the largest "
            f"difference of any two, at any {over}, is {worst:.2f}.",
            unit=f"{metric_of(metric, frame).label} below the margin",
            mean=x.mean(),
            worst=worst,
        )
        return found._replace(
            p_for=max(equivalence_test(d, margin=margin) for d in pairs),
            p_against=_outside(x, margin),
        )

    return test


def _outside(x: pd.Series, margin: float) -> float:
    """The p-value of "the mean lies within the margin of 0", on either side."""
    above = paired_test(x - margin, alternative="greater")
    below = paired_test(x + margin, alternative="less")
    return min(1.0, 2 * above, 2 * below)


def by_parameter(
    frame: pd.DataFrame, metric: str, over: str, activation: str
) -> pd.DataFrame:
    """A metric by seed and value of a parameter, `[seeds, values]`.

    Args:
      frame: long-form results.
      metric: a name in `METRICS`.
      over: a parameter of data, model or optimizer, such as `model.depth`; over all
        else, tasks are averaged.
      activation: its spec.
    """
    values = scores(frame, metric).xs(activation, level="activation").reset_index()
    groups: list[Any] = [values["seed"], parameter(values, over).rename(over)]
    return values[metric].groupby(groups).mean().unstack().dropna()
