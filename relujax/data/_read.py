"""Files of the user, read with a bound on what they may unpack to."""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple

from relujax.errors import InputError, short

#: The most bytes that a data set may have, unpacked: it lives in memory, several times.
MOST_BYTES = 2**31

# Characters of another library's message that are passed on.
_LONGEST = 160

_GZIP = b"\x1f\x8b"


class Content(NamedTuple):
    """What a file holds.

    Attributes:
      content: its bytes, unpacked if it is a gzip archive.
      sha256: of the file as it lies on disk.
    """

    content: bytes
    sha256: str


def user_path(given: str, what: str = "file") -> Path:
    """A path that the user wrote: `~` is the home, else from the working directory.

    Args:
      given: the path.
      what: "file" or "folder": what is expected to be there.

    Raises:
      InputError: there is no such file or folder.
    """
    path = Path(given)
    try:
        path = path.expanduser()
        there = path.is_file() if what == "file" else path.is_dir()
    except (OSError, RuntimeError, ValueError):
        there = False  # A name too long, a null byte, a home that is unknown.
    if not there:
        raise InputError(f"Expected a {what} at {short(given)}, found none.")
    return path


def read_content(path: Path, most: int | None = None) -> Content:
    """Read a file, compressed with gzip or not; at most `most` bytes are unpacked.

    Args:
      path: the file.
      most: the largest size that is believed; None for `MOST_BYTES`.

    Raises:
      InputError: it cannot be read, is a damaged archive or holds more.
    """
    most = MOST_BYTES if most is None else most
    try:
        packed_size = path.stat().st_size
        if packed_size > most:
            raise too_large(path, packed_size, most)
        packed = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"Expected a file that can be read, got {path} ({error.strerror})."
        ) from None
    content = packed
    if packed.startswith(_GZIP):
        content = _unpacked(path, most)
    return Content(content, hashlib.sha256(packed).hexdigest())


def _unpacked(path: Path, most: int) -> bytes:
    try:
        with gzip.open(path) as file:
            content = file.read(most + 1)
    except (EOFError, OSError, zlib.error):
        raise InputError(
            f"Expected a complete gzip archive in {path}, got a truncated or damaged "
            "one: copy or download it again."
        ) from None
    if len(content) > most:
        raise too_large(path, None, most)
    return content


def reason(error: Exception) -> str:
    """What a library says, on one line and not at length."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."


def too_large(path: Path | str, size: int | None, most: int) -> InputError:
    """The error for a file that holds more than is believed; None: of unknown size."""
    got = "more" if size is None else f"{size:,}"
    return InputError(
        f"Expected at most {most:,} bytes of data in {path}, got {got}: use a smaller "
        f"part of it."
    )
