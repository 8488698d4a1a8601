"""Point estimates over seeds with bootstrap confidence intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

# A report must be a pure function of the stored results: resampling is keyed.
RESAMPLES = 9_999
KEY = 0

# From this many seeds on, intervals and tests resample and assume no distribution.
# Below, they are Student's: resampled means cannot leave the range of the data, which
# holds the true mean of three seeds only 75 % of the time. And a sign-flip test has no
# one-sided p-value under 2 ** -n: with ten seeds 0.001, which is no verdict any more
# after Holm's correction over twenty claims and Bonferroni's over five rivals.
RESAMPLE_FROM = 20


class Estimate(NamedTuple):
    """A point estimate and its confidence interval, from `n` independent values.

    `low` and `high` are NaN when one value, or none, leaves the spread unknown.
    """

    value: float
    low: float
    high: float
    n: int


def mean_interval(
    values: ArrayLike,
    *,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """The mean and its confidence interval, by bootstrap from twenty values on.

    The interval is the expanded percentile bootstrap: the percentile interval of
    resampled means, at the level that makes its width that of Student's interval on
    normal data. The plain percentile interval is too short for few seeds (with ten, it
    covers about 90 % instead of 95 %). It never leaves the range of the data. Fewer
    than twenty values have Student's interval. Identical values give a zero-width one.

    Hesterberg, "What Teachers Should Know About the Bootstrap", The American
    Statistician 69 (2015), section 5.2, https://arxiv.org/abs/1411.5279.

    >>> mean_interval([3.0, 3.0, 3.0])
    Estimate(value=3.0, low=3.0, high=3.0, n=3)
    >>> mean_interval([3.0])
    Estimate(value=3.0, low=nan, high=nan, n=1)

    Args:
      values: one number per seed; NaN is refused by the caller, not here.
      confidence: the coverage aimed at.
      bounds: what the mean cannot exceed: the interval ends there.
    """
    x = np.asarray(values, dtype=float)
    if x.size < 2:
        return Estimate(float(x[0]) if x.size else np.nan, np.nan, np.nan, x.size)
    low, high = mean_band(x[:, None], confidence=confidence)
    low, high = np.clip([low[0], high[0]], *bounds)
    # The mean of equal values is that value, whatever the rounding of their sum.
    mean = np.clip(x.mean(), x.min(), x.max())
    return Estimate(float(mean), float(low), float(high), x.size)


def mean_band(
    values: np.ndarray, *, confidence: float = 0.95, resamples: int = RESAMPLES
) -> tuple[np.ndarray, np.ndarray]:
    """`mean_interval` for each column of `values[seed, ...]`: lower and upper ends."""
    n = len(values)
    if n < RESAMPLE_FROM:
        blank = np.full(values.shape[1:], np.nan)
        if n < 2:
            return blank, blank
        half = stats.t.isf((1 - confidence) / 2, n - 1) * stats.sem(values, axis=0)
        mean = np.clip(values.mean(axis=0), values.min(axis=0), values.max(axis=0))
        half = np.where(np.ptp(values, axis=0) > 0, half, 0.0)
        return mean - half, mean + half
    interval = stats.bootstrap(
        (values,),
        np.mean,
        axis=0,
        confidence_level=_expanded(confidence, n),
        n_resamples=resamples,
        batch=max(1, 2_000_000 // values.size),
        method="percentile",
        rng=np.random.default_rng(KEY),
    ).confidence_interval
    # Rounding in the resampled sums must not open an interval that is closed.
    inside = lambda end: np.clip(end, values.min(axis=0), values.max(axis=0))
    return inside(interval.low), inside(interval.high)


def _expanded(confidence: float, n: int) -> float:
    # z = sqrt(n / (n - 1)) t: the sample's spread is short by sqrt((n - 1) / n), and
    # the normal quantile falls short of Student's.
    t = stats.t.isf((1 - confidence) / 2, n - 1)
    return float(1 - 2 * stats.norm.sf(np.sqrt(n / (n - 1)) * t))


def iqm(values: ArrayLike) -> float:
    """The interquartile mean: the mean of the middle half of the values.

    Robust like the median and efficient like the mean (Agarwal et al., "Deep
    Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021,
    https://arxiv.org/abs/2108.13264).

    >>> iqm([0.0, 1.0, 2.0, 100.0])
    1.5
    """
    return float(stats.trim_mean(np.asarray(values, dtype=float), 0.25))
