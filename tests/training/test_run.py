"""One run: every example used, nothing random in evaluation, streams that differ."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from full import slow

import relujax
from relujax.networks import MLP, from_linen
from relujax.training import (
    METRICS,
    NEVER,
    OBJECTIVES,
    OPTIMIZERS,
    Batch,
    Split,
    feed,
    make_metric,
    make_objective,
    make_optimizer,
    make_run,
    objective,
    streams,
    train_epoch,
)


def _run(
    activation: str | relujax.Activation = "relu",
    *,
    dropout=None,
    eval_batch=1024,
    optimizer=None,
):
    model = from_linen(MLP(1, activation, hidden=(8, 6), dropout=dropout))
    return make_run(
        model,
        optimizer or optax.sgd(0.1),
        objective("binary_cross_entropy"),
        classes=2,
        transform=lambda x: x,
        eval_batch=eval_batch,
    )


@pytest.fixture
def split():
    x = jax.random.normal(jax.random.key(7), (37, 5))
    return Split(x, (x[:, 0] > 0).astype(jnp.int32))


def test_evaluation_does_not_depend_on_the_batch_size(split):
    keys = streams(0, 0)
    state = _run().init(keys, split.x)
    whole = _run(eval_batch=37).evaluate(state, split)
    for size in (1, 5, 36):
        chex.assert_trees_all_close(
            _run(eval_batch=size).evaluate(state, split), whole, rtol=1e-5
        )


def test_evaluation_counts_every_example(split):
    run = _run(eval_batch=10)
    state = run.init(streams(0, 0), split.x)
    assert int(run.evaluate(state, split)[0]["confusion"].sum()) == 37


def test_planted_dead_units_are_counted_exactly(split):
    run = _run()
    state = run.init(streams(0, 0), split.x)
    dense = state.params["Dense_0"]
    bias = dense["bias"].at[jnp.array([1, 4, 5])].set(-1e3)
    params = {**state.params, "Dense_0": {**dense, "bias": bias}}
    # A pre-activation of 0 on every example is not positive: such a unit is dead too.
    top = state.params["Dense_1"]
    params["Dense_1"] = {
        "kernel": top["kernel"].at[:, 2].set(0.0),
        "bias": top["bias"].at[2].set(0.0),
    }
    others = jnp.array([0, 1, 3, 4, 5])
    params["Dense_1"]["bias"] = params["Dense_1"]["bias"].at[others].set(1e3)
    _, dead = run.evaluate(state._replace(params=params), split)
    assert np.flatnonzero(dead[0]).tolist() == [1, 4, 5]
    assert np.flatnonzero(dead[1]).tolist() == [2]


def test_an_epoch_uses_every_example_once():
    x = jnp.arange(1.0, 12.0)[:, None]
    split = Split(x, jnp.zeros(11, jnp.int32))
    seen = []

    def step(state, batch, keys):
        del keys
        seen.append((batch.x[:, 0], batch.mask))
        return state._replace(step=state.step + 1), batch.mask.sum() * 0 + 2.0

    run = _run()._replace(step=step)
    state = _run().init(streams(0, 0), split.x)
    with jax.disable_jit():
        state, losses = train_epoch(run, state, split, streams(0, 0), batch_size=4)
    used = np.concatenate([np.asarray(x)[np.asarray(mask) > 0] for x, mask in seen])
    assert sorted(used) == list(range(1, 12))
    assert [len(x) for x, _ in seen] == [4, 4, 4]
    assert float(losses.running_loss) == 2.0
    assert int(state.step) == 3


def test_a_batch_larger_than_the_data_is_masked(split):
    run = _run()
    state = run.init(streams(0, 0), split.x)
    one = train_epoch(run, state, split, streams(0, 0), batch_size=37)
    big = train_epoch(run, state, split, streams(0, 0), batch_size=128)
    chex.assert_trees_all_close(one[0].params, big[0].params, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(one[1].running_loss, big[1].running_loss, rtol=1e-6)


def test_the_order_differs_between_epochs_and_seeds(split):
    run = _run()
    start = run.init(streams(0, 0), split.x)

    def losses(seed, epochs):
        state, out = start, []
        for _ in range(epochs):
            state, _ = train_epoch(run, state, split, streams(0, seed), batch_size=8)
            out.append(jax.tree.leaves(state.params)[0])
        return out

    same, again, other = losses(0, 1), losses(0, 1), losses(1, 1)
    chex.assert_trees_all_equal(same, again)
    assert not np.array_equal(same[0], other[0])


def test_noise_and_dropout_differ_between_steps(split):
    run = _run("n_relu(sigma=1.0)", dropout=0.5, optimizer=optax.sgd(0.0))
    state = run.init(streams(0, 0), split.x)
    batch = (split.x, split.y, jnp.ones(37))
    first, a = run.step(state, Batch(*batch), streams(0, 0))
    _, b = run.step(first, Batch(*batch), streams(0, 0))
    _, a_again = run.step(state, Batch(*batch), streams(0, 0))
    assert float(a) == float(a_again)
    assert float(a) != float(b)


def test_the_step_of_divergence_is_found(split):
    def step(state, batch, keys):
        del batch, keys
        loss = jnp.where(state.step >= 7, jnp.nan, 1.0)
        return state._replace(step=state.step + 1), loss

    run = _run()._replace(step=step)
    state = _run().init(streams(0, 0), split.x)
    state, first = train_epoch(run, state, split, streams(0, 0), batch_size=8)
    state, second = train_epoch(run, state, split, streams(0, 0), batch_size=8)
    assert first.diverged_step == NEVER
    assert second.diverged_step == 7


def test_streams_do_not_depend_on_the_generator_that_jax_is_set_to():
    want = jax.random.key_data(streams(0, 3).order)
    with jax.default_prng_impl("rbg"):
        np.testing.assert_array_equal(jax.random.key_data(streams(0, 3).order), want)


def test_streams_are_four_different_keys_per_seed():
    keys = [streams(0, seed) for seed in range(5)] + [streams(1, 0)]
    draws = [float(jax.random.normal(key)) for stream in keys for key in tuple(stream)]
    assert len(set(draws)) == len(draws) == 24


def test_arelu_is_fed_the_mean_training_loss(split):
    run = _run("arelu")
    state = run.init(streams(0, 0), split.x)
    slopes = jax.tree.leaves(state.state["signal"])
    np.testing.assert_allclose(slopes, 0.1, rtol=1e-6)
    state, losses = train_epoch(run, state, split, streams(0, 0), batch_size=8)
    fed = jax.tree.leaves(state.state["signal"])
    np.testing.assert_array_equal(fed, [losses.running_loss] * 2)


def test_a_schedule_is_fed_the_step(split):
    sigma = optax.linear_schedule(1.0, 0.0, 10)
    run = _run(relujax.get("n_relu", sigma=sigma))
    state = run.init(streams(0, 0), split.x)
    state, _ = train_epoch(run, state, split, streams(0, 0), batch_size=10)
    fed = feed(state.state, step=state.step)
    np.testing.assert_array_equal(jax.tree.leaves(fed["signal"]), [4, 4])


def trained(split, batch_size, epochs=1, **options):
    """State and running losses, compiled."""
    run = _run(**options)
    state = _run().init(streams(0, 0), split.x)
    one = jax.jit(
        lambda state, split: train_epoch(
            run, state, split, streams(0, 0), batch_size=batch_size
        )
    )
    losses = []
    for _ in range(epochs):
        state, found = one(state, split)
        losses.append(float(found.running_loss))
    return state, losses


def test_an_example_of_no_weight_is_not_there(split):
    """Others with a whole number as weight are there as often."""
    weight = jnp.arange(37) % 3
    weighted = split._replace(weight=weight.astype(jnp.float32))
    index = np.repeat(np.arange(37), weight)
    often = Split(split.x[index], split.y[index])
    got, loss = trained(weighted, 37)
    want, expected = trained(often, len(index))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    chex.assert_trees_all_close(got.params, want.params, rtol=1e-5, atol=1e-6)


def test_weights_are_those_of_the_examples_in_every_batch(split):
    """Against a plain loop over the batches of the seed's own order."""
    weight = jnp.linspace(0.0, 2.0, 37).at[:20].set(0.0)
    state, losses = trained(split._replace(weight=weight), 8)
    order = jax.random.permutation(jax.random.fold_in(streams(0, 0).order, 0), 37)
    run, plain = _run(), _run().init(streams(0, 0), split.x)
    net = MLP(1, "relu", hidden=(8, 6))
    params, total = plain.params, 0.0

    @jax.jit
    @jax.value_and_grad
    def mean(params, x, y, w):
        z = jnp.asarray(net.apply({"params": params}, x))[:, 0]
        losses = optax.sigmoid_binary_cross_entropy(z, y.astype(jnp.float32))
        return (losses * w).sum() / w.sum()

    for start in range(0, 37, 8):
        index = order[start : start + 8]
        x, y, w = split.x[index], split.y[index], weight[index]
        loss, slope = mean(params, x, y, w)
        total += float(loss * w.sum())
        params = jax.tree.map(lambda p, g: p - 0.1 * g, params, slope)
    np.testing.assert_allclose(losses, [total / float(weight.sum())], rtol=1e-5)
    chex.assert_trees_all_close(state.params, params, rtol=1e-5, atol=1e-6)
    # Evaluation counts all alike.
    a, _ = run.evaluate(state, split)
    b, _ = run.evaluate(state, split._replace(weight=weight))
    chex.assert_trees_all_equal(a, b)


