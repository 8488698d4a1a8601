"""A data set of a table: numbers standardised, categories one-hot, labels numbered.

Whatever is measured (means, deviations, the values put for missing ones, the levels of
a category) is measured on the training part alone.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relujax.data._arrays import content_name, float32
from relujax.data._dataset import Dataset, Provenance, original
from relujax.data._split import (
    TEST_FRACTION,
    parts_of,
    random_parts,
    sizes,
    standardise,
)
from relujax.errors import InputError, unknown
from relujax.extras import needs

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("error", "mean", "median")
TASKS = ("classification", "regression")

# More levels than this, or than this and one for every second row, are an identifier,
# say, or free text.
_MOST_LEVELS = 1000
_FEW_LEVELS = 20
# More whole numbers than this, or than half the rows, may be labels or an amount.
_MOST_NUMBERED = 100

_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?")
_TIMES = (
    "date",
    "datetime",
    "datetime64",
    "time",
    "timedelta",
    "timedelta64",
    "period",
)


class Column(NamedTuple):
    """A column of a table.

    Attributes:
      name: its heading.
      values: `[n]`, float64 with NaN where a value is missing, or objects: strings
        with None where one is missing.
      whole: whether the numbers are whole ones by their dtype.
    """

    name: str
    values: np.ndarray
    whole: bool

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers; else it holds levels of a category."""
        return self.values.dtype.kind == "f"

    @property
    def missing(self) -> np.ndarray:
        """`[n]`: where a value is missing."""
        if self.numeric:
            return np.isnan(self.values)
        return np.array([value is None for value in self.values], bool)


def from_frame(
    frame: "pd.DataFrame",
    target: str,
    *,
    test: float = TEST_FRACTION,
    validation: float = 0.0,
    split: int = 0,
    missing: str = "error",
    task: str | None = None,
    name: str | None = None,
) -> Dataset:
    """A data set of a pandas table: one row is one example.

    Columns of numbers have zero mean and unit variance on the training part. Columns of
    strings, categories and booleans are one-hot: a column `grade=A` for each level that
    occurs in the training part; another level is all zeros. A target of strings,
    categories, booleans or whole numbers makes classes, whose names are its values,
    sorted; a target of floats is a regression.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"dose": range(10), "sex": ["f", "m"] * 5})
    >>> frame["ill"] = [0, 1] * 5
    >>> from_frame(frame, "ill", name="trial").columns
    ('dose', 'sex=f', 'sex=m')

    Args:
      frame: the table.
      target: the heading of the column to predict.
      test: share of the test part; classes keep their proportions.
      validation: share of the rest that becomes the validation part.
      split: which of the random splits.
      missing: "error", or what is put for a missing number: the "mean" or "median" of
        its column in the training part. A missing category is then all zeros.
      task: "classification" or "regression", where the target leaves it open.
      name: what cells and tables call it; None for a name made of the content's hash.

    Raises:
      InputError: there is no such column, a value is missing or infinite, or a column
        holds what is neither a number nor a category, such as dates.
    """
    inputs, wanted = _columns(frame, target)
    y, names = _targets(wanted, task)
    if missing not in MISSING:
        raise unknown("way to treat missing values", str(missing), MISSING)
    _check_finite(inputs)
    if missing == "error":
        _check_complete(inputs)
    parts = random_parts(y, split, test, validation, names)
    blocks = [_encoded(column, parts.train, missing) for column in inputs]
    x = np.concatenate([block for _, block in blocks], axis=1)
    sha256 = _sha256((*inputs, wanted))
    options = {
        "test": (test, TEST_FRACTION),
        "validation": (validation, 0.0),
        "split": (split, 0),
        "missing": (missing, "error"),
        "task": (task, None),
        "target": (target, None if name is None else target),
    }
    data = Dataset(
        name=content_name(name, "frame", sha256, options),
        **parts_of(x, y, parts),
        task="regression" if names is None else "classification",
        classes=None if names is None else len(names),
        provenance=Provenance(
            source="A table given by the user.", sha256=sha256, url="", **sizes(parts)
        ),
        class_names=names,
        columns=tuple(name for names, _ in blocks for name in names),
    )
    return original(data)


def _columns(frame: "pd.DataFrame", target: str) -> tuple[list[Column], Column]:
    """The columns of the inputs, and that of the target."""
    needs("tables", "pandas")
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise InputError(
            f"Expected a pandas DataFrame, got {type(frame).__name__}: "
            f"pandas.DataFrame(...) makes one."
        )
    headings = [str(heading) for heading in frame.columns]
    if str(target) not in headings:
        raise unknown("column", str(target), headings)
    if len(set(headings)) < len(headings):
        twice = next(h for h in headings if headings.count(h) > 1)
        raise InputError(f"Expected different headings, got {twice!r} twice.")
    if len(headings) < 2 or not len(frame):
        raise InputError(
            f"Expected rows with a column beside the target {target!r}, got a table of "
            f"{len(frame)} x {len(headings)}."
        )
    columns = {}
    for place, heading in enumerate(headings):
        series = frame.iloc[:, place]
        whole = pd.api.types.is_integer_dtype(series.dtype)
        columns[heading] = Column(heading, _values(heading, series), whole)
    wanted = columns.pop(str(target))
    if count := int(wanted.missing.sum()):
        raise InputError(
            f"Expected a target in every row, got {count:,} missing in {target!r}: "
            f"leave these rows out."
        )
    return list(columns.values()), wanted


