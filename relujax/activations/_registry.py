"""The registry: names, spec strings, import paths and functions to activations."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from relujax import parts, paths, specs
from relujax.activations._definition import Definition, define
from relujax.activations._schedule import schedule
from relujax.activations._spec import Activation
from relujax.errors import InputError, short, unknown
from relujax.parts import Entry, Named, Part
from relujax.specs import Parameters

# Activations of the library whose `surrogate` is the spec of another activation.
_SURROGATES = ("n_relu",)

_COMPARISONS = {"<=": operator.le, ">=": operator.ge, ">": operator.gt}


class Activations(parts.Registry):
    """All activations by name, with their facts and other names.

    Names are read as people write them: case and underscores do not count, and what the
    literature uses for several activations is refused.
    """

    def __init__(self) -> None:
        super().__init__("activation")
        self._definitions: dict[str, Definition] = {}
        self._imported: dict[str, Definition] = {}
        self._aliases: dict[str, str] = {}
        self._ambiguous: dict[str, tuple[str, ...]] = {}

    def define(self, known: Definition) -> None:
        """Ship an activation with the library.

        Raises:
          ValueError: the id is taken.
        """
        if known.id in self:
            raise ValueError(f"Expected a new activation id, got {known.id!r} again.")
        self.ship(known.id, known.build, known.parameters)
        self._hold(known)

    def refuse(self, name: str, candidates: tuple[str, ...]) -> None:
        """Make `name` an error that names the candidates."""
        self._ambiguous[_squash(name)] = candidates

    def add(
        self,
        name: str,
        factory: Any,
        parameters: Parameters | None = None,
        *,
        local: bool = False,
        **facts: Any,
    ) -> None:
        """Add an activation of the user's; see `relujax.register`.

        Raises:
          InputError: the name is not an identifier or belongs to the library, or the
            object is no activation.
        """
        squashed = _squash(str(name))
        taken = self._aliases.get(squashed) if name not in self else name
        if squashed in self._ambiguous or taken in self._shipped:
            raise InputError(
                f"Expected a new name for the activation, got {short(name)}, which "
                f"names one of the library's: choose another."
            )
        known = define(name, factory, local=local, **facts)
        if parameters is not None:
            known = known._replace(parameters=parameters)
        super().add(name, known.build, known.parameters, local=local)
        self._hold(known)

    def definition(self, name: str) -> Definition:
        """The definition behind a canonical id, an unambiguous alias or an import path.

        Raises:
          InputError: no activation has that name, or several have.
        """
        if name in self._definitions:
            return self._definitions[name]
        if specs.is_path(name):
            return self._from_path(name)
        squashed = _squash(name)
        if squashed in self._ambiguous:
            candidates = " or ".join(map(repr, self._ambiguous[squashed]))
            raise InputError(
                f"The literature uses {name!r} for several activations; say which one: "
                f"{candidates}."
            )
        if squashed in self._aliases:
            return self._definitions[self._aliases[squashed]]
        raise unknown("activation", name, self._definitions)

    def known(self, id: str) -> Definition | None:
        """The definition of that id or path; None for what has neither."""
        try:
            return self.definition(id)
        except InputError:
            return None

    def of(self, obj: Any) -> Definition:
        """The definition of a function or factory, or of what `relujax.named` gives."""
        if isinstance(obj, Named):
            self._keep(*obj)
            return self._definitions[obj.name]
        for known in self._definitions.values():
            if known.function is obj:
                return known
        path = paths.path_of(obj)
        if path is not None and specs.parse(path)[0] == path:
            return self._from_path(path)
        name = getattr(obj, "__qualname__", type(obj).__qualname__)
        return define(f"{obj.__module__}:{name}", obj, local=True)

    def entry(self, name: str) -> Entry:
        """As in `Registry`, for other names of the activation too."""
        known = self.definition(name)
        return Entry(known.id, known.build, known.parameters, known.local)

    def part(self, given: Any) -> Part:
        """As in `Registry`, with schedules read and the domain checked."""
        name, values = specs.parse(self.text(given))
        known = self.definition(name)
        return parts.part_of(self.kind, self.entry(name), checked(known, values))

    def text(self, given: Any) -> str:
        """As in `Registry`, for an `Activation` too."""
        if not isinstance(given, Activation):
            named = (k.id for k in self._definitions.values() if k.function is given)
            return next(named, None) or super().text(given)
        self.definition(given.id)
        text = str(given)
        try:
            specs.parse(text)
        except InputError:
            raise InputError(
                f"Expected an activation that a spec string can name, got {text}: its "
                f"arrays and functions have no text. Write relujax.named('my_act', "
                f"...) around it."
            ) from None
        return text

    def _hold(self, known: Definition) -> None:
        self._definitions[known.id] = known
        for name in (known.id, *known.aliases):
            self._aliases[_squash(name)] = known.id

    def _keep(self, name: str, obj: Any) -> None:
        held = self._definitions.get(name)
        if held is None or held.function is not obj:
            self.add(name, obj, local=True)

    def _from_path(self, path: str) -> Definition:
        """Of what is imported; what its module has registered keeps its facts."""
        obj = paths.imported(path, self.kind)
        for known in self._definitions.values():
            if known.function is obj:
                return known._replace(id=path)
        held = self._imported.get(path)
        if held is None or held.function is not obj:
            held = self._imported[path] = define(path, obj)
        return held


#: All activations: those of the library, and those that are registered later.
REGISTRY = Activations()


def names(*, gated: bool = False) -> tuple[str, ...]:
    """The canonical ids of the activations, in the order of the catalogue.

    Args:
      gated: with the gated units, `glu` and its relatives. They halve the features, so
        that they fit a layer of twice the width and cannot stand where ReLU stood.

    >>> "n_relu" in names(), "swiglu" in names(), "swiglu" in names(gated=True)
    (True, False, True)
    """
    return tuple(n for n in REGISTRY if gated or not REGISTRY.definition(n).gated)


def definition(name: str) -> Definition:
    """What is known of an activation, by its id, another name of it or its path.

    >>> definition("LeakyReLU").id, definition("swish").id, definition("srelu").id
    ('leaky_relu', 'silu', 'srelu')

    Raises:
      InputError: no activation has that name, or several have.
    """
    return REGISTRY.definition(name)


def get(spec: str | Activation | Named | Callable, **overrides: Any) -> Activation:
    """The activation that `spec` names.

    Args:
      spec: a spec string such as `"n_relu(sigma=0.1)"` or
        `"mypackage.acts:wobble(alpha=0.5)"`, an `Activation` (returned as it is), a
        public function of this library, any callable `f(x)` or `f(key, x)`, a factory
        of an `Activation`, or one of these as `relujax.named(name, ...)`.
      **overrides: hyperparameters that replace those of the string; where the default
        is a float they may be traced arrays or, unless they are the initial values of
        something learned, schedules of the step. In a string, a schedule is
        `"n_relu(sigma='linear(start=0.1, end=0.0, steps=4690)')"`.

    Returns:
      An `Activation`; `str()` of it gives the spec string back. Its hyperparameters
      hold every number, and the options that are not at their default.

    Raises:
      InputError: the name or a hyperparameter is unknown or of the wrong kind.

    >>> get("n_relu(sigma=0.1)")
    relujax.get('n_relu(sigma=0.1)')
    >>> get("leaky_relu").hyperparameters
    {'negative_slope': 0.01}
    """
    values: Mapping[str, Any] = {}
    if isinstance(spec, Activation):
        if not overrides:
            return spec
        known, values = definition(spec.id), spec.hyperparameters
    elif isinstance(spec, str):
        name, values = specs.parse(spec)
        known = definition(name)
    elif isinstance(spec, Named) or callable(spec):
        known = REGISTRY.of(spec)
    else:
        raise InputError(
            f"Expected a spec string, an Activation or a function, got {short(spec)} "
            f"instead."
        )
    return build(known, {**values, **overrides})


def build(known: Definition, values: Mapping[str, Any]) -> Activation:
    """The activation of a definition with these values, all checked."""
    filled = checked(known, values)
    shown = {
        name: value
        for name, value in filled.items()
        if known.parameters[name].kind == "float"
        or not _is(value, known.parameters[name].default)
    }
    built = known.build(**filled)
    if not isinstance(built, Activation):
        raise InputError(
            f"Expected {known.id} to return an Activation when it is called without an "
            f"array, got {short(built)}: a function takes x first, without a default."
        )
    return built._replace(id=known.id, hyperparameters=shown)


def checked(known: Definition, values: Mapping[str, Any]) -> dict[str, Any]:
    """Every hyperparameter with its value, in its type and in its domain."""
    read = {
        name: schedule(value)
        if isinstance(value, str) and "(" in value and _is_number(known, name)
        else value
        for name, value in values.items()
    }
    filled = specs.check(known.id, known.parameters, read)
    _check_domain(known, filled)
    _check_surrogate(known, filled)
    return filled


def _squash(name: str) -> str:
    return name.lower().replace("_", "")


def _is_number(known: Definition, name: str) -> bool:
    return name in known.parameters and known.parameters[name].kind == "float"


def _is(value: Any, default: Any) -> bool:
    try:
        return value is default or bool(value == default)
    except Exception:  # Arrays of several values are no default.
        return False


def _check_domain(known: Definition, values: Mapping[str, Any]) -> None:
    """Refuse Python numbers outside the domain; arrays and schedules pass unseen."""
    for name, value in values.items():
        if isinstance(value, tuple) and not value and known.parameters[name].default:
            raise InputError(
                f"Expected a tuple of finite numbers for {name!r} of {known.id}, got "
                f"an empty one."
            )
    for left, comparison, right in known.domain:
        bound = values[right] if isinstance(right, str) else right
        if not (isinstance(values[left], float) and isinstance(bound, int | float)):
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
    if values.get("surrogate") is None or known.id not in _SURROGATES:
        return
    surrogate = get(values["surrogate"])
    if surrogate.init((), np.float32) or surrogate.signal is not None:
        raise InputError(
            f"Expected a surrogate for {known.id} that learns nothing, got "
            f"{values['surrogate']!r} instead."
        )
