r"""Piecewise-linear stand-ins for sigmoids, thresholds and shrinkages."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like

__all__ = (
    "hard_shrink",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "jump_relu",
    "soft_shrink",
    "threshold",
)


def hard_tanh(x: ArrayLike) -> jax.Array:
    r"""Hard tanh: the identity, cut at -1 and 1.

    .. math::
      \mathrm{hard\_tanh}(x) = \min(\max(x, -1), 1)

    The derivative at -1 and 1 is 1, that of `jax.nn.hard_tanh`, which this calls; torch
    has 0.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> hard_tanh(jnp.array([-2.0, 0.5, 3.0]))
      Array([-1. ,  0.5,  1. ], dtype=float32)

    References:
      Collobert, `Large Scale Machine Learning
      <https://ronan.collobert.com/pub/2004_phdthesis_lip6.pdf>`_, 2004.
    """
    return jax.nn.hard_tanh(floating("hard_tanh", x))


def hard_sigmoid(x: ArrayLike) -> jax.Array:
    r"""Hard sigmoid: a line from 0 at -3 to 1 at 3.

    .. math::
      \mathrm{hard\_sigmoid}(x) = \frac{\min(\max(x + 3, 0), 6)}{6}

    The derivative at -3 and 3 is 0, that of `jax.nn.hard_sigmoid`, which this calls,
    and of torch. Keras 2 had a slope of 0.2.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> hard_sigmoid(jnp.array([-4.0, 0.0, 1.5]))
      Array([0.  , 0.5 , 0.75], dtype=float32)

    References:
      Howard et al., `Searching for MobileNetV3 <https://arxiv.org/abs/1905.02244>`_,
      2019, section 5.2.
    """
    return jax.nn.hard_sigmoid(floating("hard_sigmoid", x))


def hard_swish(x: ArrayLike) -> jax.Array:
    r"""Hard swish: `x` times the hard sigmoid.

    .. math::
      \mathrm{hard\_swish}(x) = x \, \frac{\min(\max(x + 3, 0), 6)}{6}

    The derivative is 0 at -3 and 1 at 3, that of `jax.nn.hard_swish`; torch has the
    slopes of the middle piece, -0.5 and 1.5. It is 0 at minus infinity, where JAX has
    NaN.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> hard_swish(jnp.array([-4.0, -1.5, 1.0, 4.0]))
      Array([ 0.       , -0.375    ,  0.6666667,  4.       ], dtype=float32)

    References:
      Howard et al., `Searching for MobileNetV3 <https://arxiv.org/abs/1905.02244>`_,
      2019, section 5.2.
    """
    x = floating("hard_swish", x)
    # The unused branch must not overflow: its derivative would be inf * 0.
    middle = jnp.where(jnp.abs(x) >= 3, 0, x)
    return jnp.where(x >= 3, x, jnp.where(x <= -3, 0, middle * ((middle + 3) / 6)))


def hard_shrink(x: ArrayLike, *, lambd: ArrayLike = 0.5) -> jax.Array:
    r"""Hard shrinkage: zero in a band around 0.

    .. math::
      \mathrm{hard\_shrink}(x) = \begin{cases}
        x & |x| > \lambda \\
        0 & |x| \le \lambda
      \end{cases}

    The derivative at :math:`\pm \lambda`, where it jumps, is 0, as in torch.

    Args:
      x: floating array, shape `[...]`.
      lambd: half the width of the band; 0.5 in torch.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> hard_shrink(jnp.array([-2.0, 0.3, 3.0]))
      Array([-2.,  0.,  3.], dtype=float32)

    References:
      Donoho and Johnstone, `Ideal spatial adaptation by wavelet shrinkage
      <https://doi.org/10.1093/biomet/81.3.425>`_, 1994.
    """
    x = floating("hard_shrink", x)
    return jnp.where(jnp.abs(x) <= like(x, lambd), 0, x)


def soft_shrink(x: ArrayLike, *, lambd: ArrayLike = 0.5) -> jax.Array:
    r"""Soft shrinkage: both sides moved towards 0.

    .. math::
      \mathrm{soft\_shrink}(x) = \mathrm{sign}(x) \max(|x| - \lambda, 0)

    The derivative at :math:`\pm \lambda` is 0, as in torch.

    Args:
      x: floating array, shape `[...]`.
      lambd: how far; 0.5 in torch.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> soft_shrink(jnp.array([-2.0, 0.3, 3.0]))
      Array([-1.5,  0. ,  2.5], dtype=float32)

    References:
      Donoho, `De-noising by soft-thresholding <https://doi.org/10.1109/18.382009>`_,
      1995.
    """
    x = floating("soft_shrink", x)
    lambd = like(x, lambd)
    outside = jnp.where(x > lambd, x - lambd, x + lambd)
    return jnp.where(jnp.abs(x) <= lambd, 0, outside)


def threshold(
    x: ArrayLike, *, threshold: ArrayLike = 1.0, value: ArrayLike = 0.0
) -> jax.Array:
    r"""Threshold: another value at and below it.

    .. math::
      \mathrm{threshold}(x) = \begin{cases}
        x & x > t \\
        v & x \le t
      \end{cases}

    The derivative at :math:`t` is 0, as in torch. With :math:`v = 0` it is the
    thresholded ReLU.

    Args:
      x: floating array, shape `[...]`.
      threshold: :math:`t`; 1 in the paper and in Keras; torch has no default.
      value: :math:`v`; 0 in the paper.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> threshold(jnp.array([-2.0, 0.5, 3.0]))
      Array([0., 0., 3.], dtype=float32)

    References:
      Konda, Memisevic and Krueger, `Zero-bias autoencoders and the benefits of
      co-adapting features <https://arxiv.org/abs/1402.3337>`_, 2014.
    """
    x = floating("threshold", x)
    return jnp.where(x <= like(x, threshold), like(x, value), x)


def jump_relu(
    x: ArrayLike, threshold: ArrayLike, *, bandwidth: ArrayLike = 0.001
) -> jax.Array:
    r"""JumpReLU: the identity above a learned threshold, zero up to it.

    .. math::
      \mathrm{jump\_relu}(x) = x \, H(x - \theta)

    with the step function :math:`H`, 0 at 0. The derivative in `x` is
    :math:`H(x - \theta)`, 0 at :math:`\theta`. That in :math:`\theta` is 0 almost
    everywhere and replaced by the straight-through estimate

    .. math::
      \frac{d}{d \theta} := -\frac{\theta}{\varepsilon} \left[
        |x - \theta| < \frac{\varepsilon}{2} \right]

    Args:
      x: floating array, shape `[...]`.
      threshold: :math:`\theta`, learned; it starts at 0.001 (the paper, which learns
        its logarithm).
      bandwidth: :math:`\varepsilon`; 0.001 in the paper, for inputs of unit scale.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> jump_relu(jnp.array([-2.0, 0.5, 3.0]), 1.0)
      Array([0., 0., 3.], dtype=float32)

    References:
      Rajamanoharan et al., `Jumping Ahead: Improving Reconstruction Fidelity with
      JumpReLU Sparse Autoencoders <https://arxiv.org/abs/2407.14435>`_, 2024, eqs. 4
      and 11.
    """
    x = floating("jump_relu", x)
    return _jump(x, like(x, threshold), like(x, bandwidth))


@jax.custom_jvp
def _jump(x: jax.Array, threshold: jax.Array, bandwidth: jax.Array) -> jax.Array:
    del bandwidth
    return jnp.where(x <= threshold, 0, x)


@_jump.defjvp
def _jump_jvp(primals, tangents):
    x, threshold, bandwidth = primals
    dx, d_threshold, _ = tangents
    near = jnp.abs(x - threshold) < bandwidth / 2
    slope = jnp.where(near, -threshold / bandwidth, 0)
    dy = jnp.where(x <= threshold, 0, dx) + slope * d_threshold
    return _jump(x, threshold, bandwidth), dy
