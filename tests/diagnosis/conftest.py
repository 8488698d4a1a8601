"""Programs that other people write: five ways to hold activations."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from jax import lax


class Program(NamedTuple):
    """`fn(params, x)` with arguments, and the activations that it holds in order."""

    fn: Callable[..., Any]
    params: Any
    x: jax.Array
    ids: list[str]


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(4, (3, 3))(x))
        x = nn.avg_pool(x, (2, 2), (2, 2))
        x = nn.relu(nn.Conv(5, (3, 3))(x))
        x = x.reshape(x.shape[0], -1)
        return nn.Dense(3)(jnp.maximum(nn.Dense(6)(x), 0))


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        x = x + nn.MultiHeadDotProductAttention(num_heads=2)(nn.LayerNorm()(x))
        hidden = nn.gelu(nn.Dense(8)(nn.LayerNorm()(x)))
        return x + nn.Dense(4)(nn.relu(nn.Dense(8)(hidden))), None


class Transformer(nn.Module):
    @nn.compact
    def __call__(self, x):
        layers = nn.scan(
            nn.remat(Block),
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=3,
        )
        x, _ = layers(name="layers")(x, None)
        return nn.softmax(x)


def linen_cnn() -> Program:
    x = jax.random.normal(jax.random.key(0), (3, 6, 6, 2))
    model = CNN()
    params = jax.jit(model.init)(jax.random.key(1), x)
    return Program(model.apply, params, x, ["CNN/relu_0", "CNN/relu_1", "CNN/relu_2"])


def nnx_mlp() -> Program:
    class MLP(nnx.Module):
        def __init__(self, rngs):
            self.up = nnx.Linear(4, 6, rngs=rngs)
            self.mid = nnx.Linear(6, 6, rngs=rngs)
            self.down = nnx.Linear(6, 2, rngs=rngs)

        def __call__(self, x):
            return self.down(nnx.relu(self.mid(nnx.relu(self.up(x)))))

    graph, state = nnx.split(MLP(nnx.Rngs(0)))
    x = jax.random.normal(jax.random.key(0), (3, 4))
    fn = lambda state, x: nnx.merge(graph, state)(x)
    return Program(fn, state, x, ["relu_0", "relu_1"])


def equinox_mlp() -> Program:
    eqx = pytest.importorskip("equinox")
    model = eqx.nn.MLP(4, 2, 6, 2, key=jax.random.key(0))
    params, static = eqx.partition(model, eqx.is_array)
    x = jax.random.normal(jax.random.key(0), (3, 4))
    fn = lambda params, x: jax.vmap(eqx.combine(params, static))(x)
    return Program(fn, params, x, ["eqx.nn.MLP/relu_0", "eqx.nn.MLP/relu_1"])


def scanned_transformer() -> Program:
    x = jax.random.normal(jax.random.key(0), (2, 5, 4))
    model = Transformer()
    params = jax.jit(model.init)(jax.random.key(1), x)
    path = "Transformer/scan/checkpoint/layers"
    return Program(model.apply, params, x, [f"{path}/gelu_0", f"{path}/relu_0"])


def conditional() -> Program:
    def fn(params, x):
        h = jax.nn.relu(x @ params)
        branches = (jax.nn.elu, lambda h: jax.nn.relu(h - 0.5))
        return lax.cond(h.sum() > 0, *branches[::-1], h @ params)

    params = jax.random.normal(jax.random.key(1), (4, 4))
    x = jax.random.normal(jax.random.key(0), (3, 4))
    return Program(fn, params, x, ["relu_0", "cond/0/elu_0", "cond/1/relu_0"])


built = functools.cache(lambda build: build())
PROGRAMS = [linen_cnn, nnx_mlp, equinox_mlp, scanned_transformer, conditional]


@pytest.fixture(params=PROGRAMS, ids=lambda build: build.__name__)
def program(request) -> Program:
    return built(request.param)


@pytest.fixture(name="scanned_transformer")
def _scanned_transformer() -> Program:
    return built(scanned_transformer)
