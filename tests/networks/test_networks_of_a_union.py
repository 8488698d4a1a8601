"""The papers' networks with one of several activations, in one compiled program."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import relujax
from relujax.activations import get, union
from relujax.networks import CNN, MLP, deep_mlp, from_linen
from relujax.training import Batch, Split, make_run, objective, streams

ACTIVATIONS = [get(s) for s in ("prelu(axis=-1)", "n_relu", "arelu")]
SCHEDULED = get("n_relu", sigma=lambda step: 0.1 / (1 + step))
NETWORKS = {
    "cnn": lambda act: from_linen(CNN(3, act, filters=(4,), hidden=(5,), dropout=0.3)),
    "deep_mlp": lambda act: deep_mlp(3, act, depth=2.0, capacity=3),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_network_is_that_of_the_activation_alone(kind):
    """Initial weights bit for bit; three updates and an evaluation to rounding."""
    shape = (8, 8, 8, 2) if kind == "cnn" else (8, 7)
    x = jax.random.normal(jax.random.key(0), shape)
    data = Split(x, jnp.arange(8) % 3)
    batch = Batch(data.x, data.y, jnp.ones(8))

    def trained(act, seed):
        run = make_run(
            NETWORKS[kind](act),
            optax.adam(0.01),
            objective("softmax_cross_entropy", 3),
            classes=3,
            transform=lambda x: x,
        )
        keys = streams(0, seed)
        first = run.init(keys, x)
        step = lambda state, _: run.step(state, batch, keys)
        state, losses = jax.lax.scan(step, first, None, 3)
        return first.params, state.params, losses, run.evaluate(state, data)

    one = jax.jit(lambda which, seed: trained(union(ACTIVATIONS, which), seed))
    alone = jax.jit(lambda seed: [trained(act, seed) for act in ACTIVATIONS])
    for which, own in enumerate(alone(3)):
        first, last, *rest = one(which, 3)
        for path, value in jax.tree_util.tree_leaves_with_path(own[0]):
            np.testing.assert_array_equal(_at(first, path), value)
        for path, value in jax.tree_util.tree_leaves_with_path(own[1]):
            np.testing.assert_allclose(_at(last, path), value, rtol=1e-5, atol=1e-6)
        chex.assert_trees_all_close(rest, list(own[2:]), rtol=1e-5, atol=1e-6)
    assert one._cache_size() == 1


def _at(tree, path):
    for key in path:
        tree = tree[key.key]
    return tree


def test_signals_reach_the_chosen_activation():
    """The network's `signal` collection has a leaf of each name, which is fed."""
    act = union([get("arelu"), SCHEDULED], jnp.int32(1))
    net = from_linen(MLP(1, act, hidden=(4,)))
    _, state = net.init(jax.random.key(0), jnp.ones((2, 3)))
    fed = relujax.training.feed(state, loss=jnp.float32(2.0), step=jnp.float32(9.0))
    values = {"loss": 2.0, "step": 9.0}
    assert fed == {"signal": {"Activation_0": {"union": values}}}
