"""A paper's table beside ours: its numbers, and its order."""

from collections.abc import Callable, Mapping

import pandas as pd

from relujax.errors import InputError
from relujax.statistics import Metric, mean_interval, metric_of, scores
from relujax.studies._evidence import observed, positive
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]
#: Spec to the paper's name and its number, in the stored unit of the metric.
Reported = Mapping[str, tuple[str, float]]


def by_seed(frame: pd.DataFrame, metric: str, reported: Reported) -> pd.DataFrame:
    """A metric of the activations of a table, by seed, averaged over tasks.

    Raises:
      InputError: the results lack one of them.
    """
    wide = scores(frame, metric).unstack("seed").groupby(level="activation").mean()
    lacking = [spec for spec in reported if spec not in wide.index]
    if lacking:
        raise InputError(f"Expected results of {', '.join(lacking)}, got none.")
    return wide.loc[list(reported)]


def order_correlates(reported: Reported, metric: str) -> Test:
    """The test of "our order has something of the table's": a rank correlation above 0.

    Args:
      reported: the table.
      metric: what its numbers are.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        rho = _correlation(frame, metric, reported)
        return positive(
            rho,
            f"Over the {len(reported)} activations, the scores of a seed have a rank "
            f"correlation of {rho.mean():.2f} with the table's; of no relation it "
            "would be 0.",
            unit="rank correlation with the table",
        )

    return test


def same_order(reported: Reported, metric: str) -> Test:
    """The test of "the mean scores are in the order of the table".

    Args:
      reported: as in `order_correlates`.
      metric: likewise.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        mean = by_seed(frame, metric, reported).mean(axis=1)
        theirs = pd.Series({spec: value for spec, (_, value) in reported.items()})
        m = metric_of(metric, frame)
        ours, table = (_named(x, m, reported) for x in (mean, theirs))
        return observed(
            ours == table,
            f"From the best, ours: {ours}; the table: {table}.",
            effect=float(_correlation(frame, metric, reported).mean()),
            unit="rank correlation with the table",
        )

    return test


def scores_beside(
    reported: Reported, metric: str, more: Reported | None = None
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A table of the paper's numbers and ours, `mean [low, high]` over seeds.

    Args:
      reported: its rows.
      metric: what its numbers are.
      more: rows that the paper's table lacks; their numbers are its text's.
    """
    rows = {**reported, **(more or {})}

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        m, ours, table = metric_of(metric, frame), by_seed(frame, metric, rows), []
        for spec, (name, value) in rows.items():
            e = mean_interval(ours.loc[spec].dropna(), bounds=m.bounds)
            source = " (text)" if spec not in reported else ""
            shown = f"{m.show(e.value)} [{m.show(e.low)}, {m.show(e.high)}]"
            table.append((name, f"{m.show(value)}{source}", shown, spec))
        unit = f", {m.unit}".removesuffix(", ")
        heads = ["activation", f"the paper{unit}", f"ours{unit} [95 % interval]"]
        return pd.DataFrame(table, columns=[*heads, "spec"])

    return make


def _correlation(frame: pd.DataFrame, metric: str, reported: Reported) -> pd.Series:
    """Each seed's rank correlation with the table (Spearman's)."""
    ours = by_seed(frame, metric, reported)
    ours = ours.loc[:, ours.nunique() > 1]  # Equal scores have no order.
    theirs = pd.Series({spec: value for spec, (_, value) in reported.items()})
    return ours.corrwith(theirs, method="spearman")


def _named(values: pd.Series, m: Metric, reported: Reported) -> str:
    """The names of the table from the best to the worst."""
    order = values.sort_values(ascending=not m.higher_is_better).index
    return ", ".join(reported[spec][0] for spec in order)
