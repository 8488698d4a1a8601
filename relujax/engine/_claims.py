"""The exclusive right to run a cell: a file that its holder keeps fresh.

It works wherever a file can be made under a name that nobody has, on network file
systems and in containers too: no lock of the operating system is needed. A holder that
has died, or gives no sign of life, loses its claim. Should two processes hold a cell
at once after all, both write the same rows.
"""

import contextlib
import datetime
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import psutil

from relujax import files

#: Seconds from one sign of life to the next, and without one until a claim expires.
HEARTBEAT = 10.0
STALE = 60.0

_LONGEST_PAUSE = 1.0  # seconds between two looks at somebody else's claim
_BYTES = 4096  # of a claim


class Holder(NamedTuple):
    """Who holds a claim, as its file says it.

    Attributes:
      token: random, new for each claim; empty where the file cannot be read.
      host: the machine's name.
      system: its start and its process ids' namespace: where `pid` means something.
      pid: the process.
      born: when the process started, for the same id is used again.
      since: when it took the claim.
      beat: the file's time stamp, which each sign of life renews.
    """

    token: str
    host: str
    system: str
    pid: int
    born: str
    since: str
    beat: float

    def __str__(self) -> str:
        if not self.token:
            return "somebody (its claim cannot be read)"
        host, since = files.shown(self.host, 80), files.shown(self.since, 40)
        return f"process {self.pid} on {host} since {since}"

    @property
    def dead(self) -> bool:
        """Whether it is known that the process is gone."""
        if not self.token or self.system != _system():
            return False
        return _born(self.pid) not in (self.born, None)


class CellClaim:
    """A cell that this process may run, until it is released."""

    def __init__(self, path: Path, token: str) -> None:
        self.path, self._token = path, token
        HEART.add(self)

    @property
    def held(self) -> bool:
        """Whether it has neither been released nor been taken over."""
        return self in HEART

    def release(self) -> None:
        """Let others run the cell."""
        if self in HEART:
            HEART.remove(self)
            with contextlib.suppress(OSError):
                if self._is_mine():
                    self.path.unlink()

    def beat(self) -> None:
        """Give a sign of life."""
        with contextlib.suppress(OSError):
            if self._is_mine():
                os.utime(self.path)
            else:
                HEART.remove(self)

    def _is_mine(self) -> bool:
        found = holder(self.path)
        return found is not None and found.token == self._token


class Beating(Protocol):
    """What has to give signs of life."""

    def beat(self) -> None:
        """Give one; it must not raise."""


class _Heart:
    """One thread gives signs of life for all claims of this process."""

    def __init__(self) -> None:
        self._claims: set[Beating] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __contains__(self, claim: Beating) -> bool:
        return claim in self._claims

    def add(self, claim: Beating) -> None:
        with self._lock:
            self._claims.add(claim)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def remove(self, claim: Beating) -> None:
        with self._lock:
            self._claims.discard(claim)

    def _run(self) -> None:
        while True:
            time.sleep(HEARTBEAT)
            with self._lock:
                claims = tuple(self._claims)
                if not claims:
                    self._thread = None
                    return
            for claim in claims:
                claim.beat()


#: Of all claims of this process.
HEART = _Heart()


def take(path: Path, *, wait: bool, say: Callable[[str], None]) -> CellClaim | None:
    """Take the claim at `path`, or None if another process holds it.

    Args:
      path: its file; the folder exists.
      wait: wait for the other process instead of returning None.
      say: told once who is waited for.
    """
    seen: Holder | None = None
    since, pause, said = time.monotonic(), 0.02, False
    while True:
        token = secrets.token_hex(16)
        now = _create(path, token)
        if now is None:
            return CellClaim(path, token)
        found = holder(path)
        if found is None:
            continue
        if found != seen:
            seen, since = found, time.monotonic()
        silent = max(now - found.beat, time.monotonic() - since)
        expired = found.dead or silent > STALE
        if expired and _break(path, found, now):
            continue
        if not wait:
            return None
        if not said:
            say(_waiting(path, found))
            said = True
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def alive(path: Path) -> Holder | None:
    """Who holds the claim at `path`, if it has given a sign of life of late."""
    found = holder(path)
    if found is None or found.dead or abs(time.time() - found.beat) > STALE:
        return None
    return found


def holder(path: Path) -> Holder | None:
    """Who holds the claim at `path`, alive or not; None if nobody does."""
    try:
        beat = path.lstat().st_mtime
        content = files.parse(files.read(path, _BYTES))
        return Holder(**_checked(content), beat=beat)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError):  # Not ours, or not written to its end.
        return Holder("", "", "", 0, "", "", beat)


def tell(text: str) -> None:
    """Print to standard error."""
    print(text, file=sys.stderr, flush=True)


def _checked(content: Any) -> dict[str, Any]:
    kinds = {name: str for name in ("token", "host", "system", "born", "since")}
    kinds |= {"pid": int}
    if not isinstance(content, dict) or set(content) != set(kinds):
        raise ValueError("no claim")
    if not all(isinstance(content[name], kind) for name, kind in kinds.items()):
        raise ValueError("no claim")
    return content


def _waiting(path: Path, found: Holder) -> str:
    return (
        f"{files.shown(path.parent)} is being run by {found}: waiting. Without a sign "
        f"of life for {STALE:g} s it is taken over; if that process will not end, stop "
        f"it, or delete {files.shown(path)}."
    )


def _create(path: Path, token: str) -> float | None:
    """Make the claim's file; where there is one already, the time of the file system.

    The clock of the machine that holds it, or of this one, may be wrong.
    """
    written = content(token)
    temporary = path.with_name(files.temporary_name())
    try:
        with temporary.open("xb") as file:
            file.write(written)
        now = temporary.stat().st_mtime
        try:
            os.link(temporary, path)
        except FileExistsError:
            return now
        except OSError:  # A file system without links.
            try:
                with path.open("xb") as file:
                    file.write(written)
            except FileExistsError:
                return now
        return None
    finally:
        temporary.unlink(missing_ok=True)


def _break(path: Path, expired: Holder, now: float) -> bool:
    """Remove an expired claim; whether there may be a place for another now.

    One process at a time does so, and looks again before: the claim may be a new one.
    """
    turn = path.with_suffix(".break")
    try:
        turn.open("xb").close()
    except FileExistsError:
        with contextlib.suppress(OSError):
            if now - turn.lstat().st_mtime > STALE:
                turn.unlink()
        return False
    try:
        found = holder(path)
        if found == expired:
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        return True
    except OSError:
        return False
    finally:
        turn.unlink(missing_ok=True)


def content(token: str) -> bytes:
    """What a claim of this process says."""
    now = datetime.datetime.now(datetime.UTC)
    content = {
        "token": token,
        "host": socket.gethostname(),
        "system": _system(),
        "pid": os.getpid(),
        "born": _born(os.getpid()) or "",
        "since": f"{now:%Y-%m-%d %H:%M:%S} UTC",
    }
    return json.dumps(content, indent=2).encode()


@cache
def _system() -> str:
    """What tells process ids of two machines, or of two containers, apart."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def _born(pid: int) -> str | None:
    """When a process started, as its system counts: empty if it is gone.

    None where that cannot be told.
    """
    if sys.platform != "linux":
        try:
            return str(int(psutil.Process(pid).create_time()))
        except psutil.NoSuchProcess:
            return ""
        except (psutil.Error, ValueError, OverflowError):
            return None
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "" if Path("/proc/self/stat").exists() else None
    except OSError:
        return None
    # The name, in brackets, may hold anything; 20 fields on is the time.
    state, *fields = text.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
