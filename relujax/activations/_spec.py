"""The `Activation` spec: maths plus what it needs, as a pair of pure functions."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from relujax import specs
from relujax.errors import InputError

Params = dict[str, jax.Array]
Init = Callable[[tuple[int, ...], DTypeLike], Params]
Apply = Callable[..., jax.Array]


class Signal(NamedTuple):
    """A scalar that the training loop feeds back into an activation.

    Attributes:
      name: what to feed: `"loss"`, the mean training loss of the last epoch, or
        `"step"`, the number of updates done so far (for schedules).
      initial: its value before the first epoch.
    """

    name: str
    initial: ArrayLike


class Activation(NamedTuple):
    """An activation with its hyperparameters bound, in the spirit of optax.

    Attributes:
      id: canonical name, one of `relujax.names()` (or the path of a wrapped callable).
      hyperparameters: name to value; values may be traced arrays.
      init: `init(shape, dtype) -> params`, the learnable parameters for an input of
        that shape; an empty dict when there are none.
      apply: `apply(params, x, *, key=None, signal=None, train=False) -> y`.
      needs_key: whether `apply(..., train=True)` draws random numbers from `key`.
      signal: what the training loop must feed back, or None.
    """

    id: str
    hyperparameters: Mapping[str, Any]
    init: Init
    apply: Apply
    needs_key: bool = False
    signal: Signal | None = None

    def __str__(self) -> str:
        return specs.unparse(self.id, self.hyperparameters)


def no_params(shape: tuple[int, ...], dtype: DTypeLike) -> Params:
    """`init` of an activation that learns nothing."""
    del shape, dtype
    return {}


def deterministic(id: str, fn: Apply, **hyperparameters: Any) -> Activation:
    """The spec of `fn(x, **hyperparameters)`."""
    values, signal = _scheduled(hyperparameters)

    def apply(params, x, *, key=None, signal=None, train=False):
        del params, key, train
        return fn(x, **values(signal))

    return Activation(id, hyperparameters, no_params, apply, signal=signal)


def stochastic(
    id: str, fn: Apply, evaluation: Apply, **hyperparameters: Any
) -> Activation:
    """The spec of `fn(key, x, ...)` in training and `evaluation(x, ...)` otherwise."""
    values, signal = _scheduled(hyperparameters)

    def apply(params, x, *, key=None, signal=None, train=False):
        del params
        if not train:
            return evaluation(x, **values(signal))
        if key is None:
            raise ValueError(
                f"Expected a PRNG key for {id} in training mode, got None instead; "
                f"pass key=jax.random.key(...), or train=False to evaluate."
            )
        return fn(key, x, **values(signal))

    return Activation(id, hyperparameters, no_params, apply, True, signal)


def loss_driven(id: str, fn: Apply, *, initial_slope: ArrayLike) -> Activation:
    """The spec of `fn(x, slope)` whose slope is the last epoch's training loss."""
    _refuse_schedules(id, {"initial_slope": initial_slope})

    def apply(params, x, *, key=None, signal=None, train=False):
        del params, key, train
        return fn(x, initial_slope if signal is None else signal)

    signal = Signal("loss", initial_slope)
    hyperparameters = {"initial_slope": initial_slope}
    return Activation(id, hyperparameters, no_params, apply, signal=signal)


def learnable(
    id: str,
    fn: Apply,
    initial: Mapping[str, ArrayLike],
    *,
    axis: int | None = None,
) -> Activation:
    """The spec of `fn(x, **params)` whose parameters are learned.

    Args:
      id: canonical name.
      fn: the pure function; its parameters broadcast against `x`.
      initial: parameter name to initial value.
      axis: the axis of `x` along which every index has its own parameters (per
        channel), or None for one scalar shared by the whole tensor. An axis counted
        from the front has its size in `init(shape, ...)`, so count channels from the
        back if the batch size varies.
    """
    _refuse_schedules(id, initial)

    def init(shape, dtype):
        size = _parameter_shape(id, shape, axis)
        return {name: jnp.full(size, value, dtype) for name, value in initial.items()}

    def apply(params, x, *, key=None, signal=None, train=False):
        del key, signal, train
        return fn(x, **{name: _aligned(p, x) for name, p in params.items()})

    return Activation(id, initial, init, apply)


def _refuse_schedules(id: str, initial: Mapping[str, Any]) -> None:
    for name, value in initial.items():
        if callable(value):
            raise InputError(
                f"Expected a number for {name!r} of {id}, got a schedule instead: it "
                f"is an initial value."
            )


def _parameter_shape(
    id: str, shape: tuple[int, ...], axis: int | None
) -> tuple[int, ...]:
    """Ones except at `axis`: it broadcasts against `x`, whichever axis that is."""
    if axis is None:
        return ()
    if not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"Expected an axis of an input of shape {shape} for {id}, got {axis} "
            f"instead."
        )
    axis %= len(shape)
    # Leading ones are dropped, so that the parameters do not depend on the batch.
    return tuple(shape[i] if i == axis else 1 for i in range(axis, len(shape)))


def _aligned(parameter: jax.Array, x: ArrayLike) -> jax.Array:
    """`parameter` with leading axes of size 1, as many axes as `x` (or a scalar)."""
    missing = jnp.ndim(x) - parameter.ndim if parameter.ndim else 0
    return parameter.reshape((1,) * missing + parameter.shape)


def _scheduled(hyperparameters: Mapping[str, Any]):
    """Bind hyperparameters of which some may be schedules of the step."""
    schedules = [name for name, value in hyperparameters.items() if callable(value)]

    def values(step):
        if schedules and step is None:
            raise ValueError(
                f"Expected signal=<step> for the schedule of {schedules[0]!r}, got "
                f"None instead; pass the number of updates done so far."
            )
        return {
            name: value(step) if callable(value) else value
            for name, value in hyperparameters.items()
        }

    return values, (Signal("step", 0) if schedules else None)
