"""Evidence of a claim: from one number per seed, or from a computation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from relujax.statistics import (
    Metric,
    least_p,
    mean_interval,
    sign_tails,
    skewed,
    standard_error,
    tails,
)
from relujax.studies._study import Evidence

# Differences to their one-sided p-values, `[greater, less]`.
Tails = Callable[[np.ndarray], np.ndarray]


def positive(
    x: ArrayLike,
    summary: str = "",
    *,
    unit: str = "",
    scale: float = 1.0,
    counted: str = "seeds",
    **values: Any,
) -> Evidence:
    """Evidence for "this number is positive", from one value per seed.

    Args:
      x: the values, `[seeds]`; for "at most a margin", the margin minus the number.
      summary: one sentence for the ledger, unless the claim has a `finding`.
      unit: the unit of the effect, which is the mean of `x` times `scale`.
      scale: from the values to their unit.
      counted: what has one value each, if not seeds: "repeats" of a measurement.
      **values: what the `finding` of the claim names.
    """
    x = np.asarray(x, dtype=float)
    return measured(
        x,
        summary,
        unit=unit,
        scale=scale,
        p=sides(tails, x),
        sign_p=sides(sign_tails, x),
        least=(least_p(x), least_p(x)),
    )._replace(counted=counted, values=values)


def settled(
    holds: bool,
    summary: str = "",
    *,
    effect: float = np.nan,
    unit: str = "",
    **values: Any,
) -> Evidence:
    """Evidence for a claim that a computation settles, such as "SReLU(β) is ELU".

    What trained networks or random draws show, and others might not, is `observed`.
    `values` are what the `finding` of the claim names.
    """
    unknown = (np.nan, np.nan)
    fact = Evidence(effect, unknown, None, None, 0, unit, summary, bool(holds))
    return fact._replace(values=values)


def observed(
    holds: bool,
    summary: str = "",
    *,
    effect: float = np.nan,
    unit: str = "",
    n: int = 0,
    counted: str = "seeds",
    **values: Any,
) -> Evidence:
    """Evidence for a claim that is read off a sample without a test of chance.

    "No unit of any trained network is dead", for example: another sample might have
    one. Take `positive` or `better` where a number per seed can be tested.
    """
    fact = settled(holds, summary, effect=effect, unit=unit, **values)
    return fact._replace(observed=True, n=n, counted=counted)


def measured(
    x: np.ndarray,
    summary: str,
    *,
    unit: str,
    scale: float,
    p: tuple[float, float],
    sign_p: tuple[float, float],
    least: tuple[float, float],
) -> Evidence:
    """Evidence from one value per seed and its p-values for and against the claim."""
    estimate = mean_interval(x)
    return Evidence(
        effect=scale * estimate.value,
        interval=(scale * estimate.low, scale * estimate.high),
        p_for=p[0],
        p_against=p[1],
        n=estimate.n,
        unit=unit,
        summary=summary,
        least_p=least,
        sign_p=sign_p,
        skewed=bool(skewed(x)),
        error=scale * standard_error(x),
    )


def sides(p: Tails, x: np.ndarray) -> tuple[float, float]:
    """The one-sided p-values for and against "x is positive"."""
    greater, less = p(x)
    return float(greater), float(less)


def jointly(
    p_for: Sequence[float] | np.ndarray,
    p_against: Sequence[float] | np.ndarray | None = None,
) -> tuple[float, float]:
    """The p-values for and against a claim with parts.

    For it, all parts must hold (an intersection-union test); against it, one of them
    must fail (Bonferroni).

    >>> jointly([0.001, 0.02], [0.3, 0.004])
    (0.02, 0.008)
    """
    against = p_for if p_against is None else p_against
    # The extremes are NaN where a part is.
    both = np.max(p_for), np.minimum(1.0, len(against) * np.min(against))
    return float(both[0]), float(both[1])


def amount(value: float, m: Metric) -> str:
    """The size of a difference, with its unit."""
    return f"{m.show(abs(value))} {m.points}".strip()


def least(by: float, m: Metric) -> str:
    """What is claimed beyond a direction; empty if nothing is."""
    if by == 0:
        return ""
    kind = "An improvement of more than" if by > 0 else "A loss of less than"
    return f" {kind} {amount(by, m)} is claimed."
