"""What differences say without an assumption about their distribution.

Of a mean nothing can be said without one: a network that fails in one run of a hundred
may never be seen, and moves the mean by as much as its failure is bad. The median stays
where it is.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from relujax.errors import InputError
from relujax.statistics._estimates import Estimate
from relujax.statistics._paired import TIE, Alternative, chosen

# Of normal samples, one in twenty is called skewed.
SKEWED = stats.norm.isf(0.025)


def sign_test(
    differences: ArrayLike, *, alternative: Alternative = "two-sided"
) -> float:
    """The p-value of "the median difference is zero", whatever their distribution.

    The number of seeds that are better is binomial with probability a half or less;
    seeds that are equal count as not better. No one-sided p-value is under 2 ** -n.

    >>> sign_test([0.3, 0.1, 0.2, 0.1, -0.1], alternative="greater")
    0.1875

    Args:
      differences: one number per seed.
      alternative: the direction in which the median differs from zero.

    Returns:
      The p-value; 1 without differences, NaN where one is not finite.
    """
    d = np.asarray(differences, dtype=float).ravel()
    return chosen(sign_tails(d), alternative)


def sign_tails(d: np.ndarray) -> np.ndarray:
    """The one-sided p-values of `sign_test`: `[..., n]` to `[..., 2]`."""
    n = d.shape[-1]
    size = np.abs(d).max(axis=-1, initial=0.0)
    tie = TIE * np.where(np.isfinite(size), size, 0.0)[..., None]
    counts = np.stack([(d > tie).sum(axis=-1), (d < -tie).sum(axis=-1)], axis=-1)
    p = stats.binom.sf(counts - 1, n, 0.5)
    return np.where(np.isfinite(size)[..., None], p, np.nan)


def seeds_for_signs(tests: int, alpha: float = 0.05) -> int:
    """How many seeds a sign test needs to decide one of so many claims.

    With fewer, it decides none of them even if all seeds agree.

    >>> seeds_for_signs(1), seeds_for_signs(30)
    (6, 11)
    """
    return int(np.ceil(np.log2(2 * tests / alpha)))


def skewed(differences: ArrayLike) -> np.ndarray:
    """Whether mean and median visibly differ: the sample's skewness, beside its error.

    Skewness beyond 1.96 of its standard errors in normal samples, which is so in one
    normal sample of twenty.

    Args:
      differences: `[..., n]`.

    Returns:
      Booleans, `[...]`; False for fewer than three differences, for equal ones, and
      where one is not finite.
    """
    d = np.asarray(differences, dtype=float)
    n = d.shape[-1]
    d = np.where(np.isfinite(d).all(axis=-1, keepdims=True), d, 0.0)
    if n < 3:
        return np.zeros(d.shape[:-1], bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        c = d - d.mean(axis=-1, keepdims=True)
        c = c / np.abs(c).max(axis=-1, keepdims=True)
        skewness = (c**3).mean(axis=-1) / (c**2).mean(axis=-1) ** 1.5
    error = np.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    spread = np.ptp(d, axis=-1) > TIE * np.abs(d).max(axis=-1)
    return spread & (np.abs(skewness) > SKEWED * error)


def median_interval(values: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """The median and an interval between two of the values that holds it.

    It holds the median with the stated probability or more, whatever the distribution
    (order statistics). Too few values, under six for 95 %, have no such interval.

    >>> median_interval([5.0, 1.0, 2.0, 4.0, 3.0, 9.0])
    Estimate(value=3.5, low=1.0, high=9.0, n=6)

    Raises:
      InputError: `confidence` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InputError(f"Expected a confidence between 0 and 1, got {confidence}.")
    x = np.sort(np.asarray(values, dtype=float).ravel())
    if not x.size or not np.isfinite(x).all():
        return Estimate(np.nan, np.nan, np.nan, x.size)
    # The largest k with P(fewer than k of n values below the median) <= (1 - c) / 2.
    k = int(stats.binom.ppf((1 - confidence) / 2, x.size, 0.5))
    if stats.binom.cdf(k, x.size, 0.5) > (1 - confidence) / 2:
        k -= 1
    ends = (x[k], x[-1 - k]) if k >= 0 else (np.nan, np.nan)
    return Estimate(float(np.median(x)), float(ends[0]), float(ends[1]), x.size)
