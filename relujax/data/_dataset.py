"""A named data set as plain arrays, and where its numbers come from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

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
