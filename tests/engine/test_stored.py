"""Results that version 0.1.0 stored (`stored/`) load, and are extended."""

import shutil
from pathlib import Path

import numpy as np

import relujax
from relujax.engine import Plan, Store

HERE = Path(__file__).parent / "stored"
CELL = relujax.Cell(
    data="wdbc",
    model="mlp(hidden=(4,))",
    activation="n_relu",
    objective="binary_cross_entropy",
    epochs=1,
    optimizer="adam(learning_rate=0.01)",
)
# Of seeds 0 and 1, at the end, on the test split: as they were printed then.
LOSSES = [0.744552, 0.332312]


def at_the_end(frame):
    last = frame[(frame["epoch"] == 1) & (frame["split"] == "test")]
    return last.sort_values("seed")["loss"].to_numpy()


def test_stored_rows_are_read():
    (folder,) = HERE.iterdir()
    np.testing.assert_allclose(at_the_end(Store(folder).load()), LOSSES, atol=1e-6)


def test_a_cell_of_then_is_a_cell_of_now_and_is_extended(tmp_path):
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    (folder,) = tmp_path.iterdir()
    before = Store(folder).load()
    axes = {"activation.sigma": [0.1]}
    found = relujax.sweep(CELL, 3, axes, plan=Plan("map"), out=tmp_path)
    assert len(list(folder.glob("seeds-*.parquet"))) == 2
    losses = at_the_end(found.frame)
    assert len(losses) == 3
    np.testing.assert_array_equal(losses[:2], at_the_end(before))
    # The same network, trained now: the numbers of then, to rounding.
    again = relujax.sweep(CELL, 2, axes, plan=Plan("map"), out=tmp_path / "again")
    np.testing.assert_allclose(at_the_end(again.frame), LOSSES, rtol=1e-4)
