"""Seals: a file says what it belongs to, and its own hash says that it is unchanged.

The last field of a sealed text is `"seal": "<64 hex digits>"`: the SHA-256 of the whole
file with zeros in place of the digits. Beside it stand the format and the cell, so that
neither a changed bit nor a file of another cell passes. JSON has it under the last key,
`bound`; a parquet file in the metadata that close it.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relujax import files

FORMAT = 2

_SLOT = b'"seal": "'
_START = b'{"format": '
_EMPTY = "0" * 64


class Damaged(Exception):
    """The content of a file is not what was written. Not raised where reading fails."""


def binding(**belongs: Any) -> dict[str, Any]:
    """The fields that bind a file to what it belongs to, with an empty seal."""
    return {"format": FORMAT, **belongs, "seal": _EMPTY}


def sealed(content: bytes) -> bytes:
    """`content`, which holds a `binding`, with its seal filled in."""
    start = content.rfind(_SLOT) + len(_SLOT)
    digits = hashlib.sha256(content).hexdigest().encode()
    return content[:start] + digits + content[start + len(digits) :]


def check_seal(content: bytes) -> tuple[int, int] | None:
    """Where the digits of the seal are; None without one.

    Raises:
      Damaged: the content has changed since it was sealed.
    """
    start = content.rfind(_SLOT)
    if start < 0:
        return None
    start, end = start + len(_SLOT), start + len(_SLOT) + len(_EMPTY)
    view = memoryview(content)
    hashed = hashlib.sha256(view[:start])
    hashed.update(_EMPTY.encode())
    hashed.update(view[end:])
    if content[start:end] != hashed.hexdigest().encode():
        raise Damaged("its content has changed since it was written")
    return start, end


def embedded_binding(content: bytes) -> dict[str, Any] | None:
    """What a sealed file that is not JSON belongs to; None without a seal.

    Raises:
      Damaged: the content has changed since it was sealed, or is of a later format.
    """
    found = check_seal(content)
    if found is None:
        return None
    start = content.rfind(_START, 0, found[0])
    try:
        return _known(files.parse(content[start : found[1] + 2]))
    except ValueError as error:
        raise Damaged(f"its seal cannot be read: {error}") from error


def sealed_json(
    content: Mapping[str, Any], *, indent: int | None = 2, **belongs: Any
) -> bytes:
    """JSON text with what it belongs to, sealed."""
    whole = {**content, "bound": binding(**belongs)}
    return sealed(json.dumps(whole, indent=indent).encode())


def open_json(content: bytes, **belongs: Any) -> tuple[dict[str, Any], bool]:
    """The content of JSON text, and whether it was sealed.

    Text without a seal was written by an earlier version.

    Args:
      content: the bytes of the file.
      belongs: what a sealed text must belong to.

    Raises:
      Damaged: it is no JSON object, has changed, or belongs to something else.
    """
    has_seal = check_seal(content) is not None
    try:
        found = files.parse(content)
    except ValueError as error:
        raise Damaged(str(error)) from error
    if not isinstance(found, dict):
        raise Damaged(f"expected a JSON object, found a {type(found).__name__}")
    bound = found.pop("bound", None)
    if bound is None and not has_seal:
        return found, False
    if not has_seal:
        raise Damaged("its seal is broken")
    check_belongs(_known(bound), **belongs)
    return found, True


def check_belongs(bound: Mapping[str, Any], **belongs: Any) -> None:
    """Compare what a file says it belongs to with what it should.

    Raises:
      Damaged: it belongs to something else.
    """
    for name, expected in belongs.items():
        if bound.get(name) != expected:
            raise Damaged(
                f"it belongs to {name} {files.shown(bound.get(name), 60)}, not to "
                f"{expected}"
            )


def read_whole(path: Path, limit: int = files.JSON_BYTES) -> bytes:
    """The content of a file of a cell.

    Raises:
      Damaged: it is a link or no regular file, or larger than `limit`.
      FileNotFoundError: there is none.
      OSError: it cannot be read.
    """
    try:
        return files.read(path, limit)
    except files.Refused as error:
        raise Damaged(str(error)) from error
    except NotADirectoryError as error:
        raise FileNotFoundError(str(error)) from error


def set_aside(path: Path, error: Damaged) -> None:
    """Give a damaged file another name, unless another process has done so."""
    aside = path.with_name(f"{path.name}.corrupt")
    try:
        path.replace(aside)
    except FileNotFoundError:
        return
    except OSError:  # A folder that cannot be written to, or something is in the way.
        aside = path
    what = "it counts as missing"
    if path.name.startswith("seeds-"):
        rows = path.suffix == ".parquet"
        what = "its seeds will run again" if rows else "its rows stay"
    where = f"set aside as {aside.name}" if aside != path else "left where it is"
    warnings.warn(
        f"Cannot read {files.shown(path.name)} ({error}); {where}, {what}.",
        stacklevel=2,
    )


def _known(bound: Any) -> dict[str, Any]:
    if not isinstance(bound, dict) or bound.get("format") != FORMAT:
        found = bound.get("format") if isinstance(bound, dict) else bound
        raise Damaged(
            f"it has format {files.shown(found, 40)}, this version reads {FORMAT}"
        )
    return bound
