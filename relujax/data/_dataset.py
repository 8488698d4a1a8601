"""A named data set as plain arrays, and where its numbers come from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from weakref import WeakSet

import numpy as np

from relujax.data._split import TEST_FRACTION
from relujax.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

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
      n_validation: number of validation examples.
    """

    source: str
    sha256: str
    url: str
    n_train: int
    n_test: int
    note: str = ""
    files: Mapping[str, str] = {}
    n_validation: int = 0


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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dataset:
    """A data set, split into its parts. The arrays are read-only.

    Attributes:
      name: canonical spec string with every parameter, such as `wdbc(split=0)`.
      x_train: `[n_train, features]` float32, or `[n_train, height, width, channels]`
        uint8.
      y_train: `[n_train]` int32 class labels, or float32 regression targets.
      x_test: `[n_test, ...]` like `x_train`.
      y_test: `[n_test]` like `y_train`.
      task: "classification" or "regression".
      classes: number of classes; None for regression.
      provenance: where the numbers come from.
      transform: what turns `x_train[i]` into the network's input.
      x_validation: `[n_validation, ...]` like `x_train`: what choices are made on; None
        without a validation part.
      y_validation: `[n_validation]` like `y_train`, or None.
      class_names: the names of the classes, if they have some.
      columns: the names of the features, if they have some.
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
    x_validation: np.ndarray | None = None
    y_validation: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for part, *arrays in self.parts():
            for array in arrays:
                if not isinstance(array, np.ndarray):
                    raise InputError(
                        f"Expected NumPy arrays in the {part} part of {self.name}, got "
                        f"{type(array).__name__}: Dataset.from_arrays converts others."
                    )
                array.flags.writeable = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.x_train.shape[1:]

    def parts(self) -> tuple[tuple[str, np.ndarray, np.ndarray], ...]:
        """Name, inputs and targets of the training, validation and test part."""
        train = ("train", self.x_train, self.y_train)
        test = ("test", self.x_test, self.y_test)
        if self.x_validation is None or self.y_validation is None:
            return (train, test)
        return (train, ("validation", self.x_validation, self.y_validation), test)

    @staticmethod
    def from_arrays(
        x_train: Any,
        y_train: Any,
        x_test: Any = None,
        y_test: Any = None,
        *,
        x_validation: Any = None,
        y_validation: Any = None,
        test: float = TEST_FRACTION,
        validation: float = 0.0,
        split: int = 0,
        name: str | None = None,
        classes: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        transform: Transform | None = None,
    ) -> "Dataset":
        """A data set of arrays: `(x_train, y_train, x_test, y_test)`, or `(x, y)`.

        See `relujax.data.from_arrays`.
        """
        from relujax.data._arrays import from_arrays

        return from_arrays(
            x_train,
            y_train,
            x_test,
            y_test,
            x_validation=x_validation,
            y_validation=y_validation,
            test=test,
            validation=validation,
            split=split,
            name=name,
            classes=classes,
            columns=columns,
            transform=transform,
        )

    @staticmethod
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
    ) -> "Dataset":
        """A data set of a table: numbers standardised, categories one-hot.

        See `relujax.data.from_frame`.
        """
        from relujax.data._frame import from_frame

        return from_frame(
            frame,
            target,
            test=test,
            validation=validation,
            split=split,
            missing=missing,
            task=task,
            name=name,
        )

    def __repr__(self) -> str:
        from relujax.data._show import one_line

        return one_line(self)

    def _repr_html_(self) -> str:
        from relujax.data._show import html

        return html(self)


# Those whose name and hash are known to be those of their content.
_ORIGINALS: "WeakSet[Dataset]" = WeakSet()


def original(data: Dataset) -> Dataset:
    """Remember a data set as it was made; copies with other arrays are none."""
    _ORIGINALS.add(data)
    return data


def is_original(data: Dataset) -> bool:
    """Whether the name and the hash of a data set are those of its content."""
    return data in _ORIGINALS


def content_sha256(*arrays: np.ndarray) -> str:
    """SHA-256 of the arrays' bytes, one after the other, in C order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
