"""Whatever a user has as a network, as a `Model`."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from flax import linen as nn

from relujax import activations
from relujax.activations import Activation
from relujax.errors import InputError, short
from relujax.networks._activation import ACTIVATIONS, CallableActivation, as_function
from relujax.networks._calls import KEYS, takes
from relujax.networks._from_functions import from_functions
from relujax.networks._from_linen import from_linen
from relujax.networks._model import Model
from relujax.specs import signature_of


def as_model(obj: Any, *, activation: str | Activation | None = None) -> Model:
    """The `Model` of a network in any of the usual forms.

    - a `Model`;
    - a Flax Linen module, or a class or function that makes one: its call is
      `module(x)`. Layers that draw noise get a key for each random stream that they ask
      for, and what is not in `params` is state;
    - a Flax NNX class, or a function `make(rngs=...)`: random streams come from the
      constructor or with the call; their counts and batch statistics are carried;
    - an Equinox class, or a function `make(key=...)`, of a module of one example, with
      `eqx.nn.State` or without;
    - a pair of functions `init(key, x) -> params` and `apply(params, x) -> y`, or an
      object with two such attributes, as Haiku's: see `from_functions`.

    A call may take a flag that says whether it trains, by position or by keyword:
    `train`, `training`, `is_training`, `deterministic`, `use_running_average`,
    `inference`, `eval` and a few more. Attributes of these names are set as well.

    Args:
      obj: the network.
      activation: for a class or function with a parameter `activation`, `act`,
        `nonlinearity`, `act_fn` or `activation_fn`: the activation that it gets, to be
        called as a function. A Linen module may also build
        `relujax.linen.Activation(activation)` with it.

    Raises:
      InputError: it is none of these, or a layer of it cannot know whether it trains.
    """
    chosen = None if activation is None else activations.get(activation)
    return build(obj, {}, chosen)


def build(obj: Any, values: Mapping[str, Any], activation: Activation | None) -> Model:
    """`as_model`, with the other arguments of a class or function."""
    check_kind(obj)
    if isinstance(obj, Model):
        return obj
    if isinstance(obj, nn.Module):
        return from_linen(obj)
    if _is_pair(obj):
        return from_functions(*obj)
    if not isinstance(obj, type) and has_functions(obj):
        return from_functions(obj.init, obj.apply)
    return _constructed(obj, values, activation)


def check_kind(obj: Any) -> None:
    """Refuse what is no network and does not make one.

    Raises:
      InputError: it is of another kind, or a module of NNX or Equinox with weights.
    """
    if is_module(obj):
        framework = framework_of(type(obj)) or ""
        example = {"nnx": "rngs", "equinox": "key"}[framework]
        raise InputError(
            f"Expected a class or a function of {example} that makes the network, got "
            f"a finished {type(obj).__name__}: every seed needs initial weights of its "
            f"own, so give the class, functools.partial(Class, ...), or `lambda "
            f"{example}: Class(..., {example}={example})`."
        )
    if not (callable(obj) or has_functions(obj) or _is_pair(obj)):
        raise InputError(
            f"Expected a Linen module, an NNX or Equinox class, a function that makes "
            f"a network, a pair of functions (init, apply) or a relujax.networks.Model "
            f"as the model, got {short(obj)}."
        )


def _is_pair(obj: Any) -> bool:
    return isinstance(obj, tuple) and len(obj) == 2 and all(map(callable, obj))


def is_module(obj: Any) -> bool:
    """Whether an object is a module of NNX or Equinox that has its weights.

    Equinox's `filter_jit` and the like are its modules, too, but wrap a function.
    """
    framework = None if isinstance(obj, type) else framework_of(type(obj))
    return framework is not None and not hasattr(obj, "__wrapped__")


def has_functions(obj: Any) -> bool:
    """Whether an object has the functions `init` and `apply`."""
    return callable(getattr(obj, "init", None)) and callable(
        getattr(obj, "apply", None)
    )


def _is_linen_class(obj: Any) -> bool:
    return isinstance(obj, type) and issubclass(obj, nn.Module)


def framework_of(cls: type) -> str | None:
    """`nnx` or `equinox` for a class of modules of these; neither is imported."""
    for base in cls.__mro__:
        if base.__module__.startswith("flax.nnx.") and base.__name__ == "Module":
            return "nnx"
        if base.__module__.startswith("equinox.") and base.__name__ == "Module":
            return "equinox"
    return None


def activation_parameter(factory: Callable, given: Mapping[str, Any]) -> str | None:
    """The parameter by which a factory takes an activation, unless it is given.

    One whose default is a string takes the names that its author chose.
    """
    name = takes(factory, *ACTIVATIONS)
    if name is None or name in given:
        return None
    default = signature_of(factory).parameters[name].default
    return None if isinstance(default, str) else name


def _constructed(
    factory: Callable, values: Mapping[str, Any], activation: Activation | None
) -> Model:
    """The `Model` of what a class or function makes."""
    name = None if activation is None else activation_parameter(factory, values)
    framework = framework_made_by(factory)
    what = _name_of(factory)
    needed = {"nnx": ("rngs",), "equinox": KEYS}.get(framework or "", ())
    check_complete(factory, {*values, *needed, *([name] if name else [])}, what)
    if framework is not None:
        if name is not None and activation is not None:
            values = {**values, name: as_function(activation, what)}
        make = functools.partial(factory, **values)
        if framework == "nnx":
            from relujax.networks._from_nnx import from_nnx

            return from_nnx(make)
        from relujax.networks._from_equinox import from_equinox

        return from_equinox(make)
    if name is not None and activation is not None:
        values = {**values, name: CallableActivation(*activation)}
    try:
        made = factory(**values)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"Expected {what} to make a network, got {type(error).__name__} from it: "
            f"{str(error).partition(chr(10))[0]}"
        ) from error
    if made is factory or _is_factory(made):
        raise InputError(
            f"Expected a network from {what}, got {short(made)}: return a module, a "
            f"relujax.networks.Model or a pair (init, apply)."
        )
    return build(made, {}, None)


def _name_of(factory: Callable) -> str:
    inner = getattr(factory, "func", factory)  # Of a `functools.partial`.
    return getattr(inner, "__name__", type(inner).__name__)


def _is_factory(made: Any) -> bool:
    """Whether something has to be called once more: this is where it ends."""
    finished = isinstance(made, tuple) or has_functions(made)
    return callable(made) and not finished and framework_of(type(made)) is None


def framework_made_by(factory: Callable) -> str | None:
    """`nnx` or `equinox` for what makes modules of these."""
    cls = getattr(factory, "func", factory)  # Of a `functools.partial`.
    if isinstance(cls, type):
        if _is_linen_class(cls):
            return None
        if framework_of(cls):
            return framework_of(cls)
    if takes(factory, "rngs"):
        return "nnx"
    return "equinox" if takes(factory, *KEYS) else None


def check_complete(factory: Callable, given: set[str], what: str) -> None:
    """Refuse a factory that requires what nobody gives."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for p in signature_of(factory).parameters.values():
        if p.default is p.empty and p.kind not in variadic and p.name not in given:
            raise InputError(
                f"Expected a value for {p.name!r} of {what}, which is called to make a "
                f"network, got none: write {p.name}=... in the brackets of its spec or "
                f"in functools.partial({what}, ...); a function of parameters and "
                f"inputs comes with its init, as the pair (init, apply)."
            )
