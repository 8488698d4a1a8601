"""A user's own network as the engine trains it, with its activations or with others."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from relujax.activations import Activation
from relujax.diagnosis import (
    Captured,
    Site,
    capture,
    find_activations,
    replace_activations,
)
from relujax.errors import InputError
from relujax.networks import Model
from relujax.training import streams

# Where the signals of replacements lie in the `signal` collection.
_FED = "replacements"


class Look(NamedTuple):
    """What a network has.

    Attributes:
      training: its activations while it is trained.
      evaluation: those otherwise: noise may leave the program, and its mean stay.
      shape: of its output.
    """

    training: tuple[Site, ...]
    evaluation: tuple[Site, ...]
    shape: tuple[int, ...]


def look_at(model: Model, x: Any) -> Look:
    """The activations of a network, and the shape of its output.

    Args:
      model: the network.
      x: a batch of its inputs.

    Raises:
      InputError: the network does not take `x`.
    """
    keys = jax.eval_shape(lambda: streams(0, 0))
    rngs = {"activation": keys.activation, "dropout": keys.dropout}
    try:
        params, state = jax.eval_shape(model.init, keys.init, x)
        train = partial(model.apply, train=True)
        training = find_activations(train, params, state, x, rngs=rngs)
        evaluation = find_activations(model.apply, params, state, x)
        y, _, _ = jax.eval_shape(model.apply, params, state, x)
        if not hasattr(y, "shape"):
            raise InputError(
                f"Expected one array of shape [batch, outputs] from the model, got a "
                f"{type(y).__name__} of {len(jax.tree.leaves(y))} arrays: return the "
                f"outputs alone."
            )
    except InputError:
        raise
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise InputError(
            f"Expected a model that takes {x.dtype} inputs of shape {x.shape}, got "
            f"{type(error).__name__} from it: {first}"
        ) from error
    return Look(training, evaluation, tuple(y.shape))


def watched(model: Model) -> Model:
    """The network as it is; its pre-activations are found in the program.

    Those that the model gives itself win.
    """

    def apply(params, state, x, *, rngs=None, train=False):
        if train:
            return model.apply(params, state, x, rngs=rngs, train=True)
        try:
            (y, state, own), seen = capture(model.apply)(params, state, x)
        except InputError:  # It has no activations: nothing can die.
            return model.apply(params, state, x)
        return y, state, own or _layers(seen, len(x))

    return Model(model.init, apply)


def replaced(
    model: Model,
    replacements: Mapping[str, Activation],
    evaluation: Mapping[str, Activation] | None = None,
    exclude: Collection[str] = (),
) -> Model:
    """The network with other activations.

    Its parameters are those of the network and those that learnable replacements add;
    noise is drawn from the `activation` stream while training, and signals (the loss
    for `arelu`, the step for schedules) are fed by the loop.

    Args:
      model: the network.
      replacements: site id or activation name to the new activation.
      evaluation: the same for the program of evaluation, where names differ there.
      exclude: sites that stay as they are.
    """
    chosen = {True: replacements, False: evaluation or replacements}
    new = {
        train: replace_activations(
            _positional(model, train), chosen[train], exclude=exclude
        )
        for train in chosen
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
            first = initial.setdefault(name, value)
            if first is not value and first != value:  # A traced one is one object.
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
