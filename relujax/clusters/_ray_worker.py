"""What a Ray worker does with a unit. JAX starts after its environment is set."""

import contextlib
import os
import platform
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

_DEVICES = re.compile(r"--xla_force_host_platform_device_count=\d+\s*")
# What a worker takes over from the sender's environment.
_SENT = (
    "JAX_ENABLE_X64",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_ENABLE_COMPILATION_CACHE",
    "RELUJAX_DATA_DIR",
)


class Outcome(NamedTuple):
    """What became of a unit.

    Attributes:
      state: "done"; "failed" with an error of Python; or "refused" by the worker.
      done: what was trained, for the driver to store.
      error: the error in a line.
      trace: its traceback.
      worker: host and process.
      compilations: how many programs that train this worker has compiled so far.
    """

    state: str
    done: list[Any]
    error: str
    trace: str
    worker: str
    compilations: int


def environment(backend: str, devices: int, cpus: float, gpus: float) -> dict[str, str]:
    """What a worker's environment is to be, beside what it is.

    Args:
      backend: that of the units.
      devices: how many devices their plans have.
      cpus: how many cores a worker has.
      gpus: which share of a GPU.
    """
    sent = {name: os.environ[name] for name in _SENT if name in os.environ}
    sent["XLA_FLAGS"] = _DEVICES.sub("", os.environ.get("XLA_FLAGS", ""))
    sent["PJRT_NPROC"] = str(threads(cpus))
    if backend == "cpu":
        sent["JAX_PLATFORMS"] = "cpu"
        sent["JAX_NUM_CPU_DEVICES"] = str(devices)
    elif 0 < gpus < 1:
        sent["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * gpus:.3f}"
    return sent


def threads(cpus: float) -> int:
    """For the cores that a worker has, not for those of its machine."""
    return max(1, int(cpus))


def train_remotely(
    text: str, wanted: Mapping[str, str], folder: str, out: str
) -> Outcome:
    """Train a unit in this process, which stays and keeps what it has compiled.

    Args:
      text: the unit as JSON.
      wanted: the environment that JAX is to find.
      folder: the sender's working directory, from which its modules are imported.
      out: the sender's folder of results, for checkpoints.
    """
    if "jax" not in sys.modules:
        os.environ.update(wanted)
    with contextlib.suppress(OSError):
        os.chdir(folder)
        if folder not in sys.path:
            sys.path.insert(0, folder)
    from relujax.engine import Mismatch, Unit, cache_compilations, compilations, work

    cache_compilations()
    worker = f"{platform.node()} (process {os.getpid()})"
    try:
        done = work(Unit.from_json(text), Path(out))
        return Outcome("done", done, "", "", worker, compilations())
    except Exception as error:
        state = "refused" if isinstance(error, Mismatch) else "failed"
        line = str(error) if state == "refused" else _line(error)
        trace = traceback.format_exc()
        return Outcome(state, [], line, trace, worker, compilations())


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
