"""The tutorial's experiment runs, on a few images and for an epoch each."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import relujax

FOLDER = Path(relujax.__file__).parents[1] / "experiments"


@pytest.fixture(scope="module")
def dead_units():
    spec = importlib.util.spec_from_file_location(
        "dead_units", FOLDER / "dead_units.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_runs(dead_units, monkeypatch):
    small = {"ILL": 1, "CURED": 1, "X": dead_units.X[:128], "Y": dead_units.Y[:128]}
    for name, value in small.items():
        monkeypatch.setattr(dead_units, name, value)
    curves = np.array(dead_units.histories(0))
    assert curves.shape == (3, 3, 2)  # arms, epochs, (stuck, accuracy)
    assert np.all((curves >= 0) & (curves <= 1))
    np.testing.assert_array_equal(curves[0, :2], curves[2, :2])
    values = 100 * curves[None]
    text = dead_units.page(values)
    assert text.count("\n|") == 2 + 2 + len(dead_units.ARMS)
    assert len(dead_units.draw(values).axes) == 2
