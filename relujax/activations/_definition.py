"""What the library knows of one activation, and what a user's own object becomes."""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax

from relujax import specs
from relujax.activations._spec import Activation, deterministic, stochastic
from relujax.errors import InputError, short
from relujax.specs import Parameters


class Line(NamedTuple):
    """Where an activation of several features is looked at as a function of one.

    Attributes:
      inputs: `inputs(x, **hyperparameters)`, the features for `x` of shape `[..., 1]`;
        the first feature of the output is the curve.
      words: what the other features are, as in "value 1".
    """

    inputs: Callable[..., jax.Array]
    words: str


class Definition(NamedTuple):
    """What the library knows of one activation.

    Attributes:
      id: canonical name.
      build: `build(**hyperparameters) -> Activation`.
      parameters: what it takes by keyword, in the order of the docstring; floats may be
        traced, everything else is static.
      function: the public pure function, or the user's object.
      formula: plain-text formula.
      paper: authors, year, and equation where there is one.
      kinks: point where the function is not twice differentiable, to the derivative
        that the library takes there by default; empty when smooth, None when nobody has
        said. Under `rrelu` the derivative is random and this is its mean.
      domain: what the hyperparameters must satisfy, as (name, comparison, name or
        number).
      elsewhere: other libraries that ship it.
      evaluation: the deterministic rule of a stochastic activation, else None.
      local: whether it exists in this process alone.
      aliases: other names of the same function.
      line: where it is a curve, if its outputs depend on several features.
      gated: whether it multiplies one half of the features by a gate of the other.
    """

    id: str
    build: Callable[..., Activation]
    parameters: Parameters
    function: Any
    formula: str = ""
    paper: str = ""
    kinks: Mapping[float, float] | None = {}
    domain: tuple[tuple[str, str, str | float], ...] = ()
    elsewhere: str = ""
    evaluation: Callable | None = None
    local: bool = False
    aliases: tuple[str, ...] = ()
    line: Line | None = None
    gated: bool = False

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of every parameter."""
        return {name: known.default for name, known in self.parameters.items()}


def define(
    id: str, obj: Any, *, mean: Callable | None = None, **facts: Any
) -> Definition:
    """The definition of a user's own activation.

    Args:
      id: its name or import path.
      obj: `f(x, *, alpha=0.3)`; `f(key, x, *, sigma=0.1)`; a factory, which takes
        nothing but hyperparameters and returns an `Activation`; or an `Activation`.
      mean: the evaluation rule of `f(key, x, ...)`, a function of the same without the
        key; `f_mean` beside `f` in its module needs no mention.
      **facts: `formula`, `paper`, `kinks`, `domain`, `elsewhere`, `local`.

    Raises:
      InputError: it is none of these, or a stochastic one has no mean.
    """
    facts = {"kinks": None, **facts}
    if isinstance(obj, Activation):
        return Definition(id, lambda: obj, {}, obj, **facts)
    if not callable(obj):
        raise InputError(
            f"Expected a function f(x), f(key, x) or a factory of an Activation for "
            f"{id}, got {short(obj)}."
        )
    fn: Callable[..., Any] = obj
    inputs = _inputs(fn)
    if not inputs or _returns_activation(fn):
        return Definition(id, fn, specs.parameters_of(fn), fn, **facts)
    if inputs[0] == "key":
        mean = mean or _mean_beside(fn)
        if mean is None:
            raise InputError(
                f"Expected mean=... for {id}, whose first parameter is a key: the "
                f"function of the other arguments that evaluates it, such as the "
                f"expectation over the noise."
            )
        build = partial(stochastic, id, fn, mean)
        parameters = specs.parameters_of(fn, skip=tuple(inputs[:2]))
        return Definition(id, build, parameters, fn, evaluation=mean, **facts)
    if mean is not None:
        raise InputError(
            f"Expected `key` as the first parameter of {id}, which has a mean, got "
            f"{inputs[0]!r}."
        )
    build = partial(deterministic, id, fn)
    parameters = specs.parameters_of(fn, skip=(inputs[0],))
    return Definition(id, build, parameters, fn, **facts)


def _inputs(fn: Callable) -> list[str]:
    """The positional parameters without a default: arrays, not hyperparameters."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return ["x"]  # Some functions written in C have no signature.
    kinds = inspect.Parameter
    given = [
        p.name
        for p in parameters
        if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        and p.default is p.empty
    ]
    return given or [p.name for p in parameters if p.kind is kinds.VAR_POSITIONAL]


def _returns_activation(fn: Callable) -> bool:
    annotation = getattr(fn, "__annotations__", {}).get("return")
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2] == "Activation"
    return annotation is Activation


def _mean_beside(fn: Callable) -> Callable | None:
    """`f_mean` of the module of `f`."""
    module = sys.modules.get(getattr(fn, "__module__", None) or "")
    return getattr(module, f"{getattr(fn, '__name__', '')}_mean", None)
