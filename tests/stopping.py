"""A `relujax` command that stops itself at a point of its work, however fast it is."""

import sys
from pathlib import Path

PROGRAM = """
import importlib, os, signal, sys, threading

number, (module, owner, name), left = (
    getattr(signal, sys.argv[1]), sys.argv[2].split(":"), int(sys.argv[3])
)
del sys.argv[1:4]
owner = getattr(importlib.import_module(module), owner)
call, told = getattr(owner, name), threading.Event()

def interrupt(*_):
    told.set()
    raise KeyboardInterrupt

def stopping(*args, **kwargs):
    global left
    result = call(*args, **kwargs)
    left -= 1
    if not left:
        os.kill(os.getpid(), number)
        told.wait(60)  # Until the main thread has been interrupted.
    return result

signal.signal(signal.SIGINT, interrupt)
setattr(owner, name, stopping)
from relujax.cli import main
main()
"""

#: What is called after a table was stored, and after checkpoints were.
STORED = "relujax.engine._store:Store:add"
KEPT = "relujax.engine._checkpoints:Checkpoints:keep"


def stopped(after: str, times: int, *words: str | Path, by: str = "SIGKILL") -> list:
    """The command line.

    Args:
      after: the method after whose last call the process gets the signal.
      times: how many calls there are.
      words: of the command.
      by: the name of the signal.
    """
    return [sys.executable, "-c", PROGRAM, by, after, str(times), *map(str, words)]
