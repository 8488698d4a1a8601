"""Activations of several features at once: gated linear units, and the k largest."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating
from relujax.activations._smooth import gelu, silu

__all__ = ("geglu", "glu", "reglu", "swiglu", "top_k")


def glu(x: ArrayLike) -> jax.Array:
    r"""Gated linear unit: one half of the features, each scaled by the other's sigmoid.

    .. math::
      \mathrm{glu}([a, b]) = a\,\sigma(b)

    The first half of the last axis is the value :math:`a`, the second its gate
    :math:`b`, as in `jax.nn.glu` and torch; a layer of :math:`n` gated units therefore
    follows one of :math:`2 n` features. Smooth.

    Args:
      x: floating array, shape `[..., 2 * features]`.

    Returns:
      Array of the dtype of `x`, shape `[..., features]`.

    Raises:
      TypeError: `x` is not floating.
      ValueError: the last axis of `x` is odd, or `x` is a scalar.

    Examples:
      >>> glu(jnp.array([3.0, -2.0, 0.0, 0.0]))
      Array([ 1.5, -1. ], dtype=float32)

    References:
      Dauphin, Fan, Auli and Grangier, `Language Modeling with Gated Convolutional
      Networks <https://arxiv.org/abs/1612.08083>`_, 2017, eq. 1.
    """
    value, gate = _halves("glu", x)
    return value * jax.nn.sigmoid(gate)


def reglu(x: ArrayLike) -> jax.Array:
    r"""Gated linear unit with a ReLU for the gate.

    .. math::
      \mathrm{reglu}([a, b]) = a \max(b, 0)

    Halves as in `glu`. The derivative in :math:`b` at 0 is 0, as ReLU's; where
    :math:`b \le 0` nothing reaches :math:`a` or :math:`b`, so that units can die.

    Args:
      x: floating array, shape `[..., 2 * features]`.

    Returns:
      Array of the dtype of `x`, shape `[..., features]`.

    Raises:
      TypeError: `x` is not floating.
      ValueError: the last axis of `x` is odd, or `x` is a scalar.

    Examples:
      >>> reglu(jnp.array([3.0, -2.0, -1.0, 0.5]))
      Array([ 0., -1.], dtype=float32)

    References:
      Shazeer, `GLU Variants Improve Transformer <https://arxiv.org/abs/2002.05202>`_,
      2020, eq. 5.
    """
    value, gate = _halves("reglu", x)
    return value * jax.nn.relu(gate)


def geglu(x: ArrayLike, *, approximate: bool = True) -> jax.Array:
    r"""Gated linear unit with a GELU for the gate.

    .. math::
      \mathrm{geglu}([a, b]) = a\,\mathrm{gelu}(b)

    Halves as in `glu`. Smooth.

    Args:
      x: floating array, shape `[..., 2 * features]`.
      approximate: whether GELU is computed by tanh, as in `gelu`.

    Returns:
      Array of the dtype of `x`, shape `[..., features]`.

    Raises:
      TypeError: `x` is not floating.
      ValueError: the last axis of `x` is odd, or `x` is a scalar.

    Examples:
      >>> geglu(jnp.array([3.0, -2.0, -1.0, 0.0]))
      Array([-0.47642, -0.     ], dtype=float32)

    References:
      Shazeer, `GLU Variants Improve Transformer <https://arxiv.org/abs/2002.05202>`_,
      2020, eq. 5.
    """
    value, gate = _halves("geglu", x)
    return value * gelu(gate, approximate=approximate)


def swiglu(x: ArrayLike) -> jax.Array:
    r"""Gated linear unit with a SiLU (Swish) for the gate.

    .. math::
      \mathrm{swiglu}([a, b]) = a\,b\,\sigma(b)

    Halves as in `glu`. The paper's Swish has a :math:`\beta`, which it leaves at 1.
    Smooth.

    Args:
      x: floating array, shape `[..., 2 * features]`.

    Returns:
      Array of the dtype of `x`, shape `[..., features]`.

    Raises:
      TypeError: `x` is not floating.
      ValueError: the last axis of `x` is odd, or `x` is a scalar.

    Examples:
      >>> swiglu(jnp.array([3.0, -2.0, -1.0, 0.0]))
      Array([-0.80682, -0.     ], dtype=float32)

    References:
      Shazeer, `GLU Variants Improve Transformer <https://arxiv.org/abs/2002.05202>`_,
      2020, eq. 5.
    """
    value, gate = _halves("swiglu", x)
    return value * silu(gate)


def top_k(x: ArrayLike, *, k: int = 32) -> jax.Array:
    r"""The k largest features; the others are 0.

    .. math::
      \mathrm{top\_k}(x)_i = \begin{cases}
        x_i & x_i \ge \text{the } k\text{-th largest of } x \\
        0 & \text{otherwise}
      \end{cases}

    The derivative is 1 for what is kept and 0 for the rest. Features equal to the k-th
    largest are all kept. With at most `k` features it is the identity.
    `find_activations` and `diagnose` look at functions of one unit and pass it by.

    Args:
      x: floating array, shape `[..., features]`.
      k: how many features are kept; 32, as in most of Gao et al.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.
      ValueError: `k` is below 1, or `x` is a scalar.

    Examples:
      >>> top_k(jnp.array([3.0, -2.0, 0.5, 1.0]), k=2)
      Array([3., 0., 0., 1.], dtype=float32)

    References:
      Makhzani and Frey, `k-Sparse Autoencoders <https://arxiv.org/abs/1312.5663>`_,
      2013; Gao et al., `Scaling and evaluating sparse autoencoders
      <https://arxiv.org/abs/2406.04093>`_, 2024, which applies ReLU as well.
    """
    x = floating("top_k", x)
    if k < 1:
        raise ValueError(f"Expected k from 1 for top_k, got {k}.")
    if x.ndim == 0:
        raise ValueError("Expected an axis of features for top_k, got a scalar.")
    if k >= x.shape[-1]:
        return x
    least = jax.lax.top_k(x, k)[0][..., -1:]
    # NaN counts as the largest; asked this way round, it is kept.
    return jnp.where(x < least, 0, x)


def _halves(name: str, x: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """The value and the gate of a gated linear unit."""
    x = floating(name, x)
    if x.ndim == 0 or x.shape[-1] % 2:
        raise ValueError(
            f"Expected an even number of features for {name}, which takes values and "
            f"gates, got an input of shape {x.shape}."
        )
    value, gate = jnp.split(x, 2, -1)
    return value, gate
