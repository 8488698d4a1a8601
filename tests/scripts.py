"""Experiments that are scripts, as modules."""

import importlib.util
import sys
from pathlib import Path


def load_script(path: Path):
    """A script as a module; as when it is run, it finds the modules beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module
