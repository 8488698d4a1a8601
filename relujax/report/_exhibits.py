"""The paper's own figures and tables, made from our results."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from relujax.errors import InputError
from relujax.report._style import Plate, drawing, slug
from relujax.study import Exhibit


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
    """Each exhibit as a plate or a table, in the report's style."""
    return [_make(exhibit, frame) for exhibit in exhibits]


def _make(exhibit: Exhibit, frame: pd.DataFrame) -> Made:
    try:
        with drawing():
            made = exhibit.make(frame)
    except InputError as error:
        return MadeTable(exhibit, None, f"Not shown: {error}")
    if isinstance(made, Figure):
        return Plate(slug(exhibit.title), exhibit.title, exhibit.caption, made)
    return MadeTable(exhibit, made.astype(str))
