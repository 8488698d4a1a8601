"""What a command tells JAX before it trains."""

import os
from pathlib import Path

import jax
import platformdirs

from relujax.engine import one_device_per_core

#: Bytes of compiled programs that are kept: those used last.
_CACHE = 2**30


def start() -> None:
    """Before JAX starts: a device for every core, and a cache of compiled programs."""
    one_device_per_core()
    cache_compilations()


def cache_compilations() -> None:
    """Keep compiled programs in the user's cache folder, for the next start.

    JAX's own variables in the environment win: `JAX_COMPILATION_CACHE_DIR` chooses
    another folder.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    settings = {
        "jax_compilation_cache_dir": str(
            Path(platformdirs.user_cache_dir("relujax")) / "compiled"
        ),
        "jax_compilation_cache_max_size": _CACHE,
        "jax_persistent_cache_min_compile_time_secs": 0.3,
    }
    for name, value in settings.items():
        if name.upper() not in os.environ:
            jax.config.update(name, value)
