"""Two processes and one store: in containers, and where no lock and no link works."""

import os
import shutil
import subprocess
import sys
import textwrap

import pandas as pd
import pytest

from relujax.engine import Store

TIMES = 300

TABLE = """
import os, sys
from pathlib import Path
import pandas as pd
from relujax.engine import Store, provenance

RECORD = {"wall_seconds": 1.5, "plan": {}, "fingerprint": "f00d", **provenance()}

def table(*seeds):
    rows = [
        {"seed": seed, "epoch": epoch, "split": "test", "loss": seed + epoch / 7}
        for seed in seeds
        for epoch in range(3)
    ]
    return pd.DataFrame(rows)
"""

# Both write the same names; in between each has the cell for a moment.
WRITER = f"""{TABLE}
assert os.getpid() == 1
store = Store(Path(sys.argv[1]))
here = store.folder.parent / "in-use"
for i in range({TIMES}):
    store.describe({{"cell": {{}}}})
    store.add(table(0, 1), RECORD)
    store.put_weights(0, b"weights")
    if i % 10 == 0:
        claim = store.claim(wait=True, say=lambda text: None)
        here.open("x").close()
        here.unlink()
        claim.release()
    assert store.seeds() == {{0, 1}}
"""

CELL = """
from pathlib import Path
from relujax.engine import Cell, Plan, plan_tasks, run_tasks

def tasks(folder):
    cell = Cell(
        data="wdbc",
        model="mlp(hidden=(4,))",
        activation="relu",
        objective="binary_cross_entropy",
        epochs=2,
    )
    return plan_tasks([cell], range(6), Path(folder))

def run(folder):
    assert run_tasks(tasks(folder), plan=Plan("map", chunk=1)) == []
"""

# As on a network file system of the worse kind.
LOCKLESS = f"""
import errno, fcntl, os, sys
for name in ("flock", "lockf", "fcntl"):
    setattr(fcntl, name, lambda *args: 0)
def link(*args, **kwargs):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))
os.link = link
{CELL}
run(sys.argv[1])
"""


def namespaces() -> bool:
    """Whether a process can be the first of its own here."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(command, capture_output=True).returncode == 0


def both(tmp_path, text: str, *before: str) -> Store:
    """Run a script twice at the same time on one cell's folder."""
    script = tmp_path / "script.py"
    script.write_text(text)
    place = tmp_path / "study"
    place.mkdir()
    folder = str(place / "cell" if before else place)
    running = [
        subprocess.Popen(
            [*before, sys.executable, str(script), folder],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    for process in running:
        said, _ = process.communicate(timeout=1200)
        assert process.returncode == 0, said
    return Store(place / "cell")


@pytest.mark.slow
@pytest.mark.skipif(not namespaces(), reason="needs root and namespaces of processes")
def test_two_containers_write_one_store(tmp_path):
    store = both(tmp_path, WRITER, "unshare", "--pid", "--fork", "--mount-proc")
    assert len(store.load()) == 6 and not store.contents().damaged
    assert len(store.records()) == 1 and store.weights(0) == b"weights"
    assert store.description() == {"cell": {}}
    # Nothing temporary, nothing set aside.
    names = {path.name.partition("-")[0] for path in store.folder.iterdir()}
    assert names == {"cell.json", "seeds", "weights"}


@pytest.mark.slow
def test_without_locks_and_links_two_runs_leave_one_table(tmp_path):
    both(tmp_path, LOCKLESS)
    scope: dict = {}
    exec(textwrap.dedent(CELL), scope)
    (mine,) = scope["tasks"](tmp_path / "study")
    assert mine.missing == () and not mine.store.contents().damaged
    found = mine.store.load()
    assert found.groupby(["seed", "epoch", "split"]).size().eq(1).all()
    scope["run"](tmp_path / "alone")
    (alone,) = scope["tasks"](tmp_path / "alone")
    pd.testing.assert_frame_equal(found, alone.store.load(), check_exact=True)
