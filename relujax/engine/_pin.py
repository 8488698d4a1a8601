"""What the parts of a run agree on: the first one to start writes it down.

    runs/<study>/units/<profile>-in-<n>.json

Each part cuts the run by itself. Were the data, the code or the seeds of one of them
others, it would work off other units: it refuses instead.
"""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relujax import files
from relujax.engine._running import UNITS
from relujax.engine._seal import Damaged, open_json, sealed_json
from relujax.engine._setting import Mismatch, Setting
from relujax.engine._unit import Unit
from relujax.errors import InputError


def agree(folder: Path, name: str, units: Sequence[Unit]) -> None:
    """Pin down what the parts of a run are, or compare with what is pinned down.

    Args:
      folder: `runs/<study>`.
      name: of the run and its number of parts.
      units: the whole run, as this process has cut it.

    Raises:
      Mismatch: another part has cut another run.
    """
    mine = _content(units)
    path = files.inside(folder, UNITS) / f"{name}.json"
    _create(path, sealed_json(mine, file=path.name))
    try:
        found, _ = open_json(files.read(path), file=path.name)
        setting = Setting(**found.pop("setting"))
        content = {key: found[key] for key in mine if key != "setting"}
    except (OSError, Damaged, TypeError, KeyError) as error:
        raise InputError(
            f"Expected what the parts of this run are in {files.shown(path)}, got a "
            f"damaged file ({files.shown(error, 200)}): delete it."
        ) from None
    anew = f"To begin anew, delete {files.shown(path)}."
    try:
        setting.check(units[0].setting)
    except Mismatch as error:
        raise Mismatch(f"{error} {anew}") from None
    for key, theirs in content.items():
        if theirs != mine[key]:
            raise Mismatch(
                f"Expected {_shown(key, theirs, mine[key])} as in the parts begun on "
                f"{setting.host}, got {_shown(key, mine[key], theirs)} on "
                f"{units[0].setting.host}: nothing was trained. {anew}"
            )


def forget(folder: Path, name: str) -> None:
    """The run is done: the next one may be another."""
    with contextlib.suppress(OSError):
        (folder / UNITS / f"{name}.json").unlink()


def _content(units: Sequence[Unit]) -> dict[str, Any]:
    cells = {cell["digest"]: cell for unit in units for cell in unit.cells}
    seeds = sorted({seed for unit in units for c in unit.cells for seed in c["seeds"]})
    data = {c["fields"]["data"] or "none": c["data"] for c in cells.values()}
    plans = sorted({str(unit.plan) for unit in units})
    ids = hashlib.sha256(" ".join(unit.id for unit in units).encode())
    return {
        "setting": units[0].setting.to_json(),
        "root seed": units[0].root,
        "data": data,
        "weights kept": str(units[0].keep),
        "seeds": seeds,
        "programs": {c["digest"]: c["fingerprint"] for c in cells.values()},
        "plans": plans,
        "units": ids.hexdigest()[:16],
    }


def _shown(key: str, value: Any, other: Any) -> str:
    """What differs in a value, in words."""
    if key == "seeds":
        return f"{len(value)} seeds"
    if key == "programs":
        return f"the cells {hashlib.sha256(str(value).encode()).hexdigest()[:16]}"
    if key == "data":
        unlike = {k: v[:16] for k, v in value.items() if other.get(k) != v}
        return f"the data {files.shown(unlike or sorted(value), 300)}"
    return f"the {key} {files.shown(value, 300)}"


def _create(path: Path, content: bytes) -> None:
    """Write a file that nobody has written yet; else leave it as it is."""
    temporary = path.with_name(files.temporary_name())
    try:
        temporary.write_bytes(content)
        with contextlib.suppress(FileExistsError):
            try:
                os.link(temporary, path)
            except FileExistsError:
                raise
            except OSError:  # A file system without links.
                with path.open("xb") as file:
                    file.write(content)
    finally:
        temporary.unlink(missing_ok=True)
