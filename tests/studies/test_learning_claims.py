"""Claims about the curves of one activation, and a paper's table beside ours."""

import numpy as np
import pytest
from frames import results

import relujax
from relujax import studies


def shaped(**columns):
    """Results whose columns are functions of the epoch, a little apart by seed."""
    frame = results(("relu", "elu", "gelu"), epochs=10, seeds=10)
    noise = np.random.default_rng(0).normal(0, 1e-5, len(frame))
    made = {name: f(frame["epoch"].to_numpy()) + noise for name, f in columns.items()}
    return frame.assign(**made)


def test_curves_flatten_fall_and_end():
    frame = shaped(
        accuracy=lambda t: 0.9 + 0.09 * (1 - 0.1**t), loss=lambda t: 0.2 + 0.8 * 0.3**t
    )
    assert studies.flat_after("relu", 3, 0.01)(frame).p_for < 0.01
    assert studies.flat_after("relu", 0, 0.01)(frame).p_against < 0.01
    assert studies.mostly_by("relu", 1)(frame).effect == pytest.approx(20, abs=0.1)
    assert studies.ends_near_least("relu")(frame).p_for < 0.01
    assert studies.reaches_at_best("relu", 0.98)(frame).p_for < 0.01
    down = shaped(loss=lambda t: 1.0 / (1 + t))
    e = studies.falls("relu", "loss", start=1)(down)
    assert e.holds and e.effect == pytest.approx(1 / 2 - 1 / 11, abs=1e-4)
    up = shaped(loss=lambda t: 1.0 + 0.1 * t)
    assert not studies.falls("relu", "loss", start=1)(up).holds
    assert studies.ends_between("relu", "loss", 1.9, 2.1)(up).holds
    assert not studies.ends_between("relu", "loss", 2.1, 3.0)(up).holds
    with pytest.raises(relujax.InputError, match="selu"):
        studies.flat_after("selu", 3, 0.01)(frame)


TABLE = {"relu": ("ReLU", 0.01), "elu": ("ELU", 0.02), "gelu": ("GELU", 0.3)}


def test_a_table_is_compared_by_its_order():
    frame = results(tuple(TABLE), n_test=5000, accuracy={"elu": 0.95, "gelu": 0.8})
    e = studies.same_order(TABLE, "error_rate")(frame)
    assert e.holds and e.effect == pytest.approx(1)
    assert studies.order_correlates(TABLE, "error_rate")(frame).p_for < 0.01
    turned = {**TABLE, "relu": ("ReLU", 0.5)}
    assert not studies.same_order(turned, "error_rate")(frame).holds
    shown = studies.scores_beside(TABLE, "error_rate")(frame).set_index("spec")
    assert shown.loc["elu", "the paper, %"] == "2.00"
    ours = relujax.statistics.scores(frame, "error_rate").groupby("activation").mean()
    assert shown.loc["elu", "ours, % [95 % interval]"].startswith(
        f"{100 * ours['elu']:.2f} ["
    )
    with pytest.raises(relujax.InputError, match="results of gelu"):
        studies.same_order(TABLE, "error_rate")(frame[frame["activation"] != "gelu"])
