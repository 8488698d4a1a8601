"""How a population is cut into calls, within the memory."""

import jax
import numpy as np
import pytest

from relujax import Cell, InputError, load_dataset
from relujax.engine import Plan, _plan
from relujax.engine._program import Members, compile_program


@pytest.fixture
def memory(monkeypatch):
    """10,000 bytes, whatever there is."""
    monkeypatch.setattr(_plan, "_memory", lambda: 10_000)


@pytest.mark.parametrize(
    ("plan", "members", "expected"),
    [
        (Plan("vmap"), 5, (5, 5)),  # All of them fit.
        (Plan("vmap"), 100, (10, 10)),  # Ten of 1,000 bytes fit.
        (Plan("vmap", devices=2), 100, (10, 20)),  # Ten on each device.
        (Plan("vmap", devices=2), 5, (3, 5)),
        (Plan("vmap", chunk=4), 100, (4, 4)),
        (Plan("vmap", chunk=40), 20, (20, 20)),  # What the user says is trusted.
        (Plan("map"), 100, (16, 16)),  # One after the other: memory of one.
        (Plan("map", chunk=3), 100, (16, 3)),
    ],
    ids=str,
)
def test_a_chunk_is_what_the_memory_holds(memory, plan, members, expected):
    assert plan.sizes(members, member_bytes=1_000) == expected


def test_a_network_larger_than_the_memory_is_tried_alone(memory):
    assert Plan("vmap").sizes(9, member_bytes=10**9) == (1, 1)


@pytest.mark.parametrize("members", range(1, 8))
@pytest.mark.parametrize("devices", [1, 2])
def test_members_are_spread_evenly_and_keep_their_rows(members, devices):
    counts, places = Plan("map", devices=devices).places(members, 8)
    assert counts.sum() == members and np.ptp(counts) <= 1
    assert len(set(places)) == members
    assert (np.bincount(places // 8, minlength=devices) == counts).all()


@pytest.mark.parametrize(
    "model",
    ["mlp(hidden=(64, 64))", "cnn(filters=(4,), hidden=(16,))"],
)
def test_the_estimate_bounds_what_a_network_needs(model):
    """XLA's own account of one network more, on the program that trains."""
    cell = Cell(data="digits", model=model, activation="relu", epochs=1)
    data, plan = load_dataset("digits"), Plan("vmap")
    program = compile_program(cell, data, root=0, plan=plan)

    def needed(rows):
        from relujax.engine import _program

        numbers = jax.tree.map(lambda v: np.full(rows, v, "f"), cell.hyperparameters)
        members = Members(np.zeros(rows, np.int32), numbers)
        counts = np.full(1, rows, np.int32)
        states = jax.eval_shape(program.start, counts, members)
        shared = (_program._splits(data), np.ones(1, np.int32))
        compiled = program.advance.lower(counts, states, members, shared).compile()
        account = compiled.memory_analysis()
        return account.temp_size_in_bytes + account.output_size_in_bytes

    one_more = (needed(6) - needed(2)) / 4
    assert one_more <= program.member_bytes
    assert program.member_bytes < 20 * one_more  # And is no wild guess.


def test_a_chunk_is_at_least_one():
    with pytest.raises(InputError, match="at least 1"):
        Plan("vmap", chunk=0)
