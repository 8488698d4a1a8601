"""Optimisers by name, each an optax transformation with optax's defaults."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import optax

from relujax.errors import unknown

_FACTORIES: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adam": optax.adam,
    "adamax": optax.adamax,
    "adamw": optax.adamw,
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
}

# Keras' and PyTorch's default for the Adam family and RMSprop; optax has none.
_LEARNING_RATE = {"sgd": 0.01}


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
    return defaults


def make_optimizer(name: str, **values: Any) -> optax.GradientTransformation:
    """The optax transformation; numeric values may be traced."""
    return _FACTORIES[name](**values)
