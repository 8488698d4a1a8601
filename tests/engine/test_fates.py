"""Births and revivals of dead units: planted by a network that dies on a timetable."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from full import slow

from relujax import load_dataset, named
from relujax.engine import Cell, Member, Plan, train_population
from relujax.networks import Model

# One row per epoch, from 0: which of the four units of the first layer are dead.
DEAD = np.array(
    [
        [0, 0, 0, 1],
        [0, 1, 0, 1],
        [1, 1, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 1, 1],
        [0, 0, 0, 0],
    ],
    bool,
)
EXPECTED = {
    "dead": [1, 2, 2, 1, 4, 0],
    "births": [1, 1, 1, 0, 3, 0],
    "revivals": [0, 0, 1, 1, 0, 4],
    "ever_dead": [1, 2, 3, 3, 4, 4],
}


def on_a_timetable() -> Model:
    """Every update moves one epoch on; the second layer has two units, never dead."""

    def init(key, x):
        del key, x
        return {"w": jnp.zeros(())}, {"epoch": jnp.int32(0)}

    def apply(params, state, x, *, rngs=None, train=False):
        del rngs
        signs = jnp.where(jnp.asarray(DEAD)[state["epoch"]], -1.0, 1.0)
        # One example of a batch decides.
        first = jnp.where(jnp.arange(len(x))[:, None] == len(x) - 1, signs[None], -1.0)
        logits = jnp.zeros((len(x), 1)) + params["w"]
        state = {"epoch": state["epoch"] + train}
        return logits, state, (first, jnp.ones((len(x), 2)))

    return Model(init, apply)


@pytest.mark.parametrize("mapping", ["map", *slow("vmap")])
def test_births_and_revivals_are_counted_exactly(mapping):
    data = load_dataset("wdbc")
    cell = Cell(
        data="wdbc",
        model=named("net", on_a_timetable()),
        activation="own",
        optimizer="sgd",
        objective="binary_cross_entropy",
        batch_size=len(data.x_train),
        epochs=len(DEAD) - 1,
    )
    members = [Member(cell, seed) for seed in (0, 7)]
    chunks = train_population(members, data, root=0, plan=Plan(mapping))
    frame = pd.concat([frame for _, frame in chunks])
    for _, rows in frame.groupby(["seed", "split"]):
        rows = rows.sort_values("epoch")
        for name, counts in EXPECTED.items():
            got = np.stack(rows[name])
            np.testing.assert_array_equal(got[:, 0], np.array(counts) / 4, name)
            np.testing.assert_array_equal(got[:, 1], 0, name)


def test_dead_changes_by_births_minus_revivals():
    data = load_dataset("wdbc")
    cell = Cell(
        data="wdbc",
        model="mlp(hidden=(16, 8))",
        activation="relu",
        optimizer="sgd(learning_rate=3.0)",
        objective="binary_cross_entropy",
        epochs=6,
    )
    ((_, frame),) = train_population([Member(cell, 0)], data, root=0, plan=Plan("map"))
    rows = frame.query("split == 'train'").sort_values("epoch")
    dead, births, revivals, ever = (np.stack(rows[name]) for name in EXPECTED)
    np.testing.assert_allclose(births[0], dead[0])
    np.testing.assert_allclose(
        np.diff(dead, axis=0), (births - revivals)[1:], atol=1e-6
    )
    assert births[1:].any()
    assert (np.diff(ever, axis=0) >= 0).all() and (ever >= dead).all()
