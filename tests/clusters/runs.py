"""A small study whose cells make up three programs, one of them of a user's module."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from relujax.engine import collect, plan_tasks

# A worker waits at a gate while the test keeps it closed: then it is at a unit, however
# fast it is. `closed_gate` closes one; the sender has no number, and passes.
MODULE = """
import os, time
from pathlib import Path

import jax
from flax import linen as nn


def gate(place):
    number = os.environ.get("NODE") or os.environ.get("SLURM_ARRAY_TASK_ID")
    closed = Path(f"gate-{place}-{number}")
    if closed.exists():
        Path(f"{closed.name}.pid").write_text(str(os.getpid()))
    while closed.exists():
        time.sleep(0.05)


# The module is imported for the first unit of a worker.
gate("import")


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        gate("own")
        return nn.Dense(1)(jax.nn.relu(nn.Dense(WIDTH)(x)))
"""

STUDY = """
import relujax

shared = dict(data="wdbc", objective="binary_cross_entropy", epochs=EPOCHS)
study = relujax.Study(
    id="small",
    question="which?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(model="mlp(hidden=(4,))", activation="relu", **shared),
            relujax.Cell(model="own_nets:Net", activation="own", **shared),
            relujax.Cell(model="mlp(hidden=(4,))", activation="elu", **shared),
        ]
    },
    seeds={"quick": 6},
)
"""


# How far the networks of a worker are at each of their checkpoints.
CHECKPOINTS = """
from relujax.engine._checkpoints import Checkpoints

keep = Checkpoints.keep


def kept(self, members, reached):
    pairs = list(zip(members, reached))
    keep(self, *zip(*pairs))
    with Path("checkpoints.txt").open("a") as file:
        for member, checkpoint in pairs:
            print(member.cell.activation, member.seed, checkpoint.calls, file=file)
    gate("kept")


Checkpoints.keep = kept
"""


def write(folder: Path, *, epochs: int = 2, width: int = 4, more: str = "") -> Path:
    """Write the study and its module, and more of that, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    module = MODULE.replace("WIDTH", str(width))
    (folder / "own_nets.py").write_text(module + more)
    (folder / "small.py").write_text(STUDY.replace("EPOCHS", str(epochs)))
    return folder


def stored(runs: Path) -> dict[str, bytes]:
    """The tables of a folder of results by cell and name, as bytes."""
    found = {f"{p.parent.name}/{p.name}": p for p in runs.glob("small/*/*.parquet")}
    return {name: path.read_bytes() for name, path in sorted(found.items())}


def rows(cells, seeds, folder):
    """The stored rows of cells."""
    return collect(plan_tasks(cells, seeds, folder), seeds)


@contextmanager
def closed_gate(folder: Path, name: str) -> Iterator[Callable[[], int]]:
    """Close a gate in the folder of the study.

    Args:
      folder: the working directory of the workers.
      name: `PLACE-NUMBER`: where in the module, and of which node or task.

    Yields:
      The process that waits there; 0 as long as none does.
    """
    gate, pid = folder / f"gate-{name}", folder / f"gate-{name}.pid"
    pid.unlink(missing_ok=True)
    gate.touch()

    def held() -> int:
        return int(pid.read_text() or 0) if pid.exists() else 0

    try:
        yield held
    finally:
        gate.unlink()


def every_checkpoint(epochs: int) -> list[str]:
    """The lines of `checkpoints.txt`, if every epoch of every network is trained once.

    The first evaluation comes before training; after the last there is no checkpoint.
    """
    names = ("relu", "own", "elu")
    known = [(name, seed) for name in names for seed in range(6)]
    return [f"{n} {s} {calls}" for n, s in known for calls in range(1, epochs + 1)]


def is_alive(pid: int) -> bool:
    """Whether a process has not ended."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
