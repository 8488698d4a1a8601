"""Which plan is chosen, from what, and that it is remembered."""

import json
from dataclasses import replace

import jax
import pytest

from relujax import Cell, load_dataset
from relujax.engine import (
    Plan,
    Watcher,
    _auto,
    _measure,
    _runner,
    candidates,
    choose,
    plan_tasks,
    run_tasks,
)
from relujax.engine._auto import usual
from relujax.engine._measure import sample, seconds_per_step

CELL = Cell(
    data="wdbc",
    model="mlp(hidden=(4,))",
    activation="n_relu",
    objective="binary_cross_entropy",
    epochs=1,
)


@pytest.fixture
def wdbc():
    return load_dataset("wdbc")


@pytest.fixture(autouse=True)
def measured(monkeypatch, tmp_path):
    """A cache folder of its own; the plans that were measured, call by call."""
    calls = []

    def fake(cell, data, plans, networks):
        calls.append(list(plans))
        return {plan: 1.0 if plan.mapping == "map" else 0.5 for plan in plans}

    monkeypatch.setattr(_auto, "folder", lambda: tmp_path / "plans")
    monkeypatch.setattr(_auto, "seconds_per_step", fake)
    return calls


def test_little_work_is_not_measured(wdbc, measured):
    choice = choose(CELL, wdbc, 10)
    assert choice.plan == usual(CELL, wdbc)
    assert "too little to measure" in choice.why and measured == []


@pytest.mark.parametrize(
    ("model", "batch_size", "mapping"),
    [
        ("mlp(hidden=(16, 8))", 64, "vmap"),
        ("mlp(hidden=(16, 8))", 455, "map"),
        ("mlp(hidden=(64, 64))", 64, "map"),
        ("mlp(hidden=(512, 512))", 32, "map"),
    ],
)
def test_small_networks_are_side_by_side(wdbc, model, batch_size, mapping):
    cell = replace(CELL, model=model, batch_size=batch_size)
    assert usual(cell, wdbc) == Plan(mapping, devices=2)


def test_much_work_is_measured_once_and_remembered(wdbc, measured):
    long = replace(CELL, epochs=100_000)
    choice = choose(long, wdbc, 100)
    assert choice.plan.mapping == "vmap" and measured == [candidates()]
    assert "500 ms a seed-step" in choice.why and "measured in" in choice.why
    again = choose(long, wdbc, 100)
    assert again.plan == choice.plan and len(measured) == 1
    assert again.why.endswith("remembered") and "\n" not in again.why
    # Another number is the same program, another network is not.
    choose(replace(long, activation="n_relu(sigma=0.3)"), wdbc, 100)
    assert len(measured) == 1
    choose(replace(long, model="mlp(hidden=(5,))"), wdbc, 100)
    assert len(measured) == 2


@pytest.mark.parametrize("damage", ["garbage", "other devices", "nothing"])
def test_what_cannot_be_read_is_measured_again(wdbc, measured, tmp_path, damage):
    long = replace(CELL, epochs=100_000)
    choose(long, wdbc, 100)
    (path,) = (tmp_path / "plans").iterdir()
    plan = {"mapping": "map", "chunk": None, "devices": 10_000}
    content = {"garbage": "{", "other devices": json.dumps([[plan, 0.1]])}
    path.write_text(content.get(damage, "[]"))
    choose(long, wdbc, 100)
    assert len(measured) == 2


@pytest.mark.parametrize("change", ["cores", "flags"])
def test_another_machine_is_measured_again(wdbc, measured, monkeypatch, change):
    long = replace(CELL, epochs=100_000)
    choose(long, wdbc, 100)
    if change == "cores":
        monkeypatch.setattr(_auto, "cores", lambda: 10_000)
    else:
        monkeypatch.setenv("XLA_FLAGS", "--xla_something_else")
    choose(long, wdbc, 100)
    assert len(measured) == 2


def test_beside_others_nothing_is_measured(wdbc, measured):
    long = replace(CELL, epochs=100_000)
    choice = choose(long, wdbc, 100, alone=False)
    assert choice.plan == usual(CELL, wdbc) and "train meanwhile" in choice.why
    assert measured == []
    choose(long, wdbc, 100)
    assert choose(long, wdbc, 100, alone=False).plan.mapping == "vmap"


