"""The MLP and the Linen adapter."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from relujax import InputError
from relujax.linen import Activation
from relujax.networks import CNN, MLP, from_linen
from relujax.networks.layers import INITIALIZERS, Dropout


def test_shapes_for_any_depth_and_width():
    for hidden in ((), (3,), (4, 5, 6)):
        model = from_linen(MLP(2, "relu", hidden=hidden))
        params, state = model.init(jax.random.key(0), jnp.ones((7, 4, 4, 1)))
        y, _, z = model.apply(params, state, jnp.ones((7, 4, 4, 1)))
        chex.assert_shape(y, (7, 2))
        assert [v.shape for v in z] == [(7, width) for width in hidden]


def test_preactivations_come_in_the_order_of_the_layers():
    hidden = tuple(range(2, 14))  # More than ten: `Activation_10` sorts before `_2`.
    model = from_linen(MLP(1, "relu", hidden=hidden))
    params, state = model.init(jax.random.key(0), jnp.ones((1, 3)))
    _, _, z = jax.jit(model.apply)(params, state, jnp.ones((1, 3)))
    assert tuple(v.shape[-1] for v in z) == hidden


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initialisers_have_their_textbook_moments(name):
    fan_in, fan_out = 300, 200
    params = MLP(fan_out, "relu", hidden=(), initializer=name).init(
        jax.random.key(0), jnp.ones((1, fan_in))
    )["params"]["Dense_0"]
    variance = {
        "glorot": 2 / (fan_in + fan_out),
        "he": 2 / fan_in,
        "lecun": 1 / fan_in,
        "pytorch": 1 / (3 * fan_in),
    }[name]
    # 60,000 draws: the relative standard error of the variance is below 0.6 %.
    np.testing.assert_allclose(params["kernel"].var(), variance, rtol=0.03)
    if name == "pytorch":
        assert 0 < jnp.abs(params["bias"]).max() <= 1 / fan_in**0.5
    else:
        np.testing.assert_array_equal(params["bias"], 0)


def test_unknown_initializer():
    with pytest.raises(InputError, match="'glorot'"):
        MLP(1, "relu", initializer="glorott").init(jax.random.key(0), jnp.ones((1, 2)))


def test_dropout_keeps_the_mean_and_the_rate():
    x = jnp.ones((100, 1000))
    y = Dropout(0.3).apply({}, x, train=True, rngs={"dropout": jax.random.key(0)})
    # 1e5 draws: the standard error of the fraction is 0.00145.
    np.testing.assert_allclose((y == 0).mean(), 0.3, atol=0.006)
    np.testing.assert_allclose(jnp.unique(y), [0, 1 / 0.7], rtol=1e-6)
    np.testing.assert_array_equal(Dropout(0.3).apply({}, x), x)
    with pytest.raises(ValueError, match="'dropout' random stream"):
        Dropout(0.3).apply({}, x, train=True, rngs={"params": jax.random.key(0)})


@pytest.mark.parametrize("rate", [0.001, 0.05])
def test_the_rate_of_dropout_holds_in_bfloat16(rate):
    """Its own draws are multiples of 1/128."""
    x = jnp.ones(10**6, jnp.bfloat16)
    y = Dropout(rate).apply({}, x, train=True, rngs={"dropout": jax.random.key(0)})
    assert isinstance(y, jax.Array) and y.dtype == jnp.bfloat16
    error = (rate * (1 - rate) / x.size) ** 0.5
    np.testing.assert_allclose(float((y == 0).mean()), rate, atol=4 * error)


def test_a_traced_rate_gives_the_same_numbers():
    x = jnp.ones((5, 7))

    def drop(rate):
        rngs = {"dropout": jax.random.key(1)}
        return Dropout(rate).apply({}, x, train=True, rngs=rngs)

    np.testing.assert_array_equal(jax.jit(drop)(0.3), drop(0.3))


def test_noise_needs_its_own_stream():
    """Linen would fall back to `params` and repeat the noise at every step."""
    layer = Activation("n_relu")
    with pytest.raises(ValueError, match="'activation' random stream"):
        layer.apply({}, -jnp.ones(3), train=True, rngs={"params": jax.random.key(0)})
    with pytest.raises(ValueError, match="'activation' random stream"):
        layer.apply({}, -jnp.ones(3), train=True)
    still = layer.apply({}, -jnp.ones(3), train=False)
    np.testing.assert_array_equal(still, jnp.zeros(3))


def test_noise_differs_between_layers_and_elements():
    class Two(nn.Module):
        @nn.compact
        def __call__(self, x):
            return [Activation("n_relu")(x, train=True) for _ in range(2)]

    a, b = Two().apply({}, -jnp.ones(50), rngs={"activation": jax.random.key(0)})
    assert len(set(np.concatenate([a, b]).tolist())) == 100


def test_batch_statistics_are_carried():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, *, train=False):
            x = nn.BatchNorm(use_running_average=not train)(nn.Dense(3)(x))
            return Activation("relu")(x, train=train)

    model = from_linen(Net())
    x = jax.random.normal(jax.random.key(1), (20, 4))
    params, state = model.init(jax.random.key(0), x)
    _, after, z = model.apply(params, state, x, train=True)
    before = state["batch_stats"]["BatchNorm_0"]["mean"]
    assert not np.array_equal(before, after["batch_stats"]["BatchNorm_0"]["mean"])
    chex.assert_tree_all_finite(after)
    assert len(z) == 1
    _, frozen, _ = model.apply(params, after, x)
    chex.assert_trees_all_equal(frozen, after)


def test_noise_of_no_spread_leaves_a_cnn_as_it_is():
    x = jax.random.normal(jax.random.key(0), (3, 8, 8, 1))
    plain, noisy = (
        CNN(10, activation, filters=(4,), hidden=(8,))
        for activation in ("relu", "n_relu(sigma=0.0)")
    )
    variables = plain.init(jax.random.key(1), x)
    rngs = {"activation": jax.random.key(2)}
    y = noisy.apply(variables, x, train=True, rngs=rngs)
    np.testing.assert_array_equal(plain.apply(variables, x, train=True), y)
