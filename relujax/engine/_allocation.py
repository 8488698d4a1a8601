"""Cores and memory that this process was given, which may be less than the machine's.

SLURM's variables, the affinity and the limits of control groups (those of containers,
too) each name a number; the smallest counts. All are read again at every call.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

_ROOT = Path("/")


def cores(root: Path = _ROOT) -> int:
    """Cores that this process may use.

    Args:
      root: where `/proc` and `/sys` are.
    """
    known = [_affinity(), *_quotas(root)]
    if "SLURM_JOB_ID" in os.environ:
        node = _number("SLURM_CPUS_ON_NODE")
        mine = _number("SLURM_CPUS_PER_TASK") or node // processes()
        known.append(mine or known[0])
    return max(1, min(known))


def memory(root: Path = _ROOT) -> int:
    """Bytes that this process may still take: its share of what is free.

    Args:
      root: where `/proc` and `/sys` are.
    """
    free = [psutil.virtual_memory().available, *_unused(root)]
    if "SLURM_JOB_ID" in os.environ:
        free.append(_slurm_memory())
    return max(0, min(free)) // processes()


def threads() -> int:
    """Threads among which XLA divides a product of matrices on a CPU.

    How a wide product is rounded depends on them.
    """
    return _number("PJRT_NPROC") or _number("NPROC") or _affinity()


def processes() -> int:
    """Processes that share the memory of this machine: the tasks of `srun`, or 1."""
    # Of each node of a step: "2(x3),1". A batch script has no step.
    tasks = os.environ.get("SLURM_STEP_TASKS_PER_NODE", "")
    return max([1, *map(int, re.findall(r"(?<!x)\b\d+", tasks))])


def _affinity() -> int:
    try:
        return len(psutil.Process().cpu_affinity() or ())
    except AttributeError:  # There is no such thing on macOS.
        return os.cpu_count() or 1


def _slurm_memory() -> int:
    """What the job may take on this node; without a word, as large a part as of cores.

    Where memory is not allocated, jobs that share a node would each take all of it.
    """
    given = _number("SLURM_MEM_PER_NODE")
    given = given or _number("SLURM_MEM_PER_CPU") * _number("SLURM_CPUS_ON_NODE")
    if given:
        return given * 2**20
    part = (_number("SLURM_CPUS_ON_NODE") or 1) / (os.cpu_count() or 1)
    return int(psutil.virtual_memory().total * min(1.0, part))


def _number(name: str, values: Mapping[str, str] = os.environ) -> int:
    """A whole number, 0 where there is none."""
    text = values.get(name, "")
    return int(text) if text.isdecimal() else 0


def _quotas(root: Path) -> Iterator[int]:
    """The cores that control groups grant; a part of one counts as one."""
    for group in _groups(root, "cpu"):
        quota, _, period = _text(group / "cpu.max").partition(" ")  # Version 2.
        if not quota:
            quota = _text(group / "cpu.cfs_quota_us")
            period = _text(group / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            yield math.ceil(int(quota) / int(period))


def _unused(root: Path) -> Iterator[int]:
    """What is left of the memory of each control group.

    The cache of files is given back when memory is needed.
    """
    for group in _groups(root, "memory"):
        for limit, used, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most = _text(group / limit)
            if most.isdecimal():
                words = _text(group / "memory.stat").split()
                stat = dict(zip(words[::2], words[1::2], strict=False))
                taken = int(_text(group / used) or 0) - _number(cache, stat)
                yield int(most) - max(0, taken)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The control groups that this process is in, each with those above it."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if controller in controllers.split(","):
            mounts = [root / "sys/fs/cgroup" / controller]
        elif not controllers:
            mounts = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        else:
            continue
        for mount in mounts:
            inner = mount / path.strip("/")
            # In a container, its own group is often mounted as the topmost.
            yield from (g for g in (inner, *inner.parents) if g.is_relative_to(mount))


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
