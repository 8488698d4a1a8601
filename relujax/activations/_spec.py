"""The `Activation` spec: maths plus what it needs, as a pair of pure functions."""

import html
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

from relujax import specs
from relujax.activations._picture import curves
from relujax.errors import InputError

Params = dict[str, jax.Array]
Init = Callable[..., Params]
Apply = Callable[..., jax.Array]


class Signal(NamedTuple):
    """A scalar that the training loop feeds back into an activation.

    Attributes:
      name: what to feed: `"loss"`, the mean training loss of the last epoch, or
        `"step"`, the number of updates done so far (for schedules).
      initial: its value before the first epoch; of a `Union`, which may be fed several
        signals under the name `"union"`, a dict of theirs.
    """

    name: str
    initial: Any


class Activation(NamedTuple):
    """An activation with its hyperparameters bound, in the spirit of optax.

    Attributes:
      id: canonical name, one of `relujax.names(gated=True)`, or an import path.
      hyperparameters: name to value; values may be traced arrays.
      init: `init(shape, dtype=float32) -> params`, the learnable parameters for an
        input of that shape; an empty dict when there are none. `dtype` is theirs, not
        the input's: in bfloat16 the steps of an optimiser would round away.
      apply: `apply(params, x, *, key=None, signal=None, train=False) -> y`.
      needs_key: whether `apply(..., train=True)` draws random numbers from `key`.
      signal: what the training loop must feed back, or None.
      activations: what a `Union` chooses between.
    """

    id: str
    hyperparameters: Mapping[str, Any]
    init: Init
    apply: Apply
    needs_key: bool = False
    signal: Signal | None = None
    activations: tuple["Activation", ...] = ()

    @staticmethod
    def learnable(
        fn: Apply, initial: Mapping[str, ArrayLike], *, axis: int | None = None
    ) -> "Activation":
        """`fn(x, **params)` whose parameters are learned; for `relujax.register`.

        Args:
          fn: a pure function; its parameters broadcast against `x`.
          initial: parameter name to initial value.
          axis: the axis of `x` along which every index has parameters of its own, or
            None for one of each in the whole tensor.

        >>> import relujax
        >>> act = Activation.learnable(relujax.prelu, {"alpha": 0.25}, axis=-1)
        >>> act.init((8, 3))["alpha"].shape
        (3,)
        """
        return learnable(fn.__name__, fn, initial, axis=axis)

    @staticmethod
    def loss_driven(fn: Apply, *, initial_slope: ArrayLike) -> "Activation":
        """`fn(x, slope)` whose slope is the last epoch's training loss, as `arelu`."""
        return loss_driven(fn.__name__, fn, initial_slope=initial_slope)

    def __str__(self) -> str:
        return specs.unparse(self.id, self.hyperparameters)

    def __repr__(self) -> str:
        return f"relujax.get({str(self)!r})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the spec, and value and derivative drawn."""
        x = jax.device_put(np.linspace(-3.0, 3.0, 121, dtype=np.float32)[:, None])
        signal = None if self.signal is None else self.signal.initial
        try:
            # What the registry knows of it lies above this module.
            from relujax.activations.unary import curve

            f = lambda x: curve(self)(self.init(x.shape), x, signal=signal)
            with jax.transfer_guard("allow"):
                drawn = curves(x, *jax.jvp(f, (x,), (jnp.ones_like(x),)))
        except Exception:  # A user's own may do anything; traced values have no curve.
            drawn = ""
        return f"<code>{html.escape(str(self))}</code>{drawn}"


def no_params(shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Params:
    """`init` of an activation that learns nothing."""
    del shape, dtype
    return {}


def deterministic(id: str, fn: Apply, /, **hyperparameters: Any) -> Activation:
    """The spec of `fn(x, **hyperparameters)`."""
    values, signal = _scheduled(fn, hyperparameters)

    def apply(params, x, *, key=None, signal=None, train=False):
        del params, key, train
        return fn(x, **values(x, signal))

    return Activation(id, hyperparameters, no_params, apply, signal=signal)


def stochastic(
    id: str, fn: Apply, evaluation: Apply, /, **hyperparameters: Any
) -> Activation:
    """The spec of `fn(key, x, ...)` in training and `evaluation(x, ...)` otherwise."""
    values, signal = _scheduled(fn, hyperparameters)

    def apply(params, x, *, key=None, signal=None, train=False):
        del params
        if not train:
            return evaluation(x, **values(x, signal))
        if key is None:
            raise ValueError(
                f"Expected a PRNG key for {id} in training mode, got None instead; "
                f"pass key=jax.random.key(...), or train=False to evaluate."
            )
        return fn(key, x, **values(x, signal))

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

    def init(shape, dtype=jnp.float32):
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
    """`parameter` in the dtype of `x`, with as many axes (or none)."""
    parameter = _like(x, jnp.asarray(parameter))
    missing = jnp.ndim(x) - parameter.ndim if parameter.ndim else 0
    return parameter.reshape((1,) * missing + parameter.shape)


def _like(x: ArrayLike, value: Any) -> Any:
    """A floating array in the dtype of `x`, which it must not promote."""
    given, wanted = getattr(value, "dtype", None), getattr(x, "dtype", None)
    if given is None or wanted is None:
        return value
    if not all(jnp.issubdtype(dtype, jnp.floating) for dtype in (given, wanted)):
        return value
    return jnp.asarray(value).astype(wanted)


def _scheduled(fn: Callable, hyperparameters: Mapping[str, Any]):
    """Bind hyperparameters of which some may be schedules of the step."""
    functions = [name for name, value in hyperparameters.items() if callable(value)]
    # An option that is no number may be a function for its own sake.
    kinds = specs.parameters_of(fn) if functions else {}
    number = specs.Parameter(None, "float")
    schedules = [n for n in functions if kinds.get(n, number).kind == "float"]

    def values(x, step):
        if schedules and step is None:
            raise ValueError(
                f"Expected signal=<step> for the schedule of {schedules[0]!r}, got "
                f"None instead; pass the number of updates done so far."
            )
        return {
            name: _like(x, value(step) if name in schedules else value)
            for name, value in hyperparameters.items()
        }

    return values, (Signal("step", 0) if schedules else None)
