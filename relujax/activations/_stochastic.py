r"""Stochastic rectifiers: random in training, with a deterministic rule to evaluate.

The key comes first and the call consumes it: fold in a new one for every layer and
step. Elements are independent. Each function has its evaluation rule beside it, a
deterministic function that needs no key.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like, typed_key
from relujax.activations._rectifiers import relu


def n_relu(key: ArrayLike, x: ArrayLike, *, sigma: ArrayLike = 0.05) -> jax.Array:
    r"""N-ReLU: Gaussian noise in place of the zeros of ReLU.

    .. math::
      \mathrm{n\_relu}(x) = \begin{cases}
        x & x > 0 \\
        \sigma \varepsilon,\ \varepsilon \sim N(0, 1) & x \le 0
      \end{cases}

    so that :math:`E[\mathrm{n\_relu}(x)] = \mathrm{relu}(x)`: evaluate with
    `n_relu_mean`.
    """
    key, x = typed_key("n_relu", key), floating("n_relu", x)
    noise = like(x, sigma) * jax.random.normal(key, x.shape, x.dtype)
    return jnp.where(x <= 0, noise, x)


def n_relu_mean(x: ArrayLike, *, sigma: ArrayLike = 0.05) -> jax.Array:
    """The expectation of `n_relu` over its noise: ReLU, whatever `sigma`."""
    del sigma
    return relu(x)
