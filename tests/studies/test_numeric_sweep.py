"""relujax.sweep: grids of traced numbers, stored and resumed."""

import functools

import numpy as np
import pandas as pd
import pytest
from full import slow

import relujax
from relujax import Cell, InputError
from relujax.engine import Plan, _network, _program
from relujax.studies import seed_ids

CELL = Cell(
    data="wdbc",
    model="mlp(hidden=(4,))",
    activation="n_relu",
    optimizer="adamw(learning_rate=0.01)",
    objective="binary_cross_entropy",
    epochs=1,
)
AXES = {
    "activation.sigma": [0.05, 2.0],
    "optimizer.learning_rate": [0.001, 0.1],
    "model.dropout": [0.0, 0.5],
    "optimizer.weight_decay": [0.0, 0.5],
}
MAP = Plan("map")


@pytest.fixture
def traced(monkeypatch):
    """How often the training was traced, as the only element of a list."""
    count, original = [0], _network.train_epoch

    def counted(*args, **kwargs):
        count[0] += 1
        return original(*args, **kwargs)

    # An empty cache of compiled programs; the other tests keep theirs.
    empty = functools.cache(_program._advance.__wrapped__)
    monkeypatch.setattr(_program, "_advance", empty)
    monkeypatch.setattr(_network, "train_epoch", counted)
    return count


@pytest.fixture
def trained(monkeypatch):
    """How many networks were trained, as the only element of a list."""
    from relujax.engine import _runner

    count, original = [0], _runner.train_population

    def counted(members, *args, **kwargs):
        count[0] += len(members)
        return original(members, *args, **kwargs)

    monkeypatch.setattr(_runner, "train_population", counted)
    return count


def small(tmp_path, seeds, axes, **options):
    return relujax.sweep(CELL, seeds, axes, plan=MAP, out=tmp_path, **options)


def test_a_product_grid_compiles_once_and_every_axis_matters(tmp_path, traced):
    results = small(tmp_path, 1, AXES)
    assert traced == [1]
    assert len(results.points) == 2**4
    test = results.frame.query("split == 'test' and epoch == 1")
    assert len(test) == 2**4 and test["loss"].nunique() == 2**4
    assert test[list(AXES)].drop_duplicates().shape == (2**4, 4)
    small(tmp_path, 1, {"optimizer.b1": [0.5], "model.dropout": [0.1, 0.2]})
    assert traced == [1]


def test_extending_recomputes_nothing_and_changes_nothing(tmp_path, trained):
    first = small(tmp_path, 2, {"activation.sigma": [0.1, 1.0]})
    assert trained == [4]
    small(tmp_path, 2, {"activation.sigma": [0.1, 1.0]})
    assert trained == [4]
    more = small(tmp_path, 5, {"activation.sigma": [0.1, 0.3, 1.0]})
    assert trained == [3 * 5]
    old = more.frame[
        (more.frame["seed"] < 2) & (more.frame["activation.sigma"] != 0.3)
    ].reset_index(drop=True)
    same = [name for name in old if name != "point"]
    pd.testing.assert_frame_equal(old[same], first.frame[same], check_exact=True)


def test_an_axis_is_the_same_cell_written_by_hand(tmp_path, trained):
    small(tmp_path, 2, {"activation.sigma": [0.1], "model.dropout": [0.25]})
    by_hand = Cell(
        data="wdbc",
        model="mlp(hidden=(4,), dropout=0.25)",
        activation="n_relu(sigma=0.1)",
        optimizer="adamw(learning_rate=0.01)",
        objective="binary_cross_entropy",
        epochs=1,
    )
    alone = relujax.sweep(by_hand, 2, plan=MAP, out=tmp_path)
    assert trained == [2]
    assert alone.axes == () and len(alone.table()) == 1


