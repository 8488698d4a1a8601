"""What any input may lead to: a result or one sentence, soon, in bounded memory."""

import contextlib
import io
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple
from unittest import mock

import numpy as np

from relujax import Dataset, InputError
from relujax.cli import main

SECONDS = 5
GROWTH = 2**20  # KiB by which the largest memory of the process may grow: 1 GiB.
_LONGEST = 2000


class Escape(NamedTuple):
    """An input that broke the contract.

    Attributes:
      number: of the input; it is made again from its kind and this.
      given: the input, in words.
      why: what happened instead.
    """

    number: int
    given: str
    why: str


class _Hangs(BaseException):
    """Raised in what takes too long; no `except Exception` holds it up."""


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    def stop(*_):
        raise _Hangs

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def broken(call: Callable[[], object]) -> str | None:
    """How a call breaks the contract; None if it keeps it.

    A call returns a data set to be looked at, or what is wrong, or nothing.
    """
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    found = why = None
    try:
        # A warning of ours is a sentence; NumPy's and the parser's are noise.
        with warnings.catch_warnings(), _bounded(4 * SECONDS):
            warnings.simplefilter("ignore", UserWarning)
            found = call()
    except InputError as error:
        why = not_a_sentence(str(error))
    except (Exception, SystemExit, _Hangs) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(last.filename)}:{last.lineno}"
        why = f"{type(error).__name__} in {where}: {str(error)[:300]}"
    if isinstance(found, Dataset):
        why = odd(found)
    elif isinstance(found, str):
        why = found
    if why is not None:
        return why
    if time.monotonic() - start > SECONDS:
        return f"took {time.monotonic() - start:.1f} s"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if sys.platform == "linux" and grown > GROWTH:
        return f"took {grown / 2**20:.1f} GiB of memory"
    return None


def not_a_sentence(message: str) -> str | None:
    """What is wrong with a message as the one thing that a user reads."""
    if not message.strip():
        return "an error without a message"
    if "Traceback" in message or "\n" in message.strip():
        return f"a message of several lines: {message[:300]}"
    return f"a long message: {message[:300]}" if len(message) > _LONGEST else None


def command(*words: str, never: str = "Traceback") -> str | None:
    """Run the command in this process; how it breaks the contract.

    Args:
      words: what is typed after `relujax`.
      never: what it must not say, beside a traceback.
    """
    out, code = io.StringIO(), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        mock.patch.object(sys, "argv", ["relujax", *words]),
    ):
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
    said = out.getvalue()
    for wrong in ("Traceback", never):
        if wrong in said:
            return f"{wrong}: {said[-300:]}"
    if code not in (0, 1, 2):
        return f"exit code {code}: {said[-300:]}"
    return f"exit code {code} and not a word" if code and not said.strip() else None


def odd(data: Dataset) -> str | None:
    """What is wrong with a data set that was accepted."""
    for part, x, y in data.parts():
        if len(x) != len(y) or x.dtype not in (np.float32, np.uint8):
            return f"{part}: {x.dtype} inputs {x.shape}, targets {y.shape}"
        if data.classes is not None and not (0 <= y.min() <= y.max() < data.classes):
            return f"{part}: labels outside of {data.classes} classes"
    return None if repr(data) else "no repr"
