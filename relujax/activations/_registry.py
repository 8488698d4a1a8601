"""The registry: names and spec strings to activations."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from relujax import specs
from relujax.activations._spec import Activation, deterministic
from relujax.errors import InputError, unknown


class Definition(NamedTuple):
    """What the library knows of one activation.

    Attributes:
      id: canonical name.
      build: `build(**hyperparameters) -> Activation`.
      defaults: hyperparameter name to default value, in the order of the docstring.
      function: the public pure function.
      formula: plain-text formula.
      paper: authors, year, and equation where there is one.
      kinks: kink to the derivative that the library takes there; empty when smooth.
    """

    id: str
    build: Callable[..., Activation]
    defaults: Mapping[str, Any]
    function: Callable[..., jax.Array]
    formula: str
    paper: str
    kinks: Mapping[float, float] = {}


_DEFINITIONS: dict[str, Definition] = {}
_ALIASES: dict[str, str] = {}
_AMBIGUOUS: dict[str, tuple[str, ...]] = {}


def register(definition: Definition, *, aliases: tuple[str, ...] = ()) -> None:
    """Add an activation to the registry, with other names of the same function."""
    if definition.id in _DEFINITIONS:
        raise ValueError(f"Expected a new activation id, got {definition.id!r} again.")
    _DEFINITIONS[definition.id] = definition
    _ALIASES.update(dict.fromkeys(aliases, definition.id))


def refuse(name: str, candidates: tuple[str, ...]) -> None:
    """Make `name` an error that names the candidates: the literature means several."""
    _AMBIGUOUS[name] = candidates


def names() -> tuple[str, ...]:
    """The canonical ids of all activations, in the order of the catalogue.

    >>> "n_relu" in names()
    True
    """
    return tuple(_DEFINITIONS)


def definition(name: str) -> Definition:
    """The definition behind a canonical id or an unambiguous alias.

    Raises:
      InputError: no activation has that name, or several have.
    """
    key = _ALIASES.get(name, name)
    if key in _DEFINITIONS:
        return _DEFINITIONS[key]
    lowered = name.lower()
    if lowered in _AMBIGUOUS:
        candidates = " or ".join(map(repr, _AMBIGUOUS[lowered]))
        raise InputError(
            f"The literature uses {name!r} for several activations; say which one: "
            f"{candidates}."
        )
    raise unknown("activation", name, [*_DEFINITIONS, *_ALIASES])


def get(spec: str | Activation | Callable, **overrides: Any) -> Activation:
    """The activation that `spec` names.

    Args:
      spec: a spec string such as `"n_relu(sigma=0.1)"`, an `Activation` (returned as
        it is), a public function of this library, or any callable `f(x)`.
      **overrides: hyperparameters that replace those of the string; they may be
        traced arrays or, where the function takes an array, schedules of the step.

    Returns:
      An `Activation`; `str()` of it gives the spec string back.

    Raises:
      InputError: the name or a hyperparameter is unknown or of the wrong kind.

    >>> str(get("n_relu(sigma=0.1)"))
    'n_relu(sigma=0.1)'
    >>> get("leaky_relu").hyperparameters
    {'negative_slope': 0.01}
    """
    if isinstance(spec, Activation):
        return get(str(spec), **overrides) if overrides else spec
    if callable(spec):
        for known in _DEFINITIONS.values():
            if known.function is spec:
                return get(known.id, **overrides)
        path = f"{spec.__module__}.{getattr(spec, '__qualname__', repr(spec))}"
        return deterministic(path, spec, **overrides)
    name, values = specs.parse(spec)
    return _build(definition(name), values | overrides)


def _build(known: Definition, values: Mapping[str, Any]) -> Activation:
    for name in values:
        if name not in known.defaults:
            raise unknown(f"parameter of {known.id}:", name, known.defaults)
    hyperparameters = {
        name: _coerce(known, name, values.get(name, default))
        for name, default in known.defaults.items()
    }
    return known.build(**hyperparameters)


def _coerce(known: Definition, name: str, value: Any) -> Any:
    """`value` in the type of the default, refused when it is of another kind."""
    default = known.defaults[name]
    if isinstance(value, jax.Array | np.ndarray) or callable(value):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, float):
        if not is_number:
            raise InputError(
                f"Expected a number for {name!r} of {known.id}, got {value!r} instead."
            )
        return float(value)
    return value
