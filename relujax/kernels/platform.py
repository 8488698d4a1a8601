"""Which form of a kernel is taken: that of the platform a program is compiled for."""

from collections.abc import Callable
from typing import Any

import jax


def by_platform(cpu: Callable[..., Any], other: Callable[..., Any], *args: Any) -> Any:
    """`cpu(*args)` where the program runs on a CPU, else `other(*args)`.

    It is decided when a program is compiled. While it is traced nobody knows: it may be
    exported for another machine, or run under `jax.default_device`.

    Args:
      cpu: what suits a CPU.
      other: what suits every other platform; the same numbers, to rounding.
      *args: arrays, and trees of them.
    """
    return jax.lax.platform_dependent(*args, cpu=cpu, default=other)
