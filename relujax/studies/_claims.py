"""Evidence: what the results say of the common kinds of claim."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from relujax.errors import InputError
from relujax.statistics import (
    Metric,
    Where,
    differences,
    least_p,
    metric_name,
    metric_of,
    resolve,
    scores,
    select,
    sign_tails,
    tails,
)
from relujax.studies._evidence import (
    Tails,
    amount,
    jointly,
    least,
    measured,
    positive,
    sides,
)
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]


def better(
    a: str,
    b: str,
    metric: str = "accuracy",
    *,
    by: float = 0.0,
    split: str = "test",
    where: Where | None = None,
) -> Test:
    """The test of "activation `a` improves on `b` by more than `by`".

    Args:
      a: spec, or its name alone if the results have one of that name.
      b: likewise.
      metric: a name in `METRICS`; an improvement is a decrease for losses.
      by: the least improvement claimed, in the stored unit (0.01 is one percentage
        point of accuracy). Negative: "at most that much worse" (`no_worse`).
      split: which split is scored.
      where: restricts data, model or optimizer, as in `{"data": "mnist"}`. Over
        several tasks the improvements are averaged within each seed.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        x = _improvements(frame, metric, a, b, split, where)
        m = metric_of(metric, frame)
        return _found(
            x,
            m,
            f"{_sentence(x, m, metric_name(metric, split, frame), a, b)}{least(by, m)}",
            p=sides(tails, x - by),
            sign_p=sides(sign_tails, x - by),
            least=(least_p(x - by), least_p(x - by)),
        )

    return test


def no_worse(
    a: str,
    b: str,
    metric: str = "accuracy",
    *,
    margin: float,
    split: str = "test",
    where: Where | None = None,
) -> Test:
    """The test of "`a` is worse than `b` by less than `margin`" (non-inferiority).

    For "at least as good as", "matches or outperforms", "without loss": a lead of any
    size supports it. If a lead would speak against the claim ("comparable to", "as good
    as", "makes no difference"), take `equivalent`.
    """
    return better(a, b, metric, by=-margin, split=split, where=where)


def equivalent(
    a: str,
    b: str,
    metric: str = "accuracy",
    *,
    margin: float,
    split: str = "test",
    where: Where | None = None,
) -> Test:
    """The test of "`a` and `b` differ by less than `margin`", for "comparable to".

    For the claim: two one-sided tests (TOST). Against it: the difference is larger than
    the margin in either direction. No significant difference is not yet equivalence:
    with few seeds, differences larger than the margin go unnoticed.

    A lead of more than the margin contradicts it. For a claim that a lead would
    support, take `no_worse`, which needs one of the two tests only.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        x = _improvements(frame, metric, a, b, split, where)
        m = metric_of(metric, frame)
        return around(
            x,
            margin,
            f"{_sentence(x, m, metric_name(metric, split, frame), a, b)} Margin: "
            f"{amount(margin, m)}.",
            unit=m.points or m.label,
            scale=m.scale,
        )

    return test


def _within(p: Tails, x: np.ndarray, margin: float) -> tuple[float, float]:
    """One-sided p-values for and against "within the margin"."""
    above, below = p(x - margin), p(x + margin)
    return jointly([below[0], above[1]], [above[0], below[1]])


def best(
    a: str,
    metric: str = "accuracy",
    *,
    among: Sequence[str] | None = None,
    by: float = 0.0,
    split: str = "test",
    where: Where | None = None,
) -> Test:
    """The test of "`a` is better than every other activation by more than `by`".

    The others are those of `among`, or all of the results. A negative `by` is "matches
    or outperforms": worse than each other by at most that much.

    For the claim: the largest of the p-values against each other activation (an
    intersection-union test). Against it: the smallest p-value of "another is better",
    corrected by Bonferroni. The effect shown is against the strongest other.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        rows = select(frame, where or {})
        own = resolve(a, rows)
        named = rows["activation"].unique() if among is None else among
        others = [b for b in (resolve(name, rows) for name in named) if b != own]
        if not others:
            raise InputError(f"Expected other activations than {own!r}, got none.")
        x = {b: _improvements(rows, metric, own, b, split) for b in others}
        rival = min(x, key=lambda b: x[b].mean())
        m, name = metric_of(metric, rows), metric_name(metric, split, rows)
        over = lambda p: jointly(*np.transpose([p(d - by) for d in x.values()]))
        return _found(
            x[rival],
            m,
            f"Against the strongest of {len(others)} others: "
            f"{_sentence(x[rival], m, name, own, rival)}{least(by, m)}",
            p=over(tails),
            sign_p=over(sign_tails),
            least=jointly([least_p(d - by) for d in x.values()]),
        )

    return test


