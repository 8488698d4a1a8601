"""The registry of data sets: what a source is, and what stands for one."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakSet

from relujax import specs
from relujax.data._arrays import CONTENT_NAMES, from_arrays, renamed
from relujax.data._dataset import Dataset, is_original, original
from relujax.errors import InputError, short
from relujax.parts import Named, Part, Registry

# What came later than the first stored results, and is left out of a name where it has
# its default.
_LATER = ("test", "validation", "missing", "separator")

_FILES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".npz": "npz", ".gz": "csv"}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A data set that comes with the library; see `DatasetInfo`.

    Attributes:
      read: `read(**parameters)`.
      folder: the keyword by which `read` takes the folder of raw files; empty for none.
      find: `find(folder)`, what would be read or None; None for data without files.
      prepare: `prepare(data_dir, manual_dir)`, the folder of the verified copy.
      advice: how to get the files.
    """

    title: str
    task: str
    size: str
    origin: str
    read: Callable[..., Dataset]
    folder: str = ""
    find: Callable[[Path | None], Path | None] | None = None
    prepare: Callable[[Path | None, Path | None], Path] | None = None
    advice: str = ""

    @property
    def parameters(self) -> specs.Parameters:
        """What it takes from the user."""
        return specs.parameters_of(self.read, skip=(self.folder,))

    def __call__(self, **values: Any) -> Dataset:
        return self.read(**values)


class Sources(Registry):
    """The data sets by name; `add(name, factory)` adds one of the user's.

    A factory returns a `Dataset`, or arrays: `(x, y)`, `(x_train, y_train, x_test,
    y_test)`, or these with `x_validation, y_validation`.
    """

    def __init__(self) -> None:
        super().__init__("data set", accepts=lambda obj: isinstance(obj, Dataset))
        self._held: dict[str, Dataset] = {}
        self._by_name: WeakSet[Dataset] = WeakSet()

    def text(self, given: Any) -> str:
        """The spec string of a name, a factory, a `Dataset` or arrays.

        A `Dataset` and arrays are held under their name in this process.
        """
        if isinstance(given, str):
            suffix = Path(given).suffix.lower() if "(" not in given else ""
            if suffix in _FILES:
                more = ", target='...'" if _FILES[suffix] == "csv" else ""
                raise InputError(
                    f"Expected the spec of a data set, got the file {short(given)}: "
                    f"write {_FILES[suffix]}(path={short(given)}{more})."
                )
            return given
        if isinstance(given, tuple | list) and not isinstance(given, Named):
            given = dataset_of(given)
        if isinstance(given, Dataset):
            return self._hold(given)
        if not callable(given) and not isinstance(given, Named):
            raise InputError(
                f"Expected a data set: a name, a relujax.Dataset, or arrays (x, y) or "
                f"(x_train, y_train, x_test, y_test), got a "
                f"{type(given).__name__}: {short(given)}."
            )
        return super().text(given)

    def part(self, given: Any) -> Part:
        """The part that a text or an object stands for, its values checked.

        Its values are in the order of the parameters; what is left out of the canonical
        name is left out of them.
        """
        text = self.text(given)
        if text in self._held:
            held = self._as_factory(self._held[text])
            return Part(self.kind, text, held, (), {}, local=True)
        name, _ = specs.parse(text)
        if name in CONTENT_NAMES and name not in self:
            raise InputError(
                f"Expected the data of {short(text)} in this process, found none: give "
                f"the Dataset itself."
            )
        part = super().part(text)
        parameters = self.entry(name).parameters
        values = {**dict(part.static), **part.numeric}
        shown = tuple(
            (key, values[key])
            for key, known in parameters.items()
            if not (values[key] == known.default and _quiet(key, known.default))
        )
        return dataclasses.replace(part, static=shown, numeric={})

    def loaded(self, data: Dataset) -> Dataset:
        """Remember that a data set is what its name says."""
        self._by_name.add(data)
        return original(data)

    def _hold(self, data: Dataset) -> str:
        name, _ = specs.parse(data.name)
        if data in self._by_name:
            return data.name
        if name in self or specs.is_path(name):
            raise InputError(
                f"Expected a name of its own for data that are no longer what "
                f"{data.name!r} names: dataclasses.replace(data, name='my_data')."
            )
        data = data if is_original(data) else renamed(data)
        held = self._held.setdefault(data.name, data)
        if held.provenance.sha256 != data.provenance.sha256:
            raise InputError(
                f"Expected another name for other data than those that {data.name!r} "
                f"stands for in this process: dataclasses.replace(data, name=...)."
            )
        return data.name


def _quiet(name: str, default: Any) -> bool:
    return default is None or name in _LATER


def dataset_of(given: Any) -> Dataset:
    """A data set of 2, 4 or 6 arrays; see `Sources`."""
    if len(given) not in (2, 4, 6):
        raise InputError(
            f"Expected (x, y) or (x_train, y_train, x_test, y_test), maybe with "
            f"(x_validation, y_validation), got {len(given)} items."
        )
    keys = ("x_validation", "y_validation")
    return from_arrays(*given[:4], **dict(zip(keys, given[4:], strict=False)))
