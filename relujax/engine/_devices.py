"""The devices that a CPU is divided into."""

import contextlib
import os

import jax

from relujax.engine._allocation import cores

#: Each device holds a copy of the data.
_MOST = 8


def one_device_per_core() -> None:
    """Divide the CPU into devices, one per core and at most 8.

    A network on each core takes less time than one network after the other on all
    cores: a product of matrices is divided among cores at a loss. The cores are those
    that this process was given: by SLURM, its affinity, or the limits of a container.
    Must be called before JAX starts, and does nothing after that, or where the user has
    said how many devices there are (`JAX_NUM_CPU_DEVICES`, or XLA's flag).
    """
    # XLA has a thread for each core of the affinity, which SLURM need not have set.
    os.environ.setdefault("PJRT_NPROC", str(cores()))
    told = "JAX_NUM_CPU_DEVICES" in os.environ
    if told or "host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    with contextlib.suppress(RuntimeError):  # JAX has started.
        jax.config.update("jax_num_cpu_devices", min(cores(), _MOST))
