"""Flax NNX: any activation of the library as a module.

    self.act = relujax.nnx.Activation("prelu(axis=-1)", 512)
    x = self.act(x, train=train, rngs=rngs)

Learnable parameters are `nnx.Param`s, what a training loop feeds back (the loss for
`arelu`, the step for schedules) is a `Signal`, and noise comes from the `activation`
stream of the `rngs` of each call, so that no random state need live in the module:
`jit`, `grad`, `vmap`, `remat` and `scan` need no more than a key, in both graph modes.

Where a call cannot be reached, as in `nnx.Sequential`, the module takes what
`nnx.Dropout` takes: `rngs` at construction, and `.train()` and `.eval()`. A stochastic
activation that is told neither way is refused: noise that never comes goes unnoticed.
"""

from relujax.extras import needs

needs("relujax.nnx", "flax")

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import ArrayLike, DTypeLike

from relujax import activations
from relujax.errors import InputError
from relujax.linen import STREAM, applied, is_training
from relujax.parts import Named


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
      train: whether stochastic activations draw noise, if the call does not say so.
      deterministic: the same in Flax's words, `not train`; `.train()` and `.eval()` of
        the module or of one around it set it.
      param_dtype: dtype of the learnable parameters; they are cast to that of the
        input.
      rngs: random streams for the calls that bring none; its `activation` (or default)
        stream is forked.

    Raises:
      InputError: `train` and `deterministic` are both given.
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
        spec: str | activations.Activation | Named | Callable,
        shape: int | tuple[int, ...] = (),
        *,
        train: bool | None = None,
        deterministic: bool | None = None,
        param_dtype: DTypeLike = jnp.float32,
        rngs: nnx.Rngs | nnx.RngStream | None = None,
    ):
        act = activations.get(spec)
        if train is not None and deterministic is not None:
            raise InputError(
                f"Expected train or deterministic for {act.id}, got both: give one."
            )
        self.deterministic = deterministic if train is None else not train
        if act.needs_key and rngs is not None:
            stream = rngs if isinstance(rngs, nnx.RngStream) else rngs[STREAM]
            self.rngs = stream.fork()
        else:
            # As `nnx.Dropout` has it: this attribute is not a static one.
            self.rngs = nnx.data(None)
        # NNX compares and hashes what is static; only strings do so by value.
        self.spec = spec if isinstance(spec, str) else _Held(act)
        shape = (shape,) if isinstance(shape, int) else shape
        for name, value in act.init(shape, param_dtype).items():
            setattr(self, name, nnx.Param(value))
        if act.signal is not None:
            name, initial = act.signal
            setattr(self, name, Signal(jnp.asarray(initial, jnp.float32)))

    def __call__(
        self,
        x: jax.Array,
        train: bool | None = None,
        *,
        deterministic: bool | None = None,
        rngs: nnx.Rngs | nnx.RngStream | jax.Array | None = None,
    ) -> jax.Array:
        """Apply the activation.

        Args:
          x: floating array, shape `[...]`; the last axis holds the units.
          train: whether stochastic activations draw noise.
          deterministic: `not train`, as `nnx.Dropout` has it.
          rngs: random streams, of which the `activation` stream (or the default one) is
            drawn from; or that stream; or a key, consumed. By default those of the
            module.

        Returns:
          Array of the shape and dtype of `x` (`crelu` doubles the last axis,
            gated units such as `glu` halve it).

        Raises:
          InputError: the activation draws noise and nothing says whether it should, or
            `train` and `deterministic` contradict each other.
          ValueError: it should and there is no stream for it.
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
        draws = is_training(act, (train, deterministic), (None, self.deterministic))
        return applied(act, params, x, signal, draws, lambda: self._key(rngs))

    def _key(self, rngs: Any) -> jax.Array | None:
        rngs = self.rngs if rngs is None else rngs
        if isinstance(rngs, jax.Array):
            return rngs
        if isinstance(rngs, nnx.RngStream):
            return rngs()
        if isinstance(rngs, nnx.Rngs) and (STREAM in rngs or "default" in rngs):
            return rngs[STREAM]()
        return None

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
