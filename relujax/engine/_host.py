"""Networks that an ordinary Python function trains, one by one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from relujax.engine._population import Member
from relujax.engine._training import HostTraining
from relujax.errors import InputError, short

_OURS = {"epoch", "split", "diverged", "diverged_step"}


def train_on_host(
    members: Sequence[Member], *, on_epochs: Callable[[int], None]
) -> Iterator[tuple[list[Member], pd.DataFrame]]:
    """Call the user's function for one member after the other; see `experiment`."""
    for member in members:
        part = member.cell.parts["training"]
        training: HostTraining = part.factory(**dict(part.static), **part.numeric)
        rows = rows_of(
            training.train(member.cell.activation, member.seed), training.bounds
        )
        if training.metric:
            _check_last(rows, training.metric, part.name)
        on_epochs(member.cell.epochs)
        yield [member], rows.assign(member=0, seed=member.seed)


def _check_last(rows: pd.DataFrame, metric: str, name: str) -> None:
    """Refuse rows of which nothing can be compared at the end."""
    tested = rows[rows["split"] == "test"]
    last = tested[tested["epoch"] == rows["epoch"].max()]
    # A value that is there but not finite is one of a network that diverged.
    if metric in rows and (rows["diverged"].any() or last[metric].notna().any()):
        return
    there = sorted(set(last.dropna(axis=1)) - _OURS) if len(last) else []
    raise InputError(
        f"Expected {metric!r} in the last row of {name} that has the split 'test', got "
        f"{', '.join(there) or 'no such row'}."
    )


def rows_of(
    given: Any, bounds: Mapping[str, tuple[float, float]] = MappingProxyType({})
) -> pd.DataFrame:
    """What a training function returned or yielded, as rows.

    Args:
      given: a mapping of numbers, an iterable of them in the order of the epochs, or a
        data frame; `epoch` and `split` are taken from it where they are there, else
        counted from 1 and "test". A row may leave out what others have.
      bounds: the least and the largest value of some names.

    Raises:
      InputError: it is neither, has no row, two of an epoch and split, or a value that
        is not a number or out of its bounds.
    """
    items = given.to_dict("records") if isinstance(given, pd.DataFrame) else given
    items = [items] if isinstance(items, Mapping) else items
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise _wrong(given)
    rows, lost = [], []
    for number, item in enumerate(items, 1):
        if not isinstance(item, Mapping) or not item:
            raise _wrong(item)
        numbers = _numbers(item)
        _check_bounds(numbers, bounds)
        rows.append({"epoch": number, "split": "test", **numbers})
        lost.append(not all(np.isfinite(numbers[n]) for n in numbers.keys() - _OURS))
    if not rows:
        raise _wrong("no row")
    frame = pd.DataFrame(rows)
    twice = frame[frame.duplicated(["epoch", "split"])]
    if len(twice):
        raise InputError(
            f"Expected one row per epoch and split, got two of epoch "
            f"{twice['epoch'].iloc[0]} of {twice['split'].iloc[0]!r}: leave 'epoch' "
            f"out to have the rows counted."
        )
    # From the first row that is not finite, the network counts as diverged.
    return frame.assign(diverged=np.maximum.accumulate(lost), diverged_step=np.nan)


def _check_bounds(
    numbers: Mapping[str, Any], bounds: Mapping[str, tuple[float, float]]
) -> None:
    """Refuse a metric of the library's in another unit than its own."""
    for name, value in numbers.items():
        low, high = bounds.get(name, (-np.inf, np.inf))
        if name != "split" and (value < low or value > high):
            raise InputError(
                f"Expected {name!r} from {low:g} to {high:g} in a row of the training, "
                f"got {value:g}: convert it, or give it a name of its own."
            )


def _numbers(item: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in item.items():
        if name == "split":
            found["split"] = str(value)
            continue
        try:
            number = float(value)
            whole = int(number) if name == "epoch" else number
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"Expected numbers in a row of the training, got {short(value)} for "
                f"{short(name)}."
            ) from None
        found[str(name)] = whole
    if not set(found) - {"epoch", "split"}:
        raise _wrong(item)
    return found


def _wrong(got: Any) -> InputError:
    return InputError(
        f"Expected train(activation, seed) to return or yield rows such as "
        f"{{'accuracy': 0.9}}, got {short(got)}."
    )
