"""Convolution and pooling against Flax, in both forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from full import slow

from relujax import Cell, InputError
from relujax.kernels import convolution
from relujax.networks import CNN, from_linen
from relujax.networks.layers import INITIALIZERS, Conv

FORMS = [convolution._conv2d_matmul, convolution._conv2d_lax]
POOLS = [convolution._max_pool_slices, convolution.max_pool_2x2]


@pytest.mark.parametrize("conv", FORMS)
@pytest.mark.parametrize("shape", [(2, 6, 5, 3), *slow((1, 3, 3, 1), (3, 28, 28, 1))])
def test_convolution_equals_flax_in_value_and_gradient(conv, shape):
    x = jax.random.normal(jax.random.key(0), shape)
    layer = nn.Conv(4, (3, 3), padding="VALID", bias_init=nn.initializers.normal())
    params = layer.init(jax.random.key(1), x)
    weight = jax.random.normal(jax.random.key(2), layer.apply(params, x).shape)

    def loss(fn):
        total = lambda x, p: (fn(x, p) * weight).sum()
        return jax.jit(jax.value_and_grad(total, (0, 1)))

    ours = loss(lambda x, p: conv(x, **p["params"]))(x, params)
    theirs = loss(lambda x, p: layer.apply(p, x))(x, params)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        scale = max(1.0, float(jnp.abs(b).max()))
        np.testing.assert_allclose(a / scale, b / scale, atol=1e-5)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("shape", [(1, 5, 7, 2), *slow((2, 4, 6, 3), (2, 26, 26, 1))])
@pytest.mark.parametrize("ties", [False, True])
def test_pooling_equals_flax_in_value_and_gradient(pool, shape, ties):
    x = jax.random.normal(jax.random.key(0), shape)
    if ties:  # Few distinct values: most windows have several maxima.
        x = jnp.round(x)
    theirs = lambda x: nn.max_pool(x, (2, 2), strides=(2, 2))
    weight = jax.random.normal(jax.random.key(1), theirs(x).shape)
    np.testing.assert_array_equal(pool(x), theirs(x))
    gradients = [
        jax.grad(lambda x, f=f: (f(x) * weight).sum())(x) for f in (pool, theirs)
    ]
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("odd", [jnp.inf, -jnp.inf, jnp.nan])
def test_no_number_is_lost(odd):
    x = jnp.ones((2, 5, 6, 1)).at[0, 0, 0, 0].set(odd)
    kernel, bias = jnp.ones((3, 3, 1, 2)), jnp.zeros(2)
    ours, theirs = (jax.jit(form)(x, kernel, bias) for form in FORMS)
    np.testing.assert_array_equal(ours, theirs)
    theirs = nn.max_pool(x, (2, 2), strides=(2, 2))
    np.testing.assert_array_equal(convolution.max_pool_2x2(x), theirs)
    gradients = [
        jax.jit(jax.grad(lambda x, f=f: f(x, kernel, bias)[0].sum()))(x) for f in FORMS
    ]
    np.testing.assert_array_equal(*gradients)


def test_networks_side_by_side_equal_each_alone():
    x = jax.random.normal(jax.random.key(0), (2, 7, 8, 1))
    kernels = jax.random.normal(jax.random.key(1), (3, 3, 3, 1, 4))
    biases = jax.random.normal(jax.random.key(2), (3, 4))

    def gradient(kernel, bias):
        layer = lambda k, b: convolution.max_pool_2x2(convolution.conv2d(x, k, b))
        return jax.grad(lambda *args: (layer(*args) ** 2).sum(), (0, 1))(kernel, bias)

    together = jax.jit(jax.vmap(gradient))(kernels, biases)
    alone = jax.jit(lambda *given: jax.lax.map(lambda one: gradient(*one), given))(
        kernels, biases
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4), together, alone
    )


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_layer_has_the_parameters_of_flax(name):
    x = jnp.ones((1, 8, 8, 3))
    params = Conv(5, (3, 3), name).init(jax.random.key(0), x)["params"]
    theirs = nn.Conv(5, (3, 3)).init(jax.random.key(0), x)["params"]
    shapes = jax.tree.map(jnp.shape, (dict(params), dict(theirs)))
    assert shapes[0] == shapes[1]
    if name == "pytorch":
        assert 0 < jnp.abs(params["kernel"]).max() <= 1 / 27**0.5


def test_the_network_of_the_paper():
    model = from_linen(CNN(10, "relu"))
    x = jnp.ones((2, 28, 28, 1))
    params, state = jax.eval_shape(model.init, jax.random.key(0), x)
    y, _, z = jax.eval_shape(model.apply, params, state, x)
    assert y.shape == (2, 10)
    # Without padding: 28 -> 26 -> 13 -> 11 -> 5, and 5 * 5 * 64 = 1600 inputs.
    assert [v.shape[1:] for v in z] == [(26, 26, 32), (11, 11, 64), (512,), (512,)]
    assert params["MLP_0"]["Dense_0"]["kernel"].shape == (1600, 512)


def test_tables_are_refused():
    with pytest.raises(InputError, match="take an mlp"):
        CNN(2, "relu").init(jax.random.key(0), jnp.ones((2, 30)))
    with pytest.raises(InputError, match="filters"):
        Cell(data="digits", model="cnn(filters=32)", activation="relu")
