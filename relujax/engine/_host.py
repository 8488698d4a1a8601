"""Networks that an ordinary Python function trains, one by one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
        rows = rows_of(training.train(member.cell.activation, member.seed))
        if training.metric and training.metric not in rows:
            raise InputError(
                f"Expected {training.metric!r} in the rows of {part.name}, got "
                f"{', '.join(set(rows) - _OURS)}."
            )
        on_epochs(member.cell.epochs)
        yield [member], rows.assign(member=0, seed=member.seed)


def rows_of(given: Any) -> pd.DataFrame:
    """What a training function returned or yielded, as rows.

    Args:
      given: a mapping of numbers, or an iterable of them in the order of the epochs;
        `epoch` and `split` are taken from it where they are there, else counted from 1
        and "test".

    Raises:
      InputError: it is neither, has no row, or a value that is not a number.
    """
    items = [given] if isinstance(given, Mapping) else given
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise _wrong(given)
    rows = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, Mapping) or not item:
            raise _wrong(item)
        rows.append({"epoch": number, "split": "test", **_numbers(item)})
    if not rows:
        raise _wrong("no row")
    frame = pd.DataFrame(rows)
    values = frame.drop(columns=["epoch", "split"]).to_numpy(float)
    lost = ~np.isfinite(values).all(axis=1)
    # From the first row that is not finite, the network counts as diverged.
    return frame.assign(diverged=np.maximum.accumulate(lost), diverged_step=np.nan)


def _numbers(item: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in item.items():
        if name == "split":
            found["split"] = str(value)
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(
                f"Expected numbers in a row of the training, got {short(value)} for "
                f"{short(name)}."
            ) from None
        found[str(name)] = int(number) if name == "epoch" else number
    if not set(found) - {"epoch", "split"}:
        raise _wrong(item)
    return found


def _wrong(got: Any) -> InputError:
    return InputError(
        f"Expected train(activation, seed) to return or yield rows such as "
        f"{{'accuracy': 0.9}}, got {short(got)}."
    )
