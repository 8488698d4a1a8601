"""How a population is cut into calls, within the memory."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from flax import linen as nn
from full import slow

from relujax import Cell, InputError, load_dataset, named
from relujax.engine import Plan, _plan, as_plan
from relujax.engine._cost import Cost
from relujax.engine._network import Members
from relujax.engine._program import compile_program

SMALL = Cost(state=600, running=400, seconds=1.0)


@pytest.fixture
def memory(monkeypatch):
    """10,000 bytes for a chunk, whatever there is."""
    monkeypatch.setattr(_plan, "_memory", lambda: 10_000)
    monkeypatch.setattr(_plan, "_whole_memory", lambda: 40_000)


@pytest.mark.parametrize(
    ("plan", "members", "expected"),
    [
        (Plan("vmap"), 5, (5, 5)),  # All of them fit.
        (Plan("vmap"), 100, (10, 10)),  # Ten of 1,000 bytes fit.
        (Plan("vmap", devices=2), 100, (10, 20)),  # Ten on each device.
        (Plan("vmap", devices=2), 5, (3, 5)),
        (Plan("vmap", chunk=4), 100, (4, 4)),
        (Plan("vmap", chunk=40), 20, (20, 20)),  # What the user says is trusted.
        (Plan("vmap", chunk=40), 41, (21, 21)),  # No call with 39 rows of padding.
        (Plan("map"), 100, (16, 16)),
        (Plan("map", devices=2), 100, (16, 32)),
        (Plan("map", chunk=3), 100, (3, 3)),  # And memory of no more.
        (Plan("map", chunk=40), 20, (40, 40)),
        (Plan("map", chunk=3, devices=2), 100, (2, 3)),
    ],
    ids=str,
)
def test_a_chunk_is_what_the_memory_holds(memory, plan, members, expected):
    assert plan.sizes(members, SMALL) == expected


def test_a_network_larger_than_its_share_of_the_memory_is_tried_alone(memory):
    large = SMALL._replace(state=100_000)
    assert Plan("vmap").sizes(9, large) == (1, 1)
    assert Plan("map").sizes(9, large) == (1, 1)


@pytest.mark.parametrize("mapping", ["vmap", "map"])
def test_a_network_that_no_memory_holds_is_refused(memory, mapping):
    large = SMALL._replace(state=200_000)
    with pytest.raises(InputError, match=r"fit into 4e-05 GB .* take 6.67e-05 GB"):
        Plan(mapping).sizes(9, large)


def test_rows_are_what_the_memory_holds_under_map_too(memory):
    assert Plan("map").sizes(9, SMALL._replace(state=3_000)) == (3, 3)
    assert Plan("map", devices=2).sizes(9, SMALL._replace(state=3_000)) == (3, 6)


def test_those_who_share_the_memory_get_a_part_of_it(memory, monkeypatch):
    assert Plan("vmap").sizes(100, SMALL, sharers=2) == (5, 5)
    monkeypatch.undo()
    monkeypatch.setattr(_plan, "memory", lambda: 8_000)
    assert jax.local_device_count() == 2
    assert _plan._memory() == 2_000


def test_a_long_training_is_stored_in_small_chunks():
    """A kill after 20 minutes loses a few minutes, not everything."""
    cost = Cost(state=1, running=1, seconds=200.0)
    assert Plan("map").sizes(100, cost) == (16, 3)
    assert Plan("map").sizes(100, cost._replace(seconds=1e6)) == (16, 1)
    # Fewer than 16 would be no `vmap`.
    assert Plan("vmap").sizes(1_000, cost) == (16, 16)
    assert Plan("vmap").sizes(1_000, cost._replace(seconds=2.0)) == (250, 250)


@pytest.mark.parametrize("members", range(1, 8))
@pytest.mark.parametrize("devices", [1, 2])
def test_members_are_spread_evenly_and_keep_their_rows(members, devices):
    counts, places = Plan("map", devices=devices).places(members, 8)
    assert counts.sum() == members and np.ptp(counts) <= 1
    assert len(set(places)) == members
    assert (np.bincount(places // 8, minlength=devices) == counts).all()


class PerToken(nn.Module):
    """Dense layers along an axis of tokens, as someone else writes them."""

    @nn.compact
    def __call__(self, x):
        x = x.reshape(len(x), -1, 4)
        for _ in range(3):
            x = nn.relu(nn.Dense(32)(x))
        return nn.Dense(10)(x.mean(axis=1))


def a_cell(model: str):
    settings = {"batch_size": 128, "epochs": 1}
    if model == "own":
        return Cell(
            data="digits",
            model=named("net", PerToken()),
            activation="own",
            optimizer="adam",
            objective="softmax_cross_entropy",
            **settings,
        )
    if model.startswith("deep"):
        settings |= {"objective": "mse"}
        data = "synthetic(curve='quadratic', n=500, d=2)"
    else:
        data = "digits"
    return Cell(data=data, model=model, activation="relu", **settings)


@pytest.mark.parametrize(
    "model",
    [
        "mlp(hidden=(64, 64))",
        *slow(
            "cnn(filters=(4,), hidden=(16,))",
            "deep_mlp(depth=3.0, capacity=30)",
            "own",
        ),
    ],
)
def test_the_estimate_bounds_what_a_network_needs(model):
    """XLA's own account of one network more, on the program that trains."""
    cell, plan = a_cell(model), Plan("vmap")
    data = load_dataset(getattr(cell, "data", "digits"))
    program = compile_program(cell, data, root=0, plan=plan)
    estimate = program.cost.state + program.cost.running

    def needed(rows):
        from relujax.engine import _network

        numbers = jax.tree.map(lambda v: np.full(rows, v, "f"), cell.hyperparameters)
        members = Members(np.zeros(rows, np.int32), numbers)
        counts = np.full(1, rows, np.int32)
        states = jax.eval_shape(program.start, counts, members)
        shared = (_network.splits(data), np.ones(1, np.int32))
        compiled = program.advance.lower(counts, states, members, shared).compile()
        account = compiled.memory_analysis()
        return account.temp_size_in_bytes + account.output_size_in_bytes

    one_more = (needed(6) - needed(2)) / 4
    assert one_more <= estimate
    assert estimate < 20 * one_more  # And is no wild guess.


