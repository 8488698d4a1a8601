"""Learnable and loss-driven rectifiers: their parameters are arguments."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like


def prelu(x: ArrayLike, alpha: ArrayLike) -> jax.Array:
    r"""Parametric ReLU: `x` above zero, `alpha * x` below, `alpha` learned."""
    x = floating("prelu", x)
    return jnp.where(x > 0, x, like(x, alpha) * x)


def arelu(x: ArrayLike, slope: ArrayLike) -> jax.Array:
    r"""Adaptive ReLU (Atoum): the negative slope is the last epoch's training loss."""
    x = floating("arelu", x)
    return jnp.where(x > 0, x, like(x, slope) * x)
