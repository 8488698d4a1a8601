"""Compiled programs: how many there were, and those kept for the next start."""

import os
import socket
from pathlib import Path
from typing import Any

import jax
import jax.monitoring
import psutil

from relujax.files import cache_folder

#: The name of a program that trains.
TRAINING = "relujax_training"

#: Bytes of compiled programs that are kept: those used last.
_CACHE = 2**30

# Of how a training starts, half the time goes into dozens of small programs.
_SETTINGS = {
    "jax_compilation_cache_max_size": _CACHE,
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": 0,
}


def cache_compilations() -> None:
    """Keep compiled programs in the user's cache folder, for the next start.

    JAX's own settings in the environment win, and so does a folder that the script has
    set: `JAX_COMPILATION_CACHE_DIR` chooses another. A user without a home has none.
    Under SLURM, and on a network file system, each machine has a folder of its own.
    """
    if getattr(jax.config, "jax_compilation_cache_dir", None) is None:
        ours = cache_folder()
        if ours is not None:
            folder = ours / "compiled"
            if "SLURM_JOB_ID" in os.environ or _is_shared(folder):
                # For every program JAX locks the folder and lists it: all workers
                # would queue for one. And a program is for one kind of processor.
                folder /= socket.gethostname()
            jax.config.update("jax_compilation_cache_dir", str(folder))
    for name, value in _SETTINGS.items():
        if name.upper() not in os.environ:
            jax.config.update(name, value)


# File systems of the network, by the names that the kernel has for them.
_NETWORK = ("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p",
            "glusterfs", "fuse.", "pvfs2", "panfs", "wekafs", "daos")  # fmt: skip


def _is_shared(folder: Path) -> bool:
    """Whether a folder lies on a network file system, as far as can be told."""
    try:
        mounts = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError):
        return False
    holding = [m for m in mounts if folder.is_relative_to(m.mountpoint)]
    innermost = max(holding, key=lambda m: len(m.mountpoint), default=None)
    return innermost is not None and innermost.fstype.lower().startswith(_NETWORK)


def compilations() -> int:
    """How many programs that train were compiled here, or read from the cache."""
    return len(_COMPILED)


_COMPILED: list[str] = []


def _note(event: str, duration_secs: float, **about: Any) -> None:
    del duration_secs
    name = str(about.get("fun_name", ""))
    if event.endswith("/backend_compile_duration") and TRAINING in name:
        _COMPILED.append(name)


jax.monitoring.register_event_duration_secs_listener(_note)
