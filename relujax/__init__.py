"""relujax: which rectifier should this network use, and what dies if you choose wrong?

The public names are declared in `__init__.pyi` and loaded on first use, so that
`import relujax` and `relujax --help` do not wait for JAX.
"""

from typing import Any

import lazy_loader

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    try:
        return _load(name)
    except ImportError as error:
        from relujax.extras import explained

        raise explained(error, f"relujax.{name}") from None
