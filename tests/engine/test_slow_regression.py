"""Slowly-changing regression: against its definition, and the authors' figure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow

import relujax
from relujax import InputError
from relujax.engine import TRAININGS, Cell
from relujax.engine._slow_regression import (
    _FAST,
    _changed,
    _inputs,
    _target,
    _targets,
    slow_regression,
)

KEY = jax.random.key(3)


def started(**settings):
    training = slow_regression(relujax.get("relu"), **settings)
    return training, training.init(KEY)


def test_the_target_counts_the_features_whose_inputs_agree():
    """A unit fires where 70 % of its 20 inputs and its bias agree with its weights."""
    target = jax.tree.map(np.asarray, _target(KEY))
    x = np.asarray(jax.random.bernoulli(KEY, shape=(7, 20)), float)
    expected = []
    for row in x:
        total = target["last_bias"]
        for unit in range(100):
            weights, bias = target["first"][:, unit], target["bias"][unit]
            negative = (weights < 0).sum() + bias / 2
            fires = row @ weights + bias > 0.7 * 21 - negative
            total = total + target["last"][unit] * fires
        expected.append(total)
    np.testing.assert_allclose(_targets(target, jnp.asarray(x)), expected, atol=1e-5)
    assert set(np.unique(target["first"])) == {-1, 1}


def test_a_block_is_one_update_after_the_other():
    training, state = started(learning_rate=0.05)
    after = training.step(KEY, state)
    _, of_examples, _ = jax.random.split(KEY, 3)
    fast = jax.random.bernoulli(of_examples, shape=(100, 5))
    x = np.asarray(_inputs(state["bits"], fast))
    y = np.asarray(_targets(state["target"], jnp.asarray(x)))
    first, last = (
        jax.tree.map(np.array, state["params"][k]) for k in ("first", "last")
    )
    errors = 0.0
    for row, wanted in zip(x, y, strict=True):
        z = row @ first["kernel"] + first["bias"]
        h = np.maximum(z, 0)
        off = h @ last["kernel"][:, 0] + last["bias"] - wanted
        errors += off**2
        back = 2 * off * last["kernel"][:, 0] * (z > 0)
        last["kernel"] = last["kernel"] - 0.05 * 2 * off * h[:, None]
        last["bias"] = last["bias"] - 0.05 * 2 * off
        first["kernel"] = first["kernel"] - 0.05 * np.outer(row, back)
        first["bias"] = first["bias"] - 0.05 * back
    found = after["params"]
    np.testing.assert_allclose(found["first"]["kernel"], first["kernel"], atol=1e-4)
    np.testing.assert_allclose(found["last"]["kernel"], last["kernel"], atol=1e-4)
    np.testing.assert_allclose(after["error"], errors, rtol=1e-4)


@pytest.mark.parametrize("one_bit", [False, True])
def test_slow_bits_change_every_ten_thousand_examples(one_bit):
    training, state = started(one_bit=one_bit)
    step = jax.jit(training.step)
    same = step(KEY, {**state, "seen": jnp.int32(9_900)})
    other = step(KEY, {**state, "seen": jnp.int32(10_000)})
    np.testing.assert_array_equal(same["bits"], state["bits"])
    changed = int((other["bits"] != state["bits"]).sum())
    assert changed == 1 if one_bit else changed > 1
    assert set(np.unique(_changed(KEY, state["bits"], one_bit))) <= {0.0, 1.0}


def test_dead_units_are_recycled_and_no_others():
    training, state = started(recycle_every=100, learning_rate=0.0)
    bias = jnp.array([-100.0, 0, 0, 0, 0])
    state["params"]["first"]["bias"] = bias
    before = np.asarray(state["params"]["first"]["kernel"])
    alive = np.asarray(_inputs(state["bits"], _FAST)) @ before + np.asarray(bias) > 0
    after = training.step(KEY, state)["params"]["first"]
    changed = (np.asarray(after["kernel"]) != before).any(axis=0)
    np.testing.assert_array_equal(changed, ~alive.any(axis=0))
    assert changed[0] and after["bias"][0] == 0
    assert training.evaluate(KEY, state)["dead"] == 1 - alive.any(axis=0).mean()


def test_errors_are_those_of_the_last_epoch():
    training, state = started()
    full = {**state, "seen": jnp.int32(20_000), "error": jnp.float32(20_000 * 0.7)}
    assert training.evaluate(KEY, full)["mse"] == pytest.approx(0.7)
    assert training.step(KEY, full)["error"] < 20_000 * 0.6  # Counted anew.


@pytest.mark.parametrize(
    ("activation", "settings", "message"),
    [
        ("relu", {"recycle_every": 150}, "a multiple of 100 examples"),
        ("relu", {"recycle_every": -100}, "a multiple of 100 examples"),
        ("n_relu", {}, "without noise"),
        ("arelu", {}, "without a signal"),
    ],
)
def test_what_it_cannot_take_is_a_sentence(activation, settings, message):
    with pytest.raises(InputError, match=message):
        slow_regression(relujax.get(activation), **settings)


def test_it_is_a_training_of_the_library():
    cell = Cell(training="slow_regression", activation="relu", epochs=1)
    assert "training.learning_rate" in cell.numbers
    assert TRAININGS.is_shipped("slow_regression")


def trained(activation, recycle_every=0, epochs=50, seeds=30):
    """Errors and dead units by epoch, a mean over seeds."""
    training = slow_regression(
        relujax.get(activation), learning_rate=0.01, recycle_every=recycle_every
    )

    def one(key):
        def epoch(state, at):
            step = lambda i, s: training.step(
                jax.random.fold_in(jax.random.fold_in(key, at), i), s
            )
            state = jax.lax.fori_loop(0, training.steps, step, state)
            return state, training.evaluate(key, state)

        return jax.lax.scan(epoch, training.init(key), jnp.arange(epochs))[1]

    found = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), seeds))
    return {name: np.asarray(values).mean(axis=0) for name, values in found.items()}


@pytest.mark.parametrize("activation", slow("relu", "tanh"))
def test_the_error_rises_as_in_the_authors_figure(activation):
    """Their README: 1 million examples, step size 0.01, means over 100 runs.

    Read off the picture: the first 20,000 examples, and the last 200,000.
    """
    first, last = {"relu": (0.62, 1.25), "tanh": (0.43, 0.91)}[activation]
    error = trained(activation)["mse"]
    assert error[0] == pytest.approx(first, abs=0.06)
    assert error[-10:].mean() == pytest.approx(last, abs=0.12)


@pytest.mark.parametrize("recycle_every", slow(1000))
def test_recycling_keeps_units_alive_and_errors_low(recycle_every):
    without, cured = trained("relu"), trained("relu", recycle_every)
    assert without["dead"][-10:].mean() > 5 * cured["dead"][-10:].mean()
    assert cured["mse"][-10:].mean() < 0.9 * without["mse"][-10:].mean()
