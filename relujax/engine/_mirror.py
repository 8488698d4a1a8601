"""Results in an object store: a folder of the cache that mirrors a prefix of a bucket.

Whoever reads and writes results works on the mirror. What this process writes there is
put into the bucket at once, in the same order: records before rows. What others have
put is fetched when cells are planned, and when a cell is claimed. An object is whole or
absent, and sealed as any file is, so that one that was cut short counts for nothing.

A claim is an object with a name of its own, `claim-<token>.json`, put before the others
are listed: of two at once, at least one sees the other, and withdraws. Should both hold
a cell after all, both write the same rows.
"""

import contextlib
import hashlib
import os
import random
import secrets
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from relujax import files
from relujax.engine import _claims
from relujax.engine._bucket import Bucket, Object, as_url
from relujax.errors import InputError, first_line

_STATE = ".mirror"
_BYTES = 2 * 2**30  # of an object that is fetched
_THREADS = 16
_PAUSE = 2.0  # seconds between two looks at somebody else's claim

_MIRRORS: dict[str, "Mirror"] = {}


def results_folder(place: str | Path, *, study: str = "") -> Path:
    """Where results are read and written on this machine.

    Args:
      place: a folder, which is returned as it is; or `s3://bucket/prefix` or
        `gs://bucket/prefix`, whose mirror is brought up to date.
      study: the study that is wanted, where `place` has several.

    Raises:
      InputError: the bucket cannot be reached, or `place` is a file.
    """
    url = as_url(place)
    if url is None:
        folder = Path(place)
        if folder.exists() and not folder.is_dir():
            raise InputError(
                f"Expected a folder of results, got the file {files.shown(folder)}: "
                f"name another place."
            )
        return folder
    if url not in _MIRRORS:
        _MIRRORS[url] = Mirror(url)
    _MIRRORS[url].synchronize(study)
    return _MIRRORS[url].folder


def mirror_of(path: Path) -> "Mirror | None":
    """The mirror that a folder lies in."""
    for mirror in _MIRRORS.values():
        if path.is_relative_to(mirror.folder):
            return mirror
    return None


def settle_mirrors() -> None:
    """Put what is still to be put into buckets.

    Raises:
      OSError: one of them cannot be reached.
    """
    for mirror in _MIRRORS.values():
        mirror.settle()


def place_of(path: str | Path) -> str:
    """What a user calls a folder: the URL of one that lies in a mirror."""
    mirror = mirror_of(Path(path))
    if mirror is None:
        return as_url(path) or str(path)
    name = Path(path).relative_to(mirror.folder).as_posix()
    return mirror.url if name == "." else f"{mirror.url}/{name}"


