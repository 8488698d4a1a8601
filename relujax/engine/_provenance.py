"""Where numbers come from: versions, device, date, revision."""

import datetime
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

import relujax
from relujax.engine._allocation import cores, threads

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")


def provenance() -> dict[str, Any]:
    """What a reader needs to judge a result, as JSON."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "date": now.isoformat(timespec="seconds"),
        "versions": dict(_versions()),
        "device": _machine(),
        "backend": jax.default_backend(),
        "device_kind": jax.devices()[0].device_kind,
        "processor": _processor(),
        "threads": threads(),
        "host": platform.node(),
        "git": _revision(),
    }


def _machine() -> str:
    """The devices, and the processor that is or feeds them."""
    device, count = jax.devices()[0], jax.device_count()
    host = f"{_processor()}, {cores()} cores"
    # A CPU device calls itself "cpu": the processor says more.
    if device.platform == "cpu":
        return f"{count} x CPU ({host})"
    return f"{count} x {device.device_kind} ({device.platform}), fed by {host}"


@cache
def _processor() -> str:
    """The model of the processor, as the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return next(filter(None, names), platform.processor() or platform.machine())


@cache
def _versions() -> dict[str, str]:
    return {
        "relujax": relujax.__version__,
        **{name: metadata.version(name) for name in _PACKAGES},
        "python": platform.python_version(),
    }


@cache
def _revision() -> str:
    """The commit of the source tree, `-dirty` if changed; empty outside a clone."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(
            command,
            cwd=Path(relujax.__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
