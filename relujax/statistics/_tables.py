"""The tables of a study: a summary per activation, comparisons with a baseline."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from relujax.statistics._decide import decide, why_fragile
from relujax.statistics._estimates import iqm, mean_interval
from relujax.statistics._median import sign_tails, skewed
from relujax.statistics._metrics import Metric, metric_name, metric_of
from relujax.statistics._paired import (
    effect_size,
    holm,
    name_of_test,
    paired_test,
    tails,
)
from relujax.statistics._power import smallest_effect, standard_error
from relujax.statistics._results import (
    TASK,
    UNIT,
    by_kind,
    diverged,
    gap_metric,
    is_regression,
    only,
    own_metrics,
    primary_metric,
    resolve,
    scores,
    short_labels,
    tasks,
)


def summary(
    frame: pd.DataFrame,
    baseline: str | None = None,
    *,
    confidence: float = 0.95,
    loss_threshold: float | None = None,
) -> pd.DataFrame:
    """One row per task and activation: how training ended.

    Args:
      frame: long-form results.
      baseline: the activation whose training loss after half of its epochs is the
        threshold of `epochs_to_loss`; the first of each task if None.
      confidence: of the intervals.
      loss_threshold: a training loss to use instead, the same for all tasks.

    Returns:
      Columns data, model, optimizer, activation; `seeds` (that trained to the end) and
      `diverged`; for each metric its mean and the ends of its interval (`accuracy`,
      `accuracy_low`, `accuracy_high`, ...), on the test split unless named `train_`;
      the interquartile mean `..._iqm` of the primary metric; and `epochs_to_loss`, the
      median over seeds of the first epoch at which the training loss is at most
      `loss_threshold` (infinite where fewer than half of the seeds get there).
    """
    parts = [
        _summary(part, baseline, confidence, loss_threshold) for part in by_kind(frame)
    ]
    return pd.concat(parts, ignore_index=True)


def _summary(
    frame: pd.DataFrame,
    baseline: str | None,
    confidence: float,
    loss_threshold: float | None,
) -> pd.DataFrame:
    primary = primary_metric(frame)
    names = ["mse", "r2"] if is_regression(frame) else ["accuracy", "f1_weighted"]
    wanted = [primary, *own_metrics(frame), *names, "loss", gap_metric(frame), "dead"]
    wanted = list(dict.fromkeys(wanted))
    columns = {name: _by_unit(scores(frame, name)) for name in wanted}
    columns["train_loss"] = _by_unit(scores(frame, "loss", "train"))
    flags = frame.assign(diverged=diverged(frame)).groupby([*UNIT, "seed"], sort=False)
    count = flags["diverged"].first().groupby(level=UNIT, sort=False).sum()
    speed = epochs_to_loss(frame, baseline, loss_threshold)
    epochs, nothing = _by_unit(speed["epoch"]), pd.Series(dtype=float)

    rows = []
    for unit, failed in count.items():
        row: dict = dict(zip(UNIT, unit, strict=True))
        values = {name: c.get(unit, nothing) for name, c in columns.items()}
        row |= {"seeds": len(values[primary]), "diverged": int(failed)}
        for name, x in values.items():
            bounds = metric_of(name.removeprefix("train_"), frame).bounds
            estimate = mean_interval(x, confidence=confidence, bounds=bounds)
            row[name] = estimate.value
            row[f"{name}_low"], row[f"{name}_high"] = estimate.low, estimate.high
        row[f"{primary}_iqm"] = iqm(values[primary]) if len(values[primary]) else np.nan
        row["epochs_to_loss"] = float(epochs.get(unit, nothing).median())
        row["loss_threshold"] = speed.attrs["thresholds"][unit[:-1]]
        rows.append(row)
    return pd.DataFrame(rows)


def epochs_to_loss(
    frame: pd.DataFrame, baseline: str | None = None, threshold: float | None = None
) -> pd.DataFrame:
    """The first epoch of each network whose training loss is at most the threshold.

    Returns:
      Column `epoch` (infinite where never reached), indexed like `scores`; the
      threshold of each task is in `.attrs["thresholds"]`.
    """
    good = frame[~diverged(frame) & (frame["split"] == "train")]
    if "loss" not in frame:
        good = good.assign(loss=np.nan)
    thresholds, parts = {}, []
    for task in tasks(frame):
        rows = only(good, task)
        limit = threshold
        if limit is None:
            limit = _halfway_loss(rows, baseline)
        thresholds[task] = limit
        first = rows["epoch"].where(rows["loss"] <= limit, np.inf)
        parts.append(first.groupby([rows[c] for c in [*UNIT, "seed"]]).min())
    result = pd.concat(parts).to_frame("epoch")
    result.attrs["thresholds"] = thresholds
    return result


def _halfway_loss(rows: pd.DataFrame, baseline: str | None) -> float:
    names = list(rows["activation"].unique())
    if not names:
        return np.nan
    own = rows[rows["activation"] == (baseline if baseline in names else names[0])]
    return float(own.loc[own["epoch"] == own["epoch"].max() // 2, "loss"].mean())


def paired_comparisons(
    frame: pd.DataFrame,
    metric: str,
    baseline: str,
    *,
    split: str = "test",
    confidence: float = 0.95,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Every activation against the baseline, task by task, paired by seed.

    Args:
      frame: long-form results.
      metric: a name in METRICS, or a numeric column of your own.
      baseline: an activation spec of the frame.
      split: which split is scored.
      confidence: of the intervals.
      alpha: the chance of a false difference anywhere in the table.

    Returns:
      One row per task and activation, in the metric's stored unit: the means of both
      over their common seeds, `difference` (activation minus baseline) with `low` and
      `high`, `effect_size` (Cohen's d_z), in how many seeds the activation is better,
      equal and worse (`wins`, `ties`, `losses`), the two-sided `p`, `p_holm` (corrected
      over all rows of this table), the `test` that gave it, and `n`, the pairs; whether
      a difference is `fragile` (as in `compare`), and the `smallest_effect` that so
      many seeds would show with a chance of 80 %.
    """
    baseline = resolve(baseline, frame)
    values, nothing = _by_unit(scores(frame, metric, split)), pd.Series(dtype=float)
    better = 1 if metric_of(metric, frame).higher_is_better else -1
    rows, pairs = [], []
    for task in tasks(frame):
        names = only(frame, task)["activation"].unique()
        for name in names if baseline in names else []:
            if name == baseline:
                continue
            both = [values.get((*task, a), nothing) for a in (name, baseline)]
            pair = pd.concat(both, axis=1, join="inner").to_numpy()
            row = dict(zip(TASK, task, strict=True)) | {"activation": name}
            rows.append(row | _compared(pair, better, confidence))
            pairs.append(pair[:, 0] - pair[:, 1])
    table = pd.DataFrame(rows, columns=COMPARISON)
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    if len(table):
        table = table.assign(**_rests_on(pairs, alpha))
    return table


