"""`relujax bench`: the table, without waiting for it."""

import pytest

from relujax.engine import Plan, PlanChoice, _auto, benchmark
from relujax.engine.benchmark import WORKLOADS


def test_bench_names_plans_speeds_and_the_choice(relujax, monkeypatch, tmp_path):
    from relujax.cli import _bench

    def fake(cell, data, plans, networks):
        return {plan: 2e-3 if plan.mapping == "map" else 1e-3 for plan in plans}

    monkeypatch.setattr(benchmark, "seconds_per_step", fake)
    monkeypatch.setattr(_auto, "seconds_per_step", fake)
    monkeypatch.setattr(_auto, "folder", lambda: tmp_path)
    monkeypatch.setattr(_bench, "gemm_peak", lambda: 5e10)
    monkeypatch.setattr(_bench, "start", lambda: None)
    code, text = relujax("bench")
    assert code == 0
    assert text.count("takes it") == len(WORKLOADS) == 5
    assert "map on 1 cpu device" in text and "vmap on 2 cpu devices" in text
    assert "map by 1 on 1 cpu device" in text
    assert "vmap by 2 on 1 cpu device" in text  # Of the four CNNs.
    # As in a run: the long workloads are measured, for the short ones it is not worth.
    assert "measured in" in text and "too little to measure" in text
    assert "50 to 50 GFLOP/s" in text
    code, text = relujax("bench", "--quick")
    assert code == 0 and text.count("takes it") == 2


def test_seeds_per_hour():
    """455 examples in batches of 64, 20 epochs: 160 steps of a millisecond."""
    small, plan = WORKLOADS[-1], Plan("map")
    speed = benchmark.Speed(small, {plan: 1e-3}, PlanChoice(plan, "it is the only one"))
    assert speed.seeds_per_hour(plan) == pytest.approx(3600 / 0.16)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.name)
def test_the_data_have_the_shape_of_the_workload(workload):
    data = benchmark._data(workload.data)
    assert len(data.x_train) >= min(4 * workload.cell.batch_size, 400)
    shape = {"mnist": (28, 28, 1), "wdbc": (30,), "narrow": (5,)}
    assert data.shape == shape[workload.data]
    assert data.classes == {"mnist": 10, "wdbc": 2, "narrow": None}[workload.data]
