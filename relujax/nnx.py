"""Flax NNX: any activation of the library as a module.

    self.act = relujax.nnx.Activation("prelu(axis=-1)", 512)
    x = self.act(x, train=train, rngs=rngs)

Learnable parameters are `nnx.Param`s, what a training loop feeds back (the loss for
`arelu`, the step for schedules) is a `Signal`, and noise comes from the `activation`
stream of the `rngs` of each call. No random state lives in the module: `jit`, `grad`,
`vmap`, `remat` and `scan` need no more than a key, in both of NNX's graph modes.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import ArrayLike, DTypeLike

from relujax import activations
from relujax.linen import STREAM


class Signal(nnx.Variable):
    """A scalar that the training loop feeds back; see `feed`."""


class Preactivation(nnx.Intermediate):
    """The input of an activation, sown under `nnx.capture`."""


#: Numbers the calls of one forward pass, where their order matters.
CALLS: ContextVar[Iterator[int] | None] = ContextVar("CALLS", default=None)


class Activation(nnx.Module):
    """An activation as an NNX module.

    Args:
      spec: anything that `relujax.get` takes.
      shape: the shape of the inputs, or their number of units (the last axis). Only
        activations that learn a parameter per index of an axis need it.
      dtype: dtype of the learnable parameters; they are cast to that of the input.

    Raises:
      ValueError: the parameters need an axis that `shape` does not have.

    Examples:
      >>> layer = Activation("prelu(axis=-1)", 3)
      >>> layer.alpha[...]
      Array([0.25, 0.25, 0.25], dtype=float32)
      >>> layer(jnp.array([-4.0, 0.0, 4.0]))
      Array([-1.,  0.,  4.], dtype=float32)
      >>> noisy = Activation("n_relu")
      >>> y = noisy(-jnp.ones(3), train=True, rngs=nnx.Rngs(activation=0))
    """

    def __init__(
        self,
        spec: str | activations.Activation | Callable,
        shape: int | tuple[int, ...] = (),
        *,
        dtype: DTypeLike = jnp.float32,
    ):
        act = activations.get(spec)
        # NNX compares and hashes what is static; only strings do so by value.
        self.spec = spec if isinstance(spec, str) else _Held(act)
        shape = (shape,) if isinstance(shape, int) else shape
        for name, value in act.init(shape, dtype).items():
            setattr(self, name, nnx.Param(value))
        if act.signal is not None:
            name, initial = act.signal
            setattr(self, name, Signal(jnp.asarray(initial, jnp.float32)))

    def __call__(
        self,
        x: jax.Array,
        *,
        train: bool = False,
        rngs: nnx.Rngs | nnx.RngStream | jax.Array | None = None,
    ) -> jax.Array:
        """Apply the activation.

        Args:
          x: floating array, shape `[...]`; the last axis holds the units.
          train: whether stochastic activations draw noise.
          rngs: random streams, of which the `activation` stream (or the default one) is
            drawn from; or that stream; or a key, consumed.

        Returns:
          Array of the shape and dtype of `x` (`crelu` doubles the last axis).

        Raises:
          ValueError: the activation draws noise and `rngs` has no stream for it.
        """
        spec = self.spec
        act = spec.activation if isinstance(spec, _Held) else activations.get(spec)
        self._sow(x)
        params = {
            name: variable[...]
            for name, variable in vars(self).items()
            if isinstance(variable, nnx.Param)
        }
        signal = None if act.signal is None else getattr(self, act.signal.name)[...]
        key = _key(act, rngs) if act.needs_key and train else None
        return act.apply(params, x, key=key, signal=signal, train=train)

    def _sow(self, x: jax.Array) -> None:
        """Keep `x` if `nnx.capture` asks for it."""
        # Without `capture` around it, `sow` would add a variable to the module.
        if hasattr(self, "__captures__"):
            calls = CALLS.get()
            number = "" if calls is None else f"{next(calls):06d}"
            self.sow(Preactivation, f"z{number}", x)


def feed(module: nnx.Module, **signals: ArrayLike) -> None:
    """Set the signals of all activations in `module`, by name.

    Examples:
      >>> layer = Activation("arelu")
      >>> feed(layer, loss=0.7)
      >>> layer(jnp.array([-1.0, 2.0]))
      Array([-0.7,  2. ], dtype=float32)
    """
    for _, part in nnx.iter_modules(module):
        for name, variable in vars(part).items():
            if isinstance(variable, Signal) and name in signals:
                variable[...] = jnp.asarray(signals[name], variable.dtype)


class _Held:
    """An activation, equal to itself only: it holds closures and perhaps arrays."""

    def __init__(self, activation: activations.Activation):
        self.activation = activation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.activation is other.activation

    def __hash__(self) -> int:
        return id(self.activation)


def _key(act: activations.Activation, rngs: Any) -> jax.Array:
    if isinstance(rngs, jax.Array):
        return rngs
    if isinstance(rngs, nnx.RngStream):
        return rngs()
    if isinstance(rngs, nnx.Rngs) and (STREAM in rngs or "default" in rngs):
        return rngs[STREAM]()
    raise ValueError(
        f"Expected the {STREAM!r} random stream to train with {act.id}, got none; pass "
        f"rngs=nnx.Rngs({STREAM}=key) to the call, with another key at every step."
    )
