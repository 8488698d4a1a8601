"""What a command does before it imports a user's modules, and before it trains."""

import contextlib
import sys
from pathlib import Path


def find_modules_here() -> None:
    """Let modules of the working directory be imported first, as `python -m` does."""
    # There may be none any more; then there is nothing to be found in it.
    with contextlib.suppress(OSError):
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)


def start() -> None:
    """Before JAX starts: a device for every core, and a cache of compiled programs."""
    from relujax.engine import cache_compilations, one_device_per_core

    find_modules_here()
    one_device_per_core()
    cache_compilations()
