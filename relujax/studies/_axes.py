"""The points of a sweep: a cell with every combination of values of its numbers."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from relujax.engine import Cell
from relujax.errors import InputError, short, unknown

Axes = Mapping[str, Sequence[float]]


class Point(NamedTuple):
    """A point of the grid.

    Attributes:
      values: axis to value.
      cell: the cell with these values.
    """

    values: Mapping[str, float]
    cell: Cell


def grid(cell: Cell, axes: Axes) -> list[Point]:
    """The points of the grid, the last axis fastest.

    Raises:
      InputError: an axis is unknown or empty, or a value is no number or out of range.
    """
    if not isinstance(axes, Mapping):
        raise InputError(
            f"Expected axes such as {{'activation.sigma': [0.1, 1.0]}}, got {axes!r}."
        )
    checked = {axis: _values(axis, values) for axis, values in axes.items()}
    points = []
    for combination in itertools.product(*checked.values()):
        values = dict(zip(checked, combination, strict=True))
        chosen = cell
        for axis, value in values.items():
            chosen = _with(chosen, axis, value)
        points.append(Point(values, chosen))
    return points


def _values(axis: str, values: Any) -> list[float]:
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise InputError(
            f"Expected a list of numbers for axis {axis!r}, got {values!r}."
        )
    if not len(values):
        raise InputError(f"Expected at least one value for axis {axis!r}, got none.")
    numbers = []
    for value in values:
        if not _is_finite(value):
            raise InputError(
                f"Expected finite numbers for axis {axis!r}, got {short(value)} among "
                f"them."
            )
        numbers.append(float(value))
    if len(set(numbers)) < len(numbers):
        raise InputError(
            f"Expected different values for axis {axis!r}, got {values!r}."
        )
    return numbers


def _is_finite(value: Any) -> bool:
    number = isinstance(value, int | float | np.floating | np.integer)
    try:
        return number and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # A whole number of hundreds of digits.
        return False


def _with(cell: Cell, axis: str, value: float) -> Cell:
    """The cell with one number changed."""
    known = cell.numbers
    if axis not in known:
        raise unknown("axis", axis, known)
    try:
        return cell.with_number(axis, value)
    except InputError as error:
        raise InputError(f"Axis {axis!r} at {value}: {error}") from error
