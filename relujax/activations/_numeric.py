"""Checks and casts that every activation shares."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


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
