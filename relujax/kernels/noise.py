"""JAX's random numbers, in a form that XLA on a CPU computes fast.

JAX's default generator, Threefry, runs on a CPU as a loop over arrays: each of twenty
rounds goes through memory. Written out as one expression, XLA makes one vectorised
kernel of it, in which the bits become what they are drawn for. The bits are the same.
"""

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relujax.kernels.platform import by_platform

# Threefry-2x32-20 (Salmon et al. 2011): distances of rotation, and a constant that
# keeps a key of zeros from leaving the counters as they are.
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)

# Giles (2010), single precision: erfinv(u) / u by powers of w - 2.5, where
# w = -log(1 - u^2) is below 5, else by powers of sqrt(w) - 3; highest power first.
_CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip


def bits(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """`jax.random.bits(key, shape)`: 32 random bits each, the same, sooner on a CPU.

    Args:
      key: typed PRNG key, consumed.
      shape: of the result.

    References:
      Salmon et al., `Parallel Random Numbers: As Easy as 1, 2, 3
      <https://doi.org/10.1145/2063384.2063405>`_, 2011.
    """
    size = math.prod(shape)
    # Without the type, there would be 64 bits each where JAX is set to them.
    theirs = lambda key: jax.random.bits(key, shape, jnp.uint32)
    if not _is_default(key) or size >= 2**32:
        return theirs(key)
    return by_platform(lambda key: _threefry(key, size).reshape(shape), theirs, key)


def _threefry(key: jax.Array, size: int) -> jax.Array:
    """Threefry's bits for the counters from 0 to `size`, as one expression."""
    first, second = jax.random.key_data(key)
    keys = (first, second, first ^ second ^ _PARITY)
    # The counter of an element is its place, as a number of 64 bits.
    a, b = keys[0], jax.lax.iota(jnp.uint32, size) + keys[1]
    for i in range(5):
        for distance in _ROTATIONS[i % 2]:
            a = a + b
            b = (b << distance | b >> (32 - distance)) ^ a
        a, b = a + keys[(i + 1) % 3], b + keys[(i + 2) % 3] + np.uint32(i + 1)
    return a ^ b


def uniform(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32) -> jax.Array:
    """`jax.random.uniform(key, shape, dtype)`: in [0, 1), the same, sooner on a CPU.

    Args:
      key: typed PRNG key, consumed.
      shape: of the result.
      dtype: float32; any other is left to JAX.
    """
    if dtype != jnp.float32:
        return jax.random.uniform(key, shape, dtype)
    size = math.prod(shape)
    return ((bits(key, (size,)) >> 9).astype(jnp.float32) * 2.0**-23).reshape(shape)


def normal(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32) -> jax.Array:
    r"""Standard normal draws, sooner than `jax.random.normal` and closer to normal.

    .. math::
      z = \sqrt2 \, \mathrm{erf}^{-1}(u), \qquad
      u \in \{\pm 1, \pm 3, \dots, \pm (2^{24} - 1)\} \cdot 2^{-24}

    As many `u` are above zero as below, so that the mean of `z` is zero exactly, and
    `1 - u^2 = (1 - u)(1 + u)` has no rounding error that matters, which saves the
    costly `log1p` of `erf_inv`. No draw is zero; the largest is 5.42.

    Args:
      key: typed PRNG key, consumed.
      shape: of the result.
      dtype: float32; any other is left to JAX.

    References:
      Giles, `Approximating the erfinv function
      <https://people.maths.ox.ac.uk/gilesm/files/gems_erfinv.pdf>`_, 2010, table 5.
    """
    if dtype != jnp.float32:
        return jax.random.normal(key, shape, dtype)
    # One index per element, not one per axis, leaves loops that can be vectorised.
    drawn = bits(key, (math.prod(shape),))
    signed = jax.lax.bitcast_convert_type(drawn, jnp.int32) >> 8
    u = (2 * signed + 1).astype(jnp.float32) * 2.0**-24
    w = -jnp.log((1 - u) * (1 + u))
    horner = lambda powers, x: reduce(lambda p, c: p * x + c, powers)
    ratio = jnp.where(w < 5, horner(_CENTRE, w - 2.5), horner(_TAIL, jnp.sqrt(w) - 3))
    return (math.sqrt(2) * ratio * u).reshape(shape)


def flat(
    draw: Callable[..., jax.Array], key: jax.Array, shape: tuple[int, ...], *rest: Any
) -> jax.Array:
    """`draw(key, shape, *rest)`, drawn in a row: the same numbers, compiled sooner.

    XLA on a CPU unrolls kernels along a short last axis: the random bits of a
    `[512, 10]` by JAX take it 1.4 seconds longer to compile than as many in a row.

    Args:
      draw: a function of `jax.random` whose numbers depend on the size alone.
      key: PRNG key, consumed.
      shape: of the result.
      *rest: what else `draw` takes.
    """
    return draw(key, (math.prod(shape),), *rest).reshape(shape)


def _is_default(key: jax.Array) -> bool:
    partitionable = getattr(jax.config, "jax_threefry_partitionable", True)
    return partitionable and str(jax.random.key_impl(key)) == "threefry2x32"
