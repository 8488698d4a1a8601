"""What is wrong with a data set, before a network is trained on it."""

from collections.abc import Iterator

import numpy as np

from relujax.data._dataset import Dataset
from relujax.data._show import class_name
from relujax.errors import InputError

# What a sentence lists; the rest is counted.
_LISTED = 5

_NOT_FINITE = {"NaN": np.isnan, "inf": np.isinf}


def check_inputs(data: Dataset) -> tuple[str, ...]:
    """Refuse data on which nothing can be trained; say what is odd about the others.

    >>> from relujax.data import from_arrays
    >>> x = np.ones((4, 2))
    >>> check_inputs(from_arrays(x, [0, 1, 0, 1], x, [0, 1, 0, 1], columns=("a", "b")))
    ("Constant in the training part: columns 'a' and 'b'.",)

    Args:
      data: any data set, a user's own in particular.

    Returns:
      A line for each thing that may be meant: constant columns, a class with one
      example, bytes without a transform.

    Raises:
      InputError: a part is empty, an input or target is not finite or not a number, a
        label is out of range, or a class has no training example.
    """
    for part, x, y in data.parts():
        _check_arrays(data, part, x, y)
    for part, x, y in data.parts():
        _check_finite(data, part, x)
        _check_targets(data, part, y)
    _check_classes(data)
    return tuple(_warnings(data))


def _check_arrays(data: Dataset, part: str, x: np.ndarray, y: np.ndarray) -> None:
    for name, array in ((f"x_{part}", x), (f"y_{part}", y)):
        if array.dtype.kind not in "biuf":
            raise InputError(
                f"Expected real numbers in {name} of {data.name}, got an array of "
                f"{array.dtype}."
            )
    if not len(x):
        raise InputError(
            f"Expected examples in the {part} part of {data.name}, got none."
        )
    if x.shape[1:] != data.shape or not x[0].size or y.shape != x.shape[:1]:
        raise InputError(
            f"Expected x_{part} of shape [n, {', '.join(map(str, data.shape))}] and "
            f"y_{part} of shape [n], got {x.shape} and {y.shape}."
        )


def _check_finite(data: Dataset, part: str, x: np.ndarray) -> None:
    if x.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        x = x.astype(np.float32, copy=False)
    finite = np.isfinite(x)
    if finite.all():
        return
    count = int((~finite).sum())
    rows = int((~finite).reshape(len(x), -1).any(axis=1).sum())
    kinds = _not_finite(x)
    where = ""
    if x.ndim == 2:
        places = np.flatnonzero(~finite.all(axis=0))
        where = f" in {_columns(data, places)}"
    raise InputError(
        f"Expected finite inputs, got {_values(count, kinds)} in "
        f"{rows:,} of {len(x):,} examples of the {part} part of {data.name}{where}: "
        f"leave these out, or put other values there."
    )


def _not_finite(array: np.ndarray) -> list[str]:
    return [name for name, test in _NOT_FINITE.items() if test(array).any()]


def _values(count: int, kinds: list[str]) -> str:
    return f"{count:,} {' or '.join(kinds)} value{'s' * (count > 1)}"


def _columns(data: Dataset, places: np.ndarray) -> str:
    names = data.columns or ()
    words = [
        repr(names[i]) if i < len(names) else str(i) for i in places[:_LISTED].tolist()
    ]
    if len(places) > _LISTED:
        words.append(f"{len(places) - _LISTED:,} more")
    noun = "column" if len(places) == 1 else "columns"
    return f"{noun} {_enumerated(words)}"


def _enumerated(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _check_targets(data: Dataset, part: str, y: np.ndarray) -> None:
    if data.classes is None:
        if wrong := int((~np.isfinite(y)).sum()):
            raise InputError(
                f"Expected finite targets, got {_values(wrong, _not_finite(y))} in the "
                f"{part} part of {data.name}: leave these examples out."
            )
        return
    outside = y[(y < 0) | (y >= data.classes)]
    if len(outside):
        raise InputError(
            f"Expected labels from 0 to {data.classes - 1} in the {part} part of "
            f"{data.name}, got {outside[0]} ({len(outside):,} in all out of range)."
        )


def _check_classes(data: Dataset) -> None:
    if data.classes is None:
        return
    if data.classes < 2:
        raise InputError(
            f"Expected two classes or more in {data.name}, got {data.classes}: there "
            f"is nothing to tell apart."
        )
    missing = np.flatnonzero(np.bincount(data.y_train, minlength=data.classes) == 0)
    if len(missing):
        raise InputError(
            f"Expected training examples of each of {data.classes:,} classes in "
            f"{data.name}, got none of {_classes(data, missing)}: number the classes "
            f"without gaps, or split in another way."
        )


def _classes(data: Dataset, labels: np.ndarray) -> str:
    words = [repr(class_name(data, label)) for label in labels[:_LISTED].tolist()]
    if len(labels) > _LISTED:
        words.append(f"{len(labels) - _LISTED:,} more")
    noun = "class" if len(labels) == 1 else "classes"
    return f"{noun} {_enumerated(words)}"


def _warnings(data: Dataset) -> Iterator[str]:
    x = data.x_train
    if x.ndim == 2:
        constant = np.flatnonzero((x == x[0]).all(axis=0))
        if len(constant):
            yield f"Constant in the training part: {_columns(data, constant)}."
    if x.dtype == np.uint8 and data.transform == (0.0, 1.0):
        yield (
            f"The inputs are bytes up to {x.max()} that nothing scales: give "
            f"transform=Transform(scale=255.0)."
        )
    if data.classes is None:
        if (data.y_train == data.y_train[0]).all():
            yield f"All targets of the training part are {data.y_train[0]:g}."
        return
    counts = np.bincount(data.y_train, minlength=data.classes)
    if len(alone := np.flatnonzero(counts == 1)):
        yield f"One training example alone: {_classes(data, alone)}."
    tested = np.bincount(data.y_test, minlength=data.classes)
    if len(absent := np.flatnonzero(tested == 0)):
        yield f"No test example: {_classes(data, absent)}."
