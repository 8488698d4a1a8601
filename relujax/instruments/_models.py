"""What a user has, a function or a model, as a pure function."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from flax import linen as nn
from flax import nnx

from relujax.errors import InputError
from relujax.models import Model, from_linen


class Program(NamedTuple):
    """A model in evaluation mode.

    Attributes:
      fn: `fn(params, batch)`, or `fn(batch)` where the parameters are None.
      params: what a user gives as parameters, None for nothing, to those of `fn`.
    """

    fn: Callable[..., Any]
    params: Callable[[Any], Any]


def program(given: Any) -> Program:
    """The pure function of a function or model; see `diagnose` for what it may be.

    Raises:
      InputError: it is neither.
    """
    if isinstance(given, Model):
        apply = lambda pair, batch: given.apply(*pair, inputs(batch))[0]
        return Program(apply, _needed("model, the pair that its init gives"))
    if isinstance(given, nn.Module) and given.scope is None:
        return _linen(given)
    if isinstance(given, nnx.Module):
        return _nnx(given)
    if _is_equinox(given):
        return _equinox(given)
    if callable(given) and not isinstance(given, type):
        return Program(given, lambda params: params)
    name = getattr(given, "__name__", type(given).__name__)
    raise InputError(
        f"Expected a function, a Linen, NNX or Equinox module or a "
        f"relujax.models.Model, got {'the class ' * isinstance(given, type)}{name}."
    )


def inputs(batch: Any) -> Any:
    """What a model sees of a batch: of `(inputs, labels)` the first."""
    return batch[0] if isinstance(batch, tuple | list) else batch


def _needed(what: str) -> Callable[[Any], Any]:
    def given(params):
        if params is None:
            raise InputError(f"Expected params=... with a {what}, got none.")
        return params

    return given


def _linen(module: nn.Module) -> Program:
    model = from_linen(module)

    def fn(variables, batch):
        # The collection `params` alone will do, as training loops keep it.
        state = dict(variables if "params" in variables else {"params": variables})
        return model.apply(state.pop("params"), state, inputs(batch))[0]

    return Program(fn, _needed("Linen module, what its init gives"))


def _nnx(module: nnx.Module) -> Program:
    graph, _ = nnx.split(module)

    def fn(state, batch):
        copy: Any = nnx.merge(graph, state)
        copy.eval()
        return copy(inputs(batch))

    def params(given):
        given = module if given is None else given
        return nnx.split(given)[1] if isinstance(given, nnx.Module) else given

    return Program(fn, params)


def _is_equinox(given: Any) -> bool:
    """Without importing it: it is loaded where there is one of its modules."""
    names = (kind.__module__.partition(".")[0] for kind in type(given).__mro__)
    return "equinox" in names


def _equinox(module: Any) -> Program:
    import equinox as eqx

    arrays = lambda tree: eqx.filter(tree, eqx.is_array)
    _, static = eqx.partition(eqx.nn.inference_mode(module), eqx.is_array)

    def fn(params, batch):
        # An Equinox module takes one example.
        return jax.vmap(eqx.combine(params, static))(inputs(batch))

    return Program(fn, lambda given: arrays(module if given is None else given))
