"""Tests on differences paired by seed.

The same seed has the same initialisation and data order under every activation, so a
difference between two activations is a difference within seeds.
"""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from relujax.analysis._estimates import KEY, RESAMPLE_FROM

# Random sign patterns of a test. They bound its one-sided p-value from below, by 1e-5:
# little enough for Holm's correction over fifty claims and Bonferroni's over thirty
# rivals of each.
PATTERNS = 99_999

# Means of a lattice that differ by less, relative to the largest difference, are tied:
# scores are stored in single precision.
TIE = 1e-4

Alternative = Literal["two-sided", "greater", "less"]


def name_of_test(n: int) -> str:
    """The name of the test that `paired_test` makes on `n` differences."""
    return "sign-flip permutation" if n >= RESAMPLE_FROM else "paired t"


def paired_test(
    differences: ArrayLike, *, alternative: Alternative = "two-sided"
) -> float:
    """The p-value of "the mean difference is zero".

    Below twenty differences, the paired t-test. From twenty on, the sign-flip test with
    99,999 random patterns: under the hypothesis that the two activations can be
    exchanged, each difference is as likely with either sign. It is valid whatever the
    distribution and with any ties (a test set of 114 examples makes accuracy a
    lattice).

    Differences that are all equal have no t. Below twenty they have the exact p-value
    of the sign-flip test, 2 ** -n: that they show no spread is no proof of none.

    >>> round(paired_test([1.0, 2.0, 3.0]), 3)
    0.074
    >>> paired_test([1.0] * 10, alternative="greater") == 2**-10
    True
    >>> paired_test([0.0] * 10)
    1.0

    Args:
      differences: one number per seed.
      alternative: the direction in which the mean differs from zero.

    Returns:
      The p-value; 1 for fewer than two differences, which decide nothing.
    """
    d = np.asarray(differences, dtype=float)
    scale = np.abs(d).max(initial=0.0)
    if d.size < 2 or scale == 0:
        return 1.0
    d = d / scale
    if alternative == "two-sided":
        return min(1.0, 2 * min(_greater(d), _greater(-d)))
    return _greater(d if alternative == "greater" else -d)


def _greater(d: np.ndarray) -> float:
    if d.size >= RESAMPLE_FROM:
        null = _signs(d.size) @ d.astype(np.float32) / d.size
        # The observed pattern counts in its own tail.
        return float(1 + (null >= d.mean() - TIE).sum()) / (1 + PATTERNS)
    if _equal(d):
        return 2.0**-d.size if d[0] > 0 else 1.0
    return float(stats.ttest_1samp(d, 0.0, alternative="greater").pvalue)


@cache
def _signs(n: int) -> np.ndarray:
    """Random sign patterns `[patterns, n]`, the same for every test on `n` seeds."""
    bits = np.random.default_rng(KEY).integers(0, 2, (PATTERNS, n), dtype=np.int8)
    return (2 * bits - 1).astype(np.float32)


def _equal(d: np.ndarray) -> bool:
    return bool(np.ptp(d) <= TIE * np.abs(d).max())


def least_p(differences: ArrayLike) -> float:
    """The smallest one-sided p-value that there can be for so many differences.

    0 for a t-test, which has none.

    >>> least_p([0.1, 0.2]), least_p([0.1] * 5), least_p([0.1]), least_p([0.1] * 30)
    (0.0, 0.03125, 1.0, 1e-05)
    """
    d = np.asarray(differences, dtype=float)
    if d.size < 2:
        return 1.0
    if d.size >= RESAMPLE_FROM:
        return 1 / (1 + PATTERNS)
    return 2.0**-d.size if _equal(d) else 0.0


def equivalence_test(differences: ArrayLike, *, margin: float) -> float:
    """The p-value of "the mean difference is `margin` or more, in either direction".

    Two one-sided tests (TOST; Schuirmann 1987): a small value says that the two are
    equivalent to within the margin.

    >>> equivalence_test([0.01, -0.01, 0.0, 0.01, -0.02], margin=0.1) < 0.01
    True
    """
    d = np.asarray(differences, dtype=float)
    return max(
        paired_test(d + margin, alternative="greater"),
        paired_test(d - margin, alternative="less"),
    )


def effect_size(differences: ArrayLike) -> float:
    """Cohen's d_z: the mean difference in standard deviations of the differences.

    >>> effect_size([1.0, 2.0, 3.0])
    2.0
    >>> effect_size([0.5, 0.5, 0.5])
    inf

    Returns:
      0 where all differences are zero, infinity (with the sign of the difference)
      where they are all equal and not zero, NaN for fewer than two.
    """
    d = np.asarray(differences, dtype=float)
    if d.size < 2:
        return np.nan
    mean = d.mean()
    if np.allclose(d, mean, rtol=1e-9, atol=0):
        return 0.0 if mean == 0 else float(np.copysign(np.inf, mean))
    return float(mean / d.std(ddof=1))


def holm(p: ArrayLike) -> np.ndarray:
    """Holm's corrected p-values: they keep the family-wise error rate.

    Rejecting where the result is at most α, the chance of one false rejection or more
    is at most α, however the tests depend on each other (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = p[order] * (p.size - np.arange(p.size))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
