"""How much so many seeds can show, and how many it takes."""

import numpy as np
from scipy import optimize, stats

from relujax.errors import InputError
from relujax.statistics._median import seeds_for_signs

# The chance that "could show" means.
POWER = 0.8


def smallest_effect(
    error: float, df: float, *, alpha: float = 0.05, power: float = POWER
) -> float:
    """The smallest true effect that a t-test finds with a chance of 80 %.

    The solution of P(T > t) = power, where T has the noncentral t distribution of an
    effect in standard errors, and t is the two-sided quantile at `alpha`.

    >>> round(smallest_effect(0.002, 9), 5)
    0.00631

    Args:
      error: the standard error of the effect.
      df: its degrees of freedom; for n seeds, n - 1.
      alpha: the two-sided level of the test; 0.05 / 20 for one of twenty claims.
      power: the chance of finding it.

    Returns:
      The effect, in the unit of `error`; NaN where there is no error to go by: a single
      seed, or differences that are all equal.
    """
    _check(alpha, power)
    if not (np.isfinite([error, df]).all() and error > 0 and df > 0):
        return np.nan
    limit = stats.t.isf(alpha / 2, df)
    chance = lambda shift: stats.nct.sf(limit, df, shift) - power
    # Far out, the noncentral t lies around its shift with a spread of 1 and of t / df.
    top = limit + 10 * (1 + limit / np.sqrt(df))
    return float(error * optimize.brentq(chance, 0.0, top, xtol=1e-6))


def smallest_median(
    spread: float, n: int, *, alpha: float = 0.05, power: float = POWER
) -> float:
    """The smallest true effect that a sign test finds with a chance of 80 %.

    In normal differences, whose mean and median are one. Infinite where so few seeds
    find nothing, even if all agree.

    >>> round(smallest_median(1.0, 20), 3), smallest_median(1.0, 5)
    (0.837, inf)

    Args:
      spread: the standard deviation of the differences.
      n: how many there are.
      alpha: the two-sided level of the test.
      power: the chance of finding the effect.
    """
    _check(alpha, power)
    if n < 2 or not (np.isfinite(spread) and spread > 0):
        return np.nan
    needed = int(stats.binom.isf(alpha / 2, n, 0.5)) + 1
    if needed > n:
        return np.inf
    share = stats.beta.ppf(power, needed, n - needed + 1)
    return float(spread * stats.norm.ppf(share))


def standard_error(differences: np.ndarray) -> float:
    """The standard error of their mean; NaN for a single one, or one not finite."""
    n = len(differences)
    if n < 2 or not np.isfinite(differences).all():
        return np.nan
    return float(differences.std(ddof=1) / np.sqrt(n))


def seeds_for(
    effect: float, spread: float, *, alpha: float = 0.05, power: float = POWER
) -> int:
    """How many seeds a paired t-test needs to find an effect.

    >>> seeds_for(1.0, 1.0), seeds_for(0.5, 1.0)
    (10, 34)

    Args:
      effect: the true mean difference, of either sign.
      spread: the standard deviation of the differences between seeds.
      alpha: the two-sided level of the test; 0.05 / 20 for one of twenty claims.
      power: the chance of finding the effect.

    Returns:
      The number, at least 2.

    Raises:
      InputError: the effect is zero or not finite, or the spread is not a positive
        number.
    """
    _check(alpha, power)
    if not (np.isfinite(effect) and effect != 0):
        raise InputError(f"Expected an effect other than 0, got {effect}.")
    if not (np.isfinite(spread) and spread >= 0):
        raise InputError(f"Expected a spread of 0 or more, got {spread}.")
    if spread == 0:
        return seeds_for_signs(1, alpha)
    enough = lambda n: (
        smallest_effect(spread / np.sqrt(n), n - 1, alpha=alpha, power=power)
        <= abs(effect)
    )
    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(alpha: float, power: float) -> None:
    if not 0 < alpha < power < 1:
        raise InputError(
            "Expected a level alpha and a larger power, both between 0 and 1, got "
            f"alpha={alpha} and power={power}."
        )
