"""Whether a cell fits its data: what would fail in training is said before it."""

from functools import lru_cache

import jax
import jax.numpy as jnp

from relujax.data import Dataset
from relujax.engine._activation import OWN, is_replacement
from relujax.engine._cell import Cell
from relujax.engine._checks import check_targets
from relujax.engine._cost import parameters
from relujax.engine._skeleton import Facts, Skeleton
from relujax.engine._surgery import look_at
from relujax.errors import InputError
from relujax.training import purpose_of


def check_fit(cell: Cell, data: Dataset, keep: str | None = None) -> None:
    """Refuse a cell that cannot be trained on its data.

    Raises:
      InputError: the objective is for other targets, the network does not take the
        inputs or has other outputs, or an activation changes a shape.
    """
    check_targets(cell.objective, data)
    validation = data.x_validation is not None
    if (cell.patience is not None or keep == "best") and not validation:
        what = "patience" if cell.patience is not None else "keep='best'"
        raise InputError(
            f"Expected data with a validation part for {what}, got {data.name}: write "
            f"validation=0.1 into its spec."
        )
    if cell.is_stock:
        _check_inputs(cell, data)
        return
    skeleton = cell.skeleton
    numbers = tuple((k, tuple(v.items())) for k, v in cell.hyperparameters.items())
    _check_own(skeleton, numbers, skeleton.facts(data), data.name)


def _check_inputs(cell: Cell, data: Dataset) -> None:
    try:
        parameters(cell, data)
    except InputError:
        raise
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise InputError(
            f"Expected a model that takes float32 inputs of shape {data.shape}, got "
            f"{type(error).__name__} from {cell.model}: {first}"
        ) from error


@lru_cache(maxsize=256)
def _check_own(skeleton: Skeleton, numbers: tuple, facts: Facts, data: str) -> None:
    values = {k: dict(v) for k, v in numbers}
    act, part = skeleton.part("activation"), skeleton.part("model")
    _check_outputs(skeleton, facts, data, skeleton.seen(facts).shape)
    if act.name != OWN and not is_replacement(act) and not skeleton.gives_activation():
        if not skeleton.seen(facts).names:
            raise InputError(
                f"Expected a model with activations to replace by {act.text}, found "
                f"none in {part.text}; relujax.find_activations says what counts as "
                f"one."
            )
    model, _, _ = skeleton.build(values, facts)
    # Two examples: one is easily taken for none.
    shape = look_at(model, jax.ShapeDtypeStruct((2, *facts.shape), jnp.float32)).shape
    _check_outputs(skeleton, facts, data, shape)


def _check_outputs(
    skeleton: Skeleton, facts: Facts, data: str, shape: tuple[int, ...]
) -> None:
    purpose = purpose_of(skeleton.part("objective"))
    expected = skeleton.wanted_outputs(facts)
    if len(shape) != 2 or not purpose.takes(shape[1], facts.classes):
        raise InputError(
            f"Expected outputs of shape (batch, {expected}) for "
            f"{skeleton.part('objective').text} on {data}, got {shape} for a batch of "
            f"two examples."
        )
