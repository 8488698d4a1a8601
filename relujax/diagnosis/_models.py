"""What a user has, a function or a model, as a pure function in evaluation mode."""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from relujax.errors import InputError
from relujax.networks import Model

if TYPE_CHECKING:
    from flax import linen as nn
    from flax import nnx

# The arguments that say whether a model is trained, and what they are when it is not.
_EVALUATION = {
    "train": False,
    "training": False,
    "is_training": False,
    "deterministic": True,
    "use_running_average": True,
    "inference": True,
}


class Forward(NamedTuple):
    """A model in evaluation mode.

    Attributes:
      fn: `fn(params, batch)`, or `fn(batch)` where the parameters are None.
      params: what a user gives as parameters, None for nothing, to those of `fn`.
      channels_first: whether the units of an image lie along axis 1 where the program
        does not tell.
    """

    fn: Callable[..., Any]
    params: Callable[[Any], Any]
    channels_first: bool = False


def program(given: Any) -> Forward:
    """The pure function of a function or model; see `diagnose` for what it may be.

    Raises:
      InputError: it is neither.
    """
    given = _unwrapped(given)
    if isinstance(given, Model):
        apply = lambda pair, batch: given.apply(*pair, inputs(batch))[0]
        return Forward(apply, _needed("a model, the pair that its init gives"))
    if _is_flax(given, "linen") and given.scope is None:
        return _linen(given)
    if _is_flax(given, "nnx"):
        return _nnx(given)
    if _is_equinox(given):
        return _equinox(given)
    bound: Any = getattr(given, "__self__", None)
    if _is_flax(bound, "linen") and bound.scope is None:
        return Forward(given, _needed("the variables, what init gives"))
    return Forward(_function(given), lambda params: params)


def as_function(given: Any) -> Callable[..., Any]:
    """A function as it is, or a module as a function of what its call takes.

    A Linen module takes its variables first; it and an NNX module run in evaluation
    mode.

    Raises:
      InputError: it is neither.
    """
    given = _unwrapped(given)
    if isinstance(given, Model):
        return lambda pair, *args, **kwargs: given.apply(*pair, *args, **kwargs)[0]
    if _is_flax(given, "linen") and given.scope is None:
        modes = _modes(type(given).__call__)
        return lambda variables, *args, **kwargs: given.apply(
            _variables(variables), *args, **{**modes, **kwargs}
        )
    if _is_flax(given, "nnx"):
        modes = _modes(type(given).__call__)
        from flax import nnx

        state = nnx.split(given)[1]
        return lambda *args, **kwargs: _evaluated(given, state)(
            *args, **{**modes, **kwargs}
        )
    return _function(given)


def _function(given: Any) -> Callable[..., Any]:
    if callable(given) and not isinstance(given, type):
        return given
    name = getattr(given, "__name__", type(given).__name__)
    raise InputError(
        f"Expected a function, a Linen, NNX or Equinox module or a "
        f"relujax.networks.Model, got {'the class ' * isinstance(given, type)}{name}."
    )


def inputs(batch: Any) -> Any:
    """What a model sees of a batch: of `(inputs, labels)` the first."""
    return batch[0] if is_sequence(batch) else batch


def is_sequence(batch: Any) -> bool:
    """Whether it is a tuple or list of things, and not one thing with named parts."""
    return isinstance(batch, tuple | list) and not hasattr(batch, "_fields")


def _modes(call: Callable[..., Any]) -> dict[str, bool]:
    """The arguments of a call that put a module into evaluation mode."""
    names = inspect.signature(call).parameters
    return {name: _EVALUATION[name] for name in names if name in _EVALUATION}


def _called(module: Any) -> Callable[[Any, Any], Any]:
    """How the call of a module takes a batch: `run(apply, batch)` applies it.

    A dict that has all arguments which the call requires gives them by name; of a tuple
    come as many as the call requires; anything else is the one argument.
    """
    call = type(module).__call__
    parameters = list(inspect.signature(call).parameters.values())[1:]
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    own = [p for p in parameters if p.kind not in variadic]
    own = [p for p in own if p.name not in _EVALUATION]
    required = [p for p in own if p.default is p.empty]
    by_name = {p.name for p in required if p.kind is p.KEYWORD_ONLY}

    def run(apply, batch):
        names = {p.name for p in required}
        if isinstance(batch, Mapping) and required and names <= set(batch):
            given = {p.name: batch[p.name] for p in own if p.name in batch}
            return apply(**given)
        if by_name:
            raise InputError(
                f"Expected batches that are dicts with {sorted(by_name)}, which "
                f"{type(module).__name__} takes by name, got "
                f"{'an array' if hasattr(batch, 'shape') else type(batch).__name__}."
            )
        count = max(1, len(required))
        if count == 1:
            return apply(inputs(batch))
        if not is_sequence(batch) or len(batch) < count:
            raise InputError(
                f"Expected batches of {count} arrays for {type(module).__name__}, "
                f"whose call takes {', '.join(p.name for p in required)}; give a tuple "
                f"of them, or a dict by name."
            )
        return apply(*batch[:count])

    return run


