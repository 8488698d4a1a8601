"""Where stored numbers come from: machines, versions, dates."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax

from relujax.engine._tasks import Stored, Task
from relujax.errors import InputError


def check_backend(
    tasks: Sequence[Task], backend: str | None = None, mix: bool = False
) -> None:
    """Refuse to train on another backend than what is stored of the same study.

    Args:
      tasks: the study.
      backend: where the rest is to be trained; by default here.
      mix: whether that is allowed.

    Raises:
      InputError: it would be mixed, and that is not allowed.
    """
    if mix or all(not task.missing for task in tasks):
        return
    mine = backend or jax.default_backend()
    for task in tasks:
        for record in task.store.records():
            other = backend_in(record)
            if other not in ("", mine):
                where = record.get("host") or "another machine"
                raise InputError(
                    f"Expected the backend {other}, on which networks of this study "
                    f"were trained ({where}), got {mine}: their numbers differ by more "
                    f"than rounding; --mix (mix=True) trains the rest on {mine} all "
                    f"the same, and the report marks what ran where."
                )


def backend_in(record: Mapping[str, Any]) -> str:
    """The backend of a record; of an older one, as its device says; else empty."""
    if record.get("backend"):
        return str(record["backend"])
    device = record.get("device", "")
    if " x CPU (" in device:
        return "cpu"
    found = re.search(r"\((gpu|tpu|cuda|rocm)\)", device)
    return found.group(1) if found else ""


def history(tasks: Sequence[Task | Stored]) -> dict[str, Any]:
    """Where the stored numbers of all tasks come from, as one record.

    The date, versions and device are those of the last chunk; `wall_seconds` adds up
    the training of all chunks, whenever and wherever they ran, and `machines` are all
    that they ran on. Where no record is left, they are unknown: the numbers are still
    there.
    """
    records = [(task, record) for task in tasks for record in task.store.records()]
    unknown = {"date": "", "versions": {}, "device": "unknown", "git": ""}
    dated = (record for _, record in records)
    last = max(dated, key=lambda record: record["date"], default=unknown)
    datasets = {task.labels["data"]: dict(task.origin) for task in tasks if task.origin}
    seconds = sum(record["wall_seconds"] for _, record in records)
    return {
        **{name: last[name] for name in unknown},
        "wall_seconds": round(seconds, 1),
        "machines": _machines(records),
        "data": list(datasets.values()),
    }


def _machines(
    records: Iterable[tuple[Task | Stored, Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """Each device that networks were trained on, the one with most of them first.

    Of each: `device`, `backend`, `device_kind`, `processor`, `hosts`, `networks`, and
    `activations`, those trained there.
    """
    found: dict[str, dict[str, Any]] = {}
    for task, record in records:
        about = found.setdefault(str(record["device"]), _machine(record))
        about["networks"] += len(record["seeds"])
        _add(about["hosts"], [record.get("host")])
        _add(about["activations"], [task.labels["activation"]])
    return sorted(found.values(), key=lambda machine: -machine["networks"])


def _machine(record: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: str(record.get(name, "")) for name in ("device_kind", "processor")}
    return {
        "device": str(record["device"]),
        "backend": backend_in(record),
        **about,
        "hosts": [],
        "networks": 0,
        "activations": [],
    }


def _add(known: list[str], values: Iterable[str | None]) -> None:
    known += [v for v in values if v and v not in known]
