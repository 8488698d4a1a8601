"""Every pair of groups, compared within units: for any table."""

import itertools
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from relujax import errors
from relujax.errors import InputError, short
from relujax.statistics._decide import decide, on_median, why_fragile
from relujax.statistics._estimates import mean_interval
from relujax.statistics._median import median_interval, sign_tails, skewed
from relujax.statistics._metrics import metric_of
from relujax.statistics._paired import name_of_test, tails
from relujax.statistics._power import (
    POWER,
    seeds_for,
    smallest_effect,
    smallest_median,
    standard_error,
)
from relujax.statistics._results import improvements, primary_metric
from relujax.statistics._stepdown import step_down

Correction = Literal["holm", "step-down"]
Estimand = Literal["mean", "median"]

# A pair of groups to what its units say: index unit, values a minus b.
Pairs = Mapping[tuple, pd.Series]


def compare(
    frame: pd.DataFrame,
    *,
    group: str = "activation",
    unit: str = "seed",
    metric: str | None = None,
    estimand: Estimand = "mean",
    alpha: float = 0.05,
    confidence: float = 0.95,
    correction: Correction = "holm",
) -> pd.DataFrame:
    """Is group `a` better than group `b`? Every pair, paired by unit.

    The table can be any: one row per group and unit, such as a network and its seed.
    Of results of this package, networks are read at the end of training, and several
    tasks are averaged within each seed.

    Of the mean difference over units, `mean_interval` estimates it and `paired_test`
    decides. Such a verdict is *fragile* where its error rate does not hold: where the
    differences are skewed, or the units too few to show rare failures, which can undo a
    mean (`seeds_for_means`). Of the median difference, `median_interval` estimates it
    and `sign_test` decides, whatever the distribution: it needs more units, and is
    never fragile. `median_verdict` has it in any case.

    Args:
      frame: the table.
      group: the column that says what is compared.
      unit: the column that pairs values: the same unit under every group.
      metric: the column of values. `add_metric` says if less of it is better. By
        default, the accuracy or the error of this package's results.
      estimand: "mean" or "median": what the effect and the verdict are about.
      alpha: the chance of a false verdict anywhere in the table.
      confidence: of the intervals, each for itself.
      correction: of the p-values of means: "holm", or "step-down", which knows how
        pairs depend on each other (`step_down`) and takes the units that all groups
        have.

    Returns:
      One row per pair: `a` and `b`; the `effect`, a minus b in the stored unit with the
      sign of an improvement, and its interval `low` to `high`; the corrected two-sided
      `p`; the `verdict` on "a is better than b" (supported, contradicted, undecided,
      or not tested where they have no unit in common); whether it is `fragile`; the
      `smallest_effect` that so many units would show with a chance of 80 %; the units
      `n`; the `estimand` and the `test`; the `median_verdict` of the sign test; and a
      `note` that says what a verdict rests on.

    Raises:
      InputError: a column is missing, a value is not a finite number, a group has two
        values for a unit, or there are no two groups.
    """
    pairs = _pairs(frame, group, unit, metric)
    d = [pair.to_numpy() for pair in pairs.values()]
    tested = np.array([len(x) > 0 for x in d])
    mean, sign = (
        np.where(tested[:, None], [side(x) for x in d], np.nan)
        for side in (tails, sign_tails)
    )
    for name, value, known in (
        ("correction", correction, ("holm", "step-down")),
        ("estimand", estimand, ("mean", "median")),
    ):
        if value not in known:
            raise errors.unknown(name, str(value), known)
    of_mean = estimand == "mean"
    p = _stepped_down(pairs, tested) if correction == "step-down" and of_mean else None
    found = decide(mean if of_mean else sign, sign, alpha, corrected=p)
    rows = [
        {"a": a, "b": b, "p": float(found.p[i]), "estimand": estimand}
        | _measured(d[i], estimand, float(found.level[i]), confidence)
        | {
            "verdict": _verdict(found.side[i], tested[i]),
            "median_verdict": _verdict(found.side_median[i], tested[i]),
        }
        for i, (a, b) in enumerate(pairs)
    ]
    table, family = pd.DataFrame(rows), (int(tested.sum()), alpha)
    why = [why_fragile(bool(skewed(x)), len(x), *family) if of_mean else "" for x in d]
    decided = found.side != 0
    table["fragile"] = decided & np.array([bool(text) for text in why])
    table["note"] = [
        "; ".join(filter(None, [text, on_median(s, t, len(x), *family)]))
        if s and of_mean
        else ""
        for text, s, t, x in zip(why, found.side, found.side_median, d, strict=True)
    ]
    return table[COLUMNS]


COLUMNS = [
    *("a", "b", "effect", "low", "high", "p", "verdict", "fragile"),
    *("smallest_effect", "n", "estimand", "test", "median_verdict", "note"),
]

VERDICTS = {1: "supported", 0: "undecided", -1: "contradicted"}


def _verdict(side: int, tested: bool) -> str:
    return VERDICTS[int(side)] if tested else "not tested"


