"""The generator of the layers' noise."""

import jax
import numpy as np
import pytest

import relujax
from relujax import models
from relujax.training import streams


def impl(key):
    return str(jax.random.key_impl(key))


def test_the_default_generator_is_exchanged_and_others_are_kept():
    assert impl(relujax.noise_key(jax.random.key(0))) == "threefry4x32"
    own = jax.random.key(0, impl="philox4x32")
    assert relujax.noise_key(own) is own


def test_different_keys_stay_different():
    keys = jax.random.split(jax.random.key(0), 1000)
    data = jax.random.key_data(jax.vmap(relujax.noise_key)(keys))
    assert len(np.unique(data, axis=0)) == 1000


@pytest.mark.parametrize("activation", ["n_relu", "rrelu", "noisy_relu"])
def test_layers_draw_from_it(activation, monkeypatch):
    """In Linen, in NNX and in replaced activations, and dropout does too."""
    drawn = []
    for sampler in ("normal", "uniform", "bernoulli"):
        original = getattr(jax.random, sampler)

        def watched(key, *args, original=original, **kwargs):
            drawn.append(impl(key))
            return original(key, *args, **kwargs)

        monkeypatch.setattr(jax.random, sampler, watched)
    key, x = jax.random.key(1), jax.numpy.ones((4, 3))
    relujax.linen.Activation(activation).apply(
        {}, x, train=True, rngs={"activation": key}
    )
    relujax.nnx.Activation(activation)(x, train=True, rngs=key)
    relujax.replace_activations(jax.nn.relu, {"relu": activation}, key=key)(x)
    models.Dropout(0.5).apply({}, x, train=True, rngs={"dropout": key})
    assert len(drawn) >= 4
    assert set(drawn) == {"threefry4x32"}


def test_the_streams_fold_and_split_like_any_key():
    """Folding the fast generator's keys takes XLA a second each, splitting minutes."""
    assert {impl(key) for key in streams(0, 0)} == {"threefry2x32"}
