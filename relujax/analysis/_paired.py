"""Tests on differences paired by seed.

The same seed has the same initialisation and data order under every activation, so a
difference between two activations is a difference within seeds.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from relujax.analysis._estimates import KEY, RESAMPLE_FROM, RESAMPLES

# Sums of a lattice that differ by less, relative to the largest difference, are tied:
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

    From ten differences on, the sign-flip permutation test: under the hypothesis that
    the two activations can be exchanged, each difference is as likely with either sign.
    It is exact whatever the distribution and with any ties (a test set of 114 examples
    makes accuracy a lattice); up to 13 seeds all sign patterns are enumerated, beyond,
    9,999 random ones. Below ten, the paired t-test, or the sign-flip test where the
    differences are all equal and t does not exist.

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
    if d.size < RESAMPLE_FROM and np.ptp(d) > TIE:
        return float(stats.ttest_1samp(d, 0.0, alternative=alternative).pvalue)
    result = stats.permutation_test(
        (d,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(KEY),
    )
    return _tail(result.null_distribution, result.statistic, alternative, d.size)


def _tail(null: np.ndarray, mean: float, alternative: Alternative, n: int) -> float:
    # Random patterns do not include the observed one, which counts in its own tail.
    added = 0 if len(null) == 2**n else 1
    share = lambda tail: (tail.sum() + added) / (len(null) + added)
    p = {"greater": share(null >= mean - TIE), "less": share(null <= mean + TIE)}
    p["two-sided"] = min(1.0, 2 * min(p.values()))
    return float(p[alternative])


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
