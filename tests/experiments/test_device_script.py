"""The script for an accelerator, in small."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "experiments/speed/device.py"


@pytest.mark.slow
def test_what_is_known_is_kept_and_not_measured_again(tmp_path):
    def run(*items):
        words = [sys.executable, SCRIPT, "--small", "--out", tmp_path, *items]
        done = subprocess.run(words, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        rows = next(tmp_path.glob("*-small.jsonl")).read_text().splitlines()
        return [json.loads(row) for row in rows]

    first = run("peak", "precision")
    assert [row["item"] for row in first] == ["peak", "precision"]
    assert all(row["found"] for row in first)
    again = run("peak", "precision", "narrow")
    assert again[:2] == first and again[2]["found"]["seconds"] > 0
