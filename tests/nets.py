"""Small networks with every activation in them, once in Linen and once in NNX.

A block gives each spec its own channels and the same input, so that one compiled
program tests all of them; `SPECS` covers every id and every kind of parameter.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import nnx

import relujax

CHANNELS = 2

LEARNABLE = (
    "prelu",
    "prelu(axis=-1)",
    "adaptive_tanh(axis=-1)",
    "arelu_attention",
    "srelu_sshaped(axis=-1)",
    "srelu(trainable=True)",
    "al_relu(trainable=True, axis=-1)",
    "star_relu(trainable=True)",
)
SPECS = (*relujax.names(), *(s for s in LEARNABLE if s not in relujax.names()))
WIDTH = CHANNELS * len(SPECS)


def scheduled():
    """An activation that needs both the stream and the step."""
    return relujax.get("n_relu", sigma=lambda step: 0.1 / (1 + step))


def each(x, activations, train, rngs=None):
    """The output of every activation on its own channels, `crelu` folded."""
    parts = jnp.split(x, len(SPECS), axis=-1)
    options = {} if rngs is None else {"rngs": rngs}
    outputs = [
        f(part, train=train, **options)
        for f, part in zip(activations, parts, strict=True)
    ]
    fold = lambda y: y if y.shape[-1] == CHANNELS else y[..., ::2] - y[..., 1::2]
    return jnp.concatenate([fold(y) for y in outputs], -1)


class LinenBlock(nn.Module):
    """One layer (dense, or a 3 x 3 convolution) and all activations on its output."""

    conv: bool = False
    train: bool = True

    @nn.compact
    def __call__(self, x, _=None):
        layer = nn.Conv(WIDTH, (3, 3)) if self.conv else nn.Dense(WIDTH)
        layers = [relujax.linen.Activation(spec) for spec in SPECS]
        return each(layer(x), layers, self.train), None


class NnxBlock(nnx.Module):
    """The same in NNX."""

    def __init__(self, *, conv=False, rngs):
        layer = (
            nnx.Conv(WIDTH, WIDTH, (3, 3), rngs=rngs)
            if conv
            else nnx.Linear(WIDTH, WIDTH, rngs=rngs)
        )
        self.layer = layer
        self.activations = nnx.List(
            [relujax.nnx.Activation(spec, CHANNELS) for spec in SPECS]
        )

    def __call__(self, x, *, train=True, rngs=None):
        return each(self.layer(x), self.activations, train, rngs)


def data(conv):
    shape = (2, 4, 4, WIDTH) if conv else (3, WIDTH)
    return jax.random.normal(jax.random.key(100), shape)


def assert_each_close(y, expected):
    """Values `[..., WIDTH]` compared activation by activation: which one is wrong?"""
    for i, spec in enumerate(SPECS):
        own = slice(i * CHANNELS, (i + 1) * CHANNELS)
        np.testing.assert_allclose(
            y[..., own], expected[..., own], rtol=1e-5, atol=1e-5, err_msg=spec
        )


def first(tree):
    """The first seed (or layer) of a stacked tree."""
    return jax.tree.map(lambda leaf: leaf[0], tree)


def fast_jit(f):
    """`jax.jit` that optimises little: these programs run once."""
    return jax.jit(f, compiler_options={"xla_backend_optimization_level": 0})


def mean_square(y):
    """A loss, and what it is the loss of."""
    return (y**2).mean(), y
