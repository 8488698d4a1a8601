"""The generator that layers draw their noise with."""

import jax

_DEFAULT = "threefry2x32"

# Half the bits per number of JAX's default, and with any sharding or batch of keys the
# same numbers, which `rbg` does not give; `philox` does not lower under `shard_map`.
_FAST = "threefry4x32"


def noise_key(key: jax.Array) -> jax.Array:
    """A key for one large draw, of a faster generator than JAX's default.

    The layers of `relujax.linen` and `relujax.nnx`, replaced activations and dropout
    draw from it. Derive keys first and convert last: XLA on a CPU is slow to compile
    `fold_in` and `split` of the faster generator.

    Args:
      key: typed PRNG key, consumed.

    Returns:
      A key of `threefry4x32`; or `key` itself, if it is not of JAX's default generator
      `threefry2x32`: then its generator is the caller's choice.

    Examples:
      >>> str(jax.random.key_impl(noise_key(jax.random.key(0))))
      'threefry4x32'
    """
    if str(jax.random.key_impl(key)) != _DEFAULT:
        return key
    words = jax.random.key_data(jax.random.key(0, impl=_FAST)).shape
    return jax.random.wrap_key_data(jax.random.bits(key, words), impl=_FAST)
