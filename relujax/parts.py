"""A part of a cell: named, imported, or an object with a name.

`Registry` holds the parts of one kind (models, objectives, ...). A part is given as

1. a registered name: `"mlp(hidden=(512, 512))"`;
2. an import path with literal arguments: `"mypackage.nets:ResNet(depth=20)"`;
3. an object. One that can be imported is stored as its path; any other (a lambda, what
   a notebook or script defines) needs a name, `relujax.named("my_net", obj)`, and
   cannot leave the process.

Whatever it was, a cell keeps its canonical text; names in stored results are data, and
only running a cell resolves them.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from relujax import specs
from relujax.errors import InputError, article, short, unknown
from relujax.paths import imported, is_literal, path_of
from relujax.specs import Parameters


class Named(NamedTuple):
    """An object with a name of the user's; see `named`."""

    name: str
    obj: Any


def named(name: str, obj: Any) -> Named:
    """Give an object a name under which cells, tables and results show it.

    Needed for what no import path leads to: lambdas, and what a notebook or a script
    defines. Such a part cannot be sent to another process.

    Args:
      name: an identifier, such as `"my_net"`.
      obj: the model, loss, metric, optimiser, data set or activation.

    Raises:
      InputError: `name` is not an identifier.
    """
    _check_name(name)
    return Named(name, obj)


