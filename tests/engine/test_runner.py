"""Durability: resume, extend, corrupted files."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from relujax import InputError
from relujax.engine import (
    Cell,
    Plan,
    Store,
    _runner,
    collect,
    history,
    plan_tasks,
    run_tasks,
)

CELLS = [
    Cell(
        data="wdbc",
        model="mlp(hidden=(4,))",
        activation=activation,
        objective="binary_cross_entropy",
        epochs=1,
    )
    for activation in ("relu", "n_relu")
]


def run(folder, seeds):
    """Run what is missing; returns the table and how many seeds were trained.

    Under `map`: bit for bit the same in any company, on every processor.
    """
    tasks = plan_tasks(CELLS, seeds, folder)
    trained = sum(len(task.missing) for task in tasks)
    for failure in run_tasks(tasks, plan=Plan("map", devices=2)):
        raise failure.error
    return collect(tasks, seeds), trained


def test_a_finished_cell_never_runs_again(tmp_path):
    first, trained = run(tmp_path, range(3))
    assert trained == 6
    again, trained = run(tmp_path, range(3))
    assert trained == 0
    pd.testing.assert_frame_equal(first, again)


def test_more_seeds_recompute_nothing_and_change_nothing(tmp_path):
    few, _ = run(tmp_path / "a", range(2))
    more, trained = run(tmp_path / "a", range(5))
    assert trained == 6
    whole, _ = run(tmp_path / "b", range(5))
    pd.testing.assert_frame_equal(more, whole, check_exact=True)
    pd.testing.assert_frame_equal(
        more[more["seed"] < 2].reset_index(drop=True), few, check_exact=True
    )


def test_any_list_of_seeds(tmp_path):
    frame, trained = run(tmp_path, [7, 3])
    assert trained == 4
    assert sorted(frame["seed"].unique()) == [3, 7]


def test_every_row_names_its_cell(tmp_path):
    frame, _ = run(tmp_path, [0])
    assert set(frame["activation"]) == {"relu", "n_relu"}
    assert len(frame) == 2 * 2 * 2  # cells × epochs 0 and 1 × splits
    assert frame.groupby(["cell", "seed", "epoch", "split"]).size().eq(1).all()


@pytest.mark.parametrize("damage", ["truncate", "garbage", "empty"])
def test_a_damaged_file_is_set_aside_and_recomputed(tmp_path, damage):
    whole, _ = run(tmp_path, range(2))
    path = next(tmp_path.glob("*/seeds-*.parquet"))
    content = path.read_bytes()
    path.write_bytes(
        {"truncate": content[: len(content) // 2], "garbage": b"x" * 99, "empty": b""}[
            damage
        ]
    )
    with pytest.warns(UserWarning, match="set aside"):
        repaired, trained = run(tmp_path, range(2))
    assert trained == 2
    assert len(list(tmp_path.glob("*/*.corrupt"))) == 1
    pd.testing.assert_frame_equal(whole, repaired)


def test_a_damaged_record_does_not_block_a_finished_study(tmp_path):
    whole, _ = run(tmp_path, range(2))
    for path in tmp_path.glob("*/seeds-*.json"):
        path.write_text("{")
    tasks = plan_tasks(CELLS, range(2), tmp_path)
    with pytest.warns(UserWarning, match="its rows stay"):
        found = history(tasks)
    assert found["device"] == "unknown" and found["wall_seconds"] == 0
    again, trained = run(tmp_path, range(2))
    assert trained == 0
    pd.testing.assert_frame_equal(whole, again)


@pytest.mark.parametrize("damage", [None, b"", b"{}", b"\xff"])
def test_a_damaged_description_is_written_again(tmp_path, damage):
    run(tmp_path, [0])
    path = min(tmp_path.glob("*/cell.json"))
    content = path.read_bytes()
    path.unlink() if damage is None else path.write_bytes(damage)
    _, trained = run(tmp_path, [0])
    assert trained == 0 and path.read_bytes() == content


def test_many_cells_are_not_claimed_all_at_once(tmp_path, monkeypatch):
    """Each claim is an open file, of which a process may have about a thousand."""
    monkeypatch.setattr(_runner, "_CLAIMS", 2)
    claimed, most = set(), []
    claim = Store.claim

    def counted(store, *, wait):
        lock = claim(store, wait=wait)
        claimed.add(lock)
        most.append(sum(lock.held for lock in claimed))
        return lock

    monkeypatch.setattr(Store, "claim", counted)
    cells = [
        replace(CELLS[1], activation=f"n_relu(sigma={sigma})")
        for sigma in (0.1, 0.2, 0.3, 0.4, 0.5)
    ]
    tasks = plan_tasks(cells, [0], tmp_path)
    assert run_tasks(tasks, workers=1) == []
    assert most == [1, 2, 1, 2, 1]
    assert collect(tasks, [0])["cell"].nunique() == 5


def test_what_ran_is_recorded(tmp_path):
    run(tmp_path, [0])
    folder = next(p for p in tmp_path.iterdir())
    cell = json.loads((folder / "cell.json").read_text())
    assert cell["data"]["sha256"] and cell["data"]["source"]
    assert cell["canonical"]["optimizer"].startswith("adam(")
    record = json.loads(next(folder.glob("seeds-*.json")).read_text())
    assert record["seeds"] == [0]
    assert {"date", "versions", "device", "wall_seconds", "plan"} <= set(record)


def test_bad_data_fail_before_any_training(tmp_path):
    cells = [*CELLS, Cell(data="wdbcc", model="mlp", activation="relu")]
    with pytest.raises(InputError, match="'wdbc'"):
        plan_tasks(cells, [0], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "objective", "message"),
    [
        ("wine", "binary_cross_entropy", "two classes .* got the 3 of wine"),
        ("wine", "mse", "objective for classification"),
        ("synthetic(curve='linear')", "softmax_cross_entropy", "for regression"),
        ("synthetic(curve='linear')", "binary_cross_entropy", "for regression"),
    ],
)
def test_an_objective_that_does_not_fit_the_data_is_refused(
    tmp_path, data, objective, message
):
    cell = Cell(data=data, model="mlp", activation="relu", objective=objective)
    with pytest.raises(InputError, match=message):
        plan_tasks([cell], [0], tmp_path)
