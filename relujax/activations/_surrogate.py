"""ReLU on the way forward, another derivative on the way back."""

import jax
from jax.typing import ArrayLike

from relujax.activations._numeric import (
    floating,
    like,
    relu_tails,
    with_derivative_of,
)

__all__ = ("sugar_relu",)


def sugar_relu(x: ArrayLike, *, alpha: ArrayLike = 1.67) -> jax.Array:
    r"""SUGAR: the values of ReLU with the derivative of B-SiLU.

    .. math::
      \mathrm{sugar\_relu}(x) = \max(x, 0), \qquad
      \frac{d}{dx} := \frac{d}{dx} \left[ (x + \alpha) \sigma(x) - \frac{\alpha}{2}
      \right] = \sigma(x) + (x + \alpha) \sigma(x) (1 - \sigma(x))

    The derivative at 0 is :math:`1/2 + \alpha / 4`, 0.9175 by default. It is smooth and
    not that of the values: finite differences disagree by design.

    Args:
      x: floating array, shape `[...]`.
      alpha: 1.67 in the paper.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> sugar_relu(jax.numpy.array([-2.0, 0.0, 3.0]))
      Array([0., 0., 3.], dtype=float32)
      >>> jax.grad(sugar_relu)(0.0)
      Array(0.9175, dtype=float32, weak_type=True)

    References:
      Horuz et al., `The Resurrection of the ReLU <https://arxiv.org/abs/2505.22074>`_,
      2025.
    """
    x = floating("sugar_relu", x)
    y = jax.nn.relu(jax.lax.stop_gradient(x))
    return with_derivative_of(_b_silu, y, x, like(x, alpha))


def _b_silu(x: jax.Array, alpha: jax.Array) -> jax.Array:
    # Up to its constant, -alpha / 2: only the derivative matters.
    return relu_tails(lambda x: (x + alpha) * jax.nn.sigmoid(x), x)