class Entry(NamedTuple):
    """What a name stands for.

    Attributes:
      name: the name, as spec strings have it.
      factory: called with the checked values; what it returns is up to the kind.
      parameters: what it takes from the user.
      local: whether it exists in this process alone.
      options: the parameters that a part has only where they differ from their
        defaults, so that the text of the parts without them stays what it was.
      fit: `fit(what, values) -> values`: refuses values that are out of range.
    """

    name: str
    factory: Callable[..., Any]
    parameters: Parameters
    local: bool = False
    options: frozenset[str] = frozenset()
    fit: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda what, values: values


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a cell with all its values: what compiles, and what is traced.

    Two are equal when they build the same thing: the factory is compared by identity.

    Attributes:
      kind: what the part is, such as "model".
      name: its registered name or import path.
      factory: what builds it.
      static: values that are part of the compiled program.
      numeric: numbers that are arguments of the compiled program, so that another value
        of σ or of the learning rate compiles nothing.
      floats: names of all values that are numbers, traced or not.
      local: whether it exists in this process alone.
      shown: names of the values in the text; None for all. Of a user's part only what
        was given: its defaults are code, which changes under the same name.
    """

    kind: str
    name: str
    factory: Callable[..., Any]
    static: tuple[tuple[str, Any], ...]
    numeric: Mapping[str, float] = dataclasses.field(hash=False)
    floats: tuple[str, ...] = ()
    local: bool = False
    shown: tuple[str, ...] | None = None

    @cached_property
    def text(self) -> str:
        """The canonical spec string."""
        return self.text_with()

    @property
    def values(self) -> dict[str, Any]:
        """All values by name."""
        return {**dict(self.static), **self.numeric}

    def text_with(self, **values: Any) -> str:
        """The spec string with some values changed."""
        known = self.values
        if self.shown is not None:
            known = {k: v for k, v in known.items() if k in self.shown}
        return specs.unparse(self.name, {**known, **values})

    def __str__(self) -> str:
        return self.text


class Registry:
    """The parts of one kind, by name.

    Args:
      kind: what they are, for messages: "model".
      given: arguments of a factory that come from the engine, not from the user: their
        names, or how many of the first ones.
      fills: arguments that the engine gives where the user does not.
      floats_traced: whether every float may be traced, or only those whose annotation
        says that they may be arrays.
      accepts: whether an object is a finished part of this kind, not a factory.
    """

    def __init__(
        self,
        kind: str,
        *,
        given: tuple[str, ...] | int = (),
        fills: tuple[str, ...] = (),
        floats_traced: bool = True,
        accepts: Callable[[Any], bool] = lambda obj: False,
    ) -> None:
        self.kind = kind
        self._given = given
        self._fills = fills
        self._floats_traced = floats_traced
        self._accepts = accepts
        self._entries: dict[str, Entry] = {}
        self._shipped: set[str] = set()
        # A large grid names the same few parts again and again.
        self._of_text = lru_cache(maxsize=1024)(self._checked)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def is_shipped(self, name: str) -> bool:
        """Whether a part comes with the library."""
        return name in self._shipped

    def ship(
        self,
        name: str,
        factory: Callable,
        parameters: Parameters | None = None,
        **rest: Any,
    ) -> None:
        """Add a part that comes with the library: nobody can replace it.

        Args:
          name: its name.
          factory: what builds it.
          parameters: what it takes; by default what its signature says.
          **rest: other attributes of its `Entry`.
        """
        self._shipped.add(name)
        self._entries[name] = self._entry(name, factory, parameters)._replace(**rest)

    def add(
        self,
        name: str,
        factory: Callable,
        parameters: Parameters | None = None,
        *,
        local: bool = False,
    ) -> None:
        """Add a part of the user's; a second one of the same name replaces the first.

        Raises:
          InputError: the name is not an identifier, or belongs to the library.
        """
        _check_name(name)
        if name in self._shipped:
            raise InputError(
                f"Expected a new name for the {self.kind}, got {name!r}, which is one "
                f"of the library's: choose another."
            )
        entry = self._entry(name, factory, parameters)
        self._entries[name] = entry._replace(local=local)

    def entry(self, name: str) -> Entry:
        """What a name or an import path stands for.

        Raises:
          InputError: there is no such name, or nothing can be imported from there.
        """
        if name in self._entries:
            return self._entries[name]
        if not specs.is_path(name):
            raise unknown(self.kind, name, self._entries)
        return self._entry(name, imported(name, self.kind), None)

    def part(self, given: Any) -> Part:
        """The part that a text or an object stands for, its values checked.

        Raises:
          InputError: it is unknown, has no name, or a value does not fit.
        """
        text = self.text(given)
        # What a name of the user's stands for may change.
        fixed = text.partition("(")[0].strip() in self._shipped
        return self._of_text(text) if fixed else self._checked(text)

    def _checked(self, text: str) -> Part:
        name, values = specs.parse(text)
        entry = self.entry(name)
        known = {
            key: parameter
            for key, parameter in entry.parameters.items()
            if key in values or key not in self._fills
        }
        what = f"{self.kind} {name}"
        filled = entry.fit(what, specs.check(what, known, values))
        options = entry.options & entry.parameters.keys()
        defaults = {key: entry.parameters[key].default for key in options}
        # The factory has its defaults by itself; a text cannot hold each of them.
        kept = {
            key: value
            for key, value in filled.items()
            if (key in values or is_literal(value))
            and (key not in defaults or value != defaults[key])
        }
        part = part_of(self.kind, entry, kept)
        if name in self._shipped:
            return part
        return dataclasses.replace(part, shown=tuple(values))

    def text(self, given: Any) -> str:
        """The spec string of what a user gives: a string, or an object with a name.

        Raises:
          InputError: the object has no name that another process could find it by.
        """
        if isinstance(given, str):
            return given
        if isinstance(given, Named):
            self._keep(given.name, given.obj)
            return given.name
        for name, entry in self._entries.items():
            if entry.factory is given:
                return name
        path = path_of(given)
        if path is not None:
            return path
        raise InputError(
            f"Expected {article(self.kind)} with a name, got {short(given)}, to which "
            f"no import path leads: write "
            f"relujax.named('my_{self.kind.split()[0]}', ...) around it, or move it "
            f"into a module."
        )

    def _keep(self, name: str, obj: Any) -> None:
        """Hold an object under its name, in this process."""
        self.add(name, self._as_factory(obj), local=True)

    def _as_factory(self, obj: Any) -> Callable:
        """A factory of what is given: itself, unless it is finished already."""
        if callable(obj) and not self._accepts(obj):
            return obj
        if isinstance(self._given, int):
            raise InputError(
                f"Expected a function as the {self.kind}, got {short(obj)} instead."
            )
        return _Finished(obj)

    def _entry(self, name: str, obj: Any, parameters: Parameters | None) -> Entry:
        factory = self._as_factory(obj)
        if parameters is None:
            finished = isinstance(factory, _Finished)
            parameters = {} if finished else self._parameters(factory)
        return Entry(name, factory, parameters)

    def _parameters(self, factory: Callable) -> Parameters:
        given = self._given
        skip = _first(factory, given) if isinstance(given, int) else given
        return specs.parameters_of(
            factory, skip=skip, floats_traced=self._floats_traced
        )


def _first(factory: Callable, count: int) -> tuple[str, ...]:
    """The names of the first `count` arguments of a function."""
    try:
        return tuple(inspect.signature(factory).parameters)[:count]
    except (TypeError, ValueError):
        return ()


class _Finished:
    """A factory without parameters: it returns the object that it holds."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __call__(self) -> Any:
        return self.obj

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Finished) and self.obj is other.obj

    def __hash__(self) -> int:
        return id(self.obj)


def part_of(kind: str, entry: Entry, values: Mapping[str, Any]) -> Part:
    """The part of an entry with these values, cut into static and traced ones."""
    traced = {
        name
        for name, known in entry.parameters.items()
        if known.traced and isinstance(values.get(name), float)
    }
    static = {k: _hashable(v) for k, v in values.items() if k not in traced}
    return Part(
        kind,
        entry.name,
        entry.factory,
        tuple(sorted(static.items())),
        {k: v for k, v in values.items() if k in traced},
        tuple(k for k, p in entry.parameters.items() if p.kind == "float"),
        entry.local,
    )


def _hashable(value: Any) -> Any:
    """Lists as tuples, so that a part can be hashed; what cannot be, as it is."""
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return tuple((k, _hashable(v)) for k, v in value.items())
    return value


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 80:
        raise InputError(
            f"Expected a name such as 'my_net', letters, digits and underscores, got "
            f"{short(name)}."
        )
