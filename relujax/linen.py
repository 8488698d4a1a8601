"""Flax Linen: any activation of the library as a module.

    x = nn.Dense(512)(x)
    x = relujax.linen.Activation("n_relu(sigma=0.1)")(x, train=train)

Learnable parameters live in the `params` collection, noise comes from the
`activation` stream, and what a training loop feeds back (the loss for `arelu`, the
step for schedules) lives in the `signal` collection, under the signal's name. The
inputs are sown into `preactivations`, which costs nothing unless that is mutable.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn

from relujax import activations

#: The name of the random stream from which stochastic activations draw.
STREAM = "activation"


class Activation(nn.Module):
    """An activation as a Linen module.

    Attributes:
      spec: anything that `relujax.get` takes.

    Examples:
      >>> layer = Activation("prelu")
      >>> variables = layer.init(jax.random.key(0), jnp.ones((2, 3)))
      >>> variables["params"]
      {'alpha': Array(0.25, dtype=float32)}
      >>> noisy = Activation("n_relu")
      >>> y = noisy.apply(
      ...     {}, -jnp.ones(3), train=True, rngs={"activation": jax.random.key(0)}
      ... )
    """

    spec: str | activations.Activation | Callable

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Apply the activation.

        Args:
          x: floating array, shape `[...]`; the last axis holds the units.
          train: whether stochastic activations draw noise.

        Returns:
          Array of the shape and dtype of `x` (`crelu` doubles the last axis).

        Raises:
          ValueError: the activation draws noise and the `activation` stream is
            missing. (Linen itself would fall back to the `params` stream and repeat
            the same noise at every step.)
        """
        act = activations.get(self.spec)
        self.sow("preactivations", "z", x)
        params = {
            name: self.param(name, lambda _key, v=value: v)
            for name, value in act.init(x.shape, x.dtype).items()
        }
        signal = None
        if act.signal is not None:
            name, initial = act.signal
            signal = self.variable(
                "signal", name, lambda: jnp.asarray(initial, jnp.float32)
            ).value
        key = None
        if act.needs_key and train:
            if not self.has_rng(STREAM):
                raise ValueError(
                    f"Expected the {STREAM!r} random stream to train with {act.id}, "
                    f"got none; pass rngs={{{STREAM!r}: key}} to apply, with another "
                    f"key at every step."
                )
            key = self.make_rng(STREAM)
        return act.apply(params, x, key=key, signal=signal, train=train)
