"""Many runs: populations of seeds in compiled programs, stored and resumed."""

import lazy_loader

from relujax.extras import STUDIES, needs

needs("relujax.engine", *STUDIES)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
