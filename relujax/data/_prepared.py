"""Data sets that tensorflow-datasets has prepared here; TensorFlow is not needed."""

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from relujax.data import _read
from relujax.data._arrays import from_arrays
from relujax.data._dataset import Dataset, Transform
from relujax.data._fetch import file_sha256
from relujax.data._files import described
from relujax.data._places import local_folder, tfds_folder
from relujax.data._read import reason, too_large, user_path
from relujax.data._split import TEST_FRACTION, standardise
from relujax.errors import InputError, short
from relujax.extras import TFDS, needs

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_BATCH = 1000
# A record of a TFRecord file: its length, a checksum of that, the bytes, a checksum.
_LENGTH, _CHECKSUM = 8, 4


class Features(NamedTuple):
    """What is taken of every example: the names of the inputs and of the label."""

    x: str
    y: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]


def load_prepared(
    name: str,
    version: str | None = None,
    test: float = TEST_FRACTION,
    validation: float = 0.0,
    split: int = 0,
    data_dir: str | None = None,
    *,
    folder: Path | None = None,
) -> Dataset:
    """A classification set that tensorflow-datasets has prepared.

    Read are the formats TFRecord, ArrayRecord and Parquet.

    Args:
      name: its name there, with its config if it has several: "emnist/letters".
      version: such as "3.0.1"; None for the newest that is there.
      test: share of the test part, if it has no split of that name.
      validation: share of the training part that becomes the validation part, if there
        is no split of that name.
      split: which of the random splits.
      data_dir: the folder of all prepared sets; None for `folder`, `RELUJAX_DATA_DIR`
        and that of tensorflow-datasets.
      folder: as `load_dataset` has it.

    Returns:
      Images as bytes, to be divided by 255 by the transform; vectors standardised on
      the training part.

    Raises:
      InputError: it is not there, is damaged, has no labels of classes, or its examples
        are not of one shape.
    """
    place = _find(name, version, data_dir, folder)
    builder = _builder(place)
    features = _features(name, builder.info)
    splits = {part: info.num_examples for part, info in builder.info.splits.items()}
    names = _splits(name, splits)
    given: dict[str, Any] = {}
    for part, there in names.items():
        x, y = _arrays(place, builder, there, splits[there], features)
        given[f"x_{part}"], given[f"y_{part}"] = x, y
    pixels = given["x_train"].dtype == np.uint8 and len(features.shape) == 3
    data = from_arrays(
        **given,
        test=test,
        validation=validation,
        split=split,
        classes=features.classes,
        transform=Transform(scale=255.0) if pixels else None,
    )
    note = ""
    if names.get("test") == "validation":
        note = "It has no test part: its validation part is tested on."
    where = place.relative_to(place.parents[1 + name.count("/")]).as_posix()
    source = f"{where}, as tensorflow-datasets prepared it."
    if len(features.shape) == 1:
        data = _scaled(data)
    paths = [p for part in names.values() for p in builder.info.splits[part].filepaths]
    files = {path.name: file_sha256(Path(path)) for path in paths}
    return described(data, source, files, note)


def _find(
    name: str, version: str | None, data_dir: str | None, folder: Path | None
) -> Path:
    """The folder `<data_dir>/<name>/<version>`."""
    fits = re.fullmatch(r"\w{1,99}(/[\w.+-]{1,99})?", name) and ".." not in name
    if not fits:
        raise InputError(
            f"Expected the name of a data set, such as 'cifar10' or 'emnist/letters', "
            f"got {short(name)}."
        )
    if data_dir is not None:
        places = [user_path(data_dir, "folder")]
    else:
        places = [place for place in (local_folder(folder), tfds_folder()) if place]
    for place in places:
        versions = _versions(place / name)
        if version is None and versions:
            return place / name / versions[-1]
        if version in versions:
            return place / name / str(version)
    looked = " or ".join(str(place / name) for place in places)
    which = f" of version {short(version)}" if version else ""
    raise InputError(
        f"Expected a prepared copy{which} in {looked}, found none: prepare it with "
        f"tensorflow-datasets, or name another folder with data_dir."
    )


def _versions(folder: Path) -> list[str]:
    """The versions that are there, the newest last."""
    if not folder.is_dir():
        return []
    names = (path.name for path in folder.iterdir())
    numbers = lambda text: tuple(map(int, text.split(".")))
    return sorted(filter(_VERSION.fullmatch, names), key=numbers)


def _builder(place: Path) -> Any:
    needs("a copy by tensorflow-datasets", *TFDS)
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder_from_directory(place)
    except Exception as error:  # Its readers have no exception in common.
        raise _damaged(place, error) from error
    if builder.info.file_format is None or not builder.info.splits:
        raise _damaged(place, ValueError("it has no splits"))
    return builder


