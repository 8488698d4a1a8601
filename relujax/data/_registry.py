"""The named data sets: spec strings to arrays, and what is known before loading."""

import dataclasses
import inspect
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from relujax.data._arrays import renamed
from relujax.data._catalogue import Source, Sources, dataset_of
from relujax.data._dataset import Dataset, is_original
from relujax.data._files import load_csv, load_npz
from relujax.data._folder import load_folder
from relujax.data._images import (
    find_images,
    images_advice,
    load_images,
    prepare_images,
)
from relujax.data._mnist1d import load_mnist1d
from relujax.data._prepared import load_prepared
from relujax.data._read import reason
from relujax.data._sources import FASHION_MNIST, MNIST, ImageSource
from relujax.data._synthetic import load_synthetic
from relujax.data._tabular import load_digits, load_wdbc, load_wine
from relujax.data._text import (
    SMS_SPAM_ADVICE,
    find_sms_spam,
    load_sms_spam,
    prepare_sms_spam,
)
from relujax.errors import InputError, short
from relujax.parts import Entry, Part


class DatasetInfo(NamedTuple):
    """What is known of a data set without loading it.

    Attributes:
      name: its name in a spec string.
      title: what it is.
      task: "classification" or "regression" (or both, for the synthetic families).
      size: examples, shape and classes, in words.
      origin: where the data come from, in words.
      parameters: parameter of the spec string to its default value; `specs.REQUIRED`
        for one that must be given.
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


def _image_source(source: ImageSource) -> Source:
    return Source(
        title=source.title,
        task="classification",
        size="60,000 + 10,000 x 28 x 28, 10 classes",
        origin="download by tensorflow-datasets, or a folder of IDX files",
        read=partial(load_images, source),
        folder="data_dir",
        find=partial(find_images, source),
        prepare=partial(prepare_images, source),
        advice=images_advice(source),
    )


_SHIPPED = {
    "wdbc": Source(
        title="Breast Cancer Wisconsin (Diagnostic)",
        task="classification",
        size="569 x 30, 2 classes",
        origin="scikit-learn",
        read=load_wdbc,
    ),
    "digits": Source(
        title="Handwritten digits",
        task="classification",
        size="1,797 x 8 x 8, 10 classes",
        origin="scikit-learn",
        read=load_digits,
    ),
    "wine": Source(
        title="Wine recognition",
        task="classification",
        size="178 x 13, 3 classes",
        origin="scikit-learn",
        read=load_wine,
    ),
    "synthetic": Source(
        title="Synthetic families of Morrison, Gode and Conner (2025)",
        task="regression, classification",
        size="n x d, 2 classes",
        origin="generated from a seed",
        read=load_synthetic,
    ),
    "mnist1d": Source(
        title="MNIST-1D of Greydanus and Kobak (2020)",
        task="classification",
        size="n x 40, 10 classes",
        origin="generated from a seed",
        read=load_mnist1d,
    ),
    "mnist": _image_source(MNIST),
    "fashion_mnist": _image_source(FASHION_MNIST),
    "sms_spam": Source(
        title="UCI SMS Spam Collection",
        task="classification",
        size="5,574 messages, 2 classes",
        origin="download, or a folder",
        read=load_sms_spam,
        folder="data_dir",
        find=find_sms_spam,
        prepare=prepare_sms_spam,
        advice=SMS_SPAM_ADVICE,
    ),
    "csv": Source(
        title="A table of yours: numbers standardised, categories one-hot",
        task="classification, regression",
        size="as the file",
        origin="a text file with headings",
        read=load_csv,
    ),
    "npz": Source(
        title="Arrays of yours",
        task="classification, regression",
        size="as the file",
        origin="an archive written by numpy.savez",
        read=load_npz,
    ),
    "images": Source(
        title="Pictures of yours, a folder for each class",
        task="classification",
        size="as the folder",
        origin="png, jpg or bmp files",
        read=load_folder,
    ),
    "tfds": Source(
        title="Any classification set that tensorflow-datasets has prepared here",
        task="classification",
        size="as the set",
        origin="a prepared copy, read without TensorFlow",
        read=load_prepared,
        folder="folder",
    ),
}

#: The data sets by name; `SOURCES.add(name, factory)` adds one.
SOURCES = Sources()
for _name, _shipped in _SHIPPED.items():
    SOURCES.ship(_name, _shipped, _shipped.parameters)


def load_dataset(spec: Any, data_dir: str | Path | None = None) -> Dataset:
    """The data set that a spec string names.

    >>> load_dataset("wdbc").name
    'wdbc(split=0)'
    >>> load_dataset("wdbc(split=3, validation=0.1)").x_train.shape
    (409, 30)
    >>> load_dataset("synthetic(curve='linear', n=100, d=5)").task
    'regression'

    Args:
      spec: a name or `name(key=value, ...)`; `list_datasets()` lists the names. An
        import path of a function that returns a `Dataset` or arrays, such as
        `mypackage.data:cohort(year=2020)`. Or the function, the `Dataset` or the arrays
        themselves.
      data_dir: folder with a sub-folder for each data set that is a file, such as
        `mnist/` with its four IDX files; None for the environment's
        `RELUJAX_DATA_DIR`. What it lacks is looked for among the copies that
        `prepare_dataset` made; what was read is in the result's `provenance`.

    Raises:
      InputError: no such data set or parameter, a value that it cannot have, no copy
        of the data on this machine, or a damaged one.
    """
    if not (isinstance(spec, str | tuple | list | Dataset) or callable(spec)):
        raise InputError(
            f"Expected a data set such as 'wdbc(split=0)', got {short(spec)}."
        )
    part = SOURCES.part(spec)
    values = dict(part.static)
    if isinstance(part.factory, Source):
        if part.factory.folder:
            values[part.factory.folder] = _path(data_dir)
        data = part.factory(**values)
    else:
        data = _made(part, values, data_dir)
        if part.local and data.name == part.text:
            return data
    return SOURCES.loaded(dataclasses.replace(data, name=part.text))


def _made(
    part: Part, values: Mapping[str, Any], data_dir: str | Path | None
) -> Dataset:
    """What a factory of the user's returns, as a data set."""
    try:
        made = part.factory(**values)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"Expected a data set from {part.text}, got {type(error).__name__}: "
            f"{reason(error)}"
        ) from error
    if isinstance(made, Dataset):
        return made if is_original(made) else renamed(made)
    if isinstance(made, str):
        return load_dataset(made, data_dir)
    if not isinstance(made, tuple | list):
        raise InputError(
            f"Expected a Dataset or arrays from {part.text}, got {short(made)}."
        )
    data = dataset_of(made)
    source = f"Arrays that {part.text} returned."
    return dataclasses.replace(data, provenance=data.provenance._replace(source=source))


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
    if source is None or source.prepare is None:
        raise InputError(
            f"Nothing to prepare for {name!r}: it needs no file to be downloaded."
        )
    return source.prepare(_path(data_dir), _path(manual_dir))


