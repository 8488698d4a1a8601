"""Files that anybody may have written: read within bounds, written whole, kept inside.

A folder of results may come from somebody else. Its names are checked before they
become paths, its links are not followed, its sizes are bounded before they are read.
"""

import contextlib
import errno
import json
import os
import re
import secrets
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relujax.errors import InputError

#: Bytes of a JSON file, and entries of a folder, that are read at most.
JSON_BYTES = 64 * 2**20
ENTRIES = 200_000

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_TEMPORARY = re.compile(
    r"\.relujax-[A-Za-z0-9_-]{0,32}-\d+-[0-9a-f]{16}\.tmp"
    # As earlier versions called them.
    r"|\.(cell\.json|seeds-[0-9a-f-]+\.(json|parquet))-\d+"
)
_OLD = 3600.0  # seconds: a temporary file of this age belongs to a killed process
# Folders, and what is told of each change below them.
_FOLLOWED: dict[Path, Callable[[Path], None]] = {}
_HOST = re.sub(r"[^A-Za-z0-9_-]", "_", socket.gethostname())[:32]


class Refused(InputError):
    """A file that is not read: a link, a device, too large, too deep."""


def is_name(text: Any) -> bool:
    """Whether `text` can name a file or folder, on its own and on every system.

    >>> is_name("n_relu-2.0"), is_name("../up"), is_name(".hidden"), is_name("a/b")
    (True, False, False, False)
    """
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def checked_name(text: Any, what: str) -> str:
    """`text`, if it can name a file or folder.

    Raises:
      InputError: it cannot.
    """
    if not is_name(text):
        raise InputError(
            f"Expected letters, digits, '_', '-' and '.' (not first) as {what}, got "
            f"{shown(repr(text), 80)}."
        )
    return text


def as_name(text: str) -> str:
    """A name for a file or folder, made of `text`.

    >>> as_name("my net"), as_name("<lambda>"), as_name("...")
    ('my-net', 'lambda', 'unnamed')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:200] or "unnamed"


def shown(text: Any, longest: int = 2000) -> str:
    """Text of unknown origin for a terminal: without control characters, cut.

    >>> shown("a\\x1b[31mb\\n")
    'a�[31mb�'
    """
    cut = str(text)[:longest]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def read(path: Path, limit: int = JSON_BYTES) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises:
      Refused: it is something else, or larger.
      OSError: it cannot be opened or read.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{shown(path.name)} is no regular file")
    # Should it have become a link or a pipe since: neither is followed or waited for.
    flags = [os.O_RDONLY]
    flags += [getattr(os, f"O_{x}", 0) for x in ("NONBLOCK", "NOFOLLOW", "BINARY")]
    with open(os.open(path, sum(flags)), "rb") as file:
        # A growing file, too, is read up to the limit.
        content = file.read(limit + 1) if found.st_size <= limit else b""
    if found.st_size > limit or len(content) > limit:
        raise Refused(f"it has more than {limit / 2**20:g} MiB")
    return content


def parse(content: bytes) -> Any:
    """The value of JSON text.

    Raises:
      ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def entries(folder: Path, limit: int = ENTRIES) -> list[os.DirEntry]:
    """What lies in a folder, by name; nothing where there is no such folder.

    Raises:
      Refused: there are more than `limit`.
    """
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        with os.scandir(folder) as listing:
            for entry in listing:
                found.append(entry)
                if len(found) > limit:
                    raise Refused(
                        f"Expected at most {limit:,} entries in {shown(folder)}, found "
                        "more: keep each study in a folder of its own."
                    )
    return sorted(found, key=lambda entry: entry.name)


def folders(folder: Path) -> list[Path]:
    """The folders in a folder; links, and what is hidden, are left out."""
    return [
        Path(entry.path)
        for entry in entries(folder)
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
    ]


def inside(root: Path, *names: str) -> Path:
    """The folder `root/name/...`, made where it is missing.

    Raises:
      InputError: a name is no plain name, or one of the folders is a link.
      OSError: a folder cannot be made.
    """
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
    root.mkdir(parents=True, exist_ok=True)
    path = root
    for name in names:
        path /= checked_name(name, "the name of a folder")
        with contextlib.suppress(FileExistsError):
            path.mkdir()
        if path.is_symlink() or not path.is_dir():
            raise InputError(
                f"Expected a folder at {shown(path)}, got a link or a file: nothing is "
                "written through it."
            )
    return path


def write(path: Path, content: bytes | str, *, sync: bool = False) -> None:
    """Write a file under a temporary name, then move it into place.

    A link at `path` is replaced, not followed.

    Args:
      path: where to; its folder exists.
      content: bytes, or text to be encoded as UTF-8.
      sync: wait for the disk, some milliseconds. Else a power failure could leave the
        name without the content.
    """
    temporary = path.with_name(temporary_name())
    try:
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _tell(path)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)
    _tell(path)


def rename(path: Path, name: str) -> None:
    """Give a file another name in its folder; what has that name is replaced."""
    path.replace(path.with_name(name))
    _tell(path.with_name(name))
    _tell(path)


def follow(folder: Path, changed: Callable[[Path], None]) -> None:
    """Have `changed(path)` called after each change of a file below a folder.

    That is: after this process has written, removed or renamed it by this module.
    """
    _FOLLOWED[folder] = changed


def _tell(path: Path) -> None:
    for folder, changed in _FOLLOWED.items():
        if path.is_relative_to(folder):
            changed(path)


def write_json(path: Path, content: Any) -> None:
    """Write JSON under a temporary name, then move it into place."""
    write(path, json.dumps(content, indent=2))


def cache_folder() -> Path | None:
    """The folder of what can be made again; None for a user without a home."""
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("relujax"))
    except (RuntimeError, KeyError):  # No HOME, and no entry of the password file.
        return None


def shown_path(path: str) -> str:
    """A path as it is read best: from the working directory, if it lies below it."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):  # A deleted directory; another drive.
        return path
    return path if relative.startswith("..") else relative


def temporary_name() -> str:
    """A name that no other process on any machine uses."""
    return f".relujax-{_HOST}-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def remove_stale(folder: Path) -> None:
    """Remove what killed processes have left under temporary names."""
    for entry in entries(folder):
        if not _TEMPORARY.fullmatch(entry.name):
            continue
        with contextlib.suppress(OSError):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime > _OLD:
                os.unlink(entry.path)