def test_where_no_plan_can_be_measured_the_usual_one_is_tried(wdbc, monkeypatch):
    monkeypatch.setattr(_auto, "seconds_per_step", lambda *_: {})
    choice = choose(replace(CELL, epochs=100_000), wdbc, 100)
    assert choice.plan == usual(CELL, wdbc)


def test_no_cache_folder_is_no_failure(wdbc, measured, tmp_path):
    (tmp_path / "plans").write_text("a file")
    assert choose(replace(CELL, epochs=100_000), wdbc, 100).plan.mapping == "vmap"


def test_the_usual_plan_wins_a_tie(wdbc):
    first = usual(CELL, wdbc)
    (other,) = (plan for plan in candidates() if plan != first)
    assert choose(CELL, wdbc, 1, timings={first: 1.0, other: 0.97}).plan == first
    assert choose(CELL, wdbc, 1, timings={first: 1.0, other: 0.9}).plan == other


def test_all_devices_are_used():
    assert {plan.devices for plan in candidates()} == {jax.local_device_count()} == {2}


def test_plans_are_measured(wdbc):
    plans = [Plan("map"), Plan("vmap", devices=2)]
    times = seconds_per_step(CELL, wdbc, plans, 3)
    assert list(times) == plans
    assert all(0 < seconds < 1 for seconds in times.values())


def test_a_plan_that_needs_too_much_is_left_out(wdbc, monkeypatch):
    class Stopwatch:
        seconds = 1.0

        def __init__(self, cell, part, plan, networks):
            self.plan = plan
            if plan.mapping == "vmap" and plan.devices == 1:
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: at the start")

        def turn(self):
            if self.plan.mapping == "vmap":
                raise MemoryError

    monkeypatch.setattr(_measure, "_Stopwatch", Stopwatch)
    plans = [Plan("vmap"), Plan("map"), Plan("vmap", devices=2)]
    assert seconds_per_step(CELL, wdbc, plans, 3) == {Plan("map"): 1.0}


def test_the_part_that_is_measured_has_a_few_batches(wdbc):
    part = sample(wdbc, 32)
    assert len(part.x_train) == 4 * 32
    share = len(part.x_test) / len(wdbc.x_test)
    assert share == pytest.approx(4 * 32 / len(wdbc.x_train), abs=0.01)
    assert len(sample(wdbc, 10_000).x_train) == len(wdbc.x_train)


def test_a_run_says_in_one_line_what_it_chose(tmp_path):
    said = []
    tasks = plan_tasks([CELL], [0], tmp_path / "runs")
    assert not run_tasks(tasks, workers=1, watcher=Watcher(plan=said.append))
    (line,) = said
    assert line.startswith("vmap on 2 cpu devices: the usual one")
    assert not run_tasks(tasks, workers=1, watcher=Watcher(plan=said.append))
    assert len(said) == 1  # Nothing was left to train.


def test_a_small_network_is_measured_too_on_one_device(tmp_path, measured, monkeypatch):
    """Nothing is said of workers: a single group has none beside it."""
    monkeypatch.setattr(jax, "local_device_count", lambda: 1)
    monkeypatch.setattr(_auto, "_WORTH_MEASURING", 0.0)
    said = []
    tasks = plan_tasks([CELL], [0], tmp_path / "runs")
    assert not run_tasks(tasks, watcher=Watcher(plan=said.append))
    assert measured == [[Plan("map"), Plan("vmap")]]
    assert len(said) == 1 and "measured in" in said[0]


def test_groups_side_by_side_say_their_plan_too(tmp_path, measured, monkeypatch):
    monkeypatch.setattr(jax, "local_device_count", lambda: 1)
    monkeypatch.setattr(_auto, "_WORTH_MEASURING", 0.0)
    monkeypatch.setattr(_runner, "cores", lambda: 2)
    said = []
    cells = [CELL, replace(CELL, activation="relu")]
    tasks = plan_tasks(cells, [0], tmp_path / "runs")
    assert not run_tasks(tasks, watcher=Watcher(plan=said.append))
    assert measured == []
    assert len(said) == 2 and all("train meanwhile" in line for line in said)
