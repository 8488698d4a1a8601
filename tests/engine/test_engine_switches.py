"""Cells under JAX's own switches, and cells with own losses, metrics, optimisers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from relujax import Cell, load_dataset, named
from relujax.engine import Member, Plan, train_population

SETTINGS = {
    "data": "wdbc",
    "model": "mlp(hidden=(8,), dropout=0.2)",
    "activation": "n_relu",
    "batch_size": 64,
    "epochs": 1,
}


def trained(**parts):
    cell = Cell(**{**SETTINGS, **parts})
    data = load_dataset("wdbc")
    ((_, frame),) = train_population([Member(cell, 0)], data, root=0, plan=Plan("map"))
    return frame


def named_loss(outputs, targets, *, margin=1.0):
    """Crammer and Singer's hinge loss."""
    true = jnp.take_along_axis(outputs, targets[:, None], axis=1)
    onehot = jax.nn.one_hot(targets, outputs.shape[1], dtype=bool)
    rival = jnp.where(onehot, -jnp.inf, outputs).max(1)
    return jax.nn.relu(margin + rival - true[:, 0])


def half(outputs, targets):
    del outputs
    return targets.mean(dtype=jnp.float32) / 2


def falling(steps, peak=0.1):
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.sgd(optax.linear_schedule(peak, 0.0, steps)),
    )


def test_a_healthy_network_trains_where_nan_is_not_allowed_and_promotion_strict():
    parts = {"objective": "focal", "metrics": ("auroc", "ece"), "optimizer": "adamw"}
    want = trained(**parts)
    with jax.debug_nans(True), jax.numpy_dtype_promotion("strict"):
        got = trained(**parts)
    assert got["diverged_step"].isna().all() and not got["diverged"].any()
    for name in ("loss", "auroc", "ece(bins=15)", "running_loss"):
        np.testing.assert_array_equal(got[name], want[name])
    assert want["running_loss"].isna().tolist() == (want["epoch"] == 0).tolist()


def test_loss_metric_and_optimizer_of_ones_own_are_a_cell():
    loss = named("hinge", named_loss)
    frame = trained(
        objective=loss,
        metrics=(half,),
        optimizer=falling,
    )
    last = frame[frame["epoch"] == 1].set_index("split")
    labels = load_dataset("wdbc").y_test
    column = f"{__name__}:half"
    np.testing.assert_allclose(last[column]["test"], labels.mean() / 2, rtol=1e-6)
    assert last["accuracy"]["test"] > 0.8
    cell = Cell(**SETTINGS, objective=loss, optimizer=falling)
    assert {"objective.margin", "optimizer.peak"} <= set(cell.numbers)
