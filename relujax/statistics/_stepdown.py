"""Claims that share seeds: a correction that knows how they depend on each other."""

import numpy as np
from numpy.typing import ArrayLike

from relujax.errors import InputError
from relujax.statistics._estimates import KEY
from relujax.statistics._paired import PATTERNS, TIE


def step_down(differences: ArrayLike) -> np.ndarray:
    r"""Corrected two-sided p-values of "the mean difference is zero", claim by claim.

    Westfall and Young's step-down with the largest statistic, over seeds: a seed's
    differences change sign together in all claims, so that claims that say nearly the
    same are corrected nearly as one, where Holm's method counts each. With
    :math:`T_j = \bar d_j / \|d_j\|`, ordered :math:`|T_1| \ge |T_2| \ge \dots`, the
    p-value of claim j is the share of sign patterns whose largest
    :math:`|T^*_k|, k \ge j`, is :math:`|T_j|` or more, and at least that of claim j-1.

    All patterns are tried of up to sixteen seeds, 99,999 random ones of more. No
    p-value is under 2 ** (1 - n): five seeds decide nothing. It assumes of the seeds
    what the sign-flip test does: that their differences are, jointly, as likely with
    either sign.

    Westfall and Young, "Resampling-Based Multiple Testing" (1993), algorithm 2.8;
    Romano and Wolf, "Exact and Approximate Stepdown Methods for Multiple Hypothesis
    Testing", Journal of the American Statistical Association 100 (2005).

    >>> same = [[0.1, 0.1], [0.2, 0.2], [0.1, 0.1], [0.3, 0.3], [0.2, 0.2], [0.1, 0.1]]
    >>> step_down(same)
    array([0.03125, 0.03125])

    Args:
      differences: `[seeds, claims]`, paired: a row is one seed.

    Returns:
      The p-values, `[claims]`. A claim with a value that is not finite has NaN, and the
      others are corrected among themselves.

    Raises:
      InputError: `differences` is not a table.
    """
    d = np.asarray(differences, dtype=float)
    if d.ndim != 2:
        raise InputError(f"Expected a table [seeds, claims], got shape {d.shape}.")
    p = np.full(d.shape[1], np.nan)
    good = np.isfinite(d).all(axis=0)
    if good.any():
        p[good] = _corrected(d[:, good])
    return p


def _corrected(d: np.ndarray) -> np.ndarray:
    n, claims = d.shape
    if n < 2:
        return np.ones(claims)
    scale = np.abs(d).max(axis=0)
    x = d / np.where(scale > 0, scale, 1.0)
    norm = np.sqrt((x**2).sum(axis=0))
    x = x / np.where(norm > 0, norm, 1.0)
    order = np.argsort(-np.abs(x.sum(axis=0)), kind="stable")
    x = x[:, order]
    least, seen = np.abs(x.sum(axis=0)) - TIE, np.zeros(claims)
    patterns, exact = _patterns(n)
    for some in np.array_split(patterns, -(-len(patterns) * claims // 4_000_000)):
        null = np.abs(some @ x)
        # The largest statistic of each claim and those after it.
        largest = np.maximum.accumulate(null[:, ::-1], axis=1)[:, ::-1]
        seen += (largest >= least).sum(axis=0)
    # Of random patterns, the observed one counts beside them.
    steps = seen / len(patterns) if exact else (1 + seen) / (1 + len(patterns))
    p = np.empty(claims)
    p[order] = np.maximum.accumulate(steps)
    # Without any difference there is no evidence, whatever the order.
    return np.where(norm > 0, p, 1.0)


def _patterns(n: int) -> tuple[np.ndarray, bool]:
    """Sign patterns `[patterns, n]`, and whether they are all there are."""
    if n <= 16:
        # The opposite of a pattern gives the same magnitude: half of them suffice.
        bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
    else:
        bits = np.random.default_rng(KEY).integers(0, 2, (PATTERNS, n), dtype=np.int8)
    return 2.0 * bits - 1, n <= 16
