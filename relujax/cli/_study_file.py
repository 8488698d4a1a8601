"""Find and load study files."""

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING

import relujax
from relujax.errors import InputError, first_line, unknown

if TYPE_CHECKING:
    from relujax.studies import Study  # Tab offers the names of studies without JAX.


class _StudyLoader(SourceFileLoader):
    """Reads the file itself, never its cached bytecode.

    That would count as good, by time and size, where a file is edited within a second.
    """

    def get_code(self, fullname: str):
        return self.source_to_code(self.get_data(self.path), self.path)


def load_study(path: Path) -> "Study":
    """The `study` of a study file, which may import modules of its folder.

    Raises:
      InputError: it cannot be imported, or defines no `study`.
    """
    from relujax.studies import Study

    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None:
        raise InputError(f"Expected a Python study file, got {str(path)!r}.")
    module = importlib.util.module_from_spec(spec)
    try:
        with _importable(path.parent):
            _StudyLoader(path.stem, str(path)).exec_module(module)
    except (
        Exception,
        SystemExit,
    ) as error:  # A study file is code: it may do anything.
        raise _broken(path, error) from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        raise InputError(
            f"Expected {str(path)!r} to define `study = relujax.Study(...)`, found "
            f"none; see experiments/srelu.py for an example."
        )
    return study


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """The modules of a folder can be imported, as those beside a script can."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _broken(path: Path, error: BaseException) -> InputError:
    """What is wrong with a study file, and in which line of it."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
    where = f"{str(path)!r}" + (f", line {line}" if line else "")
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    said = error.msg if isinstance(error, SyntaxError) else first_line(error)
    return InputError(f"Cannot load {where}: {kind}{said}")


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
    return packaged_studies().get(Path(name).stem)


def packaged_studies() -> dict[str, Path]:
    """The files of the studies that come with the package, by name."""
    package = Path(relujax.__file__).parent
    folders = (package.parent / "experiments", package / "experiments")
    return {path.stem: path for folder in folders for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    """The study files of a folder; modules whose names begin with `_` are theirs."""
    return folder.glob("[!_]*.py")


def _no_file(path: Path) -> InputError:
    folders = {path.parent, Path("experiments")}
    known = [str(p) for folder in folders for p in _files(folder)]
    return unknown("study file", str(path), [*known, *packaged_studies()])
