"""Equinox networks as users write them; the oracle is the loop of its documentation."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from networks_loop import INIT, SGD, X, Y, keys_of, mean_square, train

import relujax
from relujax import InputError
from relujax.networks import as_model

eqx = pytest.importorskip("equinox")

SMALL = X[:, 0, 0]
IMAGES = X.transpose(0, 3, 1, 2)


class Net(eqx.Module):
    """Images come with their channels first, one at a time."""

    conv: eqx.nn.Conv2d
    norm: eqx.nn.BatchNorm
    dropout: eqx.nn.Dropout
    out: eqx.nn.Linear

    def __init__(self, *, key):
        a, b = jax.random.split(key)
        self.conv = eqx.nn.Conv2d(2, 4, 3, key=a)
        self.norm = eqx.nn.BatchNorm(4, axis_name="examples", mode="batch")
        self.dropout = eqx.nn.Dropout(0.5)
        self.out = eqx.nn.Linear(64, 1, key=b)

    def __call__(self, x, state, key=None):
        x, state = self.norm(self.conv(x), state)
        x = self.dropout(jax.nn.relu(x), key=key)
        return self.out(x.reshape(-1)), state


def test_batch_statistics_and_dropout_train_as_in_equinox():
    ours = train(as_model(Net), IMAGES)
    net, state = eqx.nn.make_with_state(Net)(key=INIT)
    opt_state = SGD.init(eqx.filter(net, eqx.is_inexact_array))
    batch = functools.partial(jax.vmap, axis_name="examples", out_axes=(0, None))

    @eqx.filter_jit
    def step(net, state, opt_state, key):
        def loss(net, state):
            keys = jax.random.split(key, len(IMAGES))
            y, state = batch(net, in_axes=(0, None, 0))(IMAGES, state, keys)
            return mean_square(y, Y), state

        both = eqx.filter_value_and_grad(loss, has_aux=True)(net, state)
        (value, state), grads = both
        updates, opt_state = SGD.update(grads, opt_state)
        return eqx.apply_updates(net, updates), state, opt_state, value

    for i in range(3):
        key = keys_of(i)["dropout"]
        net, state, opt_state, value = step(net, state, opt_state, key)
        np.testing.assert_allclose(ours.losses[i], value, rtol=1e-6)
    chex.assert_trees_all_close(
        ours.params["conv"]["weight"], net.conv.weight, rtol=1e-5, atol=1e-6
    )
    moved = jax.tree.leaves(state)
    chex.assert_trees_all_close(list(ours.state["state"]), moved, rtol=1e-5)
    evaluated = eqx.nn.inference_mode(net)
    y, _ = batch(evaluated, in_axes=(0, None))(IMAGES, state)
    np.testing.assert_allclose(ours.outputs, y, rtol=1e-5, atol=1e-6)


class Table(eqx.Module):
    """Arrays that are not learned, dropout, and one layer twice in a list."""

    layers: list
    order: jax.Array
    dropout: eqx.nn.Dropout
    calls: eqx.nn.StateIndex

    def __init__(self, key):
        self.layers = [eqx.nn.Linear(2, 2, key=k) for k in jax.random.split(key, 12)]
        self.order = jax.random.permutation(key, 2)
        self.dropout = eqx.nn.Dropout(0.5)
        self.calls = eqx.nn.StateIndex(jnp.zeros((), jnp.int32))

    def __call__(self, x, state, *, key):
        for layer in self.layers:
            x = layer(x[self.order])
        state = state.set(self.calls, state.get(self.calls) + 1)
        return self.dropout(x, key=key), state


@pytest.mark.parametrize(
    "make", [Table, lambda key: eqx.nn.make_with_state(Table)(key=key)]
)
def test_every_array_has_its_place(make):
    model = as_model(make)
    params, state = jax.jit(model.init)(INIT, SMALL)
    assert sorted(params["layers"]) == list(range(12))
    assert set(state) == {"arrays", "state"} and set(state["arrays"]) == {"order"}
    apply = jax.jit(model.apply, static_argnames="train")
    y, same, z = apply(params, state, SMALL)
    assert z == ()
    chex.assert_trees_all_equal(same, state)
    net, own = eqx.nn.make_with_state(Table)(key=INIT)
    net = eqx.nn.inference_mode(net)
    each = [net(x, own.substate(net), key=None)[0] for x in SMALL[:2]]
    np.testing.assert_allclose(y[:2], each, rtol=1e-5)
    noisy, after, _ = apply(params, state, SMALL, rngs=keys_of(0), train=True)
    assert after["state"][0] == 1
    # A key for each example: they are not all dropped in the same places.
    assert len(np.unique(np.asarray(noisy) == 0, axis=0)) > 1


def test_two_programs_agree_on_the_structure():
    """The engine makes a network once to initialise it and once to train it."""
    first, second = as_model(Net), as_model(Net)
    params, state = first.init(INIT, IMAGES)
    a, b = (m.apply(params, state, IMAGES)[0] for m in (first, second))
    np.testing.assert_array_equal(a, b)


class NoKey(eqx.Module):
    dropout: eqx.nn.Dropout = eqx.nn.Dropout(0.5)

    def __call__(self, x):
        return self.dropout(x)


class Unknown(eqx.Module):
    dropout: eqx.nn.Dropout = eqx.nn.Dropout(0.5)

    def __call__(self, x, wild=False, *, key=None):
        return self.dropout(x, key=key, inference=not wild)


class NoState(eqx.Module):
    norm: eqx.nn.BatchNorm

    def __init__(self):
        self.norm = eqx.nn.BatchNorm(2, axis_name="batch", mode="batch")

    def __call__(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (eqx.nn.MLP(2, 1, 4, 1, key=INIT), "got a finished MLP: every seed needs"),
        (NoKey, "module NoKey to take a key for its Dropout"),
        (Unknown, "Expected Dropout to do something else .* takes wild"),
        (lambda key: eqx.filter_vmap(NoKey()), "Expected a module of one example"),
        (NoState, "module NoState to take the state of its layers"),
        (eqx.nn.MLP, "Expected a value for 'in_size' of MLP"),
    ],
    ids=["instance", "key", "unknown", "wrapped", "state", "incomplete"],
)
def test_one_sentence_says_what_to_do(make, sentence):
    with pytest.raises(InputError, match=sentence):
        as_model(make).init(INIT, SMALL)


def test_the_activation_is_a_function_of_x():
    make = functools.partial(eqx.nn.MLP, 2, 1, 4, 1)
    model = as_model(make, activation="gelu")
    y, *_ = model.apply(*model.init(INIT, SMALL), SMALL)
    compiled = as_model(eqx.filter_jit(lambda key: make(key=key)))
    assert compiled.init(INIT, SMALL)[0].keys() == model.init(INIT, SMALL)[0].keys()
    net = make(activation=relujax.gelu, key=INIT)
    np.testing.assert_allclose(y, jax.vmap(net)(SMALL), rtol=1e-6)


def test_masks_of_an_optimiser_see_plain_dictionaries():
    params, _ = as_model(Net).init(INIT, IMAGES)
    decay = jax.tree.map(lambda p: p.ndim > 1, params)
    optimizer = optax.masked(optax.add_decayed_weights(0.1), decay)
    optimizer.init(params)
    assert decay["conv"]["weight"] and not decay["norm"]["bias"]
