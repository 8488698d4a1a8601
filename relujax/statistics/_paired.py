"""Tests on differences paired by seed.

The same seed has the same initialisation and data order under every activation, so a
difference between two activations is a difference within seeds.
"""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from relujax.statistics._estimates import KEY, RESAMPLE_FROM

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

    Below twenty differences, the paired t-test, which takes them as normal. From twenty
    on, the sign-flip test with 99,999 random patterns: under the hypothesis that the
    two activations can be exchanged, each difference is as likely with either sign. It
    is valid for any differences that are distributed symmetrically, with any ties (a
    test set of 114 examples makes accuracy a lattice).

    Where differences are skewed, or one network in many fails, either test says too
    often that the mean is not zero: no test of a mean from so few values can help it.
    `sign_test` decides about the median without any such assumption.

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
      The p-value; 1 for fewer than two differences, which decide nothing; NaN where one
      is not finite.
    """
    d = np.asarray(differences, dtype=float).ravel()
    return chosen(tails(d), alternative)


def chosen(both: np.ndarray, alternative: Alternative) -> float:
    """The p-value of one alternative, from those of both directions, `[2]`."""
    if alternative == "two-sided":
        return float(np.minimum(1.0, 2 * both.min()))
    return float(both[["greater", "less"].index(alternative)])


def tails(d: np.ndarray) -> np.ndarray:
    """The one-sided p-values of `paired_test`: `[..., n]` to `[..., 2]`.

    The first is that of "greater", the second that of "less".
    """
    n, rows = d.shape[-1], d.reshape(int(np.prod(d.shape[:-1])), d.shape[-1])
    scale = np.abs(rows).max(axis=1, initial=0.0)
    p = np.where(np.isfinite(scale), 1.0, np.nan)[:, None].repeat(2, axis=1)
    live = np.isfinite(scale) & (scale > 0) & (n > 1)
    if live.any():
        x = rows[live] / scale[live, None]
        p[live] = _flipped(x) if n >= RESAMPLE_FROM else _student(x)
    return p.reshape(*d.shape[:-1], 2)


def _student(x: np.ndarray) -> np.ndarray:
    """`tails` of rows whose largest magnitude is 1, by the paired t-test."""
    n = x.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = x.mean(axis=1) / (x.std(axis=1, ddof=1) / np.sqrt(n))
    p = np.stack([stats.t.sf(t, n - 1), stats.t.cdf(t, n - 1)], axis=1)
    equal = np.ptp(x, axis=1) <= TIE
    sides = np.where(x[:, :1] > 0, [[2.0**-n, 1.0]], [[1.0, 2.0**-n]])
    return np.where(equal[:, None], sides, p)


def _flipped(x: np.ndarray) -> np.ndarray:
    """`tails` of rows whose largest magnitude is 1, by flipping signs."""
    n = x.shape[1]
    signs, p = _signs(n).T, []
    for some in np.array_split(x, -(-len(x) // 64)):
        null = (some.astype(np.float32) / np.float32(n)) @ signs
        mean = some.mean(axis=1, keepdims=True).astype(np.float32)
        # The observed pattern counts in its own tail.
        greater = np.count_nonzero(null >= mean - np.float32(TIE), axis=1)
        less = np.count_nonzero(null <= mean + np.float32(TIE), axis=1)
        p.append(np.stack([1 + greater, 1 + less], axis=1) / (1 + PATTERNS))
    return np.concatenate(p)


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
    equivalent to within the margin. NaN where a number is not finite.

    >>> equivalence_test([0.01, -0.01, 0.0, 0.01, -0.02], margin=0.1) < 0.01
    True
    """
    d = np.asarray(differences, dtype=float)
    if not np.isfinite([*d.flat, margin]).all():
        return np.nan
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
      where they are all equal and not zero, NaN for fewer than two and where one is not
      finite.
    """
    d = np.asarray(differences, dtype=float)
    if d.size < 2 or not np.isfinite(d).all():
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

    A p-value that is NaN (or not from 0 to 1) stays or becomes NaN; the others are
    corrected among themselves.

    Args:
      p: p-values, `[..., tests]`; each row is a family of its own.
    """
    p = np.asarray(p, dtype=float)
    with np.errstate(invalid="ignore"):
        p = np.where((p >= 0) & (p <= 1), p, np.nan)
    order = np.argsort(p, axis=-1, kind="stable")  # NaN comes last.
    ordered = np.take_along_axis(p, order, axis=-1)
    tests = np.isfinite(p).sum(axis=-1, keepdims=True)
    steps = ordered * np.maximum(tests - np.arange(p.shape[-1]), 1)
    steps = np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0)
    corrected = np.empty_like(p)
    np.put_along_axis(corrected, order, steps, axis=-1)
    return corrected
