"""Find and load study files."""

import importlib.util
from pathlib import Path

import relujax
from relujax.errors import InputError, unknown
from relujax.study import Study


def load_study(path: Path) -> Study:
    """The `study` of a study file.

    Raises:
      InputError: there is no such file, or it defines no `study`.
    """
    if not path.is_file():
        raise _no_file(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"Expected a Python study file, got {str(path)!r}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        raise InputError(
            f"Expected {str(path)!r} to define `study = relujax.Study(...)`, found "
            f"none; see experiments/srelu.py for an example."
        )
    return study


def packaged_study(name: str) -> Path:
    """A study that comes with the package (or lies beside it, in a clone)."""
    package = Path(relujax.__file__).parent
    for folder in (package / "experiments", package.parent / "experiments"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"The study {name!r} is not part of this installation.")


def _no_file(path: Path) -> InputError:
    folders = {path.parent, Path("experiments")}
    known = [str(p) for folder in folders for p in folder.glob("*.py")]
    if not known:
        return InputError(f"Expected a study file, got {str(path)!r}: no such file.")
    return unknown("study file", str(path), known)
