"""Evidence: what the results say of the common kinds of claim."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from relujax.analysis._estimates import mean_interval
from relujax.analysis._paired import equivalence_test, least_p, paired_test
from relujax.analysis._results import (
    Where,
    differences,
    metric_name,
    metric_of,
    resolve,
    scores,
    select,
)
from relujax.errors import InputError
from relujax.study import Evidence

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
        return _found(
            x,
            metric,
            f"{_sentence(x, metric, a, b, split)}{least(by, metric)}",
            p_for=paired_test(x - by, alternative="greater"),
            p_against=paired_test(x - by, alternative="less"),
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
        beyond = min(
            paired_test(x - margin, alternative="greater"),
            paired_test(x + margin, alternative="less"),
        )
        ends = [least_p(x - margin), least_p(x + margin)]
        return _found(
            x,
            metric,
            f"{_sentence(x, metric, a, b, split)} Margin: {amount(margin, metric)}.",
            p_for=equivalence_test(x, margin=margin),
            p_against=min(1.0, 2 * beyond),
            least=(max(ends), 2 * min(ends)),
        )

    return test


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
        below = [paired_test(d - by, alternative="less") for d in x.values()]
        return _found(
            x[rival],
            metric,
            f"Against the strongest of {len(others)} others: "
            f"{_sentence(x[rival], metric, own, rival, split)}{least(by, metric)}",
            p_for=max(paired_test(d - by, alternative="greater") for d in x.values()),
            p_against=min(1.0, len(below) * min(below)),
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
        return weakest._replace(
            p_for=max(p_for),
            p_against=min(1.0, len(parts) * min(p_against)),
            least_p=jointly(*zip(*[e.least_p for e in parts], strict=True)),
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
        m = metric_of(metric)
        rows = select(frame, where or {})
        own = resolve(a, rows)
        by_task = scores(rows, metric, split).unstack("seed")
        x = by_task.xs(own, level="activation").dropna(axis=1).mean().to_numpy()
        if not len(x):
            raise InputError(f"No seed was trained to the end with {own}.")
        sign = 1.0 if m.higher_is_better else -1.0
        return positive(
            sign * (x - value),
            f"{own} has a mean {metric_name(metric, split)} of "
            f"{m.show(x.mean())} {m.unit} over {len(x)} seeds, from {m.show(x.min())} "
            f"to {m.show(x.max())}; the paper reports {m.show(value)} {m.unit}.",
            unit=m.points or m.label,
            scale=m.scale,
        )

    return test


def positive(
    x: ArrayLike,
    summary: str,
    *,
    unit: str,
    scale: float = 1.0,
    counted: str = "seeds",
) -> Evidence:
    """Evidence for "this number is positive", from one value per seed.

    Args:
      x: the values, `[seeds]`; for "at most a margin", the margin minus the number.
      summary: one sentence for the ledger.
      unit: the unit of the effect, which is the mean of `x` times `scale`.
      scale: from the values to their unit.
      counted: what has one value each, if not seeds: "repeats" of a measurement.
    """
    estimate = mean_interval(x)
    return Evidence(
        effect=scale * estimate.value,
        interval=(scale * estimate.low, scale * estimate.high),
        p_for=paired_test(x, alternative="greater"),
        p_against=paired_test(x, alternative="less"),
        n=estimate.n,
        unit=unit,
        summary=summary,
        least_p=(least_p(x), least_p(x)),
        counted=counted,
    )


def settled(
    holds: bool, summary: str, *, effect: float = np.nan, unit: str = ""
) -> Evidence:
    """Evidence for a claim that a computation settles, such as "SReLU(β) is ELU".

    What trained networks or random draws show, and others might not, is `observed`.
    """
    return Evidence(effect, (np.nan, np.nan), None, None, 0, unit, summary, bool(holds))


def observed(
    holds: bool,
    summary: str,
    *,
    effect: float = np.nan,
    unit: str = "",
    n: int = 0,
    counted: str = "seeds",
) -> Evidence:
    """Evidence for a claim that is read off a sample without a test of chance.

    "No unit of any trained network is dead", for example: another sample might have
    one. Take `positive` or `better` where a number per seed can be tested.
    """
    fact = settled(holds, summary, effect=effect, unit=unit)
    return fact._replace(observed=True, n=n, counted=counted)


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


def _found(
    x: np.ndarray,
    metric: str,
    summary: str,
    *,
    p_for: float,
    p_against: float,
    least: tuple[float, float],
) -> Evidence:
    m, estimate = metric_of(metric), mean_interval(x)
    return Evidence(
        effect=m.scale * estimate.value,
        interval=(m.scale * estimate.low, m.scale * estimate.high),
        p_for=p_for,
        p_against=p_against,
        n=estimate.n,
        unit=m.points or m.label,
        summary=summary,
        least_p=least,
    )


def jointly(
    p_for: Sequence[float], p_against: Sequence[float] | None = None
) -> tuple[float, float]:
    """The p-values for and against a claim with parts.

    For it, all parts must hold (an intersection-union test); against it, one of them
    must fail (Bonferroni).

    >>> jointly([0.001, 0.02], [0.3, 0.004])
    (0.02, 0.008)
    """
    against = p_for if p_against is None else p_against
    return max(p_for), min(1.0, len(against) * min(against))


def amount(value: float, metric: str) -> str:
    m = metric_of(metric)
    return f"{m.show(abs(value))} {m.points}".strip()


def least(by: float, metric: str) -> str:
    if by == 0:
        return ""
    kind = "An improvement of more than" if by > 0 else "A loss of less than"
    return f" {kind} {amount(by, metric)} is claimed."


def _sentence(x: np.ndarray, metric: str, a: str, b: str, split: str) -> str:
    value = float(x.mean())
    signs = np.sign(np.round(x, 12))
    wins, losses = int((signs > 0).sum()), int((signs < 0).sum())
    side = "better than" if value >= 0 else "worse than"
    return (
        f"{a} is {amount(value, metric)} {side} {b} in "
        f"{metric_name(metric, split)}: better in {wins}, equal in "
        f"{len(x) - wins - losses}, worse in {losses} of {len(x)} seeds."
    )
