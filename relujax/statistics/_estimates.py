"""Point estimates over seeds with bootstrap confidence intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from relujax.errors import InputError

# A report must be a pure function of the stored results: resampling is keyed.
RESAMPLES = 9_999
KEY = 0

# From this many seeds on, intervals and tests resample, and do not take the values as
# normal. Below, they are Student's: resampled means cannot leave the range of the data,
# which holds the true mean of three seeds only 75 % of the time. And a sign-flip test
# has no one-sided p-value under 2 ** -n: with ten seeds 0.001, which is no verdict any
# more after Holm's correction over twenty claims and Bonferroni's over five rivals.
RESAMPLE_FROM = 20


class Estimate(NamedTuple):
    """A point estimate and its confidence interval, from `n` independent values.

    `low` and `high` are NaN when one value, or none, leaves the spread unknown, and
    where a value is not finite.
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
    Of skewed values, either holds the true mean less often than it says: how often is
    in the table that `python -m relujax.statistics.simulate` makes.

    Hesterberg, "What Teachers Should Know About the Bootstrap", The American
    Statistician 69 (2015), section 5.2, https://arxiv.org/abs/1411.5279.

    >>> mean_interval([3.0, 3.0, 3.0])
    Estimate(value=3.0, low=3.0, high=3.0, n=3)
    >>> mean_interval([3.0])
    Estimate(value=3.0, low=nan, high=nan, n=1)

    Args:
      values: one number per seed. One that is not finite leaves no interval.
      confidence: the coverage aimed at.
      bounds: what the mean cannot exceed: the interval ends there.
    """
    x = np.asarray(values, dtype=float)
    if not x.size or not np.isfinite(x).all():
        return Estimate(np.nan, np.nan, np.nan, x.size)
    if x.size < 2:
        return Estimate(float(x[0]), np.nan, np.nan, x.size)
    low, high = mean_band(x[:, None], confidence=confidence)
    low, high = np.clip([low[0], high[0]], *bounds)
    # The mean of equal values is that value, whatever the rounding of their sum.
    mean = np.clip(x.mean(), x.min(), x.max())
    return Estimate(float(mean), float(low), float(high), x.size)


def mean_band(
    values: np.ndarray, *, confidence: float = 0.95, resamples: int = RESAMPLES
) -> tuple[np.ndarray, np.ndarray]:
    """`mean_interval` for each column of `values[seed, ...]`: lower and upper ends.

    NaN for a column that holds a value that is not finite.
    """
    values = np.asarray(values, dtype=float)
    finite = np.isfinite(values).all(axis=0)
    x = np.where(finite, values, 0.0)
    if len(x) >= RESAMPLE_FROM:
        band = _bootstrap(x, confidence, resamples)
    else:
        band = _student(x, confidence)
    low, high = (np.where(finite, end, np.nan) for end in band)
    return low, high


def _student(x: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    n = len(x)
    if n < 2:
        blank = np.full(x.shape[1:], np.nan)
        return blank, blank
    half = stats.t.isf((1 - confidence) / 2, n - 1) * stats.sem(x, axis=0)
    mean = np.clip(x.mean(axis=0), x.min(axis=0), x.max(axis=0))
    half = np.where(np.ptp(x, axis=0) > 0, half, 0.0)
    return mean - half, mean + half


def _bootstrap(
    x: np.ndarray, confidence: float, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    interval = stats.bootstrap(
        (x,),
        np.mean,
        axis=0,
        confidence_level=_expanded(confidence, len(x)),
        n_resamples=resamples,
        batch=max(1, 2_000_000 // x.size),
        method="percentile",
        rng=np.random.default_rng(KEY),
    ).confidence_interval
    # Rounding in the resampled sums must not open an interval that is closed.
    inside = lambda end: np.clip(end, x.min(axis=0), x.max(axis=0))
    return inside(interval.low), inside(interval.high)


def _expanded(confidence: float, n: int) -> float:
    # z = sqrt(n / (n - 1)) t: the sample's spread is short by sqrt((n - 1) / n), and
    # the normal quantile falls short of Student's.
    t = stats.t.isf((1 - confidence) / 2, n - 1)
    return float(1 - 2 * stats.norm.sf(np.sqrt(n / (n - 1)) * t))


def iqm(values: ArrayLike) -> float:
    """The interquartile mean: the mean of the middle half of the values.

    NaN where a value is not finite.

    Robust like the median and efficient like the mean (Agarwal et al., "Deep
    Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021,
    https://arxiv.org/abs/2108.13264).

    >>> iqm([0.0, 1.0, 2.0, 100.0])
    1.5
    """
    x = np.asarray(values, dtype=float)
    return float(stats.trim_mean(x, 0.25)) if np.isfinite(x).all() else np.nan


def accuracy_interval(
    accuracy: float, examples: int, *, confidence: float = 0.95
) -> Estimate:
    r"""What the size of the test set leaves open about one network's accuracy.

    Another test set of so many examples might have shown another accuracy. Wilson's
    interval of a binomial share :math:`p` of :math:`n` examples,

    .. math::
        \frac{p + z^2/2n \pm z \sqrt{p(1-p)/n + z^2/4n^2}}{1 + z^2/n} .

    It stands beside an interval over seeds, which knows of one test set only. Two
    networks on the same test set differ by less chance than two intervals suggest.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22 (1927).

    >>> low, high = accuracy_interval(0.98, 10_000)[1:3]
    >>> round(low, 4), round(high, 4)
    (0.9771, 0.9826)

    Args:
      accuracy: the share of examples that were classified correctly.
      examples: the size of the test set.
      confidence: the coverage aimed at.

    Raises:
      InputError: `accuracy` is outside of 0 to 1, or `examples` is less than 1.
    """
    if not 0 <= accuracy <= 1 or not examples >= 1:
        raise InputError(
            "Expected an accuracy from 0 to 1 on one example or more, got "
            f"{accuracy} on {examples}."
        )
    n, z = int(examples), stats.norm.isf((1 - confidence) / 2)
    centre = accuracy + z**2 / (2 * n)
    half = z * np.sqrt(accuracy * (1 - accuracy) / n + (z / (2 * n)) ** 2)
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return Estimate(float(accuracy), max(0.0, float(low)), min(1.0, float(high)), n)