def list_datasets(data_dir: str | Path | None = None) -> tuple[DatasetInfo, ...]:
    """What is known of every data set; nothing is loaded.

    >>> [info.name for info in list_datasets()][:3]
    ['wdbc', 'digits', 'wine']
    """
    return tuple(dataset_info(name, data_dir) for name in SOURCES)


def dataset_info(name: str, data_dir: str | Path | None = None) -> DatasetInfo:
    """What is known of one data set; nothing is loaded.

    >>> dataset_info("wdbc").size
    '569 x 30, 2 classes'

    Raises:
      InputError: no such data set, or the folder that is named does not exist.
    """
    entry = _entry(name)
    parameters = {key: known.default for key, known in entry.parameters.items()}
    source = _source(name)
    if source is None:
        words = (inspect.getdoc(entry.factory) or "A data set of yours").partition("\n")
        return DatasetInfo(name, words[0], "", "", "yours", parameters, True, "", "")
    found = source.find(_path(data_dir)) if source.find else None
    available = source.find is None or found is not None
    return DatasetInfo(
        name=name,
        title=source.title,
        task=source.task,
        size=source.size,
        origin=source.origin,
        parameters=parameters,
        available=available,
        found=str(found or ""),
        advice="" if available else source.advice,
    )


def _entry(name: str) -> Entry:
    if not isinstance(name, str):
        raise InputError(f"Expected the name of a data set, got {short(name)}.")
    return SOURCES.entry(name)


def _source(name: str) -> Source | None:
    """What comes with the library under a name; None for a set of the user's."""
    factory = _entry(name).factory
    return factory if isinstance(factory, Source) else None


def _path(given: str | Path | None) -> Path | None:
    if given is not None and not isinstance(given, str | Path):
        raise InputError(f"Expected the path of a folder, got {short(given)}.")
    return None if given is None else Path(given)
