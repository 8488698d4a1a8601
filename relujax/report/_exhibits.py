"""The paper's own figures and tables, made from our results."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from relujax.errors import InputError
from relujax.report._style import Plate, drawing, slug
from relujax.studies import Exhibit


class MadeTable(NamedTuple):
    """An exhibit that is a table, or one that the results cannot make.

    Attributes:
      exhibit: which one.
      table: its cells; None where the results lack what it needs.
      lacks: what they lack, a sentence.
    """

    exhibit: Exhibit
    table: pd.DataFrame | None
    lacks: str = ""


Made = Plate | MadeTable


def make_exhibits(exhibits: Sequence[Exhibit], frame: pd.DataFrame) -> list[Made]:
    """Each exhibit as a plate or a table, in the report's style.

    `{seeds}` in a caption becomes the number of seeds that ran.
    """
    ran = seeds_ran(frame)
    filled = [replace(e, caption=e.caption.replace("{seeds}", ran)) for e in exhibits]
    return [_make(exhibit, frame) for exhibit in filled]


def seeds_ran(frame: pd.DataFrame) -> str:
    """How many seeds each cell has, in words: `20 seeds`, `2 to 3 seeds`."""
    counts = frame.groupby("cell")["seed"].nunique()
    low, high = int(counts.min()), int(counts.max())
    many = f"{low}" if low == high else f"{low} to {high}"
    return f"{many} seed{'s' * (high != 1)}"


def _make(exhibit: Exhibit, frame: pd.DataFrame) -> Made:
    try:
        with drawing():
            made = exhibit.make(frame)
    except InputError as error:
        return MadeTable(exhibit, None, f"Not shown: {error}")
    if isinstance(made, Figure):
        return Plate(slug(exhibit.title), exhibit.title, exhibit.caption, made)
    return MadeTable(exhibit, made.astype(str))
