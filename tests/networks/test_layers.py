"""The dense layer with few outputs: Flax's, with another way to its gradient."""

import math

import chex
import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn
from jax.test_util import check_grads

from relujax.networks.layers import dense, initializers


@pytest.mark.parametrize("features", [1, 10, 100])
def test_it_is_flax_dense(features):
    keys = jax.random.split(jax.random.key(0), 2)
    x = jax.random.normal(keys[0], (32, 128))
    ours, flax = dense(features, 128, "glorot"), nn.Dense(features)
    params = ours.init(keys[1], x)

    def outputs_and_gradients(layer):
        outputs = layer.apply(params, x)
        loss = lambda params: jnp.sin(layer.apply(params, x)).sum()
        return outputs, jax.grad(loss)(params)

    (y, grads), (wanted, wanted_grads) = map(outputs_and_gradients, (ours, flax))
    chex.assert_trees_all_equal(y, wanted)
    chex.assert_trees_all_close(grads, wanted_grads, rtol=1e-5, atol=1e-5)


def test_few_outputs_have_derivatives_of_every_kind():
    x = jax.random.normal(jax.random.key(0), (4, 128))
    layer = dense(3, 128, "glorot")
    params = layer.init(jax.random.key(1), x)
    square = lambda params, x: jnp.square(layer.apply(params, x)).sum()
    check_grads(square, (params, x), order=2, modes=("fwd", "rev"))


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="what XLA does on a CPU")
def test_the_gradient_of_few_columns_is_computed_transposed():
    x, layer = jnp.ones((128, 512)), dense(10, 512, "glorot")
    params = layer.init(jax.random.key(0), x)
    loss = lambda params: jnp.square(layer.apply(params, x)).sum()
    text = jax.jit(jax.grad(loss)).lower(params).compile().as_text()
    assert text is not None
    products = [line for line in text.splitlines() if " dot(" in line]
    assert [line for line in products if "f32[10,512]" in line]
    assert not [line for line in products if "f32[512,10]" in line]


@pytest.mark.parametrize("name", ["glorot", "he", "lecun", "pytorch"])
@pytest.mark.parametrize("shape", [(30, 10), (3, 3, 2, 5)])
def test_initial_weights_are_those_of_flax(name, shape):
    """Bit for bit, though drawn in a row."""
    flax = {
        "glorot": nn.initializers.glorot_uniform(),
        "he": nn.initializers.he_normal(),
        "lecun": nn.initializers.lecun_normal(),
        "pytorch": lambda key, shape: jax.random.uniform(
            key, shape, minval=-(30**-0.5), maxval=30**-0.5
        ),
    }
    ours, key = initializers(name, 30)[0], jax.random.key(0)
    chex.assert_trees_all_equal(ours(key, shape), flax[name](key, shape))
    text = str(jax.make_jaxpr(lambda key: ours(key, shape))(key))
    assert f"shape=({math.prod(shape)},)" in text
