"""Which part of a product of parameters `make test` leaves to `make test-all`."""

import itertools
from collections.abc import Iterable
from typing import Any

import pytest


def slow(*values: Any) -> list[Any]:
    """Values of a parameter whose tests are marked slow."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def some(values: Iterable[Any], step: int = 4) -> list[Any]:
    """Values of a parameter: quickly every `step`-th."""
    return [
        value if i % step == 0 else slow(value)[0] for i, value in enumerate(values)
    ]


def crossed(*values: Iterable[Any]) -> list[Any]:
    """All combinations: quickly, each value with the first of the other parameters."""
    found = []
    for chosen in itertools.product(*map(enumerate, values)):
        others = sum(i > 0 for i, _ in chosen)
        marks = [pytest.mark.slow] if others > 1 else []
        found.append(pytest.param(*(value for _, value in chosen), marks=marks))
    return found
