"""IDX files, the format of MNIST: read, and checked before a number is believed."""

import hashlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from relujax.data._read import read_content
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


def read_idx(path: Path, kind: Kind, most: int | None = None) -> Idx:
    """Read an IDX file, compressed with gzip or not.

    Args:
      path: the file.
      kind: what it should hold.
      most: the largest size in bytes that is believed; None for a general one.

    Raises:
      InputError: `path` is truncated, damaged, not IDX, holds the other kind or more
        than `most`; the message names the file.
    """
    content, sha256 = read_content(path, most)
    _check(path, content, kind)
    header = 16 if kind == "images" else 8
    array = np.frombuffer(content, np.uint8, offset=header)
    if kind == "images":
        array = array.reshape(-1, SIDE, SIDE, 1)
    return Idx(array, sha256, hashlib.sha256(content).hexdigest())


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
