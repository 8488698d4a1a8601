"""A data set of the user's own arrays."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from relujax import specs
from relujax.data._dataset import Dataset, Provenance, Transform, original
from relujax.data._split import TEST_FRACTION, carve, check_seed, random_parts
from relujax.errors import InputError, short

#: Names of data that were given as an object and have none of their own.
CONTENT_NAMES = ("arrays", "frame")

_HIGHEST = float(np.finfo(np.float32).max)
_MOST_CLASSES = 2**20


class Examples(NamedTuple):
    """Inputs and targets of a part, as the user gave them."""

    x: np.ndarray
    y: np.ndarray


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
) -> Dataset:
    """A data set of a user's own arrays; they are copied.

    Integer (or boolean) targets are class labels, counted from 0; strings are names of
    classes, which are sorted; floats are targets of a regression. Inputs are stored as
    float32, bytes (uint8) as they are.

    >>> x, y = np.zeros((4, 2)), np.array([0, 1, 2, 1])
    >>> from_arrays(x, y, x, y).classes
    3
    >>> from_arrays(np.zeros((10, 2)), ["no", "yes"] * 5, name="answers")
    <answers: classification, 8 train + 2 test, each 2, 2 classes>

    Args:
      x_train: `[n_train, ...]`, or all inputs if there is no `x_test`.
      y_train: `[n_train]`, or all targets.
      x_test: `[n_test, ...]`; None to split at random, stratified by class.
      y_test: `[n_test]`.
      x_validation: `[n_validation, ...]`, or None.
      y_validation: `[n_validation]`, or None.
      test: share of the test part, if it is split off here.
      validation: share of the training part that becomes the validation part.
      split: which of the random splits.
      name: what cells and tables call it; None for a name made of the content's hash.
      classes: names of the classes, in the order of their labels.
      columns: names of the features.
      transform: from stored values to the network's input; none by default. Images in
        bytes want `Transform(scale=255.0)`.

    Raises:
      InputError: the shapes do not fit together, the labels are negative, or numbers of
        another kind are given.
    """
    given = _given(
        {
            "train": (x_train, y_train),
            "validation": (x_validation, y_validation),
            "test": (x_test, y_test),
        }
    )
    whole = "test" not in given
    if not whole and test != TEST_FRACTION:
        raise InputError(f"Expected x_test or a share test={test!r}, got both.")
    if "validation" in given and validation:
        raise InputError(
            f"Expected x_validation or a share validation={validation!r}, got both."
        )
    stored, names, count = _labelled(given, classes)
    transform = _transform(transform)
    sha256 = arrays_sha256(stored, names, transform)
    parts = _divided(stored, test, validation, split, names)
    options = {"test": (test, TEST_FRACTION), "validation": (validation, 0.0)}
    if whole or validation:
        options["split"] = (split, 0)
    data = Dataset(
        name=content_name(name, "arrays", sha256, options),
        **_fields(parts),
        task="regression" if count is None else "classification",
        classes=count,
        provenance=Provenance(
            source="Arrays given by the user.",
            sha256=sha256,
            url="",
            n_train=len(parts["train"].x),
            n_test=len(parts["test"].x),
            n_validation=len(parts["validation"].x) if "validation" in parts else 0,
        ),
        transform=transform,
        class_names=names,
        columns=_headings(columns, stored["train"].x),
    )
    return original(data)


def content_name(
    name: str | None, kind: str, sha256: str, options: Mapping[str, tuple[Any, Any]]
) -> str:
    """The name of data that were given as an object: the content and how it was split.

    >>> options = {"split": (3, 0), "test": (0.2, 0.2)}
    >>> content_name(None, "arrays", "ab12cd34ef", options)
    "arrays(sha256='ab12cd34', split=3)"

    Args:
      name: what the user calls it, or None.
      kind: what it is called otherwise, with the start of its hash.
      sha256: the hash.
      options: value and default of what else decides on the numbers.

    Raises:
      InputError: `name` is no name.
    """
    changed = {key: value for key, (value, usual) in options.items() if value != usual}
    if name is None:
        return specs.unparse(kind, {"sha256": sha256[:8], **changed})
    head, values = specs.parse(name)
    return specs.unparse(head, {**values, **changed})


def renamed(data: Dataset) -> Dataset:
    """The same data under the hash of what they hold now, whatever they were made of.

    A name that was made of another hash is replaced, too.
    """
    parts = {part: Examples(x, y) for part, x, y in data.parts()}
    sha256 = arrays_sha256(parts, data.class_names, data.transform)
    head, _ = specs.parse(data.name)
    name = content_name(None if head in CONTENT_NAMES else data.name, head, sha256, {})
    origin = data.provenance._replace(sha256=sha256)
    return dataclasses.replace(data, name=name, provenance=origin)


def arrays_sha256(
    parts: Mapping[str, Examples], names: Sequence[str] | None, transform: Transform
) -> str:
    """SHA-256 of all arrays, their shapes and kinds, the classes and the transform."""
    facts = (names and list(names), *map(float, transform))
    digest = hashlib.sha256(repr(facts).encode())
    for part, examples in parts.items():
        for array in examples:
            digest.update(f"{part} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def float32(what: str, x: np.ndarray) -> np.ndarray:
    """A copy in float32; bytes stay bytes.

    Raises:
      InputError: `x` holds no numbers, or some that float32 does not hold.
    """
    if x.dtype.kind not in "biuf":
        raise InputError(
            f"Expected real numbers in {what}, got an array of {_kind(x)}: convert it, "
            f"or use Dataset.from_frame for a table."
        )
    if x.dtype == np.uint8:
        return np.array(x)
    if x.dtype.kind == "f" and x.dtype.itemsize > 4:
        # NaN and inf stay what they are: `check_inputs` says where they are.
        large = np.isfinite(x) & (np.abs(x) > _HIGHEST)
        if large.any():
            raise InputError(
                f"Expected numbers up to {_HIGHEST:.3g} (float32) in {what}, got "
                f"{x[large][0]:.3g}: rescale it."
            )
    return np.array(x, np.float32)


def _given(arrays: Mapping[str, tuple[Any, Any]]) -> dict[str, Examples]:
    """The parts that are there, as NumPy arrays whose shapes fit together."""
    parts = {}
    for part, (x, y) in arrays.items():
        if x is None and y is None and part != "train":
            continue
        if x is None or y is None:
            raise InputError(f"Expected both x_{part} and y_{part}, got one of them.")
        parts[part] = Examples(_array(f"x_{part}", x), _array(f"y_{part}", y))
    if "validation" in parts and "test" not in parts:
        raise InputError("Expected x_test beside x_validation, got none.")
    for part, (x, y) in parts.items():
        if x.ndim < 2 or y.shape != x.shape[:1] or not x.size:
            hint = ": y.argmax(axis=1) gives labels" if y.ndim == 2 else ""
            raise InputError(
                f"Expected x_{part} of shape [n, ...] and y_{part} of shape [n], got "
                f"{x.shape} and {y.shape}{hint}."
            )
    shapes = {part: examples.x.shape[1:] for part, examples in parts.items()}
    if len(set(shapes.values())) > 1:
        words = ", ".join(f"{shape} ({part})" for part, shape in shapes.items())
        raise InputError(f"Expected examples of one shape in all parts, got {words}.")
    return parts


def _array(what: str, given: Any) -> np.ndarray:
    if hasattr(given, "toarray"):
        raise InputError(f"Expected an array for {what}, got a sparse one: .toarray().")
    if np.ma.is_masked(given):
        raise InputError(
            f"Expected a value everywhere in {what}, got a masked array with "
            f"{np.ma.count_masked(given):,} missing: leave these out."
        )
    try:
        array = np.asarray(given)
        # bfloat16 and its like, of which NumPy knows no arithmetic.
        if array.dtype.kind == "V" and array.dtype.names is None:
            return array.astype(np.float32)
        return array
    except (ValueError, TypeError):
        # Rows of different lengths, say.
        raise InputError(
            f"Expected an array of numbers or labels for {what}, got a "
            f"{type(given).__name__} that NumPy makes none of."
        ) from None


def _labelled(
    parts: Mapping[str, Examples], classes: Sequence[str] | None
) -> tuple[dict[str, Examples], tuple[str, ...] | None, int | None]:
    """Inputs and targets as they are stored, the names and the number of classes."""
    targets, names = _numbered({part: examples.y for part, examples in parts.items()})
    arrays = targets.values()
    labels = {y.dtype.kind in "biu" for y in arrays}
    if len(labels) > 1 or any(y.dtype.kind not in "biuf" for y in arrays):
        got = " and ".join(dict.fromkeys(map(_kind, arrays)))
        raise InputError(f"Expected integer labels or float targets, got {got}.")
    count = None
    if labels == {True}:
        count = _count(arrays)
        names = _names(classes, count) if classes is not None else names
        count = len(names) if names else count
        targets = {part: y.astype(np.int32) for part, y in targets.items()}
    elif classes is not None:
        raise InputError("Expected labels for the names of classes, got float targets.")
    stored = {}
    for part, (x, _) in parts.items():
        y = targets[part]
        stored[part] = Examples(
            float32(f"x_{part}", x), y if count else float32(f"y_{part}", y)
        )
    return stored, names, count


def _numbered(
    targets: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], tuple[str, ...] | None]:
    """Strings as labels, numbered in their order, and these strings; else as it is."""
    every = [item for y in targets.values() if y.dtype.kind in "UO" for item in y]
    if not every or not all(isinstance(item, str) for item in every):
        return targets, None
    names = sorted(set(every))
    place = {name: label for label, name in enumerate(names)}
    numbered = {
        part: np.array([place[item] for item in y], np.int32)
        if y.dtype.kind in "UO"
        else y
        for part, y in targets.items()
    }
    return numbered, tuple(map(str, names))


def _count(targets: Iterable[np.ndarray]) -> int:
    """One more than the largest label."""
    if min(int(y.min()) for y in targets) < 0:
        raise InputError("Expected class labels from 0, got a negative one.")
    largest = max(int(y.max()) for y in targets)
    if largest >= _MOST_CLASSES:
        raise InputError(
            f"Expected class labels from 0 to {_MOST_CLASSES - 1:,}, got {largest:,}: "
            f"number the classes, or give floats for a regression."
        )
    return largest + 1


def _names(classes: Sequence[str], count: int) -> tuple[str, ...]:
    names = _strings("classes", classes)
    if len(set(names)) < len(names) or len(names) < count:
        raise InputError(
            f"Expected a name for each of {count} classes, got {short(list(names))}."
        )
    return names


def _strings(what: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"Expected a list of names for {what}, got {short(given)}.")
    return tuple(map(str, given))


def _headings(columns: Any, x: np.ndarray) -> tuple[str, ...] | None:
    if columns is None:
        return None
    names = _strings("columns", columns)
    if x.ndim != 2 or len(names) != x.shape[1]:
        raise InputError(
            f"Expected a name for each feature of examples of shape {x.shape[1:]}, got "
            f"{len(names)} for columns."
        )
    return names


def _transform(given: Any) -> Transform:
    if given is None:
        return Transform()
    fits = isinstance(given, Transform) and all(
        isinstance(number, int | float) and np.isfinite(number) for number in given
    )
    if not fits or given.scale == 0:
        raise InputError(
            f"Expected a relujax.data.Transform with finite numbers and a scale other "
            f"than 0, got {short(given)}."
        )
    return given


def _divided(
    parts: Mapping[str, Examples],
    test: float,
    validation: float,
    split: int,
    names: tuple[str, ...] | None,
) -> dict[str, Examples]:
    """Training, validation and test part; what is missing is cut off at random."""
    x, y = parts["train"]
    divided = dict(parts)
    if "test" not in parts:
        rows = random_parts(y, split, test, validation, names)
        divided["test"] = Examples(x[rows.test], y[rows.test])
        train, validated = rows.train, rows.validation
    elif validation:
        train, validated = carve(y, np.arange(len(y)), validation, split, names)
    else:
        check_seed("split", split)
        return divided
    divided["train"] = Examples(x[train], y[train])
    if len(validated):
        divided["validation"] = Examples(x[validated], y[validated])
    return divided


def _fields(parts: Mapping[str, Examples]) -> dict[str, Any]:
    return {
        f"{array}_{part}": getattr(examples, array)
        for part, examples in parts.items()
        for array in ("x", "y")
    }


def _kind(array: np.ndarray) -> str:
    return {"O": "objects", "U": "strings", "S": "byte strings", "V": "records"}.get(
        array.dtype.kind, str(array.dtype)
    )
