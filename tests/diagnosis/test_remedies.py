"""Recycling of dead units, and the asymmetric initialisation."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from full import some

from relujax import InputError, Link, rai, recycle

PARAMS = {"up": jnp.ones((3, 4)), "bias": jnp.ones(4), "down": jnp.ones((4, 2))}
LINKS = {"relu_0": Link("up", "down", "bias")}
DEAD = {"relu_0": jnp.array([True, False, True, False])}


def test_only_dead_units_change():
    new, state = recycle(jax.random.key(0), PARAMS, DEAD, LINKS)
    assert state is None
    alive = ~DEAD["relu_0"]
    assert np.all(np.asarray(new["up"] == 1) == alive[None])
    np.testing.assert_array_equal(new["bias"], alive)
    np.testing.assert_array_equal(new["down"], jnp.broadcast_to(alive[:, None], (4, 2)))
    bound = np.sqrt(6 / 7)  # Glorot uniform
    assert np.all(np.abs(new["up"][:, DEAD["relu_0"]]) <= bound)


def test_jit_gives_the_same():
    expected = recycle(jax.random.key(0), PARAMS, DEAD, LINKS)
    actual = jax.jit(lambda key, p, d: recycle(key, p, d, LINKS))
    jax.tree.map(
        np.testing.assert_array_equal, actual(jax.random.key(0), PARAMS, DEAD), expected
    )


def test_moments_of_recycled_weights_are_reset_and_no_others():
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-2))
    state: Any = optimiser.init(PARAMS)
    _, state = optimiser.update(PARAMS, state, PARAMS)
    _, new = recycle(jax.random.key(0), PARAMS, DEAD, LINKS, opt_state=state)
    assert jax.tree.structure(new) == jax.tree.structure(state)
    adam, before = new[1][0], state[1][0]
    assert adam.count == before.count == 1
    alive = ~DEAD["relu_0"]
    for moments, old in ((adam.mu, before.mu), (adam.nu, before.nu)):
        assert np.all(np.asarray(old["up"]) != 0)
        np.testing.assert_array_equal(moments["up"], old["up"] * alive[None])
        np.testing.assert_array_equal(moments["bias"], old["bias"] * alive)
        np.testing.assert_array_equal(moments["down"], old["down"] * alive[:, None])


def test_flattened_convolution():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.relu(nn.Conv(3, (2, 2))(x))
            return nn.Dense(2)(x.reshape(x.shape[0], -1))

    x = jax.random.normal(jax.random.key(0), (2, 4, 4, 1))
    params = Net().init(jax.random.key(1), x)
    links = {"a": Link("params/Conv_0/kernel", "params/Dense_0/kernel")}
    dead = {"a": jnp.array([False, True, False])}
    new, _ = recycle(jax.random.key(2), params, dead, links)
    # The output no longer depends on channel 1: blanking it changes nothing.
    blank = jax.tree.map(lambda p: p, new)
    convolution = blank["params"]["Conv_0"]
    convolution["kernel"] = convolution["kernel"].at[..., 1].set(5.0)
    np.testing.assert_array_equal(Net().apply(new, x), Net().apply(blank, x))
    kernel = new["params"]["Dense_0"]["kernel"].reshape(16, 3, 2)
    assert not kernel[:, 1].any() and kernel[:, 0].all() and kernel[:, 2].all()


def two_layers(params, x):
    h = jax.nn.relu(x @ params["a"] + params["p"][None])
    return jax.nn.relu(h @ params["b"] + params["q"][None]) @ params["c"]


TWO = {"first": Link("a", "b", "p"), "second": Link("b", "c", "q")}


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_order_of_the_links_does_not_matter(share):
    """Listed back to front, dead layers stayed dead: the first wiped out the second."""
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = {"a": (3, 8), "b": (8, 6), "c": (6, 2)}
    weights = {
        name: jax.random.normal(key, shape)
        for key, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
    dead = {"first": jnp.arange(8) < share * 8, "second": jnp.arange(6) < share * 6}
    biases = {
        "p": jnp.where(dead["first"], -99, 0),
        "q": jnp.where(dead["second"], -99, 0),
    }
    params = weights | {name: 1.0 * bias for name, bias in biases.items()}
    key, x = jax.random.key(1), jax.random.normal(jax.random.key(2), (20, 3))
    new, _ = recycle(key, params, dead, TWO)
    again, _ = recycle(key, params, dead, dict(reversed(TWO.items())))
    jax.tree.map(np.testing.assert_array_equal, new, again)
    alone, _ = recycle(key, params, dead, {"first": TWO["first"]})
    np.testing.assert_array_equal(alone["a"], new["a"])
    # Dead units gave zeros, and give nothing yet: the output is the same.
    np.testing.assert_allclose(two_layers(new, x), two_layers(params, x), rtol=1e-5)
    # But something flows through every layer, and a gradient reaches the last weights.
    grad = jax.grad(lambda p: jnp.sum(two_layers(p, x) - 1))(new)
    assert np.asarray(grad["c"][dead["second"]]).any()


def test_what_a_dormant_unit_contributed_is_lost():
    params = {"up": jnp.eye(2), "down": jnp.ones((2, 1))}
    net = lambda p, x: jax.nn.sigmoid(x @ p["up"]) @ p["down"]
    dead = {"s": jnp.array([True, False])}
    new, _ = recycle(jax.random.key(0), params, dead, {"s": Link("up", "down")})
    x = jnp.array([[-3.0, 0.0]])
    lost = net(params, x) - net(new, x)
    np.testing.assert_allclose(lost, jax.nn.sigmoid(-3.0), rtol=1e-5)


def test_equinox_layout():
    eqx = pytest.importorskip("equinox")
    model = eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0))
    weights = ("layers/0/weight", "layers/1/weight", "layers/0/bias")
    link = Link(*weights, unit_axis=0, outgoing_axis=1)
    params, static = eqx.partition(model, eqx.is_array)
    new, _ = recycle(jax.random.key(0), params, DEAD, {"relu_0": link})
    new = eqx.combine(new, static)
    alive = ~DEAD["relu_0"]
    np.testing.assert_array_equal(new.layers[1].weight[0] != 0, alive)
    same = np.asarray(new.layers[0].weight == model.layers[0].weight).all(1)
    np.testing.assert_array_equal(same, alive)


def test_bad_input_is_one_sentence():
    key = jax.random.key(0)
    with pytest.raises(InputError, match="Did you mean 'relu_0'"):
        recycle(key, PARAMS, DEAD, {"relu_1": LINKS["relu_0"]})
    with pytest.raises(InputError, match="Unknown parameter 'upp'"):
        recycle(key, PARAMS, DEAD, {"relu_0": Link("upp")})
    with pytest.raises(InputError, match="Expected 3 units along axis -2 of 'down'"):
        recycle(key, PARAMS, {"relu_0": np.ones(3, bool)}, LINKS)
    with pytest.raises(InputError, match="one boolean per unit"):
        recycle(key, PARAMS, {"relu_0": np.ones((2, 4), bool)}, LINKS)


def test_rai_rows_hold_one_beta_and_the_rest_normal():
    kernel, bias = rai(jax.random.key(0), (9, 20_000))
    rows = np.concatenate([np.asarray(kernel), np.asarray(bias)[None]]).T
    # Mean of a row: one Beta(2, 1) of mean 2/3, and nine normals of mean 0.
    np.testing.assert_allclose(rows.sum(1).mean(), 2 / 3, atol=0.02)
    # E of squares: Beta(2, 1) has 1/2, a normal 0.6007^2 / 9.
    expected = 1 / 2 + 9 * 0.6007**2 / 9
    np.testing.assert_allclose((rows**2).sum(1).mean(), expected, rtol=0.03)
    # The place of the Beta is uniform: every column has the same mean.
    np.testing.assert_allclose(rows.mean(0), 2 / 3 / 10, atol=0.01)


def test_rai_networks_are_born_dead_as_rarely_as_reported():
    """A Monte Carlo value of 20,000 draws on a grid of [-1, 1], one input."""
    width, depth, expected = 2, 10, 0.264
    grid = jnp.linspace(-1, 1, 41)[:, None]

    def born_dead(key):
        first, *rest = jax.random.split(key, depth - 1)
        w, b = rai(first, (1, width))
        x = jax.nn.relu(grid @ w + b[None])
        dead = ~jnp.any(x > 0)
        for w, b in zip(
            *jax.vmap(lambda key: rai(key, (width, width)))(jnp.stack(rest)),
            strict=True,
        ):
            x = jax.nn.relu(x @ w + b[None])
            dead |= ~jnp.any(x > 0)
        return dead

    rate = jax.jit(jax.vmap(born_dead))(
        jax.random.split(jax.random.key(0), 2000)
    ).mean()
    error = np.sqrt(expected * (1 - expected) / 2000)
    assert abs(rate - expected) < 4 * error


PARTS = {"up": jnp.ones((3, 2)), "down": jnp.ones((2, 1)), "bias": jnp.ones(2)}
OPTIMISERS = {
    "adam": optax.adam(1e-3),
    "masked": optax.masked(optax.adam(1e-3), {"up": True, "down": False, "bias": True}),
    "multi_transform": optax.multi_transform(
        {"a": optax.adam(1e-3), "b": optax.sgd(1e-2, momentum=0.9)},
        {"up": "a", "down": "b", "bias": "a"},
    ),
    "muon": optax.contrib.muon(1e-3),
    "inject": optax.inject_hyperparams(optax.adamw)(learning_rate=1e-3),
    "steps": optax.MultiSteps(optax.rmsprop(1e-3, momentum=0.9), 2),
    "adafactor": optax.adafactor(1e-3),
}


@pytest.mark.parametrize("name", some(OPTIMISERS, 3))
def test_moments_of_a_dead_unit_are_reset_wherever_they_lie(name):
    optimiser = OPTIMISERS[name]
    ones = jax.tree.map(jnp.ones_like, PARTS)
    _, state = optimiser.update(ones, optimiser.init(PARTS), PARTS)
    links = {"relu_0": Link("up", "down", "bias")}
    dead = {"relu_0": jnp.array([True, False])}
    _, reset = recycle(jax.random.key(0), PARTS, dead, links, opt_state=state)
    assert jax.tree.structure(reset) == jax.tree.structure(state)
    before, after = (jax.tree_util.tree_leaves_with_path(s) for s in (state, reset))
    seen = 0
    for (path, old), (_, new) in zip(before, after, strict=True):
        assert jnp.shape(old) == jnp.shape(new)
        owner = path[-1].key if isinstance(path[-1], jax.tree_util.DictKey) else None
        if owner in PARTS and old.shape == PARTS[owner].shape:
            dead_axis = {"up": 1, "down": 0, "bias": 0}[owner]
            seen += 1
            assert not jnp.take(new, 0, dead_axis).any()
            kept = jnp.take(old, 1, dead_axis)
            np.testing.assert_array_equal(jnp.take(new, 1, dead_axis), kept)
        else:
            np.testing.assert_array_equal(new, old)
    assert seen >= 2


def test_moments_of_several_units_together_are_refused():
    wide = {"up": jnp.ones((256, 256)), "down": jnp.ones((256, 256))}
    state = optax.adafactor(1e-3).init(wide)
    dead = {"relu_0": jnp.arange(256) < 3}
    with pytest.raises(InputError, match="of several units together"):
        links = {"relu_0": Link("up", "down")}
        recycle(jax.random.key(0), wide, dead, links, opt_state=state)
