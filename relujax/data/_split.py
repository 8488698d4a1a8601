"""Random splits into training, validation and test part, and standardisation."""

from typing import Any, NamedTuple

import numpy as np

from relujax.errors import InputError
from relujax.extras import needs

#: Share of the examples that the test part has, unless the user says otherwise.
TEST_FRACTION = 0.2


class Parts(NamedTuple):
    """Indices of the parts, `[n_train]`, `[n_validation]` (maybe 0) and `[n_test]`."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def random_parts(
    y: np.ndarray,
    split: int,
    test: float = TEST_FRACTION,
    validation: float = 0.0,
    names: tuple[str, ...] | None = None,
) -> Parts:
    """A random split; for class labels (integers) it keeps their proportions.

    The generator is scikit-learn's `train_test_split(stratify=y, random_state=split)`,
    for the test part and, if there is one, for the validation part of what remains.

    Args:
      y: `[n]` class labels or targets.
      split: which of the random splits; an integer from 0.
      test: share of the test part.
      validation: share of the rest that is the validation part.
      names: names of the classes, for messages.

    Raises:
      InputError: `split` is not an integer from 0 to 2**32 - 1, a share is out of
        range, or a class has too few examples.
    """
    check_seed("split", split)
    check_fraction("test", test)
    rest, tested = _cut(y, np.arange(len(y)), test, split, names)
    train, validated = carve(y, rest, validation, split, names)
    return Parts(train, validated, tested)


def carve(
    y: np.ndarray,
    rows: np.ndarray,
    validation: float,
    split: int,
    names: tuple[str, ...] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a validation part off the training rows; see `random_parts`.

    Returns:
      The rows that remain, as they were if `validation` is 0, and those cut off.
    """
    check_seed("split", split)
    check_fraction("validation", validation, zero=True)
    if validation == 0:
        return rows, rows[:0]
    return _cut(y, rows, validation, split, names)


def _cut(
    y: np.ndarray,
    rows: np.ndarray,
    share: float,
    seed: int,
    names: tuple[str, ...] | None,
) -> tuple[np.ndarray, np.ndarray]:
    needs("a split of data", "sklearn")
    from sklearn.model_selection import train_test_split

    labels = y[rows] if y.dtype.kind in "iu" else None
    if labels is not None:
        found, counts = np.unique(labels, return_counts=True)
        if len(counts) and counts.min() < 2:
            alone = found[counts.argmin()]
            called = repr(names[alone]) if names else alone
            raise InputError(
                f"Expected at least 2 examples of every class to split, got 1 of class "
                f"{called}: leave it out, or merge it with another."
            )
    try:
        kept, cut = train_test_split(
            rows, test_size=share, stratify=labels, random_state=seed
        )
    except ValueError:
        kinds = "" if labels is None else f" of {len(np.unique(labels)):,} classes"
        raise InputError(
            f"Expected enough examples for two parts, a share of {share:g} with every "
            f"class and the rest, got {len(rows):,}{kinds}: change the share."
        ) from None
    return np.asarray(kept), np.asarray(cut)


def parts_of(x: np.ndarray, y: np.ndarray, parts: Parts) -> dict[str, Any]:
    """The arrays of the parts, under the names that `Dataset` has for them."""
    arrays: dict[str, Any] = {}
    for part, rows in parts._asdict().items():
        there = part != "validation" or len(rows)
        arrays[f"x_{part}"] = x[rows] if there else None
        arrays[f"y_{part}"] = y[rows] if there else None
    return arrays


def sizes(parts: Parts) -> dict[str, Any]:
    """The numbers of examples, under the names that `Provenance` has for them."""
    return {f"n_{part}": len(rows) for part, rows in parts._asdict().items()}


def check_seed(name: str, value: int) -> None:
    """Refuse anything but an integer that NumPy and scikit-learn take as a seed."""
    if type(value) is not int or not 0 <= value < 2**32:
        raise InputError(
            f"Expected an integer from 0 to 2**32 - 1 for {name!r}, got {value!r}."
        )


def check_fraction(name: str, value: float, *, zero: bool = False) -> None:
    """Refuse a share of the examples that is not between 0 and 1."""
    if type(value) not in (float, int) or not (0 < value < 1 or (zero and value == 0)):
        least = "0 (none)" if zero else "above 0"
        raise InputError(
            f"Expected a share of the examples for {name!r}, {least} and below 1, got "
            f"{value!r}."
        )


def standardise(train: np.ndarray, *rest: np.ndarray) -> tuple[np.ndarray, ...]:
    """Zero mean and unit variance per column, measured on the training part alone.

    Args:
      train: `[n_train, features]`.
      rest: the other parts.

    Returns:
      All parts as float32. A column that is constant in the training part is centred
      and left unscaled.
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scale = lambda part: ((part - mean) / deviation).astype(np.float32)
    return tuple(map(scale, (train, *rest)))
