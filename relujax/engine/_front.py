"""What a front must know of a user's model before it makes cells of it."""

from typing import Any

import jax
import jax.numpy as jnp

from relujax import activations as registry
from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._skeleton import own_network
from relujax.engine._surgery import look_at
from relujax.errors import InputError
from relujax.networks import MODELS, Model, check_network, make_model, takes_activation
from relujax.parts import named
from relujax.switches import own_placement


def name_or_path(model: Any) -> str:
    """The text of a user's model; without a path to it, the name of its type."""
    try:
        return MODELS.text(model)
    except InputError:
        check_network(model)
        kind = model if isinstance(model, type) else type(model)
        name = {"tuple": "pair"}.get(kind.__name__, kind.__name__)
        return MODELS.text(named(name if name.isidentifier() else "model", model))


@own_placement()
def needs_activation(model: str) -> bool:
    """Whether a model cannot be made without an activation from outside."""
    part = MODELS.part(model)
    if not takes_activation(part):
        return False
    try:
        own_network(part, 2, part.numeric)
    except InputError:
        return True
    return False


@own_placement()
def default_objective(model: str, data: Dataset) -> str:
    """The objective that fits the data and the outputs of a model.

    One output for two classes is a logit of the second.
    """
    if data.task == "regression":
        return "mse"
    if data.classes != 2:
        return "softmax_cross_entropy"
    part = MODELS.part(model)
    given = registry.get("relu") if needs_activation(model) else None
    network = make_model(part, outputs=2, activation=given, numbers=part.numeric)
    x = jax.ShapeDtypeStruct((2, *data.shape), jnp.float32)
    shape = look_at(network, x).shape
    return "binary_cross_entropy" if shape[1:] == (1,) else "softmax_cross_entropy"


def network_of(cell: Cell, data: Dataset) -> Model:
    """The network of a cell, with the numbers of the cell."""
    skeleton = cell.skeleton
    return skeleton.network(cell.hyperparameters, skeleton.facts(data))


@own_placement()
def initial_shapes(cell: Cell, data: Dataset) -> Any:
    """The shapes of the weights of a cell's network, as they are kept."""
    x = jax.ShapeDtypeStruct((2, *data.shape), jnp.float32)
    init = network_of(cell, data).init
    params, state = jax.eval_shape(init, jax.random.key(0), x)
    return {"params": params, "state": state}
