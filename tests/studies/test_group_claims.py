"""Claims about several activations and parts of the results, on planted numbers."""

import re

import numpy as np
import pandas as pd
import pytest

import relujax
from relujax import studies

SEEDS = 8
#: Mean error by curve, and what is added with each activation, times the depth.
ERRORS, ADDED = (
    {"linear": 1.0, "quadratic": 2.0},
    {"relu": 0.02, "elu": 0.01, "selu": 0},
)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    rows = [
        {
            "cell": f"{curve} {activation} {depth}",
            "data": f"synthetic(curve={curve!r}, n=100)",
            "model": f"deep_mlp(depth={depth})",
            "optimizer": "adam",
            "activation": activation,
            "seed": seed,
            "epoch": 1,
            "split": "test",
            "mse": error + added * depth + rng.normal(0, 1e-3),
            "diverged": False,
        }
        for curve, error in ERRORS.items()
        for activation, added in ADDED.items()
        for depth in (1, 10)
        for seed in range(SEEDS)
    ]
    return pd.DataFrame(rows)


def mean(**where):
    return studies.mean_of("mse", {k.replace("_", "."): v for k, v in where.items()})


def test_means_are_compared_within_seeds(frame):
    deep, shallow = mean(model_depth=10), mean(model_depth=1)
    said = "{a:.2f} against {b:.2f}, {c:.2f} in all."
    e = studies.larger(deep, shallow, said, scale=100, told={"c": mean()})(frame)
    assert e.effect == pytest.approx(9, abs=0.2) and e.p_for < 0.001 and e.n == SEEDS
    shown = [float(x) for x in re.findall(r"[\d.]+\d", e.summary)]
    assert shown == pytest.approx([160, 151, 155.5], abs=0.2)
    assert studies.larger(1.0, shallow)(frame).p_against < 0.001
    assert studies.larger(shallow, 1.0)(frame).p_for < 0.001


def test_a_range_is_taken_within_seeds(frame):
    found = studies.range_of("mse", {"data.curve": "linear"})(frame)
    assert len(found) == SEEDS
    assert found.mean() == pytest.approx(0.2, abs=0.01)


def test_each_is_better_than_each(frame):
    linear = {"data.curve": "linear"}
    e = studies.each_better(["selu", "elu"], ["relu"], "mse", where=linear)(frame)
    assert e.p_for < 0.001
    assert studies.each_better(["relu"], ["elu", "selu"], "mse")(frame).p_against < 0.01
    one = studies.on(linear, studies.better("elu", "relu", "mse"))(frame)
    assert one.effect == pytest.approx(0.055, abs=0.002)


def test_who_is_mostly_best_has_most_tasks(frame):
    e = studies.mostly_best("selu", "mse")(frame)
    # All seeds agree: the least p-value that flipping their signs gives.
    assert e.p_for == 2.0**-SEEDS and e.effect == 50
    assert studies.mostly_best("relu", "mse")(frame).p_against == 2.0**-SEEDS


def test_the_hardest_task_has_the_largest_error(frame):
    quadratic = {"data.curve": "quadratic"}
    e = studies.hardest(quadratic, "mse")(frame)
    assert e.effect == pytest.approx(1, abs=0.01) and e.p_for < 0.001
    assert studies.hardest({"data.curve": "linear"}, "mse")(frame).p_against < 0.001


def test_a_range_is_little_at_every_depth(frame):
    ends = ("relu", "selu")
    test = lambda margin: studies.little_range("mse", margin, ends, over="model.depth")(
        frame
    )
    # At depth 10 ReLU and SELU differ by 0.2, on average over depths by 0.11.
    assert test(0.3).p_for < 0.001
    between = test(0.15)
    assert between.p_for > 0.5 and between.p_against > 0.5
    assert test(0.05).p_against < 0.001
    assert test(0.05).values["worst"] == pytest.approx(0.2, abs=0.01)


def test_a_figure_has_a_line_for_each_activation(frame):
    make = studies.by_activation(
        "model.depth",
        {"relu": "ReLU", "selu": "SELU"},
        {"both": ("mse", {}), "linear": ("mse", {"data.curve": "linear"})},
        "error",
    )
    _, linear = make(frame).axes
    assert [t.get_text() for t in linear.get_xticklabels()] == ["1", "10"]
    assert len(linear.containers) == 2 and linear.get_xlabel() == "depth"
    heights = [line.get_ydata()[-1] for line in linear.get_lines()[:1]]
    assert heights == pytest.approx([1.2], abs=0.01)
    with pytest.raises(
        relujax.InputError, match=r"results with model\.depth = 3, found"
    ):
        studies.on({"model.depth": (1, 3)}, lambda frame: frame)(frame)


def test_a_number_without_a_unit_ends_without_a_space(frame):
    e = studies.within("elu", 1.5, "mse", margin=0.1)(frame)
    assert " ," not in e.summary


def test_weights_of_narrow_networks_are_counted_by_each_reading():
    found = studies.dead_by_weights()
    share = lambda reading, depth: found[
        f"every weight is below ε{reading}|0.01|{depth}"
    ]
    # One weight from U(-1, 1) below 0.01; eight at once, next to never.
    assert share("", 1) == pytest.approx(50.5, abs=1)
    assert share(" in size", 1) == pytest.approx(1, abs=0.2)
    assert share(" in size", 30) == pytest.approx(1 / 30, abs=0.02)
