"""Find and load study files."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

import relujax
from relujax.errors import InputError, unknown
from relujax.study import Study


class _Source(SourceFileLoader):
    """Reads the file itself, never its cached bytecode.

    That would count as good, by time and size, where a file is edited within a second.
    """

    def get_code(self, fullname: str):
        return self.source_to_code(self.get_data(self.path), self.path)


def load_study(path: Path) -> Study:
    """The `study` of a study file.

    Raises:
      InputError: it defines no `study`.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None:
        raise InputError(f"Expected a Python study file, got {str(path)!r}.")
    module = importlib.util.module_from_spec(spec)
    _Source(path.stem, str(path)).exec_module(module)
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        raise InputError(
            f"Expected {str(path)!r} to define `study = relujax.Study(...)`, found "
            f"none; see experiments/srelu.py for an example."
        )
    return study


def study_file(given: Path) -> Path:
    """The study file that is meant: a path, or the name of one that is shipped.

    Raises:
      InputError: there is neither.
    """
    if given.is_file():
        return given
    shipped = packaged_study(given.name)
    if shipped is None or given.parent != Path("."):
        raise _no_file(given)
    return shipped


def packaged_study(name: str) -> Path | None:
    """A study that comes with the package (or lies beside it, in a clone)."""
    return _packaged().get(Path(name).stem)


def _packaged() -> dict[str, Path]:
    package = Path(relujax.__file__).parent
    folders = (package.parent / "experiments", package / "experiments")
    return {path.stem: path for folder in folders for path in folder.glob("*.py")}


def _no_file(path: Path) -> InputError:
    folders = {path.parent, Path("experiments")}
    known = [str(p) for folder in folders for p in folder.glob("*.py")]
    return unknown("study file", str(path), [*known, *_packaged()])
