"""The narrow, deep network: against the MLP, whatever the depth, capacity, padding."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from full import slow

from relujax import InputError
from relujax import networks as models
from relujax.networks import deep_mlp
from relujax.networks.layers import INITIALIZERS

X = jax.random.normal(jax.random.key(1), (20, 5))


def as_mlp(tree, depth, columns=5, outputs=2):
    """The weights, or gradients, of a deep_mlp as those of an MLP."""
    layers = {}
    for i in range(depth):
        block = tree["weights"][i]
        fan_in = columns if i == 0 else 8
        layers[f"Dense_{i}"] = {"kernel": block[:, :fan_in].T, "bias": block[:, -1]}
        if tree["activation"]:
            own = jax.tree.map(lambda p, i=i: p[i], tree["activation"])
            layers[f"Activation_{i}"] = own
    block = tree["weights"][depth, :outputs]
    layers[f"Dense_{depth}"] = {"kernel": block[:, :-1].T, "bias": block[:, -1]}
    return layers


@pytest.mark.parametrize(
    "activation", ["prelu(axis=-1)", *slow("elu", "relu", "prelu", "al_relu")]
)
def test_values_and_gradients_are_those_of_the_mlp(activation):
    reference = {
        d: models.from_linen(models.MLP(2, activation, hidden=(8,) * d))
        for d in (1, 2, 7)
    }

    @jax.jit
    def value_and_grad(params, depth):
        net = deep_mlp(2, activation, depth=depth, capacity=9)
        return jax.value_and_grad(lambda p: (net.apply(p, {}, X)[0] ** 2).sum())(params)

    for depth, mlp in reference.items():
        params, _ = deep_mlp(2, activation, capacity=9).init(jax.random.key(0), X)
        value, gradient = value_and_grad(params, float(depth))
        loss = lambda p, mlp=mlp: (mlp.apply(p, {}, X)[0] ** 2).sum()
        plain = jax.jit(jax.value_and_grad(loss))
        expected, expected_gradient = plain(as_mlp(params, depth))
        np.testing.assert_allclose(value, expected, rtol=1e-5)
        found = as_mlp(gradient, depth)
        chex.assert_trees_all_close(found, dict(expected_gradient), atol=1e-5)


def test_the_stack_holds_what_went_through_every_activation():
    net = deep_mlp(1, "elu", depth=4.0, capacity=6)
    params, state = jax.jit(net.init)(jax.random.key(0), X)
    _, _, (stack,) = jax.jit(net.apply)(params, state, X)
    mlp = models.from_linen(models.MLP(1, "elu", hidden=(8,) * 4))
    _, _, expected = jax.jit(mlp.apply)(as_mlp(params, 4, outputs=1), {}, X)
    chex.assert_shape((stack.z, stack.y), (6, 8, 20))
    assert stack.count == 4
    for layer, z in enumerate(expected):
        np.testing.assert_allclose(stack.z[layer].T, z, atol=1e-6)
        np.testing.assert_allclose(stack.y[layer].T, jax.nn.elu(z), atol=1e-6)


def normalised_mlp(params, depth, x):
    """Layer normalisation of Flax before each activation, written out."""
    layers, norm = as_mlp(params, depth), nn.LayerNorm(use_bias=False, use_scale=False)
    inputs = []
    for i in range(depth):
        layer = layers[f"Dense_{i}"]
        product = x @ layer["kernel"] + layer["bias"][None]
        inputs.append(norm.apply({}, product))
        x = jax.nn.elu(inputs[-1])
    last = layers[f"Dense_{depth}"]
    return x @ last["kernel"] + last["bias"][None], inputs


@pytest.mark.parametrize("depth", [1, 3])
def test_normalised_layers_are_those_of_flax(depth):
    net = deep_mlp(2, "elu", depth=float(depth), capacity=4, normalize=True)
    params, _ = net.init(jax.random.key(0), X)
    outputs, _, (stack,) = net.apply(params, {}, X)
    expected, inputs = normalised_mlp(params, depth, X)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    found = np.swapaxes(stack.z[:depth], 1, 2)
    np.testing.assert_allclose(found, np.stack(inputs), atol=1e-5)

    loss = lambda run: jax.grad(lambda p: (run(p)[0] ** 2).sum())(params)["weights"]
    gradient = loss(lambda p: net.apply(p, {}, X))
    by_flax = loss(lambda p: normalised_mlp(p, depth, X))
    np.testing.assert_allclose(gradient, by_flax, rtol=1e-3, atol=1e-4)


def test_what_came_later_is_left_out_of_the_name():
    part = models.MODELS.part("deep_mlp(depth=3, normalize=False)")
    assert "normalize" not in part.text
    assert "normalize=True" in models.MODELS.part("deep_mlp(normalize=True)").text


@pytest.mark.parametrize("name", INITIALIZERS)
def test_capacity_and_padding_change_no_number(name):
    small = deep_mlp(1, "relu", depth=3.0, capacity=3, initializer=name)
    large = deep_mlp(1, "relu", depth=3.0, capacity=12, inputs=5.0, initializer=name)
    padded = jnp.pad(X, ((0, 0), (0, 2)))
    params, _ = small.init(jax.random.key(3), X)
    more, _ = large.init(jax.random.key(3), padded)
    np.testing.assert_array_equal(params["weights"], more["weights"][:4])
    np.testing.assert_array_equal(
        small.apply(params, {}, X)[0], large.apply(more, {}, padded)[0]
    )


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initial_weights_have_the_moments_of_the_mlp(name):
    fan_in, width = 3, 6
    net = deep_mlp(2, "relu", width=width, capacity=2000, initializer=name)
    params, _ = jax.jit(net.init)(jax.random.key(0), jnp.ones((1, fan_in)))
    # 72,000 draws of unit variance: a relative standard error of at most 0.6 %.
    expected = {"glorot": 1 / 6, "he": 1 / 3, "lecun": 1 / 6, "pytorch": 1 / 18}[name]
    np.testing.assert_allclose(params["weights"][4:, :, :-1].var(), expected, rtol=0.03)
    one = deep_mlp(2, "relu", width, depth=1.0, capacity=1, initializer=name)
    nets = jax.vmap(lambda k: one.init(k, jnp.ones((1, fan_in)))[0]["weights"][0])
    first = jax.jit(nets)(jax.random.split(jax.random.key(1), 400))[..., :fan_in]
    expected = {"glorot": 2 / 9, "he": 2 / 3, "lecun": 1 / 3, "pytorch": 1 / 9}[name]
    np.testing.assert_allclose(first.var(), expected, rtol=0.06)


def test_noise_differs_by_layer_and_signals_are_fed():
    net = deep_mlp(1, "n_relu(sigma=1.0)", depth=2.0, capacity=2)
    params, state = jax.jit(net.init)(jax.random.key(0), X)
    flat = {**params, "weights": jnp.zeros_like(params["weights"])}
    rngs = {"activation": jax.random.key(5)}
    trained = jax.jit(functools.partial(net.apply, train=True))
    _, _, (stack,) = trained(flat, state, X, rngs=rngs)
    assert not np.array_equal(stack.y[0], stack.y[1])
    assert 0.7 < float(stack.y.std()) < 1.3
    _, _, (again,) = trained(flat, state, X, rngs=rngs)
    np.testing.assert_array_equal(stack.y, again.y)

    fed = deep_mlp(1, "arelu", depth=1.0, capacity=1)
    params, _ = jax.jit(fed.init)(jax.random.key(0), X)
    signal = {"signal": {"deep": {"loss": 0.7}}}
    _, _, (stack,) = jax.jit(fed.apply)(params, signal, X)
    np.testing.assert_allclose(stack.y, jnp.where(stack.z > 0, stack.z, 0.7 * stack.z))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 31.0}, "from 1 to the capacity of 30"),
        ({"depth": 2.5}, "whole depth"),
        ({"width": 0}, "positive integers"),
        ({"initializer": "helium"}, "'he'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        deep_mlp(1, "relu", **arguments)


def test_too_many_columns():
    with pytest.raises(InputError, match="at most as many input columns"):
        deep_mlp(1, "relu", width=4).init(jax.random.key(0), X)
