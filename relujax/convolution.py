"""Convolution and pooling with a form for CPUs: the same numbers, to rounding.

XLA on a CPU is slow at the gradient of a convolution inside a loop, and at pooling
through `reduce_window`. As slices and matrix products both are fast there; on
accelerators the usual primitives are.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def conv2d(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Two-dimensional convolution (cross-correlation), stride 1, without padding.

    .. math:: y_{bijf} = \\sum_{uvc} x_{b,i+u,j+v,c} k_{uvcf}

    Args:
      x: `[batch, height, width, channels]`.
      kernel: `[rows, columns, channels, features]`.

    Returns:
      `[batch, height - rows + 1, width - columns + 1, features]`.
    """
    if _on_cpu():
        return _conv2d_matmul(x, kernel)
    return _conv2d_lax(x, kernel)


def _conv2d_lax(x: jax.Array, kernel: jax.Array) -> jax.Array:
    numbers = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "VALID", dimension_numbers=numbers
    )


def _conv2d_matmul(x: jax.Array, kernel: jax.Array) -> jax.Array:
    rows, columns, channels, features = kernel.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    patches = [
        x[:, i : i + height, j : j + width, :]
        for i in range(rows)
        for j in range(columns)
    ]
    flat = kernel.reshape(rows * columns * channels, features)
    return jnp.concatenate(patches, axis=-1) @ flat


def max_pool_2x2(x: jax.Array) -> jax.Array:
    """The maximum of each 2 x 2 window; an odd last row or column is dropped.

    Where several values of a window are its maximum, the gradient goes to the first of
    them in row-major order, as in `flax.linen.max_pool`.

    Args:
      x: `[batch, height, width, channels]`.

    Returns:
      `[batch, height // 2, width // 2, channels]`.
    """
    if _on_cpu():
        return _max_pool_slices(x)
    return nn.max_pool(x, (2, 2), strides=(2, 2))


def _max_pool_slices(x: jax.Array) -> jax.Array:
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    best = x[:, 0:height:2, 0:width:2]
    for i, j in ((0, 1), (1, 0), (1, 1)):
        other = x[:, i:height:2, j:width:2]
        # Not `jnp.maximum`, which would share the gradient of a tie.
        best = jnp.where(best >= other, best, other)
    return best