def _measured(
    d: np.ndarray, estimand: Estimand, level: float, confidence: float
) -> dict:
    """What one pair's differences show, whatever the other pairs."""
    n = len(d)
    error = standard_error(d)
    if estimand == "mean":
        estimate = mean_interval(d, confidence=confidence)
        smallest = smallest_effect(error, n - 1, alpha=level)
    else:
        estimate = median_interval(d, confidence=confidence)
        smallest = smallest_median(error * np.sqrt(n), n, alpha=level)
    return {
        "effect": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "smallest_effect": smallest,
        "n": n,
        "test": name_of_test(n) if estimand == "mean" else "sign test",
    }


def _stepped_down(pairs: Pairs, tested: np.ndarray) -> np.ndarray:
    """The corrected p-values by `step_down`, over the units of all tested pairs."""
    p = np.full(len(pairs), np.nan)
    if tested.any():
        d = [x for x, use in zip(pairs.values(), tested, strict=True) if use]
        p[tested] = step_down(pd.concat(d, axis=1, join="inner").to_numpy())
    return p


def required_seeds(
    frame: pd.DataFrame,
    effect: float,
    *,
    group: str = "activation",
    unit: str = "seed",
    metric: str | None = None,
    alpha: float = 0.05,
    power: float = POWER,
) -> pd.DataFrame:
    """How many seeds it takes to find a difference of `effect` between each two groups.

    A pilot of a few seeds gives the spread; differences are taken as normal, and
    `alpha` is shared out over the pairs (Bonferroni).

    Args:
      frame: a table, as `compare` takes it.
      effect: the true mean difference to be found, in the metric's stored unit (0.01 is
        one percentage point of accuracy).
      group: the column that says what is compared.
      unit: the column that pairs values.
      metric: the column of values.
      alpha: the chance of a false verdict anywhere in the table.
      power: the chance of finding the effect.

    Returns:
      One row per pair: `a`, `b`, the `spread` (standard deviation of the differences),
      the number `n` of units that it is known from, and `seeds`, the number needed.

    Raises:
      InputError: as `compare`, or a pair has fewer than two common units.
    """
    pairs = _pairs(frame, group, unit, metric)
    rows = []
    for (a, b), d in pairs.items():
        if len(d) < 2:
            raise InputError(
                f"Expected two values of {unit!r} or more that {a} and {b} share, got "
                f"{len(d)}: the spread is not known yet."
            )
        spread = float(d.std(ddof=1))
        level = alpha / len(pairs)
        seeds = seeds_for(effect, spread, alpha=level, power=power)
        rows.append({"a": a, "b": b, "spread": spread, "n": len(d), "seeds": seeds})
    return pd.DataFrame(rows)


def _pairs(frame: pd.DataFrame, group: str, unit: str, metric: str | None) -> Pairs:
    """Each pair of groups to its differences, with the sign of an improvement."""
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"Expected a pandas.DataFrame, got {short(frame)}.")
    for column in (group, unit):
        if column not in frame:
            raise errors.unknown("column", column, map(str, frame.columns))
    names = list(frame[group].dropna().unique())
    if len(names) < 2:
        raise InputError(
            f"Expected two groups or more in {group!r}, got {len(names)}: there is "
            "nothing to compare."
        )
    both = list(itertools.combinations(names, 2))
    ours = {"cell", "epoch", "split", "diverged"} <= set(frame)
    if ours and (group, unit) == ("activation", "seed"):
        metric = metric or primary_metric(frame)
        found = {(a, b): improvements(frame, metric, a, b) for a, b in both}
    else:
        wide, sign = _wide(frame, group, unit, metric)
        found = {(a, b): sign * (wide[a] - wide[b]).dropna() for a, b in both}
    for (a, b), d in found.items():
        if not np.isfinite(d).all():
            raise InputError(
                f"Expected finite values of {metric!r}, got others in the difference "
                f"of {a} and {b}."
            )
    return found


def _wide(
    frame: pd.DataFrame, group: str, unit: str, metric: str | None
) -> tuple[pd.DataFrame, float]:
    """The values as `[unit, group]`, and the sign of an improvement."""
    if metric is None:
        raise InputError("Expected the name of a column as metric, got none.")
    if metric not in frame:
        raise errors.unknown("column", metric, map(str, frame.columns))
    if not pd.api.types.is_numeric_dtype(frame[metric]):
        raise InputError(
            f"Expected numbers in {metric!r}, got {frame[metric].dtype}: convert it."
        )
    rows = frame[[group, unit, metric]].astype({metric: float})
    bad = rows.isna().any(axis=1) | ~np.isfinite(rows[metric])
    if bad.any():
        name, which, value = rows[bad].iloc[0]
        raise InputError(
            f"Expected finite values of {metric!r}, got {value} for {name}, {unit} "
            f"{which}: leave that {unit} out of every group, and say so, or enter the "
            "value that a failed run counts as."
        )
    twice = rows.duplicated([group, unit])
    if twice.any():
        name, which, _ = rows[twice].iloc[0]
        raise InputError(
            f"Expected one value per {group} and {unit}, got two for {name}, {unit} "
            f"{which}: average them first, or select the rows that count."
        )
    sign = 1.0 if metric_of(metric, rows).higher_is_better else -1.0
    return rows.pivot(index=unit, columns=group, values=metric).astype(float), sign
