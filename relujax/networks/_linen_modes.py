"""Training and evaluation of Linen modules: attributes, and layers nobody tells."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import jax
from flax import linen as nn

from relujax.errors import InputError
from relujax.linen import Activation
from relujax.networks._calls import FLAGS, is_positive, method_signature


def in_mode(module: nn.Module, train: bool) -> nn.Module:
    """The module with the flags among its attributes set, its submodules' included.

    As `train` and `eval` of NNX and `inference_mode` of Equinox do it, this reaches
    every layer that is given as an attribute, such as those of `nn.Sequential`.
    """
    done: dict[int, nn.Module] = {}

    def moded(value: Any) -> Any:
        if not _is_module(value):
            return value
        if id(value) not in done:
            # A layer that is used twice stays one layer, so it is looked up here.
            done[id(value)] = _with(value, _changes(value, train, tree))
        return done[id(value)]

    def tree(value: Any) -> Any:
        return jax.tree.map(moded, value, is_leaf=_is_module)

    return moded(module)


def _changes(module: nn.Module, train: bool, tree: Callable) -> dict[str, Any]:
    changes = {}
    for field in dataclasses.fields(module):
        if field.name in ("parent", "name") or not field.init:
            continue
        value = getattr(module, field.name, None)
        if value is None and isinstance(module, Activation):
            continue  # Of its two flags one is enough.
        if field.name in FLAGS and (value is None or isinstance(value, bool)):
            changes[field.name] = FLAGS[field.name] == train
        elif _holds_module(value):
            new = tree(value)
            pairs = zip(_leaves(value), _leaves(new), strict=True)
            if any(old is not leaf for old, leaf in pairs):
                changes[field.name] = new
    return changes


def _is_module(value: Any) -> bool:
    return isinstance(value, nn.Module)


def _leaves(value: Any) -> list[Any]:
    return jax.tree.leaves(value, is_leaf=_is_module)


def _holds_module(value: Any) -> bool:
    return any(map(_is_module, _leaves(value)))


def _with(module: nn.Module, changes: dict[str, Any]) -> nn.Module:
    return module.clone(**changes) if changes else module


def watcher(name: str) -> Callable:
    """An interceptor of Linen methods that refuses every layer that has two modes.

    Args:
      name: what the network is called, none of whose flags says which.
    """

    def watch(call, args, kwargs, context):
        if context.method_name == "__call__" and differs(context.module):
            raise _refusal(name, context.module)
        return call(*args, **kwargs)

    return watch


def recorder(modes: list[bool | None]) -> Callable:
    """An interceptor that appends the mode of every layer that has two."""

    def record(call, args, kwargs, context):
        if context.method_name == "__call__" and differs(context.module):
            modes.append(mode(context.module, args, kwargs))
        return call(*args, **kwargs)

    return record


def differs(layer: nn.Module) -> bool:
    """Whether a layer needs to be told if it trains.

    That is one with batch statistics, and one with a flag and a rate of dropout above 0
    or, without any rate, random numbers. The activations of the library know it anyhow:
    see `relujax.linen.mode`.
    """
    if isinstance(layer, Activation):
        return False
    if isinstance(layer, nn.BatchNorm):
        return True
    fields = [f.name for f in dataclasses.fields(layer)]
    if FLAGS.keys().isdisjoint([*method_signature(type(layer)).parameters, *fields]):
        return False
    rates = [getattr(layer, f, None) for f in fields if "rate" in f or "drop" in f]
    if rates:
        return any(map(is_positive, rates))
    code = getattr(inspect.unwrap(type(layer).__call__), "__code__", None)
    return "make_rng" in getattr(code, "co_names", ())


def mode(layer: nn.Module, args: tuple, kwargs: dict[str, Any]) -> bool | None:
    """Whether a layer is called to train; None if nothing says so."""
    try:
        bound = inspect.signature(type(layer).__call__).bind(layer, *args, **kwargs)
        given = bound.arguments
    except TypeError:
        given = {}  # The call itself will say what is wrong.
    for name, training in FLAGS.items():
        value = given.get(name)
        value = getattr(layer, name, None) if value is None else value
        if value is not None:
            return value == training if isinstance(value, bool) else True
    return None


def _refusal(name: str, layer: nn.Module) -> InputError:
    kind = type(layer).__name__
    where = "/".join(layer.path) or kind
    flag = next((f for f in FLAGS if f in method_signature(type(layer)).parameters), "")
    told = f"{flag}={'' if FLAGS.get(flag) else 'not '}train" if flag else "..."
    return InputError(
        f"Expected a flag of {name} that says whether it trains, for its layer "
        f"{where!r} ({kind}), got none such as train, training or deterministic: "
        f"write `def __call__(self, x, train: bool = False)` and call "
        f"{kind}(...)(x, {told}) in it."
    )
