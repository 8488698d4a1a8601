"""Claims about the curves of one activation, epoch by epoch."""

from collections.abc import Callable

import pandas as pd

from relujax.errors import InputError
from relujax.statistics import Where, select
from relujax.studies._evidence import observed, positive
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]


def by_epoch(
    frame: pd.DataFrame,
    activation: str,
    column: str,
    split: str = "test",
    where: Where | None = None,
) -> pd.DataFrame:
    """A column of the results of an activation, `[seeds, epochs]`.

    Args:
      frame: long-form results.
      activation: its spec.
      column: a numeric column, such as "loss".
      split: of the data.
      where: restricts data, model or optimizer; tasks are averaged.

    Raises:
      InputError: there are no such results.
    """
    rows = select(frame, where or {})
    rows = rows[(rows["activation"] == activation) & (rows["split"] == split)]
    if rows.empty:
        raise InputError(f"Expected results of {activation}, got none.")
    return rows.pivot_table(index="seed", columns="epoch", values=column)


def reaches_at_best(a: str, value: float, where: Where | None = None) -> Test:
    """The test of "`a` has this test accuracy at some epoch", chosen on the test part.

    Args:
      a: the spec of the activation.
      value: the accuracy, 0.988 for 98.8 %.
      where: restricts data, model or optimizer.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        x = by_epoch(frame, a, "accuracy", where=where).max(axis=1).to_numpy()
        mean, most = 100 * x.mean(), 100 * x.max()
        return positive(
            x - value,
            f"At its best epoch, which only the test examples can tell, {a} has a mean "
            f"accuracy of {mean:.2f} %, and at most {most:.2f} %.",
            unit="percentage points",
            scale=100,
            mean=mean,
            most=most,
        )

    return test


def flat_after(a: str, epoch: int, margin: float) -> Test:
    """The test of "after this epoch test accuracy gains less than the margin"."""

    def test(frame: pd.DataFrame) -> Evidence:
        accuracy = by_epoch(frame, a, "accuracy")
        last = accuracy.columns.max()
        gain = (accuracy[last] - accuracy[epoch]).to_numpy()
        return positive(
            margin - gain,
            f"Test accuracy gains {100 * gain.mean():.2f} percentage points from epoch "
            f"{epoch} to epoch {last}; flat would be at most {100 * margin:g}.",
            unit="percentage points below the margin",
            scale=100,
        )

    return test


def mostly_by(a: str, epoch: int, part: float = 0.5) -> Test:
    """The test of "by this epoch the training loss has made most of its fall".

    Args:
      a: the spec of the activation.
      epoch: until when.
      part: of the fall from before training to the last epoch.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        loss = by_epoch(frame, a, "loss", "train")
        made = (loss[0] - loss[epoch]) / (loss[0] - loss.iloc[:, -1])
        return positive(
            made - part,
            f"The first {epoch} epochs make {100 * made.mean():.0f} % of the fall of "
            f"the training loss; more than {100 * part:g} % is claimed.",
            unit="percentage points of the fall above the claim",
            scale=100,
        )

    return test


def ends_near_least(a: str, part: float = 0.1) -> Test:
    """The test of "the test loss ends within a part of its least value"."""

    def test(frame: pd.DataFrame) -> Evidence:
        loss = by_epoch(frame, a, "loss")
        rise = (loss.iloc[:, -1] / loss.min(axis=1) - 1).to_numpy()
        least = loss.idxmin(axis=1).median()
        return positive(
            part - rise,
            f"The test loss ends {100 * rise.mean():.0f} % above its least value, "
            f"which it has after {least:g} epochs; almost constant would be at most "
            f"{100 * part:g} %.",
            unit="% of the least test loss, below the margin",
            scale=100,
        )

    return test


def falls(a: str, column: str, *, start: int, shown: int | None = None) -> Test:
    """The test of "a column falls from each epoch to the next", in every seed.

    Args:
      a: the spec of the activation.
      column: on the training part.
      start: the first epoch that counts.
      shown: the epoch up to which the fall is told; the last by default.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        values = by_epoch(frame, a, column, "train").loc[:, start:]
        down = (values.diff(axis=1).iloc[:, 1:] < 0).to_numpy()
        end = values.columns.max() if shown is None else shown
        first, last = values[start].mean(), values[end].mean()
        return observed(
            bool(down.all()),
            f"From epoch {start} to {end} it goes from {first:.4f} to {last:.4f}; it "
            f"falls in {100 * down.mean():.0f} % of the epochs.",
            effect=float(first - last),
            unit="decrease",
            first=first,
            last=last,
            share=100 * down.mean(),
        )

    return test


def ends_between(a: str, column: str, low: float, high: float) -> Test:
    """The test of "in the last epoch a column lies between", in every seed."""

    def test(frame: pd.DataFrame) -> Evidence:
        last = by_epoch(frame, a, column, "train").iloc[:, -1]
        return observed(
            bool(((last > low) & (last < high)).all()),
            f"In the last epoch it is {last.min():.4f} to {last.max():.4f}.",
            effect=float(last.mean()),
            unit="in the last epoch",
            least=last.min(),
            most=last.max(),
        )

    return test
