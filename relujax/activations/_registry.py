"""The registry: names and spec strings to activations."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from relujax import specs
from relujax.activations._schedule import schedule
from relujax.activations._spec import Activation, deterministic
from relujax.errors import InputError, unknown

_COMPARISONS = {"<=": operator.le, ">=": operator.ge, ">": operator.gt}


class Definition(NamedTuple):
    """What the library knows of one activation.

    Attributes:
      id: canonical name.
      build: `build(**hyperparameters) -> Activation`.
      defaults: hyperparameter name to default value, in the order of the docstring;
        floats may be traced, everything else is static.
      function: the public pure function.
      formula: plain-text formula.
      paper: authors, year, and equation where there is one.
      kinks: point where the function is not twice differentiable, to the derivative
        that the library takes there by default; empty when smooth. Under `rrelu` the
        derivative is random and this is its mean.
      domain: what the hyperparameters must satisfy, as (name, comparison, name or
        number).
      elsewhere: other libraries that ship it.
      evaluation: the deterministic rule of a stochastic activation, else None.
    """

    id: str
    build: Callable[..., Activation]
    defaults: Mapping[str, Any]
    function: Callable[..., jax.Array]
    formula: str
    paper: str
    kinks: Mapping[float, float] = {}
    domain: tuple[tuple[str, str, str | float], ...] = ()
    elsewhere: str = ""
    evaluation: Callable[..., jax.Array] | None = None


_DEFINITIONS: dict[str, Definition] = {}
_ALIASES: dict[str, str] = {}
_AMBIGUOUS: dict[str, tuple[str, ...]] = {}


def register(definition: Definition, *, aliases: tuple[str, ...] = ()) -> None:
    """Add an activation to the registry, with other names of the same function."""
    if definition.id in _DEFINITIONS:
        raise ValueError(f"Expected a new activation id, got {definition.id!r} again.")
    _DEFINITIONS[definition.id] = definition
    for name in (definition.id, *aliases):
        _ALIASES[_squash(name)] = definition.id


def refuse(name: str, candidates: tuple[str, ...]) -> None:
    """Make `name` an error that names the candidates: the literature means several."""
    _AMBIGUOUS[_squash(name)] = candidates


def names() -> tuple[str, ...]:
    """The canonical ids of all activations, in the order of the catalogue.

    >>> "n_relu" in names()
    True
    """
    return tuple(_DEFINITIONS)


def definition(name: str) -> Definition:
    """The definition behind a canonical id or an unambiguous alias.

    A canonical id, spelt exactly, always wins; otherwise case and underscores do not
    count, and what the literature uses for several activations is refused.

    >>> definition("LeakyReLU").id, definition("swish").id, definition("srelu").id
    ('leaky_relu', 'silu', 'srelu')

    Raises:
      InputError: no activation has that name, or several have.
    """
    if name in _DEFINITIONS:
        return _DEFINITIONS[name]
    squashed = _squash(name)
    if squashed in _AMBIGUOUS:
        candidates = " or ".join(map(repr, _AMBIGUOUS[squashed]))
        raise InputError(
            f"The literature uses {name!r} for several activations; say which one: "
            f"{candidates}."
        )
    if squashed in _ALIASES:
        return _DEFINITIONS[_ALIASES[squashed]]
    raise unknown("activation", name, _DEFINITIONS)


def get(spec: str | Activation | Callable, **overrides: Any) -> Activation:
    """The activation that `spec` names.

    Args:
      spec: a spec string such as `"n_relu(sigma=0.1)"`, an `Activation` (returned as
        it is), a public function of this library, or any callable `f(x)`.
      **overrides: hyperparameters that replace those of the string; where the default
        is a float they may be traced arrays or, unless they are the initial values of
        something learned, schedules of the step. In a string, a schedule is
        `"n_relu(sigma='linear(start=0.1, end=0.0, steps=4690)')"`.

    Returns:
      An `Activation`; `str()` of it gives the spec string back. Its hyperparameters
      hold every number, and the options that are not at their default.

    Raises:
      InputError: the name or a hyperparameter is unknown or of the wrong kind.

    >>> str(get("n_relu(sigma=0.1)"))
    'n_relu(sigma=0.1)'
    >>> get("leaky_relu").hyperparameters
    {'negative_slope': 0.01}
    """
    if isinstance(spec, Activation):
        if not overrides:
            return spec
        return _build(definition(spec.id), {**spec.hyperparameters, **overrides})
    if callable(spec):
        for known in _DEFINITIONS.values():
            if known.function is spec:
                return _build(known, overrides)
        path = f"{spec.__module__}.{getattr(spec, '__qualname__', repr(spec))}"
        return deterministic(path, spec, **overrides)
    if not isinstance(spec, str):
        raise InputError(
            f"Expected a spec string, an Activation or a function, got {spec!r} "
            f"instead."
        )
    name, values = specs.parse(spec)
    return _build(definition(name), values | overrides)


def _squash(name: str) -> str:
    return name.lower().replace("_", "")


def _build(known: Definition, values: Mapping[str, Any]) -> Activation:
    for name in values:
        if name not in known.defaults:
            if not known.defaults:
                raise InputError(f"Expected no parameter for {known.id}, got {name!r}.")
            raise unknown(f"parameter of {known.id}:", name, known.defaults)
    hyperparameters = {
        name: _coerce(known, name, values.get(name, default))
        for name, default in known.defaults.items()
    }
    _check_domain(known, hyperparameters)
    _check_surrogate(known, hyperparameters)
    shown = {
        name: value
        for name, value in hyperparameters.items()
        if isinstance(known.defaults[name], float) or value != known.defaults[name]
    }
    return known.build(**hyperparameters)._replace(hyperparameters=shown)


def _coerce(known: Definition, name: str, value: Any) -> Any:
    """`value` in the type of the default, refused when it is of another kind."""
    default = known.defaults[name]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(default, float):
        if isinstance(value, str) and "(" in value:
            return schedule(value)
        if isinstance(value, jax.Array | np.ndarray) or callable(value):
            return value
        if _is_number(value):
            return float(value)
        expected = "a finite number"
    elif isinstance(default, tuple):
        if isinstance(value, tuple | list) and value and all(map(_is_number, value)):
            return tuple(map(float, value))
        expected = "a tuple of finite numbers"
    else:
        kind = _KINDS[name]
        if type(value) is kind or (value is None and default is None):
            return value
        expected = f"{kind.__name__}{' or None' if default is None else ''}"
    raise InputError(
        f"Expected {expected} for {name!r} of {known.id}, got {value!r} instead."
    )


# The type of each static option, by name: the same everywhere.
_KINDS = {"approximate": bool, "trainable": bool, "axis": int, "surrogate": str}


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _check_domain(known: Definition, values: Mapping[str, Any]) -> None:
    """Refuse Python numbers outside the domain; arrays and schedules pass unseen."""
    for left, comparison, right in known.domain:
        bound = values[right] if isinstance(right, str) else right
        if not (isinstance(values[left], float) and isinstance(bound, float)):
            continue
        if _COMPARISONS[comparison](values[left], bound):
            continue
        limit, got = f"{bound:g}", f"{left}={values[left]}"
        if isinstance(right, str):
            limit, got = right, f"{got} and {right}={bound}"
        raise InputError(
            f"Expected {left} {comparison} {limit} for {known.id}, got {got}."
        )


def _check_surrogate(known: Definition, values: Mapping[str, Any]) -> None:
    """Refuse a surrogate that is unknown or needs more than `x`."""
    if values.get("surrogate") is None:
        return
    surrogate = get(values["surrogate"])
    if surrogate.init((), np.float32) or surrogate.signal is not None:
        raise InputError(
            f"Expected a surrogate for {known.id} that learns nothing, got "
            f"{values['surrogate']!r} instead."
        )
