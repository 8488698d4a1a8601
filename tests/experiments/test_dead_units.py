"""The tutorial's experiment runs, on a few images and for an epoch each."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scripts import load_script

import relujax

FOLDER = Path(relujax.__file__).parents[1] / "experiments"


@pytest.fixture(scope="module")
def dead_units():
    return load_script(FOLDER / "dead_units.py")


def test_it_runs(dead_units, monkeypatch):
    digits = sys.modules[dead_units.train.__module__]
    small = {"X": digits.X[:128], "Y": digits.Y[:128]}
    for name, value in small.items():
        monkeypatch.setattr(digits, name, value)
    for name in ("ILL", "CURED"):
        monkeypatch.setattr(dead_units, name, 1)
    curves = np.array(dead_units.histories(0))
    assert curves.shape == (3, 3, 2)  # arms, epochs, (stuck, accuracy)
    assert np.all((curves >= 0) & (curves <= 1))
    np.testing.assert_array_equal(curves[0, :2], curves[2, :2])
    values = 100 * curves[None]
    text = dead_units.page(values)
    assert text.count("\n|") == 2 + 2 + len(dead_units.ARMS)
    assert len(dead_units.draw(values).axes) == 2
