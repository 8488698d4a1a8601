"""Looking before all seeds are there: what each look may spend of the error rate."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import integrate, optimize, stats

from relujax.errors import InputError

Rule = Literal["obrien-fleming", "pocock"]

# Points of the grid on which densities between two looks are integrated.
GRID = 1001


def stopping_levels(
    looks: Sequence[int],
    *,
    rule: Rule = "obrien-fleming",
    alpha: float = 0.05,
    claims: int = 1,
) -> np.ndarray:
    r"""The level of each look, so that all looks together keep `alpha`.

    Adding seeds because the first ones decided nothing gives chance another try: with
    looks at 5, 10 and 20 seeds, each at 5 %, a claim that is true of nothing is decided
    in about one study of nine. Looks that are planned may spend `alpha` in parts (Lan
    and DeMets): with the share t of the seeds there, they have spent

    .. math::
        4 - 4 \Phi(z_{\alpha/4} / \sqrt t) \quad\text{or}\quad
        \alpha \ln(1 + (e - 1) t)

    by the rule of O'Brien and Fleming (hardly anything early, nearly all at the end) or
    of Pocock (about the same at each look). What a look decides stays decided. Judge
    look k with `alpha=levels[k]`. A fixed number of seeds is one look: `[alpha]`.

    Lan and DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70
    (1983).

    >>> stopping_levels([5, 10, 20], rule="pocock").round(4)
    array([0.0179, 0.0179, 0.026 ])
    >>> stopping_levels([20])
    array([0.05])

    Args:
      looks: the number of seeds at each look, increasing; the last is the planned end.
      rule: how `alpha` is spent.
      alpha: the error rate of all looks together.
      claims: how many claims are judged together at each look. The levels are then such
        that p-values corrected over the claims can be held against them.

    Raises:
      InputError: the looks do not increase from 1 or more, the rule is unknown, or
        `alpha` or `claims` is out of range.
    """
    n = np.asarray(looks, dtype=float)
    if n.ndim != 1 or not n.size or n[0] < 1 or (np.diff(n) <= 0).any():
        raise InputError(f"Expected increasing numbers of seeds, got {list(looks)}.")
    if rule not in _SPENT:
        raise InputError(f"Expected the rule {' or '.join(_SPENT)}, got {rule!r}.")
    if not 0 < alpha < 1 or claims < 1:
        raise InputError(
            "Expected alpha between 0 and 1 and one claim or more, got "
            f"alpha={alpha} and claims={claims}."
        )
    share = n / n[-1]
    spent = _SPENT[rule](share, alpha / claims)
    return claims * _levels(share, np.diff(spent, prepend=0.0))


_SPENT = {
    "obrien-fleming": lambda t, alpha: (
        4 * stats.norm.sf(stats.norm.isf(alpha / 4) / np.sqrt(t))
    ),
    "pocock": lambda t, alpha: alpha * np.log1p((np.e - 1) * t),
}


def _levels(times: np.ndarray, spend: np.ndarray) -> np.ndarray:
    """Two-sided nominal levels at which Brownian motion leaves with these chances.

    Armitage, McPherson and Rowe's recursion: the density of what has not left yet is
    carried from look to look.
    """
    limit = stats.norm.isf(spend[0] / 2) * np.sqrt(times[0])
    levels, y = [spend[0]], np.linspace(-limit, limit, GRID)
    density = stats.norm.pdf(y, scale=np.sqrt(times[0]))
    for before, now, share in zip(times, times[1:], spend[1:], strict=False):
        step = np.sqrt(now - before)
        beyond = lambda c, y=y, density=density, step=step: integrate.simpson(
            density * (stats.norm.sf((c - y) / step) + stats.norm.sf((c + y) / step)),
            x=y,
        )
        excess = lambda c, beyond=beyond, share=share: beyond(c) - share
        limit = optimize.brentq(excess, 0.0, 12 * np.sqrt(now), xtol=1e-10)
        levels.append(2 * stats.norm.sf(limit / np.sqrt(now)))
        x = np.linspace(-limit, limit, GRID)
        between = stats.norm.pdf(x[:, None], loc=y, scale=step)
        density, y = integrate.simpson(density * between, x=y, axis=1), x
    return np.array(levels)