def test_a_batch_without_weight_changes_nothing(split):
    state, losses = trained(split._replace(weight=jnp.zeros(37)), 8)
    assert losses == [0.0]
    chex.assert_trees_all_equal(
        state.params, _run().init(streams(0, 0), split.x).params
    )
    assert not np.isnan(state.params["Dense_0"]["kernel"]).any()


STRICT = {
    "debug_nans": lambda: jax.debug_nans(True),
    "debug_infs": lambda: jax.debug_infs(True),
    "strict_promotion": lambda: jax.numpy_dtype_promotion("strict"),
    "key_reuse": lambda: jax.debug_key_reuse(True),
    "wide_numbers": lambda: jax.enable_x64(True),
    "explicit_mesh": lambda: jax.set_mesh(jax.make_mesh((2,), ("devices",))),
}


KINDS = ["explicit_mesh", "strict_promotion"]
REST = sorted({*STRICT} - {*KINDS})


@pytest.mark.parametrize("switch", [*KINDS, *slow(*REST)])
@pytest.mark.parametrize("loss", ["focal", *slow("huber")])
def test_a_healthy_network_trains_under_every_switch_of_jax(loss, switch, split):
    """With dropout, noise, a schedule, weights, metrics and padded batches."""
    part = OPTIMIZERS.part("adamw(clip=1.0, warmup=0.1, schedule='cosine')")
    regression = loss == "huber"
    names = ["mae"] if regression else ["auroc", "average_precision", "matthews", "ece"]
    y = split.x[:, 0] if regression else split.y
    keys = streams(0, 0)

    def epoch(state, split):
        chosen = make_objective(
            OBJECTIVES.part(loss), {}, classes=None if regression else 2, outputs=1
        )
        run = make_run(
            from_linen(MLP(1, "n_relu", hidden=(4,), dropout=0.2)),
            make_optimizer(part, part.numeric, steps=20),
            chosen,
            classes=None if regression else 2,
            transform=lambda x: x,
            eval_batch=10,
            metrics=[make_metric(METRICS.part(name)) for name in names],
        )
        if state is None:
            state = run.init(keys, split.x)
        state, losses = train_epoch(run, state, split, keys, batch_size=8)
        return state, losses, run.evaluate(state, split)

    examples = Split(split.x, y, jnp.linspace(0.5, 1.0, 37))
    with STRICT[switch]():
        state, losses, (metrics, _) = jax.jit(epoch)(None, examples)
    assert np.isfinite(losses.running_loss) and losses.diverged_step == NEVER
    assert all(np.isfinite(value).all() for value in metrics.values())
    assert all(p.dtype == jnp.float32 for p in jax.tree.leaves(state.params))
