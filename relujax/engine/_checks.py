"""What a cell may be: numbers in range, an objective and an activation that fit."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from relujax import activations
from relujax.data import Dataset
from relujax.errors import InputError
from relujax.training import objective


def check_schedule(cell: Any) -> None:
    """Refuse an objective that is unknown, and what is no whole number from 1."""
    for name in ("batch_size", "epochs", "evaluate_every"):
        value = getattr(cell, name, 1)
        if type(value) is not int or value < 1:
            raise InputError(
                f"Expected {name} to be a whole number of at least 1, got {value!r} "
                f"instead."
            )
    objective(cell.objective)


def check_targets(name: str, data: Dataset) -> None:
    """Refuse an objective that is none for the targets of a data set."""
    if (name == "mse") != (data.classes is None):
        raise InputError(
            f"Expected an objective for {data.task}, got {name!r}; integer targets are "
            f"classes, floats are regression targets."
        )
    if name == "binary_cross_entropy" and data.classes != 2:
        raise InputError(
            f"Expected two classes for {name}, got the {data.classes} of {data.name}; "
            f"softmax_cross_entropy takes any number of them."
        )


def check_evaluation(cell: Any) -> None:
    """Refuse evaluations that do not come out even, and tolerances that are none."""
    if cell.epochs % cell.evaluate_every:
        raise InputError(
            f"Expected an evaluate_every that divides the {cell.epochs} epochs, got "
            f"{cell.evaluate_every} instead."
        )
    if not isinstance(cell.tolerances, tuple) or not all(
        isinstance(e, float) and e > 0 for e in cell.tolerances
    ):
        raise InputError(
            f"Expected tolerances to be positive numbers, got {cell.tolerances!r}."
        )


@cache
def keeps_shape(activation: str) -> bool:
    """Whether the output of the activation of a spec has the shape of its input."""
    act, x = activations.get(activation), jax.ShapeDtypeStruct((1, 2), jnp.float32)
    y = jax.eval_shape(lambda x: act.apply(act.init(x.shape, x.dtype), x), x)
    return y.shape == x.shape
