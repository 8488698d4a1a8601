"""How XLA compiles the programs that train."""

from functools import cache

import jax

# Vectors of 512 bits where the processor has them; XLA prefers 256, for some processors
# lower their clock then. Measured: noise takes two thirds of the time, narrow networks
# 6 % less, products of large matrices the same.
_WIDE = {"xla_cpu_prefer_vector_width": 512}


@cache
def compiler_options() -> dict[str, int]:
    """Options of `jax.jit` for this backend, those that this version of XLA has."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda: 0, compiler_options=_WIDE)()
    except jax.errors.JaxRuntimeError:
        return {}
    return _WIDE
