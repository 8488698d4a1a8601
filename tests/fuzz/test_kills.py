"""A run that is killed again and again loses nothing and stores nothing twice.

RELUJAX_KILLS=N sets how often it is killed.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

KILLS = int(os.environ.get("RELUJAX_KILLS", "5"))
STUDY = """import relujax

study = relujax.Study(
    id="tiny",
    paper=relujax.Paper(title="Tiny", authors="Nobody"),
    question="does it survive?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(
                data="wdbc",
                model="mlp(hidden=(4,))",
                activation=activation,
                objective="binary_cross_entropy",
                epochs=2,
            )
            for activation in ("relu", "n_relu")
        ]
    },
    seeds={"quick": 6},
)
"""


@pytest.fixture
def environment(tmp_path):
    """Every process shares the compiled programs of this test."""
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return {**os.environ, **cache}


def start(folder: Path, out: str, environment: dict[str, str]) -> subprocess.Popen:
    """The command, storing after each network."""
    words = ["run", "tiny.py", "--out", out, "--plan", "map", "--chunk", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "relujax", *words, "--devices", "1"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def networks(out: Path) -> int:
    return len(list(out.glob("tiny/*/seeds-*.parquet")))


def rows(out: Path) -> pd.DataFrame:
    """All stored numbers, in one order."""
    paths = sorted(out.glob("tiny/*/seeds-*.parquet"))
    frames = [pd.read_parquet(path).assign(cell=path.parent.name) for path in paths]
    keys = ["cell", "seed", "epoch", "split"]
    return pd.concat(frames).sort_values(keys, ignore_index=True)


@pytest.mark.slow
def test_kills_lose_nothing_and_store_nothing_twice(tmp_path, environment):
    (tmp_path / "tiny.py").write_text(STUDY)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for out in ("first", "whole"):  # The first one compiles.
        begun = time.monotonic()
        process = start(tmp_path, out, environment)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        seconds = time.monotonic() - begun

    rng, counts = random.Random(0), [0]
    for _ in range(KILLS):
        process = start(tmp_path, "killed", environment)
        # Half of the kills fall while networks are trained and stored.
        early = rng.random() < 0.5
        time.sleep(rng.uniform(0, seconds / 2) if early else 0)
        while not early and process.poll() is None and networks(killed) == counts[-1]:
            time.sleep(0.01)
        time.sleep(0 if early else rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        counts.append(networks(killed))
    assert counts == sorted(counts)

    process = start(tmp_path, "killed", environment)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    found, wanted = rows(killed), rows(whole)
    assert not found.duplicated(["cell", "seed", "epoch", "split"]).any()
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    assert networks(killed) == networks(whole) == 12
    assert not list(killed.rglob("*.corrupt"))
    # A kill may leave a temporary file; once it is old, the next run removes it.
    for left in killed.rglob("*.tmp"):
        os.utime(left, (0, 0))
    process = start(tmp_path, "killed", environment)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert not list(killed.rglob("*.tmp*"))
