"""Everything of a user's own, through every door, as a user runs it.

`RELUJAX_PYTHON` names another interpreter, with relujax installed from a wheel, and
`RELUJAX_DOOR_SEEDS` is how many seeds the script trains: see `tests/doors/from_wheel`.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from .cohort import write

# Processes that train: minutes.
pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PYTHON = os.environ.get("RELUJAX_PYTHON", sys.executable)
#: Seeds of the first night; the second night has twice as many.
SEEDS = int(os.environ.get("RELUJAX_DOOR_SEEDS", "2"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Compiled programs that the processes of these tests share."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def user(tmp_path, cache):
    """A user's folder, and how to run something in it."""
    shutil.copytree(HERE / "user", tmp_path, dirs_exist_ok=True)
    write(tmp_path / "cohort.csv")
    return User(tmp_path, cache)


class User:
    """Runs scripts and commands in a folder."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        paths = [] if "RELUJAX_PYTHON" in os.environ else [str(HERE.parents[1])]
        self.env = {
            **os.environ,
            "HOME": str(folder / "home"),
            "PYTHONPATH": os.pathsep.join([str(folder), *paths]),
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }

    def start(self, *words) -> subprocess.Popen:
        """Start Python with arguments."""
        command = [PYTHON, *map(str, words)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *words, code: int = 0) -> str:
        """Run Python with arguments; what it printed."""
        process = self.start(*words)
        output, _ = process.communicate(timeout=600)
        assert process.returncode == code, output
        return output

    def command(self, *words, code: int = 0) -> str:
        """Run the `relujax` command."""
        return self.run("-m", "relujax", *words, code=code)

    def kill_after(self, files: int, pattern: str, *words) -> None:
        """Kill a process with -9 once so many files match."""
        process = self.start(*words)
        deadline = time.monotonic() + 500
        while True:
            # In this order: one that has ended has left all its files.
            ended = process.poll() is not None
            if len(list(self.folder.glob(pattern))) >= files:
                break
            assert not ended, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def rows(self, run: str) -> pd.DataFrame:
        """The stored rows of a run."""
        paths = sorted((self.folder / run).glob("*/seeds-*.parquet"))
        frames = [pd.read_parquet(path).assign(cell=path.parent.name) for path in paths]
        return pd.concat(frames, ignore_index=True)


def networks(rows: pd.DataFrame) -> Counter:
    """How often each network is stored."""
    once = rows[(rows["epoch"] == 1) & (rows["split"] == "test")]
    return Counter(zip(once["cell"], once["seed"], strict=True))


def sorted_rows(rows: pd.DataFrame) -> pd.DataFrame:
    keys = ["cell", "seed", "epoch", "split"]
    return rows.sort_values(keys, ignore_index=True)


def test_tonight_tomorrow_and_a_kill_between(user):
    """Own net, table, optimiser, activation; focal loss, AUROC, early stopping."""
    lines = (user.folder / "tonight.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 25
    user.kill_after(1, "runs/cohort/*/seeds-*.parquet", "tonight.py", SEEDS)
    said = user.run("tonight.py", SEEDS)
    assert "AUROC" in said or "auroc" in said
    tonight = user.rows("runs/cohort")
    assert (
        set(networks(tonight).values()) == {1} and len(networks(tonight)) == 3 * SEEDS
    )
    user.run("tonight.py", 2 * SEEDS)
    both = user.rows("runs/cohort")
    assert set(networks(both).values()) == {1} and len(networks(both)) == 6 * SEEDS
    page = (user.folder / "report/report.html").read_text()
    for word in ("cohort.csv", "healthy", "auroc", "tonight.py"):
        assert word in page, word
    assert (user.folder / "report/results.parquet").is_file()
    # The numbers are those of a run that nobody interrupted.
    shutil.move(user.folder / "runs", user.folder / "interrupted")
    user.run("tonight.py", 2 * SEEDS)
    whole = sorted_rows(user.rows("runs/cohort"))
    same = {"check_like": True, "check_exact": True}
    pd.testing.assert_frame_equal(whole, sorted_rows(both), **same)
    # Training ended early for some, and the epoch was chosen on the validation part.
    last = whole.groupby(["cell", "seed"])["epoch"].max()
    assert last.max() <= 12 and whole["best_epoch"].notna().all()
    assert {"train", "test", "validation"} == set(whole["split"])


def test_a_changed_model_is_refused_and_nothing_old_is_shown(user):
    user.command("run", "study.py", "--seeds", 1)
    nets = user.folder / "mypackage/nets.py"
    nets.write_text(nets.read_text().replace("width: int = 8", "width: int = 12", 1))
    before = user.rows("runs/cohort")
    said = user.command("run", "study.py", "--seeds", 1, code=2)
    assert "has changed" in said and "--stale" in said
    assert "nothing to train" not in said and "Report:" not in said
    user.command("run", "study.py", "--seeds", 1, "--stale", "rerun")
    after = user.rows("runs/cohort")
    assert len(after) == len(before)
    assert not sorted_rows(after)["loss"].equals(sorted_rows(before)["loss"])


@pytest.mark.parametrize("profile", ["quick", "nnx", "equinox"])
def test_the_same_as_a_study_file_in_every_framework(user, profile):
    said = user.command("run", "study.py", "--profile", profile)
    assert "Report:" in said
    rows = user.rows("runs/cohort")
    assert len(networks(rows)) == (6 if profile == "quick" else 4)
    assert rows["auroc"].between(0, 1).all()
    assert rows["mypackage.losses:mean_margin"].notna().all()
    assert rows["loss"].notna().all() and not rows["diverged"].any()
    page = (user.folder / f"runs/cohort/report/{profile}/report.html").read_text()
    assert "elu-better" in page
    assert "nothing to train" in user.command("run", "study.py", "--profile", profile)


def test_the_same_through_the_command_compare(user):
    words = (
        *("compare", "mypackage.nets:ResNet(width=4)"),
        *("--data", "csv(path='cohort.csv', target='outcome', missing='mean')"),
        *("--activations", "elu,n_relu(sigma=0.1)", "--seeds", 2, "--epochs", 2),
        *("--metrics", "auroc", "--keep", "last"),
    )
    said = user.command(*words)
    assert "own" in said and "Report: runs/compare/report.html" in said
    rows = user.rows("runs/compare")
    assert set(networks(rows).values()) == {1} and len(networks(rows)) == 6
    user.command(*words)
    pd.testing.assert_frame_equal(rows, user.rows("runs/compare"))
    kept = list((user.folder / "runs/compare").glob("*/weights-*.safetensors"))
    assert len(kept) == 6
    said = user.command("diagnose", "runs/compare", "--activation", "elu", "--seed", 1)
    assert "units" in said


def test_an_ordinary_loop_is_killed_and_resumed(user):
    user.kill_after(3, "runs/loop/*/seeds-*.parquet", "loop.py", 0.1)
    user.run("loop.py", 0)
    calls = Counter((user.folder / "calls.txt").read_text().splitlines())
    assert len(calls) == 18
    # A pair that was killed between its last row and the disk runs again.
    assert sum(calls.values()) <= 19
    assert len(user.rows("runs/loop")) == 18 * 5
    assert "nothing" not in user.run("loop.py", 0)
    assert Counter((user.folder / "calls.txt").read_text().splitlines()) == calls


def test_agents_are_mapped_killed_and_resumed_bit_for_bit(user):
    user.kill_after(2, "half/*/seeds-*.parquet", "agents.py", 5, "half")
    user.run("agents.py", 5, "half")
    said = user.run("agents.py", 5, "whole")
    half, whole = (sorted_rows(user.rows(run)) for run in ("half", "whole"))
    pd.testing.assert_frame_equal(half, whole, check_exact=True)
    assert len(networks(whole)) == 32
    scores = [float(score) for score in re.findall(r": ([\d.]+)", said)]
    # The shortest way from the left end is worth 0.9^4.
    assert scores and all(0.5 < score < 0.66 for score in scores)
