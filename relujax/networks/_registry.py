"""Models by name, import path or object, and the `Model` of a cell."""

import inspect
from collections.abc import Mapping
from typing import Any

from flax import linen as nn

from relujax import specs
from relujax.activations import Activation
from relujax.networks._activation import ACTIVATIONS, is_plain
from relujax.networks._calls import KEYS
from relujax.networks._convert import (
    activation_parameter,
    build,
    check_complete,
    check_kind,
    framework_made_by,
    has_functions,
    is_module,
)
from relujax.networks._deep import deep_mlp
from relujax.networks._model import Model
from relujax.networks._papers import CNN, MLP
from relujax.parts import Part, Registry

#: Names of the parameter by which a factory takes the number of its outputs.
OUTPUTS = (
    "outputs",
    "num_classes",
    "n_classes",
    "features_out",
    "num_outputs",
    "out_features",
    "output_dim",
)

# What makes a network gives it these; nobody writes them in a spec.
_GIVEN = ("parent", "name", "rngs", *KEYS)


def _is_finished(obj: Any) -> bool:
    """Whether an object is a network already, not what makes one."""
    finished = isinstance(obj, tuple) or has_functions(obj) or is_module(obj)
    return finished and not isinstance(obj, type)


#: The networks: those of the library by name, a user's by name, path or as objects.
MODELS = Registry(
    "model",
    given=_GIVEN,
    fills=(*OUTPUTS, *ACTIVATIONS),
    accepts=_is_finished,
    floats_traced=False,
)

for _name, _factory in {"mlp": MLP, "cnn": CNN, "deep_mlp": deep_mlp}.items():
    _skip = (*_GIVEN, "outputs", "activation")
    MODELS.ship(
        _name,
        _factory,
        specs.parameters_of(_factory, skip=_skip, floats_traced=False),
        options=frozenset({"normalize"}),  # It came later than the first results.
    )


def check_network(obj: Any) -> None:
    """Refuse an object that no cell can train, before it gets a name.

    Raises:
      InputError: it is no network, or what makes it requires more than a cell gives.
    """
    check_kind(obj)
    if callable(obj) and not isinstance(obj, nn.Module) and not _is_finished(obj):
        given = {*_GIVEN, *OUTPUTS, *ACTIVATIONS}
        check_complete(obj, given, getattr(obj, "__name__", type(obj).__name__))


def takes_activation(part: Part) -> bool:
    """Whether a model is built with the activation of its cell.

    Any other has activations of its own.
    """
    return activation_parameter(part.factory, dict(part.static)) is not None


def needs_stand_in(part: Part, activation: Activation) -> bool:
    """Whether a network that takes an activation cannot take this one.

    One of NNX or Equinox takes a function of x, which neither learns nor draws noise.
    Another activation is to be replaced by this one in its program then.
    """
    return framework_made_by(part.factory) is not None and not is_plain(activation)


def make_model(
    part: Part,
    *,
    outputs: int | None,
    activation: Activation | None,
    numbers: Mapping[str, Any],
) -> Model:
    """The network of a cell.

    Args:
      part: the model, from `MODELS`.
      outputs: how many outputs the objective needs, None where it does not say. It is
        given as `outputs`, or as `num_classes`, `n_classes`, `features_out`,
        `num_outputs`, `out_features` or `output_dim` where one is required and the user
        gives none.
      activation: the activation, for a network that takes one: see `as_model`; None
        for the one that is its default.
      numbers: the traced numbers of the part.

    Raises:
      InputError: the part makes no network, or cannot with these values.
    """
    values = {**dict(part.static), **numbers}
    if outputs is not None:
        values |= {name: outputs for name in _outputs_of(part.factory, values)}
    return build(part.factory, values, activation)


def _outputs_of(factory: Any, values: Mapping[str, Any]) -> list[str]:
    """The parameter that takes the number of outputs, if it is to be given."""
    parameters = specs.signature_of(factory).parameters
    if any(name in values for name in OUTPUTS):
        return []
    wanted = [
        name
        for name in OUTPUTS
        if name in parameters
        and (name == "outputs" or parameters[name].default is inspect.Parameter.empty)
    ]
    return wanted[:1]
