"""What all workers of a run must have in common: versions, backend, the user's code.

Code is not sent. A worker imports its own copy, and compares the hash of each file with
that of the sender, so that no network is trained by another revision.
"""

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import jax

from relujax import files
from relujax.data import SOURCES
from relujax.engine import _allocation
from relujax.engine._activation import is_replacement
from relujax.engine._cell import Cell
from relujax.engine._fingerprint import source_fingerprint
from relujax.engine._provenance import provenance
from relujax.engine._training import HostTraining
from relujax.errors import InputError
from relujax.parts import Part
from relujax.training import METRICS

# The packages whose version decides a network's numbers.
_DECIDE = ("relujax", "jax", "jaxlib", "flax", "optax", "numpy")


class Mismatch(InputError):
    """A worker that would train other networks than the sender meant."""


@dataclass(frozen=True)
class Setting:
    """What the numbers of a run depend on besides its cells, seeds and data.

    Attributes:
      versions: of the packages that decide a network's numbers.
      source: the hash of the library's source.
      backend: "cpu", "gpu" or "tpu".
      modules: name of a module of the user's to the hash of its file, and the commit.
      host: where this was looked up, for messages.
      threads: among which a product is divided on a CPU; 0 for any number of them.
    """

    versions: Mapping[str, str]
    source: str
    backend: str
    modules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    host: str = ""
    threads: int = 0

    def check(self, here: "Setting") -> None:
        """Refuse a worker that differs.

        Args:
          here: the setting of the worker.

        Raises:
          Mismatch: one sentence that names both.
        """
        for name in _DECIDE:
            mine, theirs = self.versions.get(name), here.versions.get(name)
            if mine != theirs:
                raise self._mismatch(here, f"{name} {mine}", f"{name} {theirs}")
        if self.source != here.source:
            raise self._mismatch(
                here,
                f"relujax with the source {self.source}",
                f"{here.source} under the same version",
            )
        if self.backend != here.backend:
            raise self._mismatch(
                here, f"the backend {self.backend}", f"the backend {here.backend}"
            )
        if self.threads and self.threads != here.threads:
            raise self._mismatch(
                here,
                f"a number of threads, PJRT_NPROC, of {self.threads}",
                str(here.threads),
            )
        for name, (digest, commit) in self.modules.items():
            found, other = here.modules.get(name, ("none", ""))
            if digest != found:
                raise self._mismatch(
                    here,
                    f"revision {_revision(digest, commit)} of {name}",
                    _revision(found, other),
                )

    def _mismatch(self, here: "Setting", wanted: str, got: str) -> Mismatch:
        sender = f" as on {files.shown(self.host, 80)}" if self.host else ""
        return Mismatch(
            f"Expected {files.shown(wanted, 200)}{sender}, got {files.shown(got, 200)} "
            f"on {files.shown(here.host, 80)}: bring both to the same state, nothing "
            f"was trained there."
        )

    def to_json(self) -> dict[str, Any]:
        """It as JSON."""
        return asdict(self)


def setting_of(
    cells: Iterable[Cell], backend: str | None = None, threads: int = 0
) -> Setting:
    """The setting of this process for some cells.

    Args:
      cells: what is trained.
      backend: of the workers; by default that of this process.
      threads: of a worker; 0 for as many as it happens to have.
    """
    names = {name for cell in cells for name in modules_of(cell)}
    return replace(setting_with(names, backend), threads=threads)


def setting_with(modules: Iterable[str], backend: str | None = None) -> Setting:
    """The setting of this process with these modules of the user's."""
    versions = provenance()["versions"]
    return Setting(
        versions={name: versions[name] for name in _DECIDE},
        source=source_fingerprint(),
        backend=backend or jax.default_backend(),
        modules={name: [*module_revision(name)] for name in sorted(modules)},
        host=platform.node(),
        threads=_allocation.threads(),
    )


def parts_of(cell: Cell) -> Iterator[Part]:
    """Every part of a cell: those of its network, its metrics and its data."""
    yield from cell.parts.values()
    if not cell.training:
        yield SOURCES.part(cell.data)
        yield from map(METRICS.part, cell.metrics)


def modules_of(cell: Cell) -> set[str]:
    """The modules outside the library that a worker imports for a cell."""
    found = set()
    for part in parts_of(cell):
        for obj in _objects(part):
            module = getattr(obj, "__module__", None) or type(obj).__module__
            if module.partition(".")[0] not in ("relujax", "builtins", "functools"):
                found.add(module)
        if ":" in part.name and not is_replacement(part):
            found.add(part.name.partition(":")[0])
    return found


def _objects(part: Part) -> Iterator[Any]:
    """What a part is made by: a user's function or class among them."""
    source = getattr(part.factory, "source", None)
    if isinstance(source, tuple):  # Of an activation that replaces some sites.
        yield from (function for _, function in source)
    elif part.kind == "activation":
        yield source
    else:
        yield made_by(part)


def made_by(part: Part) -> Any:
    """The object of the user's behind a part."""
    obj = getattr(part.factory, "obj", part.factory)
    return obj.train if isinstance(obj, HostTraining) else obj


@cache
def module_revision(name: str) -> tuple[str, str]:
    """The hash of a module's file, and the commit of the clone that it lies in.

    ("none", "") where there is no such module. It is not imported, and looked up once:
    what a process has imported does not change when the file does.
    """
    path = _source(name)
    if path is None:
        return "none", ""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return digest, _commit(path.parent)


def _source(name: str) -> Path | None:
    try:
        loaded = sys.modules.get(name)
        spec = getattr(loaded, "__spec__", None) or importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    origin = getattr(spec, "origin", None)
    return Path(origin) if origin and os.path.isfile(origin) else None


@cache
def _commit(folder: Path) -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _revision(digest: str, commit: str) -> str:
    if digest == "none":
        return "no such module"
    return f"{digest} (commit {commit})" if commit else digest
