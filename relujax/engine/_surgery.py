"""A user's own network as the engine trains it, with its activations or with others."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from relujax.activations import Activation
from relujax.errors import InputError
from relujax.instruments import (
    Captured,
    Site,
    capture,
    find_activations,
    replace_activations,
)
from relujax.models import Model, from_linen
from relujax.training import streams

# Where the signals of replacements lie in the `signal` collection.
_FED = "replacements"


def own_model(given: Any) -> Model:
    """The `Model` of what a user has.

    Args:
      given: a Linen module, called as `module(x)` or `module(x, train=...)`; a
        `Model`; or a pair of pure functions `init(key, x) -> params` and
        `apply(params, x) -> y`.
    """
    if isinstance(given, Model):
        return given
    if isinstance(given, nn.Module):
        return from_linen(given)
    if isinstance(given, tuple) and len(given) == 2 and all(map(callable, given)):
        return _from_pair(*given)
    raise InputError(
        f"Expected a Linen module, a relujax.models.Model or a pair of functions "
        f"(init, apply) as the model, got {type(given).__name__}."
    )


def _from_pair(init: Callable, apply: Callable) -> Model:
    def run(params, state, x, *, rngs=None, train=False):
        del rngs, train
        return apply(params, x), state, ()

    return Model(lambda key, x: (init(key, x), {}), run)


def name_of(given: Any) -> str:
    """What a report calls the model."""
    return type(given).__name__ if isinstance(given, nn.Module) else "model"


def look_at(model: Model, x: jax.Array) -> tuple[tuple[Site, ...], tuple[int, ...]]:
    """The activations of a network, and the shape of its output.

    Args:
      model: the network.
      x: a batch of its inputs.

    Raises:
      InputError: the network does not take `x`.
    """
    keys = streams(0, 0)
    rngs = {"activation": keys.activation, "dropout": keys.dropout}
    try:
        params, state = jax.eval_shape(model.init, keys.init, x)
        train = partial(model.apply, train=True)
        sites = find_activations(train, params, state, x, rngs=rngs)
        y, _, _ = jax.eval_shape(model.apply, params, state, x)
    except InputError:
        raise
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise InputError(
            f"Expected a model that takes inputs of shape {x.shape}, got "
            f"{type(error).__name__} from it: {first}"
        ) from error
    return sites, tuple(y.shape)


def watched(model: Model) -> Model:
    """The network as it is; its pre-activations are found in the program."""

    def apply(params, state, x, *, rngs=None, train=False):
        if train:
            return model.apply(params, state, x, rngs=rngs, train=True)
        (y, state, _), seen = capture(model.apply)(params, state, x)
        return y, state, _layers(seen, len(x))

    return Model(model.init, apply)


def replaced(model: Model, replacements: Mapping[str, Activation]) -> Model:
    """The network with other activations.

    Its parameters are those of the network and those that learnable replacements add;
    noise is drawn from the `activation` stream while training, and signals (the loss
    for `arelu`, the step for schedules) are fed by the loop.

    Args:
      model: the network.
      replacements: site id or activation name to the new activation.
    """
    new = {
        train: replace_activations(_positional(model, train), replacements)
        for train in (False, True)
    }
    signals = _signals(replacements)

    def init(key, x):
        params, state = model.init(key, x)
        extra = new[False].init(params, state, x, None)
        fed = {**state.get("signal", {}), _FED: signals}
        return (params, extra), {**state, "signal": fed}

    def apply(params, state, x, *, rngs=None, train=False):
        own, extra = params
        signal = state["signal"][_FED]
        args = (extra, own, _without_ours(state), x, rngs)
        if train:
            assert rngs is not None
            key = rngs["activation"]
            y, changed, _ = new[True].apply(*args, key=key, signal=signal)
            layers = ()
        else:
            result = new[False].capture(*args, signal=signal, train=False)
            (y, changed, _), seen = result
            layers = _layers(seen, len(x))
        fed = {**changed.get("signal", {}), _FED: signal}
        return y, {**changed, "signal": fed}, layers

    return Model(init, apply)


def _positional(model: Model, train: bool) -> Callable:
    return lambda params, state, x, rngs: model.apply(
        params, state, x, rngs=rngs, train=train
    )


def _without_ours(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state as the network knows it."""
    theirs = {k: v for k, v in state["signal"].items() if k != _FED}
    rest = {k: v for k, v in state.items() if k != "signal"}
    return {**rest, "signal": theirs} if theirs else rest


def _signals(replacements: Mapping[str, Activation]) -> dict[str, jax.Array]:
    """The initial value of every signal that a replacement listens to."""
    initial: dict[str, Any] = {}
    for activation in replacements.values():
        if activation.signal is not None:
            name, value = activation.signal
            if initial.setdefault(name, value) != value:
                raise InputError(
                    f"Expected one initial {name} for all replacements, got "
                    f"{initial[name]} and {value}."
                )
    return {name: jnp.asarray(v, jnp.float32) for name, v in initial.items()}


def _layers(seen: Mapping[str, Captured], examples: int) -> tuple[jax.Array, ...]:
    """Pre-activations `[examples, ..., units]`, one for each run of a site in scans.

    A site without the axis of examples (a gate of the parameters alone) has no units.
    """
    layers = []
    for pre, _, ran in seen.values():
        shape = pre.shape[ran.ndim :]
        if len(shape) > 1 and shape[0] == examples:
            # What a branch does not run does not fire.
            fired = ran.reshape(*ran.shape, *[1] * len(shape))
            layers += list(jnp.where(fired, pre, -jnp.inf).reshape(-1, *shape))
    return tuple(layers)
