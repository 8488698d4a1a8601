"""What a cell may be: numbers in range, an objective and an activation that fit."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from relujax import activations
from relujax.data import Dataset
from relujax.errors import InputError, short
from relujax.training import OBJECTIVES, purpose_of

# Steps are counted in int32 in the compiled programs.
_MOST = 2**31 - 1


def check_numbers(cell: Any) -> None:
    """Refuse counts below 1, evaluations that do not come out even, bad tolerances."""
    counts = {"batch_size", "epochs", "evaluate_every"}
    counts |= {"patience"} if cell.patience is not None else set()
    for name in sorted(counts):
        value = getattr(cell, name)
        if type(value) is not int or value < 1:
            raise InputError(
                f"Expected {name} to be a whole number of at least 1, got {value!r} "
                f"instead."
            )
        if value > _MOST:
            raise InputError(
                f"Expected {name} to be at most {_MOST:,}, got {short(value)} instead."
            )
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


def check_targets(name: str, data: Dataset) -> None:
    """Refuse an objective that does not fit the targets of a data set."""
    purpose = purpose_of(OBJECTIVES.part(name))
    if purpose.task not in ("any", data.task):
        raise InputError(
            f"Expected an objective for {data.task}, got {name!r}; integer targets are "
            f"classes, floats are regression targets."
        )
    if purpose.classes not in (None, data.classes):
        raise InputError(
            f"Expected two classes for {name}, got the {data.classes} of {data.name}; "
            f"softmax_cross_entropy takes any number of them."
        )


@cache
def keeps_shape(activation: str) -> bool:
    """Whether the output of the activation of a spec has the shape of its input."""
    act, x = activations.get(activation), jax.ShapeDtypeStruct((1, 2), jnp.float32)
    y = jax.eval_shape(lambda x: act.apply(act.init(x.shape, x.dtype), x), x)
    return y.shape == x.shape