def _compared(pair: np.ndarray, better: int, confidence: float) -> dict:
    """One activation and the baseline, `[seeds, 2]`; `better`: 1 if more is better."""
    d = pair[:, 0] - pair[:, 1]
    estimate = mean_interval(d, confidence=confidence)
    means = pair.mean(axis=0) if len(pair) else (np.nan, np.nan)
    signs = np.sign(np.round(better * d, 12))
    return {
        "mean": means[0],
        "baseline_mean": means[1],
        "difference": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "effect_size": effect_size(d),
        "wins": int((signs > 0).sum()),
        "ties": int((signs == 0).sum()),
        "losses": int((signs < 0).sum()),
        "p": paired_test(d),
        "test": name_of_test(len(d)),
        "n": len(d),
    }


def _rests_on(pairs: list[np.ndarray], alpha: float) -> dict[str, list]:
    """Which differences are fragile, and what the others could have shown."""
    mean, sign = (np.stack([of(d) for d in pairs]) for of in (tails, sign_tails))
    found, fragile, smallest = decide(mean, sign, alpha), [], []
    for d, side, level in zip(pairs, found.side, found.level, strict=True):
        why = why_fragile(bool(skewed(d)), len(d), len(pairs), alpha)
        fragile.append(bool(side) and bool(why))
        error, df = standard_error(d), len(d) - 1
        smallest.append(smallest_effect(error, df, alpha=float(level)))
    return {"fragile": fragile, "smallest_effect": smallest}


COMPARISON = [
    *UNIT,
    *("mean", "baseline_mean", "difference", "low", "high", "effect_size"),
    *("wins", "ties", "losses", "p", "p_holm", "test", "n"),
    *("fragile", "smallest_effect"),
]