def test_a_row_of_a_map_is_a_state():
    cell, plan = a_cell("mlp(hidden=(64, 64))"), Plan("map")
    data = load_dataset(cell.data)
    program = compile_program(cell, data, root=0, plan=plan)
    grown = replace(cell, model="mlp(hidden=(640, 640))")
    larger = compile_program(grown, data, root=0, plan=plan)
    weights = 64 * 640 + 640 * 640 + 640 * 10
    assert larger.cost.state > 4 * 4 * 3 * weights  # Adam has two more of each.
    assert larger.cost.state > 10 * program.cost.state


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mapping": "pmap"}, "'vmap' or 'map'"),
        ({"chunk": 0}, "chunk of at least 1"),
        ({"chunk": "a"}, "chunk of at least 1"),
        ({"chunk": 2.5}, "chunk of at least 1"),
        ({"chunk": True}, "chunk of at least 1"),
        ({"devices": 0}, "1 to 2 devices"),
        ({"devices": 3}, "1 to 2 devices"),
        ({"devices": 1.0}, "1 to 2 devices"),
        ({"devices": "all"}, "1 to 2 devices"),
    ],
    ids=str,
)
def test_bad_plans_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Plan(**{"mapping": "vmap", **settings})


def test_plans_by_name():
    assert as_plan(None) is None and as_plan("auto") is None
    assert as_plan("map") == Plan("map", devices=2)
    assert as_plan("vmap", chunk=3, devices=1) == Plan("vmap", 3, 1)
    assert as_plan(Plan("map", chunk=1)) == Plan("map", chunk=1)
    for bad in ("fast", 3, ["map"], True):
        with pytest.raises(InputError, match="'auto', 'vmap', 'map'"):
            as_plan(bad)
    with pytest.raises(InputError, match="'auto', which chooses"):
        as_plan("auto", chunk=3)
