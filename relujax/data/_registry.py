"""The named data sets: spec strings to arrays."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from relujax import specs
from relujax.data._dataset import Dataset, Task
from relujax.data._tabular import load_digits, load_wdbc, load_wine
from relujax.errors import unknown


class Source(NamedTuple):
    """What the library knows of one data set before it is loaded.

    Attributes:
      title: what the data are.
      task: "classification" or "regression".
      size: examples and features, in words.
      origin: where the data come from, in words.
      defaults: parameter of the spec string to its default value.
      load: `load(name, **parameters) -> Dataset`.
    """

    title: str
    task: Task
    size: str
    origin: str
    defaults: Mapping[str, Any]
    load: Callable[..., Dataset]


_SOURCES: dict[str, Source] = {
    "wdbc": Source(
        title="Breast Cancer Wisconsin (Diagnostic)",
        task="classification",
        size="569 x 30, 2 classes",
        origin="scikit-learn",
        defaults={"split": 0},
        load=load_wdbc,
    ),
    "digits": Source(
        title="Handwritten digits, 8 x 8 pixels",
        task="classification",
        size="1,797 x 8 x 8, 10 classes",
        origin="scikit-learn",
        defaults={"split": 0},
        load=load_digits,
    ),
    "wine": Source(
        title="Wine recognition",
        task="classification",
        size="178 x 13, 3 classes",
        origin="scikit-learn",
        defaults={"split": 0},
        load=load_wine,
    ),
}


def load_dataset(spec: str) -> Dataset:
    """The data set that a spec string names.

    >>> load_dataset("wdbc").name
    'wdbc(split=0)'
    >>> load_dataset("wdbc(split=3)").x_train.shape
    (455, 30)

    Args:
      spec: a name or `name(key=value, ...)`; `list_datasets()` lists the names.

    Raises:
      InputError: no such data set or parameter, or a value that it cannot have.
    """
    name, given = specs.parse(spec)
    if name not in _SOURCES:
        raise unknown("data set", name, _SOURCES)
    source = _SOURCES[name]
    for key in given:
        if key not in source.defaults:
            raise unknown(f"parameter of data set {name!r}:", key, source.defaults)
    parameters = {**source.defaults, **given}
    shown = {key: value for key, value in parameters.items() if value is not None}
    return source.load(specs.unparse(name, shown), **parameters)