def _needed(what: str) -> Callable[[Any], Any]:
    def given(params):
        if params is None:
            raise InputError(f"Expected params=... with {what}, got none.")
        return params

    return given


def _variables(given: Any) -> Any:
    """The collection `params` alone will do, as training loops keep it."""
    return given if "params" in given else {"params": given}


def _linen(module: "nn.Module") -> Forward:
    run = _called(module)
    modes: dict[str, Any] = {**_modes(type(module).__call__)}

    def fn(variables, batch):
        held = _variables(variables)
        apply = lambda *args, **given: module.apply(held, *args, **given, **modes)
        return run(apply, batch)

    return Forward(fn, _needed("a Linen module, what its init gives"))


def _evaluated(module: "nnx.Module", state: Any) -> Any:
    """A copy of an NNX module with this state, in evaluation mode."""
    from flax import nnx

    copy: Any = nnx.merge(nnx.split(module)[0], state)
    copy.eval()
    return copy


def _nnx(module: "nnx.Module") -> Forward:
    from flax import nnx

    graph, _ = nnx.split(module)
    run, modes = _called(module), _modes(type(module).__call__)

    def fn(state, batch):
        copy: Any = nnx.merge(graph, state)
        copy.eval()
        return run(lambda *args, **given: copy(*args, **given, **modes), batch)

    def params(given):
        given = module if given is None else given
        return nnx.split(given)[1] if _is_flax(given, "nnx") else given

    return Forward(fn, params)


def _is_flax(given: Any, part: str) -> bool:
    """Whether it is a module of `flax.linen` or `flax.nnx`, without importing them."""
    loaded = sys.modules.get(f"flax.{part}")
    return loaded is not None and isinstance(given, loaded.Module)


def _is_equinox(given: Any) -> bool:
    """Whether it is a model of Equinox, and not a function that Equinox has wrapped.

    Without importing it: it is loaded where there is one of its modules.
    """
    kinds = [kind.__module__ for kind in type(given).__mro__]
    package = lambda name: name.partition(".")[0] == "equinox"
    own = package(kinds[0]) and not kinds[0].startswith("equinox.nn")
    return any(map(package, kinds)) and not own


def _unwrapped(given: Any) -> Any:
    """The model that `equinox.filter_jit` has wrapped; anything else as it is."""
    inner = getattr(given, "__wrapped__", None)
    is_jit = type(given).__module__ == "equinox._jit"
    return inner if is_jit and _is_equinox(inner) else given


def _equinox(module: Any) -> Forward:
    import equinox as eqx

    parameter = inspect.signature(type(module).__call__).parameters.get("state")
    # `eqx.nn.Sequential` has the parameter, and most do without.
    held = jax.tree.leaves(module, is_leaf=lambda x: isinstance(x, eqx.nn.StateIndex))
    has_state = any(isinstance(leaf, eqx.nn.StateIndex) for leaf in held)
    if parameter is not None and (has_state or parameter.default is parameter.empty):
        name = type(module).__name__
        raise InputError(
            f"Expected an Equinox module of an example alone, got {name}, whose call "
            f"takes a state; give a function of a batch, such as lambda x: jax.vmap("
            f"lambda one: model(one, state)[0], axis_name='batch')(x), of the model in "
            f"inference mode."
        )
    run, modes = _called(module), _modes(type(module).__call__)
    arrays = lambda tree: eqx.filter(tree, eqx.is_array)
    _, static = eqx.partition(eqx.nn.inference_mode(module), eqx.is_array)

    def fn(params, batch):
        model: Any = eqx.combine(params, static)
        # An Equinox module takes one example.
        one = lambda args, given: model(*args, **given, **modes)
        return run(lambda *args, **given: jax.vmap(one)(args, given), batch)

    params = lambda given: arrays(module if given is None else given)
    return Forward(fn, params, channels_first=True)
