"""Reports: one self-contained HTML page, tables as text, figures as files.

Nothing is trained: `write` is a function of the stored results, and of what a claim or
exhibit computes from formulas.
"""

import lazy_loader

from relujax.backend import without_missing_backend
from relujax.extras import STUDIES, needs

needs("relujax.report", *STUDIES)
without_missing_backend()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
