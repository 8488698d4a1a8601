"""The cells of a study: products of parts."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, overload

from relujax.engine import Cell


class Grid(Sequence[Cell]):
    """Cells with every combination of what varies, the last of it fastest.

    >>> grid = Grid(data="wdbc", model="mlp", activation=["relu", "elu"], epochs=5)
    >>> [cell.activation for cell in grid + grid.over(epochs=10)]
    ['relu', 'elu', 'relu', 'elu']

    Args:
      cells: where the parts are put; a new cell by default.
      only: a function of a cell; others are left out.
      **parts: fields of a `relujax.Cell`. A list varies; anything else, tuples
        included, is the same in all cells.
    """

    def __init__(
        self,
        cells: Iterable[Cell] | None = None,
        *,
        only: Callable[[Cell], bool] | None = None,
        **parts: Any,
    ) -> None:
        makers = [Cell] if cells is None else [_changed(cell) for cell in cells]
        axes = [
            value if isinstance(value, list) else [value] for value in parts.values()
        ]
        points = [
            make(**dict(zip(parts, point, strict=True)))
            for point in itertools.product(*axes)
            for make in makers
        ]
        self._cells = tuple(cell for cell in points if only is None or only(cell))

    def over(self, **parts: Any) -> "Grid":
        """The same cells with other parts, a list of which varies (slowest)."""
        return Grid(self, **parts)

    def only(self, wanted: Callable[[Cell], bool]) -> "Grid":
        """The cells that `wanted` is true of."""
        return Grid(self, only=wanted)

    def __add__(self, other: Iterable[Cell]) -> "Grid":
        return Grid([*self, *other])

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> "Grid": ...
    def __getitem__(self, index: int | slice) -> "Cell | Grid":
        found = self._cells[index]
        return found if isinstance(found, Cell) else Grid(found)

    def __len__(self) -> int:
        return len(self._cells)

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._cells)


def _changed(cell: Cell) -> Callable[..., Cell]:
    return lambda **parts: replace(cell, **parts)
