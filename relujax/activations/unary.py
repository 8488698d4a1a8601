"""An activation as a numerical function of one variable, in float64."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from relujax.activations._registry import REGISTRY
from relujax.activations._spec import Activation
from relujax.errors import InputError


def curve(act: Activation) -> Callable[..., jax.Array]:
    """`act.apply` as a function of one feature: `curve(params, x, **options) -> y`.

    That is `act.apply` itself, but for activations of several features.
    """
    known = REGISTRY.known(act.id)
    if known is None or (line := known.line) is None:
        return act.apply

    def apply(params, x, **options):
        given = {**known.defaults, **act.hyperparameters}
        inputs = line.inputs(x[..., None], **given)
        return act.apply(params, inputs, **options)[..., 0]

    return apply


def values(act: Activation, x: np.ndarray) -> np.ndarray:
    """The activation in evaluation at points `[n]`, with its initial parameters.

    Returns:
      Array `[n, outputs]`: two outputs for `crelu`, else one. Where an activation
      takes several features (gated units, `top_k`), along the line that the registry
      has for it.
    """
    return _evaluated(act, x, _evaluation)


def slopes(act: Activation, x: np.ndarray) -> np.ndarray:
    """The derivative by autodiff, otherwise as `values`."""

    def slope(act, params, signal, x):
        f = lambda x: _evaluation(act, params, signal, x)
        return jax.jvp(f, (x,), (jnp.ones_like(x),))[1]

    return _evaluated(act, x, slope)


def drawn_squares(act: Activation, x: np.ndarray, draws: int = 1000) -> np.ndarray:
    """The mean square in training at points `[n]`, over draws with a fixed key."""
    keys = jax.random.split(jax.random.key(0), draws)

    def mean(act, params, signal, x):
        one = lambda key: curve(act)(params, x, key=key, signal=signal, train=True)
        total = lambda sum, key: (sum + one(key) ** 2, None)
        shape = jax.eval_shape(one, keys[0])
        return jax.lax.scan(total, jnp.zeros(shape.shape, shape.dtype), keys)[0] / draws

    return _evaluated(act, x, mean)


def numbers(act: Activation) -> dict[str, float]:
    """The numeric hyperparameters; schedules at step 0.

    Raises:
      InputError: one is traced, or an array of several values.
    """
    found = {}
    for name, given in act.hyperparameters.items():
        if isinstance(given, bool | str | tuple | None):
            continue
        value: Any = given(0) if callable(given) else given
        if isinstance(value, Tracer) or np.ndim(value) > 0:
            raise InputError(
                f"Expected a single known number for {name!r} of {act.id}, got an "
                f"array or a traced value instead."
            )
        found[name] = float(value)
    return found


def candidate_kinks(act: Activation) -> np.ndarray:
    """Where the activation may have kinks: sorted points, more than it has.

    Those that the registry knows, the values of the hyperparameters (one that moves a
    kink is a threshold), and, for functions from elsewhere, the integers and halves
    from -8 to 8.
    """
    points = {*np.arange(-8, 8.5, 0.5).tolist(), *numbers(act).values()}
    known = REGISTRY.known(act.id)
    if known is not None:
        points |= set(known.kinks or {})
    return np.array(sorted(points))


def _evaluation(act: Activation, params: Any, signal: Any, x: jax.Array) -> jax.Array:
    return curve(act)(params, x, signal=signal)


def _evaluated(act: Activation, x: np.ndarray, of: Callable) -> np.ndarray:
    numbers(act)  # Refuses what has no single curve.
    # Few distinct sizes, so that JAX compiles few programs.
    padded = np.zeros(max(1024, 1 << (len(x) - 1).bit_length()))
    padded[: len(x)] = x
    # A thread of its own is under no transformation, though a network may be built
    # under `vmap`, which `jax.ensure_compile_time_eval` does not escape everywhere.
    with ThreadPoolExecutor(1) as thread:
        y = thread.submit(_float64, act, padded, of).result()
    return y.reshape(len(padded), -1)[: len(x)]


def _float64(act: Activation, x: np.ndarray, of: Callable) -> np.ndarray:
    signal = None if act.signal is None else act.signal.initial
    cpu = jax.local_devices(backend="cpu")[0]
    with jax.enable_x64(True), jax.default_device(cpu), jax.transfer_guard("allow"):
        # Three more axes, for parameters along any of four and for outputs of `crelu`.
        points = jnp.asarray(x).reshape(-1, 1, 1, 1)
        params = act.init(points.shape, points.dtype)
        y = of(act, params, signal, points)
        return np.asarray(y, np.float64)
