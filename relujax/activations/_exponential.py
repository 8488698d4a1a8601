r"""Rectifiers with an exponential left side, which saturates."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like

__all__ = (
    "celu",
    "elu",
    "selu",
    "srelu",
)


def elu(x: ArrayLike, *, alpha: ArrayLike = 1.0) -> jax.Array:
    r"""Exponential linear unit.

    .. math::
      \mathrm{elu}(x) = \begin{cases}
        x & x > 0 \\
        \alpha (e^x - 1) & x \le 0
      \end{cases}

    The derivative at 0 is :math:`\alpha`, that of `jax.nn.elu`, which this calls; it is
    continuous for :math:`\alpha = 1` only.

    Args:
      x: floating array, shape `[...]`.
      alpha: minus the limit on the left; 1 in the paper and in every library.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> elu(jnp.array([-1.0, 0.0, 3.0]))
      Array([-0.63212055,  0.        ,  3.        ], dtype=float32)

    References:
      Clevert, Unterthiner and Hochreiter, `Fast and Accurate Deep Network Learning by
      Exponential Linear Units <https://arxiv.org/abs/1511.07289>`_, 2015.
    """
    x = floating("elu", x)
    return jax.nn.elu(x, like(x, alpha))


def celu(x: ArrayLike, *, alpha: ArrayLike = 1.0) -> jax.Array:
    r"""Continuously differentiable exponential linear unit.

    .. math::
      \mathrm{celu}(x) = \max(x, 0) + \min(\alpha (e^{x / \alpha} - 1), 0)

    The derivative at 0 is 1 for every :math:`\alpha`; `jax.nn.celu`, which this calls,
    has it as the mean of two equal branches.

    Args:
      x: floating array, shape `[...]`.
      alpha: minus the limit on the left, positive; 1 in every library.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> celu(jnp.array([-2.0, 0.0, 3.0]), alpha=2.0)
      Array([-1.2642411,  0.       ,  3.       ], dtype=float32)

    References:
      Barron, `Continuously Differentiable Exponential Linear Units
      <https://arxiv.org/abs/1704.07483>`_, 2017.
    """
    x = floating("celu", x)
    return jax.nn.celu(x, like(x, alpha))


def selu(x: ArrayLike) -> jax.Array:
    r"""Scaled exponential linear unit.

    .. math::
      \mathrm{selu}(x) = \lambda \begin{cases}
        x & x > 0 \\
        \alpha (e^x - 1) & x \le 0
      \end{cases}

    with :math:`\lambda = 1.0507009873554805` and :math:`\alpha = 1.6732632423543772`,
    which make mean 0 and variance 1 a fixed point under LeCun initialisation. The
    derivative at 0 is :math:`\lambda \alpha = 1.7580993`, that of `jax.nn.selu`, which
    this calls.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> selu(jnp.array([-1.0, 0.0, 1.0]))
      Array([-1.1113307,  0.       ,  1.050701 ], dtype=float32)

    References:
      Klambauer, Unterthiner, Mayr and Hochreiter, `Self-Normalizing Neural Networks
      <https://arxiv.org/abs/1706.02515>`_, 2017, eq. 2.
    """
    return jax.nn.selu(floating("selu", x))


def srelu(x: ArrayLike, *, alpha: ArrayLike = 1.0, beta: ArrayLike = 1.0) -> jax.Array:
    r"""Smooth ReLU (Bhat): a scaled line and a scaled exponential.

    .. math::
      \mathrm{srelu}(x) = \begin{cases}
        \alpha x & x > 0 \\
        \beta (e^x - 1) & x \le 0
      \end{cases}

    The derivative at 0 is :math:`\beta`, the lower branch's; it is continuous for
    :math:`\alpha = \beta` only. With :math:`\alpha = 1` it is `elu` of slope
    :math:`\beta`; with (1.0507, 1.7581), `selu`. The S-shaped ReLU of Jin et al. is
    `srelu_sshaped`.

    `relujax.get("srelu(trainable=True)")` learns both, from the same values.

    Args:
      x: floating array, shape `[...]`.
      alpha: slope of the line; 1 in the paper.
      beta: minus the limit on the left. 1 is our choice, the one value that is smooth
        for alpha = 1; the paper says "a small positive constant".

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> srelu(jnp.array([-1.0, 0.0, 3.0]), beta=2.0)
      Array([-1.2642411,  0.       ,  3.       ], dtype=float32)

    References:
      Bhat, SRelu, Manipal University Jaipur, section III (unnumbered equation).
    """
    x = floating("srelu", x)
    # The unused branch must not overflow: its derivative would be inf * 0.
    left = jnp.where(x > 0, 0, x)
    return jnp.where(x > 0, like(x, alpha) * x, like(x, beta) * jnp.expm1(left))
