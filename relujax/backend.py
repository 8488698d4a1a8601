"""The backend of matplotlib that the environment names, where it is not installed.

A kernel of Jupyter sets MPLBACKEND to one of its own. Whatever it starts inherits that,
and in an environment without that backend matplotlib cannot even be imported.
"""

import importlib.util
import os

_MODULE = "module://"


def without_missing_backend() -> None:
    """Take MPLBACKEND out of the environment if it names a module that is missing.

    To be called before matplotlib is imported; it then chooses a backend by itself.
    """
    named = os.environ.get("MPLBACKEND", "")
    if named.startswith(_MODULE) and not _exists(named.removeprefix(_MODULE)):
        del os.environ["MPLBACKEND"]


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
