"""The `Model` of a Flax NNX module."""

import copy
import functools
import itertools
from collections.abc import Callable
from typing import Any

import jax
from flax import nnx
from flax.traverse_util import flatten_dict

from relujax import activations
from relujax.errors import InputError
from relujax.networks._calls import (
    FLAGS,
    Call,
    check_trains,
    is_positive,
    method_signature,
    stream_key,
    takes,
)
from relujax.networks._model import Model, Tree
from relujax.nnx import CALLS, Activation, Preactivation, Signal

_KINDS = nnx.Param, Signal, ...


def from_nnx(make: Callable[..., nnx.Module]) -> Model:
    """The `Model` of an NNX module class or factory; see `as_model`.

    What is not an `nnx.Param` is state: the `Signal`s under `signal`, all other
    variables (batch statistics, the counts and keys of random streams that the
    constructor was given) under `rest`.

    Args:
      make: `make(rngs=...) -> module`, such as a module class with its other arguments
        bound by `functools.partial`. The `params` stream has the key of `init`; all
        others come from one that is derived of it.

    Raises:
      InputError: the module's call requires another argument, or a layer of it cannot
        draw the noise of training.
    """

    def built(key):
        rngs = nnx.Rngs(stream_key(key, "default"), params=key)
        return make(rngs=rngs) if takes(make, "rngs") else make(rngs)

    @functools.cache
    def blank():
        module = nnx.eval_shape(lambda: built(jax.random.key(0)))
        what = f"module {type(module).__name__}"
        signature = method_signature(type(module))
        call = Call(signature, ("x",), roles=("rngs", "key"), what=what)
        return call, _layers(module, call), *nnx.split(module, *_KINDS)

    def init(key, x):
        call, layers, *_ = blank()
        params, state = _unbound(*nnx.split(built(key), *_KINDS)[1:])
        check_trains(call, layers, apply, params, state, x)
        return params, state

    def apply(
        params, state, x, *, rngs: dict[str, jax.Array] | None = None, train=False
    ):
        call, _, graph, *blanks = blank()
        values = params, state.get("signal", {}), state.get("rest", {})
        states = [copy.deepcopy(empty) for empty in blanks]
        for empty, value in zip(states, values, strict=True):
            nnx.replace_by_pure_dict(empty, value)
        module = nnx.merge(graph, *states)
        _set_mode(module, train)
        args, kwargs = call.arguments(train, x=x, **_streams(rngs if train else None))
        forward = nnx.capture(lambda module: module(*args, **kwargs), Preactivation)
        numbering = CALLS.set(itertools.count())
        try:
            y, sown = forward(module)
        finally:
            CALLS.reset(numbering)
        # The last part of the path counts the calls.
        flat = flatten_dict(nnx.to_pure_dict(sown))
        ordered = sorted(flat.items(), key=lambda item: item[0][-1])
        preactivations = tuple(z for _, calls in ordered for z in calls)
        if train:
            _, state = _unbound(*nnx.split(module, *_KINDS)[1:])
        return y, state, preactivations

    return Model(init, apply)


def _unbound(params, signal, rest) -> tuple[Tree, Tree]:
    """Plain nested dictionaries of arrays; the state without its empty collections."""
    state = {"signal": nnx.to_pure_dict(signal), "rest": nnx.to_pure_dict(rest)}
    return nnx.to_pure_dict(params), {name: c for name, c in state.items() if c}


def _streams(rngs: dict[str, jax.Array] | None) -> dict[str, Any]:
    """What the parameters `rngs` and `key` of a call are given."""
    if not rngs:
        return {}
    default = stream_key(rngs["activation"], "default")
    return {"rngs": nnx.Rngs(default, **rngs), "key": rngs.get("dropout")}


def _set_mode(module: nnx.Module, train: bool) -> None:
    """`module.train()` or `module.eval()`, for all flags that its layers have."""
    for _, layer in nnx.iter_modules(module):
        for name in FLAGS.keys() & vars(layer).keys():
            if getattr(layer, name) is None or isinstance(getattr(layer, name), bool):
                setattr(layer, name, FLAGS[name] == train)


def _layers(module: nnx.Module, call: Call) -> list[str]:
    """The layers that differ in training; refuses one that has no random numbers."""
    found = []
    for path, layer in nnx.iter_modules(module):
        dropout = isinstance(layer, nnx.Dropout) and is_positive(layer.rate)
        noisy = isinstance(layer, Activation) and _needs_key(layer)
        name = f"{'.'.join(map(str, path))!r} ({type(layer).__name__})"
        if dropout or noisy or isinstance(layer, nnx.BatchNorm):
            found.append(name)
        own = getattr(layer, "rngs", None)
        if (dropout or noisy) and own is None and "rngs" not in call.roles:
            raise InputError(
                f"Expected random numbers for {name} in {call.what}, got none: give "
                f"the layer rngs=rngs in the constructor."
            )
    return found


def _needs_key(layer: Activation) -> bool:
    spec = layer.spec
    act = activations.get(spec) if isinstance(spec, str) else spec.activation
    return act.needs_key
