"""IDX files, the format of MNIST: read, and checked before a number is believed."""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from relujax.errors import InputError

Kind = Literal["images", "labels"]

SIDE = 28
_MAGIC: dict[Kind, int] = {"images": 2051, "labels": 2049}


class Idx(NamedTuple):
    """One IDX file.

    Attributes:
      array: `[n, 28, 28, 1]` or `[n]` uint8, a view of the file's bytes.
      sha256: of the file as it lies on disk.
      content_sha256: of the IDX bytes, whether the file is compressed or not.
    """

    array: np.ndarray
    sha256: str
    content_sha256: str


def read_idx(path: Path, kind: Kind) -> Idx:
    """Read an IDX file, compressed with gzip or not.

    Raises:
      InputError: `path` is truncated, damaged, not IDX, or holds the other kind; the
        message names the file.
    """
    packed = path.read_bytes()
    content = packed
    if packed.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(packed)
        except (EOFError, OSError, zlib.error):
            raise InputError(
                f"Expected a complete gzip archive in {path}, got a truncated or "
                "damaged one: copy or download it again."
            ) from None
    _check(path, content, kind)
    header = 16 if kind == "images" else 8
    array = np.frombuffer(content, np.uint8, offset=header)
    if kind == "images":
        array = array.reshape(-1, SIDE, SIDE, 1)
    return Idx(array, _sha256(packed), _sha256(content))


def idx_sha256(array: np.ndarray) -> str:
    """The `content_sha256` of the IDX file that would hold `array`."""
    kind: Kind = "images" if array.ndim == 4 else "labels"
    digest = hashlib.sha256(_header(kind, len(array)))
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _check(path: Path, content: bytes, kind: Kind) -> None:
    other: Kind = "labels" if kind == "images" else "images"
    length = 16 if kind == "images" else 8
    magic = int.from_bytes(content[:4], "big")
    if len(content) >= 4 and magic == _MAGIC[other]:
        raise InputError(
            f"Expected IDX {kind} in {path}, got IDX {other}: "
            "the image and label files are swapped."
        )
    if len(content) >= 4 and magic != _MAGIC[kind]:
        raise InputError(
            f"Expected an IDX file (magic number {_MAGIC[kind]}) in {path}, got magic "
            f"number {magic}: copy or download it again."
        )
    if len(content) < length:
        raise InputError(
            f"Expected an IDX header of {length} bytes in {path}, got {len(content)} "
            "bytes: the file is truncated; copy or download it again."
        )
    count = int.from_bytes(content[4:8], "big")
    if kind == "images" and content[8:16] != _header(kind, 0)[8:16]:
        rows, columns = np.frombuffer(content, ">u4", count=2, offset=8)
        raise InputError(
            f"Expected images of {SIDE} x {SIDE} pixels in {path}, "
            f"got {rows} x {columns}."
        )
    body = count * (SIDE * SIDE if kind == "images" else 1)
    if len(content) - length != body:
        what = "truncated" if len(content) - length < body else "too long"
        raise InputError(
            f"Expected {body:,} bytes after the header of {path}, which announces "
            f"{count:,} {kind}, got {len(content) - length:,}: the file is {what}; "
            "copy or download it again."
        )


def _header(kind: Kind, count: int) -> bytes:
    sides = (SIDE, SIDE) if kind == "images" else ()
    return np.array((_MAGIC[kind], count, *sides), ">u4").tobytes()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
