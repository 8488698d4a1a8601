"""Pairs of functions: a plain one, and two that are called as Haiku's are."""

from types import SimpleNamespace
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.example_libraries import stax
from networks_loop import INIT, SGD, X, Y, keys_of, mean_square, train

from relujax import InputError
from relujax.networks import as_model

FLAT = X.reshape(len(X), -1)


def weights(key, x):
    return {"w": jax.random.normal(key, (x[0].size, 3)) / 9}


def forward(params, x, keep=None, mean=None):
    y = jax.nn.relu(x @ params["w"])
    y = y if mean is None else y - mean[None]
    y = y if keep is None else jnp.where(jax.random.bernoulli(keep, 0.5, y.shape), y, 0)
    return y.sum(1, keepdims=True)


class Transformed(NamedTuple):
    """What `hk.transform_with_state` gives, whose functions hide what was theirs."""

    init: object
    apply: object


def haiku(f):
    """`f(x, is_training)` in the way of `hk.transform_with_state`."""

    def init(rng, *args, **kwargs):
        x, *_ = args
        assert kwargs.get("is_training", args[1:]) in (True, (True,))
        return weights(rng, x), {"mean": jnp.zeros(3)}

    def apply(params, state, rng, *args, **kwargs):
        return f(params, state, rng, *args, **kwargs)

    def original(x, is_training):
        raise NotImplementedError

    init._original_fn = apply._original_fn = original  # type: ignore[attr-defined]
    return Transformed(init, apply)


def normalised(params, state, rng, x, is_training):
    mean = jax.nn.relu(x @ params["w"]).mean(0)
    if is_training:
        state = {"mean": 0.9 * state["mean"] + 0.1 * mean}
        return forward(params, x, rng, mean), state
    return forward(params, x, None, state["mean"]), state


def test_a_pair_with_state_trains_as_by_hand():
    ours = train(as_model(haiku(normalised)), FLAT)
    params, state = weights(INIT, FLAT), {"mean": jnp.zeros(3)}
    opt_state = SGD.init(params)

    @jax.jit
    def step(params, state, opt_state, key):
        def loss(params):
            y, changed = normalised(params, state, key, FLAT, True)
            return mean_square(y, Y), changed

        (value, changed), grads = jax.value_and_grad(loss, has_aux=True)(params)
        updates, opt_state = SGD.update(grads, opt_state)
        return optax.apply_updates(params, updates), changed, opt_state, value

    for i in range(3):
        key = keys_of(i)["dropout"]
        params, state, opt_state, value = step(params, state, opt_state, key)
        np.testing.assert_allclose(ours.losses[i], value, rtol=1e-6)
    chex.assert_trees_all_close(ours.params, params, rtol=1e-5, atol=1e-6)
    chex.assert_trees_all_close(ours.state, {"state": state}, rtol=1e-5)
    y, _ = normalised(params, state, None, FLAT, False)
    np.testing.assert_allclose(ours.outputs, y, rtol=1e-5, atol=1e-6)


def by_rngs(params, x, rngs, train):
    assert train == (rngs is not None)
    return forward(params, x, rngs["dropout"] if train else None)


def transformed(params, rng, *args, **kwargs):
    """As `hk.transform` gives it, of a function that asks if there is a key."""
    return forward(params, *args, rng)


@pytest.mark.parametrize(
    "apply",
    [
        lambda params, x, key=None: forward(params, x, key),
        lambda params, x, *, key, training: forward(
            params, x, key if training else None
        ),
        lambda p, x, deterministic=True, key=None: forward(p, x, key),
        by_rngs,
        transformed,
    ],
    ids=["key", "keywords", "deterministic", "rngs", "haiku"],
)
def test_keys_come_in_training_alone(apply):
    model = as_model((weights, apply))
    params, state = model.init(INIT, FLAT)
    assert state == {}
    y, _, z = model.apply(params, state, FLAT, rngs=keys_of(0))
    np.testing.assert_array_equal(y, forward(params, FLAT))
    noisy, _, _ = model.apply(params, state, FLAT, rngs=keys_of(0), train=True)
    np.testing.assert_array_equal(noisy, forward(params, FLAT, keys_of(0)["dropout"]))
    assert z == () and not np.allclose(y, noisy)


def test_an_init_of_the_key_alone_and_an_object_with_both():
    model = as_model(
        SimpleNamespace(
            init=lambda key: weights(key, FLAT),
            apply=lambda params, inputs: forward(params, inputs),
        )
    )
    params, state = model.init(INIT, FLAT)
    y, *_ = model.apply(params, state, FLAT, rngs=keys_of(0), train=True)
    np.testing.assert_array_equal(y, forward(params, FLAT))


def test_a_pair_of_stax():
    init, apply = stax.serial(stax.Dense(4), stax.Relu, stax.Dense(1))
    model = as_model((init, apply))
    params, state = model.init(INIT, FLAT)
    _, wanted = init(INIT, FLAT.shape)
    chex.assert_trees_all_equal(params, wanted)
    with jax.numpy_rank_promotion("allow"):
        y, *_ = model.apply(params, state, FLAT, rngs=keys_of(0), train=True)
        np.testing.assert_array_equal(y, apply(params, FLAT))


def test_another_required_argument_is_refused():
    with pytest.raises(InputError, match=r"function apply .* requires 'mask'"):
        as_model((weights, lambda params, x, mask: x))