def every(*tests: Test) -> Test:
    """The test of "all of these hold".

    For the claim: the largest p-value of the parts (an intersection-union test).
    Against it: the smallest p-value against a part, corrected by Bonferroni. The effect
    shown is that of the part that is farthest from holding.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        parts = [part(frame) for part in tests]
        p_for = [1.0 if e.p_for is None else e.p_for for e in parts]
        p_against = [1.0 if e.p_against is None else e.p_against for e in parts]
        weakest = parts[int(np.argmax(p_for))]
        both = jointly(p_for, p_against)
        return weakest._replace(
            p_for=both[0],
            p_against=both[1],
            least_p=jointly(*zip(*[e.least_p for e in parts], strict=True)),
            sign_p=jointly(*zip(*[e.sign_p for e in parts], strict=True)),
            skewed=any(e.skewed for e in parts),
            summary=f"The weakest of {len(parts)} comparisons: {weakest.summary}",
        )

    return test


def reaches(
    a: str,
    value: float,
    metric: str = "accuracy",
    *,
    split: str = "test",
    where: Where | None = None,
) -> Test:
    """The test of "activation `a` ends at `value` or better": a paper's own number.

    Args:
      a: spec, or its name alone if the results have one of that name.
      value: in the stored unit (0.988 is an accuracy of 98.8 %).
      metric: a name in `METRICS`.
      split: which split is scored.
      where: restricts data, model or optimizer; scores are averaged over tasks.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        m = metric_of(metric, frame)
        own, x = _ended(frame, a, metric, split, where)
        sign = 1.0 if m.higher_is_better else -1.0
        return positive(
            sign * (x - value),
            f"{own} has a mean {metric_name(metric, split, frame)} of "
            f"{_with_unit(x.mean(), m)} over {len(x)} seeds, from {m.show(x.min())} "
            f"to {m.show(x.max())}; the paper reports {_with_unit(value, m)}.",
            unit=m.points or m.label,
            scale=m.scale,
            mean=m.scale * x.mean(),
            least=m.scale * x.min(),
            most=m.scale * x.max(),
        )

    return test


def within(
    a: str,
    value: float,
    metric: str = "accuracy",
    *,
    margin: float,
    split: str = "test",
    where: Where | None = None,
) -> Test:
    """The test of "activation `a` ends at `value`, give or take the margin".

    Args:
      a: as in `reaches`, and so is what follows.
      margin: the largest difference that counts as none, in the stored unit. For the
        claim: two one-sided tests, as in `equivalent`.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        m = metric_of(metric, frame)
        own, x = _ended(frame, a, metric, split, where)
        name = metric_name(metric, split, frame)
        return around(
            x - value,
            margin,
            f"{own} has a mean {name} of {_with_unit(x.mean(), m)}, the paper has "
            f"{m.show(value)}; within {m.show(margin)} counts as the same.",
            unit=f"{m.points or m.label} above the number",
            scale=m.scale,
            mean=m.scale * x.mean(),
        )

    return test


def around(
    x: ArrayLike,
    margin: float,
    summary: str = "",
    *,
    unit: str = "",
    scale: float = 1.0,
    **values: Any,
) -> Evidence:
    """Evidence for "this number is 0, give or take the margin", one value per seed.

    Args:
      x: the values, `[seeds]`.
      margin: in the unit of the values.
      summary: as in `positive`, and so is what follows.
    """
    x = np.asarray(x, dtype=float)
    ends = [least_p(x - margin), least_p(x + margin)]
    return measured(
        x,
        summary,
        unit=unit,
        scale=scale,
        p=_within(tails, x, margin),
        sign_p=_within(sign_tails, x, margin),
        least=(max(ends), 2 * min(ends)),
    )._replace(values=values)


def _ended(
    frame: pd.DataFrame, a: str, metric: str, split: str, where: Where | None
) -> tuple[str, np.ndarray]:
    """The activation, and its score in each seed, averaged over tasks."""
    rows = select(frame, where or {})
    own = resolve(a, rows)
    by_task = scores(rows, metric, split).unstack("seed")
    x = by_task.xs(own, level="activation").dropna(axis=1).mean().to_numpy()
    if not len(x):
        raise InputError(f"No seed was trained to the end with {own}.")
    return own, x


def _improvements(
    frame: pd.DataFrame,
    metric: str,
    a: str,
    b: str,
    split: str,
    where: Where | None = None,
) -> np.ndarray:
    x = differences(select(frame, where or {}), metric, a, b, split)
    if not len(x):
        raise InputError(f"No seed was trained to the end with both {a} and {b}.")
    return x


def _with_unit(value: float, m: Metric) -> str:
    """A value as it is printed, with its unit if it has one."""
    return f"{m.show(value)} {m.unit}".strip()


def _found(x: np.ndarray, m: Metric, summary: str, **tested) -> Evidence:
    unit = m.points or m.label
    return measured(x, summary, unit=unit, scale=m.scale, **tested)


def _sentence(x: np.ndarray, m: Metric, name: str, a: str, b: str) -> str:
    value = float(x.mean())
    signs = np.sign(np.round(x, 12))
    wins, losses = int((signs > 0).sum()), int((signs < 0).sum())
    side = "better than" if value >= 0 else "worse than"
    return (
        f"{a} is {amount(value, m)} {side} {b} in {name}: better in {wins}, equal in "
        f"{len(x) - wins - losses}, worse in {losses} of {len(x)} seeds."
    )
