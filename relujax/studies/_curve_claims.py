"""Claims about confusion matrices and learning curves."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from relujax.errors import InputError
from relujax.statistics import Where, epochs_to_loss, select
from relujax.studies._claims import every
from relujax.studies._evidence import positive
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]


def confusions(
    frame: pd.DataFrame, activation: str, data: str, model: str = "mlp"
) -> np.ndarray:
    """Confusion counts at the last epoch, `[seeds, classes, classes]`.

    Args:
      frame: long-form results.
      activation: its spec.
      data: likewise.
      model: how its spec begins.

    Returns:
      Test examples, a row per true class.

    Raises:
      InputError: there are no such results.
    """
    rows = frame[(frame["data"] == data) & (frame["activation"] == activation)]
    rows = rows[rows["model"].str.startswith(model)]
    if rows.empty:
        raise InputError(f"Expected results of {activation} on {data}, got none.")
    rows = rows[(rows["split"] == "test") & (rows["epoch"] == rows["epoch"].max())]
    counts = np.stack([np.asarray(c, float) for c in rows["confusion"]])
    classes = int(counts.shape[1] ** 0.5)
    return counts.reshape(-1, classes, classes)


def confused(
    activation: str,
    data: str,
    pair: tuple[int, int],
    names: Sequence[str],
    *,
    model: str = "mlp",
) -> Test:
    """The test of "these two classes are confused more than an average pair".

    Args:
      activation: as in `confusions`, and so are `data` and `model`.
      data: the data set.
      pair: the numbers of the two classes, errors between which count both ways.
      names: what the classes are called.
      model: the network.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        counts = confusions(frame, activation, data, model)
        errors = np.triu(counts + counts.transpose(0, 2, 1), 1)
        total = errors.sum(axis=0)
        order = np.argsort(-total, axis=None)
        ranked = [tuple(map(int, np.unravel_index(i, total.shape))) for i in order]
        top = ", ".join(
            f"{names[a]} and {names[b]} ({100 * total[a, b] / total.sum():.0f} %)"
            for a, b in ranked[:3]
        )
        pairs = len(names) * (len(names) - 1) // 2
        share = errors[:, *pair] / np.maximum(errors.sum(axis=(1, 2)), 1)
        return positive(
            share - 1 / pairs,
            f"{names[pair[0]]} and {names[pair[1]]} make {100 * share.mean():.1f} % of "
            f"the errors, number {ranked.index(pair) + 1} of {pairs} pairs, where an "
            f"average pair makes {100 / pairs:.1f} %. Most are {top}.",
            unit="percentage points of the errors above an average pair",
            scale=100,
        )

    return test


def every_class(
    activation: str, data: str, least: float, *, model: str = "mlp"
) -> Test:
    """The test of "of every class, at least this part is recognised".

    Args:
      activation: as in `confusions`, and so are `data` and `model`.
      data: the data set.
      least: the recall of the class that is hardest in a seed.
      model: the network.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        counts = confusions(frame, activation, data, model)
        recall = np.diagonal(counts, axis1=1, axis2=2) / counts.sum(axis=2)
        hardest = recall.min(axis=1)
        return positive(
            hardest - least,
            f"Of the class that is hardest, {100 * hardest.mean():.1f} % are "
            f"recognised; {100 * least:g} % are claimed.",
            unit="percentage points above the claim",
            scale=100,
            hardest=100 * hardest.mean(),
        )

    return test


def early(test: Test, part: float = 0.1) -> Test:
    """The test on the first part of the epochs alone, at least one."""

    def cut(frame: pd.DataFrame) -> Evidence:
        last = frame.groupby("cell")["epoch"].transform("max")
        return test(frame[frame["epoch"] <= np.maximum(last * part // 1, 1)])

    return cut


def sooner(
    a: str, among: Sequence[str], *, baseline: str, where: Where | None = None
) -> Test:
    """The test of "`a` needs fewer epochs than each other to a training loss".

    The loss is what the baseline has after half of its epochs. Networks that do not get
    there count with one epoch more than they were trained for.

    Args:
      a: the spec of the activation.
      among: those of the others.
      baseline: whose loss is to be reached.
      where: restricts data, model or optimizer; tasks weigh the same.
    """

    def against(rival: str) -> Test:
        def test(frame: pd.DataFrame) -> Evidence:
            rows = select(frame, where or {})
            if not {a, rival} <= set(rows["activation"]):
                raise InputError(f"Expected results of {a} and {rival}, got others.")
            reached = epochs_to_loss(rows, baseline)["epoch"]
            wide = reached.clip(upper=rows["epoch"].max() + 1).unstack("activation")
            x = (wide[rival] - wide[a]).groupby(level="seed").mean().dropna()
            return positive(
                x,
                f"{a} reaches the loss that {baseline} has after half of its epochs "
                f"after {wide[a].mean():.1f} epochs, {rival} after "
                f"{wide[rival].mean():.1f}.",
                unit="epochs fewer",
            )

        return test

    return every(*map(against, among))
