"""Every activation of the registry trains in the engine, in one small network."""

import numpy as np
import pytest
from full import slow

import relujax
from relujax import Cell, load_dataset
from relujax.engine import Member, Plan, train_population

# Of the kinds that train in no other quick test: learned by four numbers, of twice
# the width.
KINDS = ("srelu_sshaped", "crelu")
REST = [name for name in relujax.names(gated=True) if name not in KINDS]


@pytest.mark.parametrize("activation", [*KINDS, *slow(*REST)])
def test_one_epoch(activation):
    cell = Cell(
        data="wdbc",
        model="mlp(hidden=(4, 6))",
        activation=activation,
        objective="binary_cross_entropy",
        batch_size=455,
        epochs=1,
    )
    data = load_dataset("wdbc")
    ((_, frame),) = train_population([Member(cell, 0)], data, root=0, plan=Plan("map"))
    train = frame.query("split == 'train'")["loss"]
    assert np.isfinite(frame["loss"]).all() and train.iloc[1] != train.iloc[0]
    assert frame["dead"].map(len).eq(2).all()
