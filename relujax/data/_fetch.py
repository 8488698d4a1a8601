"""Downloads: verified by checksum, with progress, continued where they stopped."""

import hashlib
import http.client
import urllib.request
from pathlib import Path

from relujax.errors import InputError
from relujax.extras import needs

_TIMEOUT = 20.0
_BLOCK = 1 << 16


def obtain(
    url: str,
    *,
    download_dir: Path,
    manual_dir: Path | None,
    size: int,
    sha256: str,
) -> Path:
    """A verified copy of a published file: from `manual_dir` if given, else downloaded.

    Args:
      url: where it is published; its last part is the file's name.
      download_dir: where a download goes.
      manual_dir: the folder that holds the file already; nothing is downloaded.
      size: expected size in bytes.
      sha256: expected checksum, in hexadecimal.

    Raises:
      InputError: the file is not there, or is not the published one; see also `fetch`.
    """
    file = url.rsplit("/", 1)[1]
    if manual_dir is None:
        fetch(url, download_dir / file, size=size, sha256=sha256)
        return download_dir / file
    path = manual_dir.expanduser() / file
    if not path.is_file():
        raise InputError(
            f"Expected {file} in {path.parent}, found none: download it from {url}."
        )
    if (found := file_sha256(path)) != sha256:
        raise InputError(
            f"Expected the published file (sha256 {sha256}) in {path}, got sha256 "
            f"{found}: download it again from {url}. (Unverified files are used as "
            "they are from RELUJAX_DATA_DIR, without preparation.)"
        )
    return path


def fetch(url: str, path: Path, *, size: int, sha256: str) -> None:
    """Download `url` to `path`, unless a verified copy is there already.

    What has arrived lies in `<path>.part`; the next call asks the server for the rest.
    Progress is drawn on standard error.

    Args:
      url: what to download.
      path: where it goes.
      size: expected size in bytes.
      sha256: expected checksum, in hexadecimal.

    Raises:
      InputError: the server cannot be reached, the connection broke, or the content
        is not the expected one.
    """
    if path.exists() and file_sha256(path) == sha256:
        return
    writable_folder(path.parent)
    part = path.with_name(f"{path.name}.part")
    if not part.exists() or part.stat().st_size != size:
        try:
            _continue(url, part, size)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise InputError(
                f"Could not download {url} ({reason}): run the same command again to "
                "continue, or set RELUJAX_DATA_DIR to a folder that holds the files."
            ) from None
    got = part.stat().st_size
    if got > size:
        part.unlink()
        raise InputError(
            f"Expected {size:,} bytes from {url}, got more: it was not kept."
        )
    if got < size:
        raise InputError(
            f"Expected {size:,} bytes from {url}, the connection ended after {got:,}: "
            "run the same command again to continue."
        )
    if (found := file_sha256(part)) != sha256:
        part.unlink()
        raise InputError(
            f"Expected a file with sha256 {sha256} from {url}, got {found}: "
            "it was not kept."
        )
    part.replace(path)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def writable_folder(path: Path) -> None:
    """Create a folder, with its parents.

    Raises:
      InputError: it cannot be created, or not be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"Expected a folder to write to, got {path} ({error.strerror}): name "
            "another one with data_dir or TFDS_DATA_DIR."
        ) from None


def _continue(url: str, part: Path, size: int) -> None:
    needs("downloads", "rich")
    from rich.console import Console
    from rich.progress import Progress

    start = part.stat().st_size if part.exists() else 0
    if start > size:
        start = 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0
        with (
            part.open("ab" if start else "wb") as file,
            Progress(console=Console(stderr=True)) as progress,
        ):
            bar = progress.add_task(part.stem, total=size, completed=start)
            # One byte more than was published shows that it is another file.
            left = size + 1 - start
            while left and (block := response.read(min(_BLOCK, left))):
                file.write(block)
                left -= len(block)
                progress.advance(bar, len(block))
