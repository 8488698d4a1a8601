"""Optimisers by name: optax's, with a schedule and gradient clipping as options."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from relujax.errors import InputError, unknown

_FACTORIES: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adam": optax.adam,
    "adamax": optax.adamax,
    "adamw": optax.adamw,
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
}

# Keras' and PyTorch's default for the Adam family and RMSprop; optax has none.
_LEARNING_RATE = {"sgd": 0.01}

#: What every optimiser takes besides, and what leaves it as optax has it.
OPTIONS: Mapping[str, Any] = {"schedule": None, "warmup": 0.0, "clip": None}

# The fraction of the learning rate that is left at a fraction of the decay.
_DECAYS: dict[str | None, Callable[[jax.Array], ArrayLike]] = {
    None: lambda _: 1.0,
    "cosine": lambda done: (1 + jnp.cos(jnp.pi * done)) / 2,
    "linear": lambda done: 1 - done,
}

_BELOW_ONE = {"b1", "b2", "decay", "momentum", "warmup"}


def optimizer_defaults(name: str) -> Mapping[str, Any]:
    """Hyperparameter to default of an optimiser: all numbers and switches it takes.

    >>> optimizer_defaults("adam")["learning_rate"]
    0.001
    """
    if name not in _FACTORIES:
        raise unknown("optimizer", name, _FACTORIES)
    parameters = inspect.signature(_FACTORIES[name]).parameters.values()
    defaults: dict[str, Any] = {"learning_rate": _LEARNING_RATE.get(name, 1e-3)}
    for parameter in parameters:
        if isinstance(parameter.default, bool | float | int):
            defaults[parameter.name] = parameter.default
    if name == "sgd":
        defaults["momentum"] = None
    return {**defaults, **OPTIONS}


def check_optimizer(name: str, values: Mapping[str, Any]) -> None:
    """Refuse hyperparameters that are out of range.

    Raises:
      InputError: a number is negative or not finite, a decay is 1 or more, or the
        schedule is unknown.
    """
    for key, value in values.items():
        if key == "schedule":
            if value not in _DECAYS:
                raise unknown("schedule", str(value), filter(None, _DECAYS))
            continue
        if value is None or isinstance(value, bool):
            continue
        if not isinstance(value, int | float):
            raise InputError(
                f"Expected a number for {key!r} of optimizer {name}, got {value!r}."
            )
        most = 1.0 if key in _BELOW_ONE else math.inf
        if not 0 <= value < most or (key == "clip" and value == 0):
            least = "above 0" if key == "clip" else "at least 0"
            below = "finite" if most == math.inf else "below 1"
            raise InputError(
                f"Expected {key!r} of optimizer {name} to be {least} and {below}, got "
                f"{value!r} instead."
            )


def make_optimizer(
    name: str,
    *,
    learning_rate: ArrayLike,
    steps: int = 1,
    schedule: str | None = None,
    warmup: ArrayLike = 0.0,
    clip: ArrayLike | None = None,
    **values: Any,
) -> optax.GradientTransformation:
    """The optax transformation; numeric values may be traced.

    Args:
      name: `adam`, `adamax`, `adamw`, `rmsprop` or `sgd`.
      learning_rate: the highest one, if there is a schedule.
      steps: updates of the whole training, which a schedule spans.
      schedule: how the learning rate falls to 0 at the end: `cosine` (Loshchilov and
        Hutter, https://arxiv.org/abs/1608.03983, without restarts) or `linear`; None
        for a constant one.
      warmup: fraction of the steps over which it rises linearly before.
      clip: the largest global norm of the gradient (Pascanu et al.,
        https://arxiv.org/abs/1211.5063); None for any.
      **values: the hyperparameters that optax has.
    """
    rate: Any = learning_rate
    if schedule is not None or not _is_zero(warmup):
        rate = scheduled(learning_rate, steps, schedule, warmup)
    optimizer = _FACTORIES[name](learning_rate=rate, **values)
    if clip is None:
        return optimizer
    return optax.chain(optax.clip_by_global_norm(clip), optimizer)  # pyright: ignore


def scheduled(
    learning_rate: ArrayLike, steps: int, schedule: str | None, warmup: ArrayLike
) -> Callable[[ArrayLike], jax.Array]:
    """The learning rate at a step, counted from 0.

    >>> rate = scheduled(1.0, 100, "linear", 0.1)
    >>> [round(float(rate(step)), 2) for step in (0, 9, 10, 55, 100)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    rising = jnp.maximum(jnp.asarray(warmup) * steps, 1e-6)
    falling = jnp.maximum(steps - rising, 1e-6)
    decay = _DECAYS[schedule]

    def rate(step: ArrayLike) -> jax.Array:
        step = jnp.asarray(step, jnp.float32)
        # The first step has some learning rate, too.
        rise = jnp.minimum((step + 1) / rising, 1)
        done = jnp.clip((step - rising) / falling, 0, 1)
        return jnp.asarray(learning_rate) * rise * decay(done)

    return rate


def _is_zero(value: ArrayLike) -> bool:
    return isinstance(value, int | float) and value == 0
