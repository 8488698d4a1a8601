"""The old name of `relujax.statistics`, for code that was written for it."""

import sys
import warnings

from relujax.statistics import *  # noqa: F403
from relujax.statistics import _estimates, _paired

warnings.warn(
    "relujax.analysis is relujax.statistics now (and relujax.studies for studies).",
    DeprecationWarning,
    stacklevel=2,
)

# Two of its modules were imported by name.
sys.modules[f"{__name__}._paired"] = _paired
sys.modules[f"{__name__}._estimates"] = _estimates