def _damaged(place: Path, error: Exception) -> InputError:
    return InputError(
        f"Expected a complete copy by tensorflow-datasets in {place}, got "
        f"{type(error).__name__}: {reason(error)}"
    )


def _features(name: str, info: Any) -> Features:
    """The inputs and the label of the examples, if there is one of each."""
    import tensorflow_datasets as tfds

    kinds = tfds.features
    held = dict(sorted(info.features.items()))
    keys = info.supervised_keys
    if keys is not None and all(isinstance(key, str) for key in keys):
        x, y = keys[:2]
    else:
        labels = [k for k, f in held.items() if isinstance(f, kinds.ClassLabel)]
        # A ClassLabel is a Tensor too, one without axes.
        arrays = kinds.Tensor | kinds.Image
        axes = [k for k, f in held.items() if isinstance(f, arrays) and f.shape]
        x, y = (axes[0], labels[0]) if len(axes) == len(labels) == 1 else ("", "")
    label, inputs = held.get(y, object()), held.get(x, object())
    fits = isinstance(label, kinds.ClassLabel) and isinstance(
        inputs, kinds.Tensor | kinds.Image
    )
    if not fits or np.dtype(inputs.np_dtype).kind not in "biuf":
        got = ", ".join(f"{key} ({type(f).__name__})" for key, f in held.items())
        raise InputError(
            f"Expected images or vectors of numbers with one ClassLabel in {name!r}, "
            f"got {got}."
        )
    names = label.names or map(str, range(label.num_classes))
    return Features(x, y, tuple(inputs.shape), tuple(names))


def _splits(name: str, splits: dict[str, int]) -> dict[str, str]:
    """Our name of each part, and the split that it is."""
    if "train" not in splits:
        raise InputError(
            f"Expected a split 'train' in {name!r}, got {', '.join(splits)}."
        )
    named = {"train": "train"}
    if "test" in splits:
        named["test"] = "test"
        if "validation" in splits:
            named["validation"] = "validation"
    elif "validation" in splits:
        named["test"] = "validation"
    return named


def _arrays(
    place: Path, builder: Any, split: str, count: int, features: Features
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels of a split, in the order in which they are stored."""
    x: np.ndarray | None = None
    y = np.empty(0, np.int32)
    row = 0
    try:
        for row, example in enumerate(_examples(place, builder, split, count), 1):
            value = np.asarray(example[features.x])
            if x is None:
                if (total := count * (value.nbytes + 4)) > _read.MOST_BYTES:
                    raise too_large(place, total, _read.MOST_BYTES)
                x = np.empty((count, *value.shape), value.dtype)
                y = np.empty(count, np.int32)
            if value.shape != x.shape[1:]:
                raise InputError(
                    f"Expected examples of one shape in {place}, got {x.shape[1:]} and "
                    f"{value.shape}."
                )
            x[row - 1], y[row - 1] = value, example[features.y]
    except InputError:
        raise
    except Exception as error:  # The readers of its files have none in common.
        raise _damaged(place, error) from error
    if x is None or row != count:
        raise _damaged(place, ValueError(f"{row} of {count} examples of {split}"))
    return x, y


def _examples(place: Path, builder: Any, split: str, count: int) -> Iterator[dict]:
    """The decoded examples of a split."""
    if builder.info.file_format.value == "tfrecord":
        decode = builder.info.features.deserialize_example_np
        paths = builder.info.splits[split].filepaths
        yield from map(decode, _tfrecords(map(Path, paths)))
        return
    held = builder.as_data_source(split=split)
    for start in range(0, count, _BATCH):
        yield from held.__getitems__(range(start, min(start + _BATCH, count)))


def _tfrecords(paths: Iterable[Path]) -> Iterator[bytes]:
    """The records of TFRecord files; a length that goes beyond the file is damage."""
    for path in paths:
        left = path.stat().st_size
        with path.open("rb") as file:
            while left:
                head = file.read(_LENGTH + _CHECKSUM)
                length = int.from_bytes(head[:_LENGTH], "little")
                left -= len(head) + length + _CHECKSUM
                if len(head) < _LENGTH + _CHECKSUM or left < 0:
                    raise ValueError(f"{path.name} is truncated or damaged")
                yield file.read(length)
                file.read(_CHECKSUM)


def _scaled(data: Dataset) -> Dataset:
    """Vectors with zero mean and unit variance on the training part."""
    arrays = {f"x_{part}": x.astype(np.float64) for part, x, _ in data.parts()}
    scaled = standardise(*arrays.values())
    return dataclasses.replace(data, **dict(zip(arrays, scaled, strict=True)))
