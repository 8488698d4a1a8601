"""Where a run is trained: here, a part of it here, or its units on a cluster.

No scheduler of its own: a cluster's adapter sends units (`relujax.engine.Unit`) to an
engine that exists. It is imported when it is asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
