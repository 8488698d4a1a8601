"""The named data sets: spec strings to arrays, and what is known before loading."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from relujax import specs
from relujax.data._dataset import Dataset
from relujax.data._images import (
    find_images,
    images_advice,
    load_images,
    prepare_images,
)
from relujax.data._sources import FASHION_MNIST, MNIST, ImageSource
from relujax.data._synthetic import load_synthetic
from relujax.data._tabular import load_digits, load_wdbc, load_wine
from relujax.data._text import (
    SMS_SPAM_ADVICE,
    find_sms_spam,
    load_sms_spam,
    prepare_sms_spam,
)
from relujax.errors import InputError, unknown


class DatasetInfo(NamedTuple):
    """What is known of a data set without loading it.

    Attributes:
      name: its name in a spec string.
      title: what it is.
      task: "classification" or "regression" (or both, for the synthetic families).
      size: examples, shape and classes, in words.
      origin: where the data come from, in words.
      parameters: parameter of the spec string to its default value.
      available: whether `load_dataset` finds it on this machine.
      found: where it would be read; empty for data that need no file.
      advice: how to get it; empty when it is available.
    """

    name: str
    title: str
    task: str
    size: str
    origin: str
    parameters: Mapping[str, Any]
    available: bool
    found: str
    advice: str


class _Source(NamedTuple):
    """A data set of the registry; see `DatasetInfo`.

    Attributes:
      load: `load(name, **parameters)`, with `data_dir` too if there is a `find`.
      find: `find(data_dir)`, what would be read or None; None for data without files.
      prepare: `prepare(data_dir, manual_dir)`, the folder of the verified copy.
      advice: how to get the files.
    """

    title: str
    task: str
    size: str
    origin: str
    parameters: Mapping[str, Any]
    load: Callable[..., Dataset]
    find: Callable[[Path | None], Path | None] | None = None
    prepare: Callable[[Path | None, Path | None], Path] | None = None
    advice: str = ""


def _image_source(source: ImageSource) -> _Source:
    return _Source(
        title=source.title,
        task="classification",
        size="60,000 + 10,000 x 28 x 28, 10 classes",
        origin="download by tensorflow-datasets, or a folder of IDX files",
        parameters={"n_train": None},
        load=partial(load_images, source),
        find=partial(find_images, source),
        prepare=partial(prepare_images, source),
        advice=images_advice(source),
    )


_SOURCES: dict[str, _Source] = {
    "wdbc": _Source(
        title="Breast Cancer Wisconsin (Diagnostic)",
        task="classification",
        size="569 x 30, 2 classes",
        origin="scikit-learn",
        parameters={"split": 0},
        load=load_wdbc,
    ),
    "digits": _Source(
        title="Handwritten digits",
        task="classification",
        size="1,797 x 8 x 8, 10 classes",
        origin="scikit-learn",
        parameters={"split": 0},
        load=load_digits,
    ),
    "wine": _Source(
        title="Wine recognition",
        task="classification",
        size="178 x 13, 3 classes",
        origin="scikit-learn",
        parameters={"split": 0},
        load=load_wine,
    ),
    "synthetic": _Source(
        title="Synthetic families of Morrison, Gode and Conner (2025)",
        task="regression, classification",
        size="n x d, 2 classes",
        origin="generated from a seed",
        parameters={"curve": "quadratic", "n": 500, "d": 2, "seed": 0, "columns": 0},
        load=load_synthetic,
    ),
    "mnist": _image_source(MNIST),
    "fashion_mnist": _image_source(FASHION_MNIST),
    "sms_spam": _Source(
        title="UCI SMS Spam Collection",
        task="classification",
        size="5,574 messages, 2 classes",
        origin="download, or a folder",
        parameters={"features": "tfidf", "size": 1000, "split": 0},
        load=load_sms_spam,
        find=find_sms_spam,
        prepare=prepare_sms_spam,
        advice=SMS_SPAM_ADVICE,
    ),
}


def load_dataset(spec: str, data_dir: str | Path | None = None) -> Dataset:
    """The data set that a spec string names.

    >>> load_dataset("wdbc").name
    'wdbc(split=0)'
    >>> load_dataset("wdbc(split=3)").x_train.shape
    (455, 30)
    >>> load_dataset("synthetic(curve='linear', n=100, d=5)").task
    'regression'

    Args:
      spec: a name or `name(key=value, ...)`; `list_datasets()` lists the names.
      data_dir: folder with a sub-folder for each data set that is a file, such as
        `mnist/` with its four IDX files; None for the environment's
        `RELUJAX_DATA_DIR`. What it lacks is looked for among the copies that
        `prepare_dataset` made; what was read is in the result's `provenance`.

    Raises:
      InputError: no such data set or parameter, a value that it cannot have, no copy
        of the data on this machine, or a damaged one.
    """
    name, given = specs.parse(spec)
    source = _source(name)
    for key in given:
        if key not in source.parameters:
            raise unknown(f"parameter of data set {name!r}:", key, source.parameters)
    parameters = {**source.parameters, **given}
    shown = {key: value for key, value in parameters.items() if value is not None}
    if source.find is not None:
        parameters["data_dir"] = _path(data_dir)
    return source.load(specs.unparse(name, shown), **parameters)


def prepare_dataset(
    name: str,
    data_dir: str | Path | None = None,
    manual_dir: str | Path | None = None,
) -> Path:
    """Download a data set and verify it; images by way of tensorflow-datasets.

    An interrupted download is continued by the next call; a prepared copy is kept.

    Args:
      name: "mnist", "fashion_mnist" or "sms_spam".
      data_dir: where the copy goes, and the downloads; None for the environment's
        `TFDS_DATA_DIR`, else `~/tensorflow_datasets`.
      manual_dir: folder that holds the published archives: nothing is downloaded.

    Returns:
      The folder of the prepared copy.

    Raises:
      InputError: a file cannot be downloaded, is not in `manual_dir`, or is not the
        published one (sha256).
    """
    source = _source(name)
    if source.prepare is None:
        raise InputError(
            f"Nothing to prepare for {name!r}: it needs no file ({source.origin})."
        )
    return source.prepare(_path(data_dir), _path(manual_dir))


def list_datasets(data_dir: str | Path | None = None) -> tuple[DatasetInfo, ...]:
    """What is known of every data set; nothing is loaded.

    >>> [info.name for info in list_datasets()][:3]
    ['wdbc', 'digits', 'wine']
    """
    return tuple(dataset_info(name, data_dir) for name in _SOURCES)


def dataset_info(name: str, data_dir: str | Path | None = None) -> DatasetInfo:
    """What is known of one data set; nothing is loaded.

    >>> dataset_info("wdbc").size
    '569 x 30, 2 classes'

    Raises:
      InputError: no such data set, or the folder that is named does not exist.
    """
    source = _source(name)
    found = source.find(_path(data_dir)) if source.find else None
    available = source.find is None or found is not None
    return DatasetInfo(
        name=name,
        title=source.title,
        task=source.task,
        size=source.size,
        origin=source.origin,
        parameters=source.parameters,
        available=available,
        found=str(found or ""),
        advice="" if available else source.advice,
    )


def _source(name: str) -> _Source:
    if name not in _SOURCES:
        raise unknown("data set", name, _SOURCES)
    return _SOURCES[name]


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