class Mirror:
    """A folder of the cache with what lies below a prefix of a bucket.

    Args:
      url: of the prefix.

    Raises:
      InputError: the bucket cannot be reached, or there is no cache.
    """

    def __init__(self, url: str) -> None:
        self.url, self._bucket = url, Bucket(url)
        cache = files.cache_folder()
        if cache is None:
            raise InputError(
                f"Expected a home folder for the mirror of {files.shown(url, 200)}, "
                "got none: set HOME or XDG_CACHE_HOME."
            )
        # One bucket of another server is another bucket.
        server = os.environ.get("AWS_ENDPOINT_URL_S3", "")
        server += os.environ.get("AWS_ENDPOINT_URL", "")
        hashed = hashlib.sha256(f"{url} {server}".encode()).hexdigest()[:12]
        parts = urlsplit(url)
        # The last part is what a run is called by.
        last = files.as_name(f"{parts.netloc}{parts.path}".rpartition("/")[2])
        self.folder = files.inside(cache, "mirrors", hashed, last)
        self._known: dict[str, list[int | None]] = self._read()
        self._late: dict[str, None] = {}  # In the order of writing.
        self._order = threading.Lock()
        files.follow(self.folder, self._changed)

    def synchronize(self, under: str = "") -> None:
        """Fetch what others have changed below a name, and put what they lack.

        A run that was killed may have stored what it did not put.
        """
        self._settle(under)
        with contextlib.suppress(OSError):
            files.write_json(self.folder / _STATE, dict(self._known))

    def claim(
        self, cell: Path, local: Any, *, wait: bool, say: Callable[[str], None]
    ) -> "SharedClaim | None":
        """The right to run a cell among all machines, or None if another has it.

        Args:
          cell: its folder.
          local: the claim of it among the processes of this machine.
          wait: wait for the other machine instead of returning None.
          say: told once who is waited for.
        """
        name, said = self._name(cell), False
        with contextlib.ExitStack() as undo:
            undo.callback(local.release)
            while (shared := self._attempt(name, local)) is None:
                if not wait:
                    return None
                if not said:
                    say(
                        f"{self.url}/{name} is being run by another machine: waiting. "
                        f"Without a sign of life for {_claims.STALE:g} s it is taken "
                        "over."
                    )
                    said = True
                # Two that have seen each other come back at different times.
                time.sleep(_PAUSE * (0.5 + random.random()))
            undo.callback(shared.withdraw)
            self._settle(name)
            undo.pop_all()
        return shared

    def _attempt(self, cell: str, local: Any) -> "SharedClaim | None":
        shared = SharedClaim(self._bucket, cell, local)
        if not shared.others():
            return shared
        shared.withdraw()
        return None

    def settle(self) -> None:
        """Put what could not be put when it was written.

        Raises:
          OSError: it still cannot.
        """
        with self._order:
            while self._late:
                name = next(iter(self._late))
                if (self.folder / name).is_file():
                    self._put(name)
                self._late.pop(name, None)

    def _settle(self, under: str) -> None:
        there = {item.name: item for item in self._bucket.objects(under)}
        fetched = [item for item in there.values() if not self._is_current(item)]
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(self._fetch, fetched))
        for name in sorted(set(self._files(under)) - set(there), key=_order):
            if name in self._known:  # Somebody else has removed it.
                (self.folder / name).unlink(missing_ok=True)
                del self._known[name]
            elif _is_shared(name):
                self._put(name)

    def _is_current(self, item: Object) -> bool:
        """Whether the mirror has an object as it is."""
        try:
            size = (self.folder / item.name).lstat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return False
        known = self._known.get(item.name, [item.size, None])
        # What this process has put has no time stamp that it knows.
        current = size == item.size and known[1] in (None, item.stamp)
        if current:
            self._known[item.name] = [item.size, item.stamp]
        return current

    def _fetch(self, item: Object) -> None:
        if item.size > _BYTES:
            return
        try:
            content = self._bucket.get(item.name)
        except FileNotFoundError:
            return
        *above, last = item.name.split("/")
        path = files.inside(self.folder, *above) / last
        temporary = path.with_name(files.temporary_name())
        temporary.write_bytes(content)
        if _is_claim(last):  # Its time stamp is its sign of life.
            os.utime(temporary, ns=(item.stamp, item.stamp))
        temporary.replace(path)
        self._known[item.name] = [item.size, item.stamp]

    def _changed(self, path: Path) -> None:
        """A file of the mirror was written or removed by this process."""
        name = self._name(path)
        if not all(map(files.is_name, name.split("/"))):
            return
        if not path.is_file():
            self._bucket.delete(name)
            self._known.pop(name, None)
            self._late.pop(name, None)
            return
        self._late[name] = None
        try:
            self.settle()
        except OSError as error:
            # It is stored here: training goes on, and it is put later.
            warnings.warn(
                f"Cannot put results into {files.shown(self.url, 200)} "
                f"({files.shown(first_line(error), 200)}): they are kept here until "
                "that works again.",
                stacklevel=2,
            )

    def _put(self, name: str) -> None:
        content = files.read(self.folder / name, _BYTES)
        self._bucket.put(name, content)
        self._known[name] = [len(content), None]

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _files(self, under: str) -> list[str]:
        """The names of what lies here."""
        found = []
        for folder, names, here in os.walk(self.folder / under):
            names[:] = filter(files.is_name, names)
            paths = [Path(folder, name) for name in filter(files.is_name, here)]
            found += map(self._name, paths)
        return found

    def _read(self) -> dict[str, list[int | None]]:
        with contextlib.suppress(OSError, ValueError, files.Refused):
            known = files.parse(files.read(self.folder / _STATE))
            if isinstance(known, dict):
                return known
        return {}


class SharedClaim:
    """A cell that this process may run, among all machines, until it is released."""

    def __init__(self, bucket: Bucket, cell: str, local: Any) -> None:
        self._bucket, self._cell, self._local = bucket, cell, local
        token = secrets.token_hex(16)
        self._name = f"{cell}/claim-{token}.json"
        self._content = _claims.content(token)
        self._put()
        _claims.HEART.add(self)

    @property
    def held(self) -> bool:
        """Whether it has neither been released nor been taken over."""
        return self._local.held and self in _claims.HEART

    def beat(self) -> None:
        """Give a sign of life."""
        with contextlib.suppress(OSError):
            self._put()

    def _put(self) -> None:
        self._bucket.put(self._name, self._content)

    def others(self) -> list[str]:
        """The names of other claims of the cell; those that have died are removed."""
        found = [o for o in self._bucket.objects(self._cell) if _is_claim(o.name)]
        now = max((o.stamp for o in found if o.name == self._name), default=None)
        alive = []
        for other in found:
            if other.name == self._name:
                continue
            # By the clock of the store, which has stamped both.
            if now is not None and now - other.stamp > _claims.STALE * 1e9:
                self._bucket.delete(other.name)
            else:
                alive.append(other.name)
        return alive

    def withdraw(self) -> None:
        """Give the right up, but for that among the processes of this machine."""
        _claims.HEART.remove(self)
        with contextlib.suppress(OSError):
            self._bucket.delete(self._name)

    def release(self) -> None:
        """Let others run the cell."""
        self.withdraw()
        self._local.release()


def _is_claim(name: str) -> bool:
    return name.rpartition("/")[2].startswith("claim-")


def _is_shared(name: str) -> bool:
    """Whether a file goes into the bucket: no claim, nothing that is damaged."""
    last = name.rpartition("/")[2]
    return not last.startswith("claim") and not last.endswith(".corrupt")


def _order(name: str) -> tuple[bool, str]:
    """Rows come last."""
    return name.endswith(".parquet"), name
