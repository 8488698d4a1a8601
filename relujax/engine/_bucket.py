"""A prefix of a bucket, `s3://bucket/prefix` or `gs://bucket/prefix`, by pyarrow.fs."""

import datetime
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from relujax import files
from relujax.errors import InputError, first_line, short
from relujax.extras import needs

# The first contact takes no longer, whatever is wrong; then each request, and how often
# it is tried.
_SECONDS = 25.0
_CONNECT, _REQUEST, _ATTEMPTS = 5, 20, 3

# A path eats one of the slashes.
_URL = re.compile(r"(s3|gs):/+(.+)", re.DOTALL)
_OPTIONS = {"s3": {"region", "endpoint_override", "scheme"}}
_OPTIONS["gs"] = {"endpoint_override", "scheme"}


class Object(NamedTuple):
    """One object: its name below the prefix, its bytes, and when it was put."""

    name: str
    size: int
    stamp: int


def as_url(place: Any) -> str | None:
    """The URL of a place in an object store; None for a folder.

    >>> as_url("s3://bucket/a"), as_url("runs")
    ('s3://bucket/a', None)
    """
    match = _URL.fullmatch(str(place))
    return None if match is None else f"{match[1]}://{match[2].rstrip('/')}"


class Bucket:
    """The objects below a prefix: each is put whole, or is not there.

    Args:
      url: `s3://bucket/prefix`, with `?region=`, `?scheme=` and `?endpoint_override=`
        as pyarrow has them. Credentials are those of the environment, never of the URL.

    Raises:
      InputError: the URL is wrong, or the bucket cannot be reached.
    """

    def __init__(self, url: str) -> None:
        needs("results in an object store", "pyarrow")
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        if "@" in parts.netloc or not set(options) <= _OPTIONS[parts.scheme]:
            known = ", ".join(sorted(_OPTIONS[parts.scheme]))
            raise InputError(
                f"Expected {parts.scheme}://bucket/prefix with no options but {known} "
                f"and credentials in the environment, got {short(_without_user(url))}."
            )
        self.url = url
        self._root = f"{parts.netloc}{parts.path}".rstrip("/")
        connect = {"s3": _s3, "gs": _gs}[parts.scheme]
        self._fs = _soon(url, lambda: _reached(connect(options, parts.netloc), parts))

    def objects(self, under: str = "") -> Iterator[Object]:
        """All objects below a name; those with odd names are left out."""
        from pyarrow import fs

        root = f"{self._root}/{under}".rstrip("/")
        selector = fs.FileSelector(root, recursive=True, allow_not_found=True)
        for found in self._fs.get_file_info(selector):
            name = found.path[len(self._root) + 1 :]
            if found.type == fs.FileType.File and all(
                map(files.is_name, name.split("/"))
            ):
                yield Object(name, found.size, found.mtime_ns)

    def get(self, name: str) -> bytes:
        """The content of an object.

        Raises:
          OSError: it is gone, or the bucket cannot be reached.
        """
        with self._fs.open_input_file(f"{self._root}/{name}") as file:
            return file.read()

    def put(self, name: str, content: bytes) -> None:
        """Put an object: the whole of it at once."""
        with self._fs.open_output_stream(f"{self._root}/{name}") as file:
            file.write(content)

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        try:
            self._fs.delete_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return


def _s3(options: dict[str, str], bucket: str) -> Any:
    from pyarrow import fs

    given = os.environ.get
    endpoint = given("AWS_ENDPOINT_URL_S3") or given("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rpartition("://")
    host = options.get("endpoint_override") or host
    region = options.get("region") or given("AWS_REGION") or given("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        endpoint_override=host.rstrip("/") or None,
        scheme=options.get("scheme") or scheme or "https",
        region=region or ("us-east-1" if host else fs.resolve_s3_region(bucket)),
        connect_timeout=_CONNECT,
        request_timeout=_REQUEST,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


def _gs(options: dict[str, str], bucket: str) -> Any:
    from pyarrow import fs

    del bucket
    emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
    scheme, _, host = emulator.rpartition("://")
    host = options.get("endpoint_override") or host
    return fs.GcsFileSystem(
        anonymous=bool(emulator),
        endpoint_override=host.rstrip("/") or None,
        scheme=options.get("scheme") or scheme or "https",
        retry_time_limit=datetime.timedelta(seconds=_REQUEST),
    )


def _reached(store: Any, parts: Any) -> Any:
    """The file system, once it has shown that the bucket is there."""
    from pyarrow import fs

    if store.get_file_info(parts.netloc).type == fs.FileType.NotFound:
        raise OSError(f"there is no bucket {parts.netloc!r}")
    return store


def _soon(url: str, connect: Callable[[], Any]) -> Any:
    """What `connect` returns, if it does so in time.

    Raises:
      InputError: it does not, or fails.
    """
    found: list[Any] = []

    def attempt() -> None:
        try:
            found.append(connect())
        except Exception as error:  # Of several types, by store and by what is wrong.
            found.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    got = found[0] if found else TimeoutError(f"no answer within {_SECONDS:g} s")
    if isinstance(got, Exception):
        raise InputError(
            f"Expected a bucket that can be reached at {files.shown(url, 200)}, got: "
            f"{files.shown(first_line(got).rstrip('.'), 300)}. Its name, the "
            f"credentials (such as AWS_ACCESS_KEY_ID) and the endpoint "
            f"(AWS_ENDPOINT_URL) decide."
        ) from None
    return got


def _without_user(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//...@", url)
