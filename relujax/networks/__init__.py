"""Networks: the `Model` protocol, what makes one, and the papers' networks.

`as_model` takes what a user has; `MODELS` holds the networks by name. The names are
declared in `__init__.pyi` and loaded on first use: Flax is imported with what needs it,
Equinox when a network of its is met.
"""

from typing import Any

import lazy_loader

from relujax.extras import needs

# What needs JAX alone.
_CORE = ("Model", "Stack", "from_functions", "in_bfloat16")

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in __all__ and name not in _CORE:
        needs(f"relujax.networks.{name}", "flax")
    return _load(name)
