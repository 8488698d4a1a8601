"""Convolution and pooling with a form for CPUs: the same numbers, to rounding.

XLA on a CPU is slow at the gradient of a convolution inside a loop, and at pooling
through `reduce_window`. As slices and matrix products both are fast there; on
accelerators the usual primitives are.

The CPU's form holds images as `[channels, height, width, batch]`. Every slice of a
window then is made of long contiguous runs, whatever the number of channels, and the
three products of a convolution (its value, and the two gradients) need no transposed
copy. The arrays keep the shapes of Flax for everybody else: XLA lays out what is
computed elementwise between two of these functions in the same way.
"""

import functools

import jax
import jax.numpy as jnp
from flax import linen as nn

from relujax.kernels.barrier import apart
from relujax.kernels.platform import by_platform


def conv2d(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Two-dimensional convolution (cross-correlation), stride 1, without padding.

    .. math:: y_{bijf} = \\sum_{uvc} x_{b,i+u,j+v,c} k_{uvcf} + b_f

    Args:
      x: `[batch, height, width, channels]`.
      kernel: `[rows, columns, channels, features]`.
      bias: `[features]`.

    Returns:
      `[batch, height - rows + 1, width - columns + 1, features]`.
    """
    return by_platform(_conv2d_matmul, _conv2d_lax, x, kernel, bias)


def _conv2d_lax(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    numbers = ("NHWC", "HWIO", "NHWC")
    y = jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "VALID", dimension_numbers=numbers
    )
    return y + bias.reshape(1, 1, 1, -1)


@jax.custom_vjp
def _conv2d_matmul(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    return _conv2d_forward(x, kernel, bias)[0]


def _conv2d_forward(x, kernel, bias):
    rows, columns, _, features = kernel.shape

    def product(planes, kernel, bias):
        patches = _patches(planes, rows, columns)
        flat = jnp.concatenate([kernel.reshape(-1, features), bias[None]])
        shape = (features, *patches.shape[1:])
        patches = patches.reshape(len(patches), -1)
        return (flat.T @ patches).reshape(shape), patches

    y, patches = apart(product, _samples_last(x), kernel, bias)
    return _samples_last(y), (patches, kernel, x.shape)


def _conv2d_backward(residuals, g):
    patches, kernel, (_, height, width, _) = residuals
    features = kernel.shape[-1]

    def kernel_gradient(g, patches):
        return patches @ g.reshape(features, -1).T

    def input_gradient(g, kernel):
        flat = kernel.reshape(-1, features) @ g.reshape(features, -1)
        patches = flat.reshape(*kernel.shape[:-1], *g.shape[1:])
        return _sum_of_patches(patches, height, width)

    g = _samples_last(g)
    dx = _samples_last(apart(input_gradient, g, kernel))
    flat = apart(kernel_gradient, g, patches)
    return dx, flat[:-1].reshape(kernel.shape), flat[-1]


_conv2d_matmul.defvjp(_conv2d_forward, _conv2d_backward)


def _patches(planes: jax.Array, rows: int, columns: int) -> jax.Array:
    """What each output sees, and a one for the bias.

    From `[channels, height, width, batch]` to `[rows * columns * channels + 1,
    height - rows + 1, width - columns + 1, batch]`.
    """
    _, height, width, batch = planes.shape
    h, w = height - rows + 1, width - columns + 1
    strips = jnp.concatenate([planes[:, :, j : j + w] for j in range(columns)])
    one = jnp.ones((1, h, w, batch), planes.dtype)
    return jnp.concatenate([*(strips[:, i : i + h] for i in range(rows)), one])


def _sum_of_patches(patches: jax.Array, height: int, width: int) -> jax.Array:
    """The transpose of `_patches`: what the patches hold, added up where they lie.

    From `[rows, columns, channels, h, w, batch]` to `[channels, height, width, batch]`.
    """
    rows, columns, _, h, w, _ = patches.shape
    none = (0, 0)
    # First along the height: one sum over all windows would read each patch at an
    # offset of its own in both directions.
    tall = lambda i: (none, (i, height - h - i), none, none)
    wide = lambda j: (none, none, (j, width - w - j), none)
    total = lambda parts: functools.reduce(jnp.add, parts)
    strips = [
        total(jnp.pad(patches[i, j], tall(i)) for i in range(rows))
        for j in range(columns)
    ]
    return total(jnp.pad(strip, wide(j)) for j, strip in enumerate(strips))


def max_pool_2x2(x: jax.Array) -> jax.Array:
    """The maximum of each 2 x 2 window; an odd last row or column is dropped.

    Where several values of a window are its maximum, the gradient goes to the first of
    them in row-major order, as in `flax.linen.max_pool`.

    Args:
      x: `[batch, height, width, channels]`.

    Returns:
      `[batch, height // 2, width // 2, channels]`.
    """
    return by_platform(_max_pool_slices, _max_pool_flax, x)


def _max_pool_flax(x: jax.Array) -> jax.Array:
    return nn.max_pool(x, (2, 2), strides=(2, 2))


@jax.custom_vjp
def _max_pool_slices(x: jax.Array) -> jax.Array:
    return _max_pool_forward(x)[0]


def _max_pool_forward(x):
    planes = _samples_last(x)
    height, width = planes.shape[1] // 2 * 2, planes.shape[2] // 2 * 2
    best = planes[:, 0:height:2, 0:width:2]
    place = jnp.zeros(best.shape, jnp.uint8)
    for n, (i, j) in enumerate(((0, 1), (1, 0), (1, 1)), start=1):
        other = planes[:, i:height:2, j:width:2]
        # Not a number is the maximum of its window.
        stays = (best >= other) | jnp.isnan(best)
        place = jnp.where(stays, place, jnp.uint8(n))
        best = jnp.where(stays, best, other)
    best, place = apart(lambda *values: values, best, place)
    return _samples_last(best), (place, x.shape)


def _max_pool_backward(residuals, g):
    place, (batch, height, width, channels) = residuals
    g = apart(lambda g: g, _samples_last(g))
    _, h, w, _ = g.shape
    parts = [[jnp.where(place == 2 * i + j, g, 0) for j in (0, 1)] for i in (0, 1)]
    dx = jnp.stack([jnp.stack(row, 3) for row in parts], 2)
    dx = dx.reshape(channels, 2 * h, 2 * w, batch)
    odd = (0, height - 2 * h), (0, width - 2 * w)
    return (_samples_last(jnp.pad(dx, ((0, 0), *odd, (0, 0)))),)


_max_pool_slices.defvjp(_max_pool_forward, _max_pool_backward)


def _samples_last(x: jax.Array) -> jax.Array:
    """`[batch, height, width, channels]` as `[channels, height, width, batch]`."""
    return x.transpose(3, 1, 2, 0)
