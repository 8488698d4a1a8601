"""Claims about the spread over seeds."""

from collections.abc import Callable

import pandas as pd

from relujax.errors import InputError
from relujax.statistics import (
    TASK,
    Where,
    metric_name,
    metric_of,
    resolve,
    scores,
    select,
)
from relujax.studies._evidence import amount, positive
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]


def steadier(
    a: str,
    b: str,
    metric: str = "accuracy",
    *,
    split: str = "test",
    where: Where | None = None,
) -> Test:
    """The test of "the scores of `a` vary less from seed to seed than those of `b`".

    A seed's number is how much farther the score of `b` lies from the median of its
    seeds than that of `a` from the median of its own: the test of Brown and Forsythe
    (1974) for pairs. It keeps its level for normal, lattice and skewed scores, and
    shows nothing with three seeds.

    Args:
      a: spec, or its name alone if the results have one of that name.
      b: likewise.
      metric: a name in `METRICS`.
      split: which split is scored.
      where: restricts data, model or optimizer; distances are averaged over tasks.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        rows = select(frame, where or {})
        own, other = resolve(a, rows), resolve(b, rows)
        wide = scores(rows, metric, split).unstack("activation")[[own, other]].dropna()
        if wide.empty:
            raise InputError(f"No seed was trained to the end with both {a} and {b}.")
        off = (wide - wide.groupby(level=TASK).transform("median")).abs()
        far = off.groupby(level="seed").mean()
        m = metric_of(metric, rows)
        told = [amount(far[name].mean(), m) for name in (own, other)]
        return positive(
            far[other] - far[own],
            f"Over the seeds, the {metric_name(metric, split, rows)} of {own} lies "
            f"{told[0]} from its median, that of {other} {told[1]}.",
            unit=f"{m.points or m.label} closer to the median",
            scale=m.scale,
        )

    return test
