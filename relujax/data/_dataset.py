"""A named data set as plain arrays, and where its numbers come from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from relujax.errors import InputError

Task = Literal["classification", "regression"]


class Provenance(NamedTuple):
    """Where the numbers of a data set come from; `_asdict()` of it is JSON.

    Attributes:
      source: one sentence: what was read, from where.
      sha256: hash of the content as the source delivers it (features, then targets;
        for data with a fixed split: training part, then test part), before splitting
        and standardising. The same content has the same hash, however it was packed.
      url: where the data are documented; empty for generated data.
      n_train: number of training examples.
      n_test: number of test examples.
      note: what a reader of the results must know; empty when there is nothing.
      files: file name to sha256 of each file that was read from disk, as it lies there.
    """

    source: str
    sha256: str
    url: str
    n_train: int
    n_test: int
    note: str = ""
    files: Mapping[str, str] = {}


class Transform(NamedTuple):
    """From stored values to the network's input: `(x - offset) / scale`.

    It is plain arithmetic, so that it runs inside the compiled step, and images stay
    one byte per pixel in memory.

    >>> Transform(scale=255.0)(np.array([0, 255], np.uint8))
    array([0., 1.], dtype=float32)
    """

    offset: float = 0.0
    scale: float = 1.0

    def __call__(self, x: Any) -> Any:
        """Transform `x`, a NumPy or JAX array of any shape, to float32."""
        return (x.astype(np.float32) - np.float32(self.offset)) / np.float32(self.scale)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A data set, split into a training and a test part. The arrays are read-only.

    Attributes:
      name: canonical spec string with every parameter, such as `wdbc(split=0)`.
      x_train: `[n_train, features]` float32, or `[n_train, height, width, 1]` uint8.
      y_train: `[n_train]` int32 class labels, or float32 regression targets.
      x_test: `[n_test, ...]` like `x_train`.
      y_test: `[n_test]` like `y_train`.
      task: "classification" or "regression".
      classes: number of classes; None for regression.
      provenance: where the numbers come from.
      transform: what turns `x_train[i]` into the network's input.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    task: Task
    classes: int | None
    provenance: Provenance
    transform: Transform = field(default=Transform())

    def __post_init__(self) -> None:
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            array.flags.writeable = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.x_train.shape[1:]


def content_sha256(*arrays: np.ndarray) -> str:
    """SHA-256 of the arrays' bytes, one after the other, in C order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def from_arrays(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> Dataset:
    """A data set of a user's own arrays; they are copied.

    Integer (or boolean) targets are class labels, counted from 0; floats are targets of
    a regression.

    >>> x, y = np.zeros((4, 2)), np.array([0, 1, 2, 1])
    >>> from_arrays(x, y, x, y).classes
    3

    Raises:
      InputError: the shapes do not fit together, or the labels are negative.
    """
    parts = {"train": (x_train, y_train), "test": (x_test, y_test)}
    for part, (x, y) in parts.items():
        if x.ndim < 2 or y.shape != x.shape[:1] or not len(x):
            raise InputError(
                f"Expected x_{part} of shape [n, ...] and y_{part} of shape [n], got "
                f"{x.shape} and {y.shape}."
            )
    if x_train.shape[1:] != x_test.shape[1:]:
        raise InputError(
            f"Expected training and test examples of one shape, got "
            f"{x_train.shape[1:]} and {x_test.shape[1:]}."
        )
    kinds = [y.dtype.kind for y in (y_train, y_test)]
    labels = [kind in "biu" for kind in kinds]
    if labels[0] != labels[1] or not all(kind in "biuf" for kind in kinds):
        raise InputError(
            f"Expected integer labels or float targets, got {y_train.dtype} and "
            f"{y_test.dtype}."
        )
    if labels[0] and min(y_train.min(), y_test.min()) < 0:
        raise InputError("Expected class labels from 0, got a negative one.")
    store = lambda x: np.array(x, np.uint8 if x.dtype == np.uint8 else np.float32)
    target = np.int32 if labels[0] else np.float32
    return Dataset(
        name="arrays",
        x_train=store(x_train),
        y_train=np.array(y_train, target),
        x_test=store(x_test),
        y_test=np.array(y_test, target),
        task="classification" if labels[0] else "regression",
        classes=int(max(y_train.max(), y_test.max())) + 1 if labels[0] else None,
        provenance=Provenance(
            source="Arrays given by the user.",
            sha256=content_sha256(x_train, y_train, x_test, y_test),
            url="",
            n_train=len(x_train),
            n_test=len(x_test),
        ),
    )
