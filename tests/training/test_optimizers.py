"""Optimisers: schedules, clipping, refusals; any optax transformation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from relujax import Cell, InputError, load_dataset
from relujax.engine import Member, OwnCell, Plan, train_population
from relujax.models import MLP, from_linen
from relujax.training import make_optimizer
from relujax.training._optimizers import scheduled


def cell(optimizer, **changes):
    settings = {
        "data": "wdbc",
        "model": "mlp(hidden=(4,))",
        "activation": "relu",
        "objective": "binary_cross_entropy",
        "batch_size": 64,
        "epochs": 2,
    }
    return Cell(optimizer=optimizer, **{**settings, **changes})


def losses(cell):
    data = load_dataset("wdbc")
    ((_, frame),) = train_population([Member(cell, 0)], data, root=0, plan=Plan("map"))
    return frame["loss"].to_numpy()


def test_cosine_is_optax_s():
    ours = scheduled(0.3, 40, "cosine", 0.0)
    theirs = optax.cosine_decay_schedule(0.3, 40)
    steps = range(41)
    got, want = ([float(rate(s)) for s in steps] for rate in (ours, theirs))
    np.testing.assert_allclose(got, want, atol=1e-7)


@pytest.mark.parametrize("schedule", [None, "linear", "cosine"])
def test_warmup_rises_to_the_learning_rate_and_then_never_rises(schedule):
    rate = np.asarray(scheduled(0.3, 100, schedule, 0.2)(jnp.arange(100)))
    np.testing.assert_allclose(rate[:20], 0.3 * np.arange(1, 21) / 20, rtol=1e-6)
    assert (np.diff(rate[20:]) <= 0).all()
    assert rate[-1] == pytest.approx(0.3) if schedule is None else rate[-1] < 0.01


@pytest.mark.parametrize("name", ["adam", "adamax", "adamw", "rmsprop", "sgd"])
def test_every_optimizer_is_clipped_by_global_norm(name):
    params = {"w": jnp.zeros(3), "b": jnp.zeros(2)}
    grads = jax.tree.map(lambda p: 100 + jnp.arange(p.size, dtype=p.dtype), params)
    norm = optax.tree.norm(grads)
    unit = jax.tree.map(lambda g: g / norm, grads)
    half = jax.tree.map(lambda g: g / 2, unit)

    def second_update(first, **options):
        """Of a smaller gradient: Adam's first does not depend on the scale."""
        optimizer = make_optimizer(name, learning_rate=0.1, **options)
        _, state = optimizer.update(first, optimizer.init(params), params)
        updates, _ = optimizer.update(half, state, params)
        return jnp.concatenate(jax.tree.leaves(updates))

    clipped = second_update(grads, clip=1.0)
    np.testing.assert_allclose(clipped, second_update(unit), rtol=1e-5)
    np.testing.assert_allclose(
        second_update(unit, clip=2.0), second_update(unit), rtol=1e-6
    )
    if name != "sgd":  # Which remembers nothing.
        assert not np.allclose(clipped, second_update(grads), rtol=1e-2)


def test_a_schedule_spans_the_whole_training():
    """455 examples in batches of 64, 2 epochs: 16 steps; the plain loop agrees."""
    spec = "sgd(learning_rate=0.5, schedule='linear', warmup=0.25)"
    own = OwnCell(
        model=from_linen(MLP(1, "relu", hidden=(4,))),
        optimizer=optax.sgd(scheduled(0.5, 16, "linear", 0.25)),
        objective="binary_cross_entropy",
        batch_size=64,
        epochs=2,
    )
    np.testing.assert_allclose(losses(cell(spec)), losses(own), rtol=1e-5)
    assert losses(cell(spec))[-1] != losses(cell("sgd(learning_rate=0.5)"))[-1]


def test_clipping_and_weight_decay_change_the_training():
    ends = {
        losses(cell(spec))[-1]
        for spec in (
            "adamw",
            "adamw(weight_decay=0.5)",
            "sgd",
            "sgd(clip=0.01)",
            "sgd(clip=1e9)",
        )
    }
    assert len(ends) == 4  # A bound that is never reached changes nothing.


def test_options_that_are_not_given_leave_stored_results_valid():
    plain = cell("adam").canonical().optimizer
    assert "clip" not in plain and "schedule" not in plain and "warmup" not in plain
    assert cell("adam(clip=None, warmup=0)").digest("x", 0) == cell("adam").digest(
        "x", 0
    )
    assert cell("adam(clip=1)").digest("x", 0) == cell("adam(clip=1.0)").digest("x", 0)
    assert cell("adam(clip=1)").skeleton == cell("adam(clip=2)").skeleton


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("adam(learning_rate=-1)", "'learning_rate' of optimizer adam to be at least"),
        ("adam(b1=1.0)", "below 1"),
        ("adam(clip=0)", "above 0"),
        ("adam(clip='a')", "number for 'clip'"),
        ("adam(warmup=1.0)", "below 1"),
        ("adam(schedule='cosin')", "Did you mean 'cosine'"),
        ("adam(schedule=1)", "Unknown schedule '1'"),
        ("adamw(weight_decay=-0.1)", "at least 0"),
    ],
)
def test_bad_optimizers_are_refused_with_one_sentence(spec, message):
    with pytest.raises(InputError, match=message):
        cell(spec)


def test_what_is_no_optimizer_is_refused():
    model = from_linen(MLP(1, "relu"))
    with pytest.raises(InputError, match="optax transformation, got int"):
        OwnCell(model=model, optimizer=3, objective="mse", batch_size=1, epochs=1)  # pyright: ignore
