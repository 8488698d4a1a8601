"""Trained networks from stored weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from relujax.data import load_dataset
from relujax.engine import (
    Cell,
    Store,
    initial_shapes,
    network_of,
)
from relujax.engine import weights_of as stored_weights
from relujax.errors import InputError
from relujax.networks import Model

if TYPE_CHECKING:
    from relujax.diagnosis import Diagnosis


def load_network(folder: Path, seed: int) -> tuple[Model, Any, Any]:
    """The network of a stored seed, its weights, and its data set.

    Unlike reading results, this imports what the cell names.

    Args:
      folder: the cell's folder.
      seed: the seed id.

    Raises:
      InputError: it was not kept, or is a training of the user's own.
    """
    cell = Cell.of(Store(folder).description()["cell"])
    if cell.training:
        raise InputError(
            f"Expected a network trained on data, got the training {cell.training}."
        )
    data = load_dataset(cell.data)
    weights = stored_weights(folder, seed, initial_shapes(cell, data))
    return network_of(cell, data), weights, data


def diagnose_stored(folder: Path, seed: int) -> "Diagnosis":
    """Diagnose a stored network on its training data."""
    from relujax.diagnosis import diagnose

    model, weights, data = load_network(folder, seed)
    x = data.transform(data.x_train)
    return diagnose(model, x, params=(weights["params"], weights["state"]))
