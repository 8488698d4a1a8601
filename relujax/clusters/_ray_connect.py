"""To a Ray cluster that is there; what keeps it from us is one sentence."""

import logging
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from relujax.errors import InputError, first_line

# Seconds until somebody answers at the address, and until Ray has let us in.
_ANSWER, _ENTER = 5.0, 12.0

_HEARD = 100_000  # bytes

_TOKEN = "RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or the file ~/.ray/auth_token"


@contextmanager
def connected(address: str) -> Iterator[bool]:
    """Inside, this process is a driver of the cluster.

    Args:
      address: `HOST:PORT`; empty for the cluster that this machine belongs to.

    Yields:
      Whether the connection ends with this block, and with it what still runs.

    Raises:
      InputError: there is none, or it lets nobody in.
    """
    # What goes wrong is said in a sentence of ours.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray

    if ray.is_initialized():  # By the user's own script.
        yield False
        return
    address = address or os.environ.get("RAY_ADDRESS", "") or "auto"
    if ":" in address:
        _check_answers(address)
    _enter(address)
    try:
        yield True
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER).close()
    except (OSError, ValueError) as error:
        raise InputError(
            f"Expected a Ray cluster at {address}, got no answer ({error}): "
            f"`ray start --head --port=6379` starts one there."
        ) from None


def _enter(address: str) -> None:
    """`ray.init`, which may wait for minutes, within our time."""
    import ray

    problems: list[BaseException] = []

    def enter() -> None:
        try:
            level = logging.CRITICAL
            ray.init(address=address, log_to_driver=False, logging_level=level)
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=enter, daemon=True)
    with _overhearing() as said:
        thread.start()
        end = time.monotonic() + _ENTER
        # Without the right token Ray tries again and again, and tells standard error.
        while thread.is_alive() and not _asks_for_token(said()):
            if time.monotonic() > end:
                break
            thread.join(0.1)
        refused = _asks_for_token(said())
    if problems:
        raise _refusal(address, problems[0])
    if thread.is_alive():
        raise (
            _no_token(address)
            if refused
            else InputError(
                f"Expected the Ray cluster at {address} to let this process in within "
                f"{_ENTER:g} s, got no answer: is it of the same version, and is this "
                f"machine a node of it?"
            )
        )


@contextmanager
def _overhearing() -> Iterator[Callable[[], str]]:
    """What this process writes to standard error meanwhile is told, and not shown."""
    sys.stderr.flush()
    with tempfile.TemporaryFile("w+", errors="replace") as file:
        shown = os.dup(2)
        os.dup2(file.fileno(), 2)

        def said() -> str:
            return os.pread(file.fileno(), _HEARD, 0).decode(errors="replace")

        try:
            yield said
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def _asks_for_token(text: str) -> bool:
    return "uthenticat" in text or "AuthToken" in text


def _no_token(address: str) -> InputError:
    return InputError(
        f"Expected a token for the Ray cluster at {address}, got none that it takes: "
        f"set {_TOKEN} to what the cluster was started with."
    )


def _refusal(address: str, error: BaseException) -> InputError:
    text = f"{type(error).__name__} {error}"
    if _asks_for_token(text) or "token" in text:
        return _no_token(address)
    if isinstance(error, ConnectionError) and address == "auto":
        return InputError(
            "Expected a Ray cluster that this machine belongs to, found none: `ray "
            "start --head` starts one, `ray start --address=HOST:PORT` joins one, and "
            "--on ray:HOST:PORT names one."
        )
    return InputError(
        f"Expected to enter the Ray cluster at {address}, got {type(error).__name__}: "
        f"{first_line(error)}"
    )