def _by_unit(values: pd.Series) -> dict[tuple, pd.Series]:
    groups = values.groupby(level=UNIT, sort=False)
    return {unit: group.droplevel(UNIT) for unit, group in groups}


def conclusion(
    frame: pd.DataFrame,
    metric: str,
    baseline: str,
    *,
    split: str = "test",
    alpha: float = 0.05,
) -> str:
    """One sentence: what the results support about the baseline and the others."""
    baseline = resolve(baseline, frame)
    table = paired_comparisons(frame, metric, baseline, split=split, alpha=alpha)
    table = table[table["n"] > 0]
    if table.empty:
        return _nothing(frame, baseline)
    finite = np.isfinite(table["difference"])
    lost = sorted(set(table["activation"][~finite]))
    note = f"Not compared, as a value is not finite: {_listed(lost)}." if lost else ""
    if not finite.any():
        return note
    m, name = metric_of(metric, frame), metric_name(metric, split, frame)
    text = _concluded(table[finite], m, name, baseline, tasks(frame), alpha)
    return f"{text} {note}".strip()


def _nothing(frame: pd.DataFrame, baseline: str) -> str:
    """Why no activation has a seed in common with the baseline."""
    if not set(frame["activation"]) - {baseline}:
        return f"Nothing can be compared with {baseline}: there is no other activation."
    networks = frame.assign(diverged=diverged(frame)).groupby([*UNIT, "seed"])
    lost = networks["diverged"].first()
    why = f", as {lost.sum():,} of {len(lost):,} networks diverged" if any(lost) else ""
    return f"Nothing can be compared with {baseline}: no seed ended with both{why}."


def _concluded(
    table: pd.DataFrame,
    m: Metric,
    name: str,
    baseline: str,
    every: list[tuple[str, ...]],
    alpha: float,
) -> str:
    """The sentence about the rows of `paired_comparisons` that say something."""
    seeds = _range(table["n"])
    if table["n"].max() < 2:
        return (
            f"One seed cannot tell whether any activation differs from {baseline} in "
            f"{name}: run at least five."
        )
    labels = dict(zip(every, short_labels(every), strict=True))
    show = lambda row: _difference(row, m, labels)
    corrected = "Holm-corrected p"
    top = table.loc[table["difference"].abs().idxmax()]
    found = table[table["p_holm"] <= alpha]
    if found.empty:
        least = table["p_holm"].min()
        return (
            f"No activation differs from {baseline} in {name} beyond chance ({seeds}, "
            f"{corrected} {'≥' if least < 1 else '='} {least:.2g}); the largest "
            f"difference is {show(top)}."
        )
    sign = 1 if m.higher_is_better else -1
    order = (sign * found["difference"]).sort_values(ascending=False).index
    found = found.loc[order]
    better = [show(r) for _, r in found[sign * found["difference"] > 0].iterrows()]
    worse = [show(r) for _, r in found[sign * found["difference"] < 0].iterrows()]
    parts = [
        f"{_listed(group)} {verb}"
        for group, verb in [(better, "beat" if len(better) > 1 else "beats"),
                            (worse, "trail" if len(worse) > 1 else "trails")]
        if group
    ]  # fmt: skip
    rest = len(table) - len(found)
    tail = f"; the other {rest} of {len(table)} comparisons could be chance"
    tail = tail if rest else ""
    return (
        f"In {name}, {' and '.join(f'{part} {baseline}' for part in parts)} "
        f"({seeds}, {corrected} ≤ {found['p_holm'].max():.2g}){tail}."
    )


def _difference(row: pd.Series, m: Metric, labels: Mapping[Any, str]) -> str:
    where = f" on {labels[tuple(row[TASK])]}" if len(labels) > 1 else ""
    unit = f" {m.points}" if m.points else ""
    low, high = m.show(row["low"], sign=True), m.show(row["high"], sign=True)
    value = m.show(row["difference"], sign=True)
    return f"{row['activation']}{where} ({value}{unit}, 95 % CI {low} to {high})"


def _range(n: pd.Series) -> str:
    low, high = int(n.min()), int(n.max())
    text = str(low) if low == high else f"{low} to {high}"
    return f"{text} seed" if text == "1" else f"{text} seeds"


def _listed(items: list[str], limit: int = 4) -> str:
    if len(items) > limit:
        items = [*items[: limit - 1], f"{len(items) - limit + 1} more"]
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} and {items[-1]}"
