"""Claims that are read off the results, without a test of chance."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from relujax.statistics import scores
from relujax.studies._evidence import observed
from relujax.studies._probes import probed
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]


def no_divergence(name: str) -> Test:
    """The test of "no network with this activation diverges", whatever its numbers.

    Args:
      name: of the activation, without parameters.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        own = frame[frame["activation"].str.partition("(")[0] == name]
        lost = own.groupby(["cell", "seed"])["diverged"].any()
        return observed(
            not lost.any(),
            f"{int(lost.sum())} of {len(lost)} networks with {name} diverged.",
            effect=float(lost.mean()),
            unit="share of networks that diverged",
        )

    return test


def no_dead_units(activations: Sequence[str], beside: str = "relu") -> Test:
    """The test of "every unit is active on some training image", in every network.

    Args:
      activations: specs.
      beside: another activation, whose dead units are told.
    """

    def test(frame: pd.DataFrame) -> Evidence:
        dead = 100 * scores(frame, "dead", "train").unstack("activation")
        ours = dead.reindex(columns=list(activations))
        mean, worst = float(ours.mean().mean()), float(ours.max().max())
        other = float(dead[beside].mean())
        return observed(
            worst == 0,
            f"{mean:.2f} % of the units are active on no training image (at most "
            f"{worst:.2f} % in a network); of {beside}'s, {other:.2f} %.",
            effect=worst,
            unit="% dead units in the worst network",
            mean=mean,
            other=other,
        )

    return test


class Shown(NamedTuple):
    """A column of a table: its heading, and how a number is printed."""

    heading: str
    form: str = "{:.1f}"


def probe_table(
    name: str, activations: Sequence[str], columns: Mapping[str, Shown]
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A table of what a probe has measured, a row per activation.

    Args:
      name: of the probe.
      activations: the rows.
      columns: number to column.
    """

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        table = probed(frame, name).loc[list(activations)]
        text = {c.heading: table[of].map(c.form.format) for of, c in columns.items()}
        return pd.DataFrame(text).rename_axis("activation").reset_index()

    return make
