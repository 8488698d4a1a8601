"""relujax: which rectifier should this network use, and what dies if you choose wrong?

The public names are declared in `__init__.pyi` and loaded on first use, so that
`import relujax` and `relujax --help` do not wait for JAX.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