def _values(heading: str, series: "pd.Series") -> np.ndarray:
    """Floats, or strings and None; anything else is refused."""
    from pandas.api import types

    dtype = series.dtype
    if types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype):
        if types.is_complex_dtype(dtype):
            raise InputError(f"Expected real numbers in {heading!r}, got {dtype}.")
        return series.to_numpy(np.float64, na_value=np.nan)
    if isinstance(dtype, types.CategoricalDtype):
        # Numbers that are declared categories are names.
        series = series.astype(object).map(str, na_action="ignore")
    kind = types.infer_dtype(series, skipna=True)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return series.to_numpy(np.float64, na_value=np.nan)
    values = np.array(
        [
            None if gone else item
            for item, gone in zip(series, series.isna(), strict=True)
        ],
        object,
    )
    present = [item for item in values if item is not None]
    if kind in _TIMES or (present and all(map(_is_date, present))):
        raise InputError(
            f"Expected numbers or categories in {heading!r}, got dates: turn them into "
            f"numbers, such as days since the first, or leave the column out."
        )
    if not all(
        isinstance(item, str | bool | np.bool_ | int | float) for item in present
    ):
        raise InputError(
            f"Expected numbers or categories in {heading!r}, got {kind}: leave the "
            f"column out."
        )
    return np.array([None if item is None else str(item) for item in values], object)


def _is_date(item: Any) -> bool:
    return isinstance(item, str) and _DATE.fullmatch(item) is not None


def _targets(
    column: Column, task: str | None
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Labels and the names of the classes, or float32 targets and None."""
    if task is not None and task not in TASKS:
        raise unknown("task", str(task), TASKS)
    if column.numeric:
        _check_finite([column])
    if task == "regression" or (task is None and column.numeric and not column.whole):
        if not column.numeric:
            raise InputError(
                f"Expected numbers in {column.name!r} for a regression, got categories."
            )
        return float32(repr(column.name), column.values), None
    levels, labels = np.unique(column.values, return_inverse=True)
    many = len(levels) > min(_MOST_NUMBERED, len(labels) / 2)
    if task is None and column.numeric and many:
        raise InputError(
            f"Expected classes or amounts in {column.name!r}, got {len(levels):,} "
            f"different whole numbers: write task='regression' or "
            f"task='classification'."
        )
    if len(levels) < 2:
        raise InputError(
            f"Expected at least two classes in {column.name!r}, got {len(levels)}."
        )
    names = tuple(f"{n:g}" if column.numeric else n for n in levels)
    if len(set(names)) < len(names):
        names = tuple(map(repr, map(float, levels)))
    return labels.astype(np.int32), names


def _check_finite(columns: list[Column]) -> None:
    found = {c.name: int(np.isinf(c.values).sum()) for c in columns if c.numeric}
    if any(found.values()):
        raise InputError(
            f"Expected finite numbers, got infinite ones: {_counts(found)}: leave "
            f"these rows out."
        )


def _check_complete(columns: list[Column]) -> None:
    found = {column.name: int(column.missing.sum()) for column in columns}
    if any(found.values()):
        raise InputError(
            f"Expected a value in every cell, got missing ones: {_counts(found)}: "
            f"leave these rows out, or write missing='mean' or missing='median'."
        )


def _counts(found: Mapping[str, int]) -> str:
    there = [f"{count:,} in {name!r}" for name, count in found.items() if count]
    more = f" and {len(there) - 5} more columns" if len(there) > 5 else ""
    return ", ".join(there[:5]) + more


def _encoded(
    column: Column, train: np.ndarray, missing: str
) -> tuple[list[str], np.ndarray]:
    """Headings and float32 values `[n, k]` of one column of the table."""
    if not column.numeric:
        return _one_hot(column, train)
    known = column.values[train]
    known = known[~np.isnan(known)]
    if not len(known):
        raise InputError(
            f"Expected numbers in {column.name!r}, got none in the training part: "
            f"leave the column out."
        )
    float32(repr(column.name), column.values)
    fill = np.median(known) if missing == "median" else known.mean()
    values = np.where(column.missing, fill, column.values)[:, None]
    _, scaled = standardise(values[train], values)
    return [column.name], scaled


def _one_hot(column: Column, train: np.ndarray) -> tuple[list[str], np.ndarray]:
    levels = sorted({value for value in column.values[train] if value is not None})
    most = min(_MOST_LEVELS, max(_FEW_LEVELS, len(train) // 2))
    if not 1 <= len(levels) <= most:
        raise InputError(
            f"Expected from 1 to {most:,} levels of a category in {column.name!r}, got "
            f"{len(levels):,} in the training part: leave the column out."
        )
    ones = column.values[:, None] == np.array(levels, object)
    return [f"{column.name}={level}" for level in levels], ones.astype(np.float32)


def _sha256(columns: tuple[Column, ...]) -> str:
    digest = hashlib.sha256()
    for column in columns:
        digest.update(f"{column.name!r} {len(column.values)} {column.numeric}".encode())
        if column.numeric:
            # There are many NaN: one stands for all.
            values = np.where(column.missing, np.nan, column.values)
            digest.update(np.ascontiguousarray(values).data)
        else:
            digest.update(repr(column.values.tolist()).encode())
    return digest.hexdigest()