def test_table_best_and_plot(tmp_path):
    rates = [1e-5, 0.03, 1e30]
    axes = {"optimizer.learning_rate": rates, "activation.sigma": [0.05, 0.1]}
    results = small(tmp_path, [4, 9, 7], axes)
    table = results.table("loss").set_index(list(axes))
    assert table.loc[1e30, "diverged"].tolist() == [3, 3]
    assert table.loc[1e30, "mean"].isna().all()
    good = table.loc[[1e-5, 0.03]]
    assert (good["n"] == 3).all() and (good["diverged"] == 0).all()
    assert (good["low"] < good["mean"]).all() and (good["mean"] < good["high"]).all()
    losses = results.frame.query("split == 'test' and epoch == 1").groupby(list(axes))
    expected = losses["loss"].mean().loc[[1e-5, 0.03]]
    np.testing.assert_allclose(good["mean"], expected, rtol=1e-6)
    best = results.best("loss")
    assert best.values["optimizer.learning_rate"] == 0.03
    assert "learning_rate=0.03" in best.cell.optimizer
    assert good["mean"].min() == table.loc[tuple(best.values.values()), "mean"]
    (axes_drawn,) = results.plot("loss").axes
    assert axes_drawn.get_xscale() == "log"
    assert len(axes_drawn.containers) == 2  # A line per σ.


def test_nothing_is_best_where_all_diverged(tmp_path):
    results = small(tmp_path, 2, {"optimizer.learning_rate": [1e30]})
    with pytest.raises(InputError, match="trained to the end"):
        results.best()


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"activation.sigmo": [1.0]}, "Unknown axis 'activation.sigmo'. Did you mean"),
        ({"sigma": [1.0]}, "Unknown axis 'sigma'"),
        ({"model.hidden": [1.0]}, "Unknown axis 'model.hidden'"),
        ({"activation.sigma": []}, "at least one value for axis"),
        ({"activation.sigma": 0.1}, "a list of numbers"),
        ({"activation.sigma": "01"}, "a list of numbers"),
        ({"activation.sigma": [0.1, "a"]}, "got 'a' among them"),
        ({"activation.sigma": [True]}, "got True among them"),
        ({"activation.sigma": [float("nan")]}, "got nan among them"),
        ({"activation.sigma": [0.1, 0.1]}, "different values"),
        ({"activation.sigma": [-1.0]}, r"Axis 'activation.sigma' at -1.0: .*sigma"),
        ({"model.dropout": [1.5]}, r"at 1.5: Expected a dropout rate in \[0, 1\)"),
        ({"optimizer.learning_rate": [-1]}, "at least 0 and finite"),
    ],
    ids=str,
)
def test_bad_axes_are_refused_before_any_training(tmp_path, axes, message):
    with pytest.raises(InputError, match=message):
        small(tmp_path / "out", 1, axes)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "seeds",
    [
        *(0, -1, 2.5, None, True, "10", 2**31, {}),
        *([], [1, 1], [-1], [0.5, 1.7], ["1"], [True], [2**31], [None], [[1]]),
        *(np.array([0.5]), np.array([[1, 2]]), np.array([], int)),
    ],
    ids=repr,
)
def test_bad_seeds_are_refused(tmp_path, seeds):
    with pytest.raises(InputError, match="seeds"):
        small(tmp_path, seeds, {})


def test_seeds_may_be_numpy_integers():
    for seeds in (np.int64(3), np.arange(3), [np.int32(0), 1, 2], range(3)):
        ids = seed_ids(seeds)
        assert ids == [0, 1, 2] and {type(i) for i in ids} == {int}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plan": "fast"}, "'auto', 'vmap', 'map'"),
        ({"plan": 3}, "'auto', 'vmap', 'map'"),
        ({"cell": "wdbc"}, "Expected a relujax.Cell to sweep, got 'wdbc'"),
        ({"axes": [0.1]}, "Expected axes such as"),
        ({"axes": "activation.sigma"}, "Expected axes such as"),
    ],
    ids=str,
)
def test_what_is_no_sweep_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        relujax.sweep(**{"cell": CELL, "seeds": 1, "out": tmp_path, **changes})


@pytest.mark.parametrize("plan", ["map", *slow("auto", "vmap")])
def test_plans_have_names(tmp_path, plan):
    results = relujax.sweep(CELL, 1, plan=plan, out=tmp_path)
    assert len(results.frame) == 4


def test_a_sweep_under_one_activation_says_which_point_is_best(tmp_path):
    axes = {"optimizer.learning_rate": [1e-4, 1e-2]}
    found = relujax.sweep(CELL, 3, axes, plan="map", out=tmp_path, progress=False)
    best = found.best().values["optimizer.learning_rate"]
    assert f"optimizer.learning_rate = {best:g} has the best mean" in found.conclusion()
    with pytest.raises(InputError, match="Unknown axis 3"):
        relujax.sweep(CELL, 3, {3: [1.0]}, out=tmp_path)
