"""From p-values of a family of claims to what is decided, and what that rests on."""

from typing import NamedTuple

import numpy as np

from relujax.statistics._median import seeds_for_signs
from relujax.statistics._paired import holm

# A verdict on a mean counts on failures of one network in so many being seen.
RARE = 15


class Decisions(NamedTuple):
    """What is decided of each claim of a family, `[..., claims]`.

    Attributes:
      p: the two-sided p-values, corrected over the family.
      side: 1 where a claim is decided for, -1 against, 0 where it is undecided.
      level: the two-sided level that the claim's own p-value had to meet.
      p_median: the two-sided p-values of the sign tests, corrected over the family.
      side_median: what these decide about the median.
    """

    p: np.ndarray
    side: np.ndarray
    level: np.ndarray
    p_median: np.ndarray
    side_median: np.ndarray


def decide(
    tests: np.ndarray,
    signs: np.ndarray,
    alpha: float = 0.05,
    *,
    corrected: np.ndarray | None = None,
) -> Decisions:
    """The decisions on a family of claims, and on their medians by sign tests.

    Holm's method keeps the chance of any false decision in the family at `alpha`, as
    far as what a test assumes is so. The sign tests are a family of their own,
    corrected likewise, and assume nothing.

    Args:
      tests: one-sided p-values for and against, `[..., claims, 2]`; NaN in a claim that
        has no test.
      signs: those of the sign tests, likewise.
      alpha: the family-wise error rate.
      corrected: two-sided p-values of `tests` that are corrected already, in place of
        Holm's.
    """
    p = holm(two_sided(tests)) if corrected is None else corrected
    p_median = holm(two_sided(signs))
    side, side_median = (
        np.where(q <= alpha, np.where(of[..., 0] < of[..., 1], 1, -1), 0)
        for q, of in ((p, tests), (p_median, signs))
    )
    count = np.isfinite(p).sum(axis=-1, keepdims=True)
    # Holm's step: so many others are decided already.
    others = (side != 0).sum(axis=-1, keepdims=True) - (side != 0)
    level = alpha / np.maximum(count - others, 1)
    return Decisions(p, side, level, p_median, side_median)


def two_sided(tails: np.ndarray) -> np.ndarray:
    """Two-sided p-values, from one-sided ones `[..., 2]`."""
    return np.minimum(1.0, 2 * np.min(tails, axis=-1))


def seeds_for_means(tests: int, alpha: float = 0.05) -> int:
    """From how many seeds on a verdict on a mean is not fragile for want of seeds.

    Seeds can look normal, and be far from it: where one network in fifteen fails, half
    of all samples of ten seeds have no failure, and nothing in them tells that the mean
    is lower than all they show. With so many seeds, no sample of `tests` claims is
    without one, up to a chance of `alpha`: tests (1 - 1/15)^n <= alpha.

    >>> seeds_for_means(1), seeds_for_means(30)
    (44, 93)
    """
    return int(np.ceil(np.log(alpha / tests) / np.log1p(-1 / RARE)))


def why_fragile(skewed: bool, n: int, tests: int, alpha: float = 0.05) -> str:
    """Why a verdict on a mean may be false more often than `alpha`; empty if it is not.

    >>> why_fragile(False, 100, 30)
    ''

    Args:
      skewed: whether the differences visibly are.
      n: how many units they come from.
      tests: how many claims are corrected together.
      alpha: the family-wise error rate.
    """
    if skewed:
        return (
            "the differences are skewed, so that a test of their mean decides too often"
        )
    if n < (needed := seeds_for_means(tests, alpha)):
        return (
            f"{n} seeds need not show a failure of one network in {RARE}, which could "
            f"undo the mean; {needed} would"
        )
    return ""


def on_median(side: int, side_median: int, n: int, tests: int, alpha: float) -> str:
    """What the sign test says of a decided claim, in a clause."""
    if side == side_median:
        return "the median seed decides likewise, whatever the distribution (sign test)"
    if n < (needed := seeds_for_signs(tests, alpha)):
        return f"the sign test needs {needed} seeds to decide about the median"
    return "the sign test does not decide likewise about the median"
