"""What becomes of verdicts under other choices."""

from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from relujax.errors import InputError
from relujax.statistics import metric_of, scores
from relujax.studies._verdicts import Judgement

#: The parts of the results that are judged each by itself, by name.
Settings = Callable[[pd.DataFrame], Mapping[str, pd.DataFrame]]


def by_setting(
    settings: Settings,
    judged: Callable[[pd.DataFrame], Iterable[Judgement]],
    metric: str = "",
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A table of verdicts on the claims that sampling decides, a column per setting.

    Args:
      settings: splits the results, such as by learning rate.
      judged: the verdicts on a part of the results, each corrected by itself.
      metric: the mean of which is shown for each activation, before the verdicts.
    """

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        parts = settings(frame)
        if len(parts) < 2:
            raise InputError("Expected results of several settings, got one.")
        found = {}
        for name, rows in parts.items():
            verdicts = {j.claim.id: j.verdict for j in judged(rows) if j.p is not None}
            found[name] = {**_means(rows, metric), **verdicts}
        return pd.DataFrame(found).fillna("–").rename_axis("result").reset_index()

    return make


def _means(rows: pd.DataFrame, metric: str) -> dict[str, str]:
    """The mean of each activation, under the name of its row."""
    if not metric:
        return {}
    m = metric_of(metric, rows)
    mean = scores(rows, metric).groupby("activation").mean()
    unit = f", {m.unit}".removesuffix(", ")
    return {f"{m.label} of {a}{unit}": m.show(x) for a, x in mean.items()}
