"""Flax Linen: any activation of the library as a module.

    x = nn.Dense(512)(x)
    x = relujax.linen.Activation("n_relu(sigma=0.1)")(x, train=train)

Learnable parameters live in the `params` collection, noise comes from the
`activation` stream, and what a training loop feeds back (the loss for `arelu`, the
step for schedules) lives in the `signal` collection, under the signal's name. The
inputs are sown into `preactivations`, which costs nothing unless that is mutable.

Whether a stochastic activation draws is said as `nn.Dropout` has it, by the call or by
the module: `Activation(spec)(x, train)`, `Activation(spec, deterministic=True)(x)`.
Where neither says it, as in an `nn.Sequential` that nobody told, the call is refused:
noise that never comes goes unnoticed. `init` needs no flag.
"""

from relujax.extras import needs

needs("relujax.linen", "flax")

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.core import unfreeze
from jax.core import Tracer
from jax.typing import DTypeLike

from relujax import activations
from relujax.errors import InputError
from relujax.parts import Named

#: The name of the random stream from which stochastic activations draw.
STREAM = "activation"

# What `mode` says. Unlike a `ContextVar`, it is part of the key under which compiled
# functions (`nn.jit`) are cached: those of evaluation do not serve training.
_MODE = jax.make_user_context(None)


class Activation(nn.Module):
    """An activation as a Linen module.

    Attributes:
      spec: anything that `relujax.get` takes.
      train: whether stochastic activations draw noise, if the call does not say so.
      deterministic: the same in Flax's words, `not train`.
      param_dtype: dtype of the learnable parameters; they are cast to the input's.

    Examples:
      >>> layer = Activation("prelu")
      >>> variables = layer.init(jax.random.key(0), jnp.ones((2, 3)))
      >>> variables["params"]
      {'alpha': Array(0.25, dtype=float32)}
      >>> noisy = Activation("n_relu", train=True)
      >>> y = noisy.apply({}, -jnp.ones(3), rngs={"activation": jax.random.key(0)})
    """

    spec: str | activations.Activation | Named | Callable
    train: bool | None = None
    deterministic: bool | None = None
    param_dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        train: bool | None = None,
        deterministic: bool | None = None,
    ) -> jax.Array:
        """Apply the activation.

        Args:
          x: floating array, shape `[...]`; the last axis holds the units.
          train: whether stochastic activations draw noise. By position under
            transformations: `nn.remat(Activation, static_argnums=(2,))(spec)(x, True)`;
            `nn.vmap` drops keywords.
          deterministic: `not train`, as `nn.Dropout` has it.

        Returns:
          Array of the shape and dtype of `x` (`crelu` doubles the last axis,
            gated units such as `glu` halve it).

        Raises:
          InputError: the activation draws noise and nothing says whether it should,
            or `train` and `deterministic` contradict each other.
          ValueError: it should and the `activation` stream is missing. (Linen itself
            would fall back to the `params` stream and repeat the same noise at every
            step.)
        """
        act = activations.get(self.spec)
        starting = self.is_initializing()
        if not starting:
            self.sow("preactivations", "z", x)
        params = {
            name: self.param(name, lambda _key, v=value: v)
            for name, value in act.init(x.shape, self.param_dtype).items()
        }
        signal = None
        if act.signal is not None:
            name, initial = act.signal.name, cast(Any, act.signal.initial)
            # A dict, of a `Union`, has been frozen with the attributes of the module.
            start = lambda: jax.tree.map(jnp.float32, unfreeze(initial))
            signal = self.variable("signal", name, start).value
        flags = (train, deterministic), (self.train, self.deterministic)
        draws = is_training(act, *flags, default=False if starting else None)
        if starting and not self.has_rng(STREAM):
            draws = False  # Shapes are all that `init` wants; `init(key, x)` is usual.
        return applied(act, params, x, signal, draws, self._key)

    def _key(self) -> jax.Array | None:
        return self.make_rng(STREAM) if self.has_rng(STREAM) else None


@contextmanager
def mode(*, train: bool) -> Iterator[None]:
    """Say it for the stochastic activations that neither call nor module tells.

    For code that calls networks which others wrote.

    >>> net = nn.Sequential([nn.Dense(2), Activation("n_relu")])
    >>> with mode(train=False):
    ...     y, _ = net.init_with_output(jax.random.key(0), jnp.ones((1, 3)))
    """
    with _MODE(train):
        yield


def is_training(
    act: activations.Activation,
    *flags: tuple[Any, Any],
    default: bool | None = None,
) -> Any:
    """Whether `act` draws noise: the first pair (train, deterministic) that says so.

    Args:
      act: the activation.
      *flags: of the call, then of the module; True, False, traced, or None.
      default: where nothing says so, not even `mode`.

    Returns:
      True, False or a traced boolean.

    Raises:
      InputError: nothing says so, or a pair contradicts itself.
    """
    if not act.needs_key:
        return False
    for train, deterministic in flags:
        if train is not None and deterministic is not None:
            raise InputError(
                f"Expected train or deterministic for {act.id}, got both: give one."
            )
        if train is not None:
            return train if isinstance(train, Tracer) else bool(train)
        if deterministic is not None:
            if isinstance(deterministic, Tracer):
                return jnp.logical_not(deterministic)
            return not deterministic
    known = _MODE.value
    known = default if known is None else known
    if known is None:
        raise InputError(
            f"Expected to be told whether {act.id} draws its noise, got no flag: call "
            f"the activation with train=True or train=False, or build it so, "
            f"Activation({act.id!r}, train=True)."
        )
    return known


def applied(
    act: activations.Activation,
    params: activations.Params,
    x: jax.Array,
    signal: jax.Array | None,
    train: Any,
    make_key: Callable[[], jax.Array | None],
) -> jax.Array:
    """`act` on `x`, with a key from `make_key` where it draws.

    Raises:
      ValueError: it draws and there is no key.
    """
    run = lambda key, train: act.apply(params, x, key=key, signal=signal, train=train)
    traced = isinstance(train, Tracer)
    if not traced and not train:
        return run(None, False)
    key = make_key()
    if key is None:
        static = "; or make the flag static, nn.remat(..., static_argnums=(2,))"
        raise ValueError(
            f"Expected the {STREAM!r} random stream to train with {act.id}, got none; "
            f"pass rngs={{{STREAM!r}: key}} to apply (NNX: rngs=nnx.Rngs({STREAM}=key) "
            f"to the call), with another key at every step{static if traced else ''}."
        )
    if not traced:
        return run(key, True)
    return jax.lax.cond(train, lambda: run(key, True), lambda: run(key, False))
