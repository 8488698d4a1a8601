"""Checks, casts and limits that the activations share."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.kernels.barrier import apart


def floating(name: str, x: ArrayLike) -> jax.Array:
    """`x` as an array, refused unless its dtype is floating."""
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(
            f"Expected a floating-point array for {name}, got {x.dtype} instead; "
            f"convert it first, for example x.astype(jnp.float32)."
        )
    return x


def like(x: jax.Array, parameter: ArrayLike) -> jax.Array:
    """`parameter` in the dtype of `x`, so that it never promotes the output."""
    return jnp.asarray(parameter).astype(x.dtype)


def typed_key(name: str, key: Any) -> jax.Array:
    """`key`, refused unless it is a typed PRNG key (`jax.random.key`)."""
    if not isinstance(key, jax.Array) or not jnp.issubdtype(
        key.dtype, jax.dtypes.prng_key
    ):
        raise TypeError(
            f"Expected a typed PRNG key as the first argument of {name}, got "
            f"{type(key).__name__} instead; make one with jax.random.key(seed)."
        )
    return key


def wide(dtype: Any) -> Any:
    """`dtype`, at least float32; JAX's own promotion may be switched off."""
    return dtype if jnp.finfo(dtype).bits >= 32 else jnp.dtype(jnp.float32)


def drawn(sampler: Callable, key: jax.Array, x: jax.Array) -> jax.Array:
    """Draws of the shape and dtype of `x`, never made in less than float32.

    JAX draws bfloat16 numbers from 8 random bits: 128 distinct values.
    """
    draw = lambda key: sampler(key, x.shape, wide(x.dtype))
    # Windows of images overlap: XLA would draw for each window again.
    noise = (apart(draw, key) if x.ndim > 2 else draw(key)).astype(x.dtype)
    # On an explicit mesh what is drawn is sharded nowhere; the sum is as `x` is.
    return noise if jax.typeof(x).sharding.mesh.empty else noise + jnp.zeros_like(x)


def relu_tails(f: Callable, x: jax.Array, *, beyond: float | None = None) -> jax.Array:
    """`f(x)`, replaced by ReLU where |x| >= `beyond` and the two are equal.

    By default, that is where a sigmoid underflows: at infinity `x * sigmoid(x)` would
    be inf * 0, and where x**3 overflows the derivative of `gelu` would be, too.
    """
    if beyond is None:
        # In Python: XLA on CPU would flush the subnormal to 0.
        beyond = -2 * math.log(float(jnp.finfo(x.dtype).smallest_subnormal))
    inside = jnp.abs(x) < beyond
    # The unused branch must be finite, or its derivative would be inf * 0.
    return jnp.where(inside, f(jnp.where(inside, x, 0)), jax.nn.relu(x))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def with_derivative_of(
    surrogate: Callable, y: jax.Array, x: jax.Array, *parameters: jax.Array
) -> jax.Array:
    """`y`, whose derivative in `x` is that of `surrogate(x, *parameters)`."""
    del surrogate, x, parameters
    return y


@with_derivative_of.defjvp
def _with_derivative_of_jvp(surrogate, primals, tangents):
    y, x, *parameters = primals
    dy, dx, *_ = tangents
    _, slope_dx = jax.jvp(lambda x: surrogate(x, *parameters), (x,), (dx,))
    return with_derivative_of(surrogate, y, x, *parameters), dy + slope_dx
