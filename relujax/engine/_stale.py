"""No stale numbers: stored results of a program that has changed since."""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from relujax.engine._fingerprint import source_fingerprint
from relujax.engine._program import program_fingerprint
from relujax.engine._provenance import provenance
from relujax.engine._tasks import Task
from relujax.engine._training import HostTraining
from relujax.errors import InputError

#: What can be done with stored numbers of another program.
POLICIES = ("refuse", "keep", "rerun")


def check_fresh(tasks: Sequence[Task], root: int, stale: str) -> None:
    """Compare the programs of stored cells with those that would run now.

    Cells of the library's own parts change with its version alone; they are compared
    where seeds are added. Those with a part of the user's are always compared.

    Args:
      tasks: what is asked for.
      root: the root seed.
      stale: "refuse" to go on, "keep" the stored numbers, or "rerun" their seeds.

    Raises:
      InputError: a program has changed, and `stale` is "refuse".
    """
    if stale not in POLICIES:
        raise InputError(
            f"Expected stale to be 'refuse', 'keep' or 'rerun', got {stale!r}."
        )
    if stale == "keep":
        return
    for task in tasks:
        if not (task.cell.is_own or task.missing):
            continue
        records = [r for r in task.store.records() if _comparable(r)]
        if not records:
            continue
        now = fingerprint_of(task, root)
        old = [r for r in records if r["fingerprint"] != now]
        if not old:
            continue
        if stale == "refuse":
            raise _refusal(task, old)
        task.store.set_aside(seed for r in old for seed in r["seeds"])


def fingerprint_of(task: Task, root: int) -> str:
    """The fingerprint of a task's program; of its source, for a Python function."""
    if not task.cell.is_own:
        return source_fingerprint()
    if not task.cell.is_host:
        program = program_fingerprint(
            task.cell, task.dataset, root=root, keep=task.keep
        )
        # Numbers are arguments of the program; their defaults are the user's code.
        numbers = repr([(n, p.values) for n, p in task.cell.parts.items()])
        return hashlib.sha256(f"{program} {numbers}".encode()).hexdigest()[:16]
    part = task.cell.parts["training"]
    training: HostTraining = part.factory(**dict(part.static), **part.numeric)
    try:
        source = inspect.getsource(training.train)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _comparable(record: Mapping[str, Any]) -> bool:
    """Whether a record's fingerprint was made by the same versions."""
    now = provenance()
    same = ("jax", "relujax")
    return (
        bool(record.get("fingerprint"))
        and all(record["versions"].get(name) == now["versions"][name] for name in same)
        and record["git"] == now["git"]
    )


def _refusal(task: Task, old: Sequence[Mapping[str, Any]]) -> InputError:
    count = sum(len(record["seeds"]) for record in old)
    since = max(record["date"] for record in old)[:16].replace("T", " ")
    labels = task.labels
    what = f"{labels['model']} with {labels['activation']}"
    if labels["data"]:
        what += f" on {labels['data']}"
    return InputError(
        f"The program of {what} has changed since its {count} stored networks were "
        f"trained ({since}): --stale rerun (stale='rerun') trains them again, --stale "
        f"keep keeps their numbers beside the new ones."
    )
