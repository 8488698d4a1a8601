"""SLURM's commands: ask, submit, look, end. They are all that is needed of it."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from relujax.errors import InputError, short, unknown

#: Options of a task, and what `sbatch` calls them.
_FLAGS = {
    "partition": "--partition={}",
    "account": "--account={}",
    "qos": "--qos={}",
    "constraint": "--constraint={}",
    "time": "--time={}",
    "memory": "--mem={}",
    "cpus": "--cpus-per-task={}",
    "gpus": "--gres=gpu:{}",
}
_WHOLE = ("tasks", "cpus", "gpus")

_SECONDS = 20  # in which a command must have answered


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run on SLURM.

    Raises:
      InputError: there is no such option, or a value is of another kind.
    """
    for name, value in options.items():
        if name not in (*_FLAGS, "tasks"):
            raise unknown("option of SLURM", name, (*_FLAGS, "tasks"))
        if name in _WHOLE and (type(value) is not int or value < 1):
            raise InputError(
                f"Expected a whole number from 1 as {name}, got {short(value)}."
            )
        if name == "gpus" and value > 1:
            raise InputError(
                f"Expected one GPU a task, got {value}: a network trains on one; ask "
                f"for more tasks instead."
            )
        if not re.fullmatch(r"[\w.:,@&|*+-]+", str(value)):
            raise InputError(f"Expected a word as {name}, got {short(value)}.")
    return {"cpus": 1, **options}


def flags(options: Mapping[str, Any]) -> list[str]:
    """What `sbatch` is told of options."""
    return [_FLAGS[name].format(v) for name, v in options.items() if name in _FLAGS]


def check(options: Mapping[str, Any]) -> None:
    """Have SLURM look at the options, and submit nothing.

    Raises:
      InputError: there is no SLURM here, or it refuses them.
    """
    script = "#!/bin/sh\ntrue\n"
    _run(["sbatch", "--test-only", "--requeue", *flags(options)], script)


def largest_array() -> int:
    """How many tasks an array may have."""
    found = re.search(r"MaxArraySize\s*=\s*(\d+)", _run(["scontrol", "show", "config"]))
    return max(1, int(found.group(1)) if found else 1000)


def submit(arguments: Sequence[str], script: str) -> str:
    """Submit a script; its job's number."""
    said = _run(["sbatch", "--parsable", *arguments], script)
    return said.split()[-1].partition(";")[0]


def states(job: str) -> list[str]:
    """The states of the tasks of a job that are in the queue.

    Raises:
      InputError: SLURM does not answer.
    """
    mine = ["--noheader", "--array", f"--user={os.getuid()}", "--format=%F %T"]
    lines = [line.split() for line in _run(["squeue", *mine]).splitlines()]
    return [line[1] for line in lines if len(line) == 2 and line[0] == job]


def cancel(job: str) -> None:
    """End the tasks of a job."""
    _run(["scancel", job])


def _run(command: Sequence[str], text: str | None = None) -> str:
    """What a command of SLURM prints."""
    name = command[0]
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise InputError(
            f"Expected a machine from which SLURM takes jobs, found no {name} here: "
            f"log in to one; without --on slurm, networks are trained here."
        ) from None
    except subprocess.TimeoutExpired:
        raise InputError(
            f"Expected SLURM to answer {name} within {_SECONDS} s, it did not: try "
            f"again later."
        ) from None
    if done.returncode:
        prefix = re.compile(rf"^({name}: error|{name}|allocation failure): ")
        said = "; ".join(prefix.sub("", line) for line in done.stderr.splitlines())
        raise InputError(f"SLURM refuses: {said or f'{name} {done.returncode}'}.")
    return done.stdout
