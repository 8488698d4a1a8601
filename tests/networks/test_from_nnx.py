"""NNX networks as users write them; the oracle is NNX's own loop."""

import zlib
from functools import partial

import chex
import jax
import numpy as np
import pytest
from flax import nnx
from networks_loop import INIT, SGD, X, Y, keys_of, mean_square, train

import relujax
from relujax import InputError
from relujax.networks import as_model

SMALL = X[:, 0, 0]
RNGS = keys_of(0)


class Net(nnx.Module):
    """Dropout and batch statistics from the constructor; its call is `net(x)`."""

    def __init__(self, width: int, *, rngs: nnx.Rngs, act=nnx.relu):
        self.conv = nnx.Conv(2, width, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(width, momentum=0.9, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.out = nnx.Linear(36 * width, 1, rngs=rngs)
        self.act = act

    def __call__(self, x):
        x = self.dropout(self.act(self.norm(self.conv(x))))
        return self.out(x.reshape(len(x), -1))


def rngs_of(key):
    """The streams of a constructor, as `from_nnx` documents them."""
    default = jax.random.fold_in(key, zlib.crc32(b"default"))
    return nnx.Rngs(default, params=key)


def test_what_the_constructor_gives_is_carried():
    ours = train(as_model(partial(Net, 4)))
    net = Net(4, rngs=rngs_of(INIT))
    optimizer = nnx.Optimizer(net, SGD, wrt=nnx.Param)

    @nnx.jit
    def step(net, optimizer):
        net.train()
        value, grads = nnx.value_and_grad(lambda net: mean_square(net(X), Y))(net)
        optimizer.update(net, grads)
        return value

    theirs = [step(net, optimizer) for _ in range(3)]
    np.testing.assert_allclose(ours.losses, theirs, rtol=1e-6)
    chex.assert_trees_all_close(
        ours.params, nnx.to_pure_dict(nnx.state(net, nnx.Param)), rtol=1e-5, atol=1e-6
    )
    rest = ours.state["rest"]
    assert rest["dropout"]["rngs"]["count"] == 3 == net.dropout.rngs.count[...]
    np.testing.assert_allclose(rest["norm"]["mean"], net.norm.mean[...], rtol=1e-5)
    net.eval()
    np.testing.assert_allclose(ours.outputs, net(X), rtol=1e-4, atol=1e-6)


class Flagged(nnx.Module):
    """Random streams and modes come with the call, and with attributes."""

    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 8, rngs=rngs)
        self.dropout = nnx.Dropout(0.5)
        self.training = False

    def __call__(self, x, deterministic, rngs=None):
        assert self.training != deterministic
        x = self.dropout(self.dense(x), deterministic=deterministic, rngs=rngs)
        return x if rngs is None else x + jax.random.normal(rngs.jitter(), x.shape)


class Noisy(nnx.Module):
    """A plain `net(x)` with an activation that draws from the constructor's rngs."""

    def __init__(self, *, rngs):
        self.dense = nnx.Linear(2, 8, rngs=rngs)
        self.noise = relujax.nnx.Activation("n_relu(sigma=1.0)", rngs=rngs)

    def __call__(self, x):
        return self.noise(self.dense(x))


@pytest.mark.parametrize("net", [Flagged, lambda rngs: Flagged(rngs), Noisy])
def test_noise_comes_in_training_alone(net):
    model = as_model(net)
    params, state = model.init(INIT, SMALL)
    still, *_ = model.apply(params, state, SMALL)
    again, _, _ = model.apply(params, state, SMALL, rngs=RNGS)
    np.testing.assert_array_equal(still, again)
    a, state, _ = model.apply(params, state, SMALL, rngs=RNGS, train=True)
    b, _, _ = model.apply(params, state, SMALL, rngs=keys_of(1), train=True)
    assert not np.allclose(a, still) and not np.allclose(a, b)


class Unknown(nnx.Module):
    """Its flag has a name that nobody else gives, and so has what is no flag."""

    def __init__(self, rngs, listens):
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.listens = listens

    def __call__(self, x, wild=False, rngs=None):
        x = x + 0.0 if wild else x
        deterministic = None if self.listens else not wild
        return self.dropout(x, deterministic=deterministic)


def test_a_switch_of_another_kind_may_be_there():
    params, state = as_model(partial(Unknown, listens=True)).init(INIT, SMALL)
    assert set(state["rest"]) == {"dropout"} and not params


class NoStreams(nnx.Module):
    def __init__(self, rngs, layer):
        self.layer = layer()

    def __call__(self, x):
        return self.layer(x)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            Net(4, rngs=nnx.Rngs(0)),
            "Expected a class .* got a finished Net: every seed",
        ),
        (
            partial(NoStreams, layer=lambda: nnx.Dropout(0.5)),
            r"'layer' \(Dropout\) in module NoStr",
        ),
        (
            partial(NoStreams, layer=lambda: relujax.nnx.Activation("n_relu")),
            "give the layer rngs=rngs in the constructor",
        ),
        (partial(Unknown, listens=False), r"'dropout' \(Dropout\) to do .* takes wild"),
        (Net, "Expected a value for 'width' of Net"),
    ],
    ids=["instance", "dropout", "n_relu", "unknown", "incomplete"],
)
def test_one_sentence_says_what_to_do(make, sentence):
    with pytest.raises(InputError, match=sentence):
        as_model(make).init(INIT, SMALL)


def test_the_activation_is_a_function_of_x():
    params, state = as_model(partial(Net, 4), activation="gelu").init(INIT, X)
    y, *_ = as_model(partial(Net, 4), activation="gelu").apply(params, state, X)
    net = Net(4, rngs=rngs_of(INIT), act=relujax.gelu)
    net.eval()
    np.testing.assert_allclose(y, net(X), rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="function of x, got prelu"):
        as_model(partial(Net, 4), activation="prelu")
