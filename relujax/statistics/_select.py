"""The rows of the results that a statement is about."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from relujax import errors, specs
from relujax.errors import InputError

Value = str | float
#: Column to one wanted value, or to several. A column is one of the frame, or a number
#: or word of a spec in one: `model.depth` is `depth` of the model.
Where = Mapping[str, Value | Sequence[Value]]


def select(frame: pd.DataFrame, where: Where) -> pd.DataFrame:
    """The rows that match in every column.

    What is wanted of a column is a whole spec or its name alone; of several, those
    count that the results have. What is wanted of a parameter is a value as the spec
    has it; of several, all must be among the results, in all combinations with those of
    the other parameters.

    >>> frame = pd.DataFrame({"data": ["mnist", "synthetic(n=100, d=1)"]})
    >>> select(frame, {"data": "synthetic", "data.d": 1}).index.tolist()
    [1]

    Raises:
      InputError: no value matches any row, or a combination is missing.
    """
    asked = {key: _several(wanted) for key, wanted in where.items()}
    parameters = {key: asked[key] for key in asked if "." in key}
    for column in asked:  # In the order of the question, so that a page stays the same.
        if column not in parameters:
            frame = _named(frame, column, asked[column])
    if not parameters:
        return frame
    found = pd.DataFrame({key: parameter(frame, key) for key in parameters})
    kept = found.isin(parameters).all(axis=1).to_numpy()
    had = set(found[kept].drop_duplicates().itertuples(index=False, name=None))
    lacking = set(itertools.product(*parameters.values())) - had
    if lacking:
        pairs = zip(parameters, min(lacking, key=str), strict=True)
        raise InputError(
            f"Expected results with {', '.join(f'{k} = {v}' for k, v in pairs)}, found "
            "none: run the profile that has them."
        )
    return frame[kept]


def parameter(frame: pd.DataFrame, name: str) -> pd.Series:
    """For each row, a parameter of a spec, `"model.depth"`, None where it has none.

    A column of that name, as the results of a sweep have, is what it is.
    """
    if name in frame:
        return frame[name]
    column, _, key = name.partition(".")
    if column not in frame:
        raise errors.unknown("column", column, map(str, frame))
    return frame[column].map({spec: _of(spec, key) for spec in frame[column].unique()})


def resolve(activation: str, frame: pd.DataFrame) -> str:
    """The full spec in `frame` that `activation` names: itself, or the only match.

    Raises:
      InputError: none matches, or several do.
    """
    known = list(frame["activation"].unique())
    if activation in known:
        return activation
    match = [s for s in known if _name(s) == activation]
    if not match:
        raise errors.unknown("activation", activation, known)
    if len(match) > 1:
        raise InputError(
            f"Expected one activation for {activation!r}, got {', '.join(match)}: "
            "write the whole spec."
        )
    return match[0]


def _several(wanted: Any) -> tuple:
    return (wanted,) if isinstance(wanted, str | int | float) else tuple(wanted)


def _named(frame: pd.DataFrame, column: str, names: tuple) -> pd.DataFrame:
    """The rows whose specs are among the names."""
    match = [s for s in frame[column].unique() if {s, _name(s)} & {*names}]
    if not match:
        kind = {"data": "data set"}.get(column, column)
        raise errors.unknown(kind, names[0], frame[column].unique())
    return frame[frame[column].isin(match)]


def _of(spec: str, key: str) -> Any:
    try:
        return specs.parse(spec)[1].get(key)
    except InputError:
        return None  # A part of the user's own, under any name.


def _name(spec: str) -> str:
    return spec.partition("(")[0]
