"""Small networks with several activations in them, once in Linen and once in NNX.

A block gives each spec its own channels and the same input, so that one compiled
program tests all of them; `SPECS` covers every id and every kind of parameter, and
`KINDS` has one of each kind, for the quick tests.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx
from full import slow

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
# Wide enough that some inputs are near the threshold, where alone it has a gradient.
WIDE = {"jump_relu": "jump_relu(threshold=0.5, bandwidth=10.0)"}
SPECS = (
    *(WIDE.get(name, name) for name in relujax.names(gated=True)),
    *(s for s in LEARNABLE if s not in relujax.names(gated=True)),
)
KINDS = ("gelu", "crelu", "glu", "n_relu", "arelu", "prelu(axis=-1)")


class Case(NamedTuple):
    """Which activations are in a block, and whether its layer is a convolution."""

    specs: tuple[str, ...] = SPECS
    conv: bool = False

    @property
    def width(self) -> int:
        return CHANNELS * len(self.specs)

    def data(self):
        shape = (2, 4, 4, self.width) if self.conv else (3, self.width)
        return jax.random.normal(jax.random.key(100), shape)

    def assert_each_close(self, y, expected):
        """Values `[..., width]`, activation by activation: which one is wrong?"""
        for i, spec in enumerate(self.specs):
            own = slice(i * CHANNELS, (i + 1) * CHANNELS)
            np.testing.assert_allclose(
                y[..., own], expected[..., own], rtol=1e-5, atol=1e-5, err_msg=spec
            )

    def learnable(self):
        """How many of the activations have parameters."""
        return sum(bool(relujax.get(s).init((2,), "f4")) for s in self.specs)


cases = pytest.mark.parametrize(
    "case", [Case(KINDS), *slow(Case(), Case(conv=True))], ids=["kinds", "mlp", "cnn"]
)


def scheduled():
    """An activation that needs both the stream and the step."""
    return relujax.get("n_relu", sigma=lambda step: 0.1 / (1 + step))


def each(x, activations, train, rngs=None):
    """Every activation's output on its own channels, `crelu` and gates made to fit."""
    parts = jnp.split(x, len(activations), axis=-1)
    options = {} if rngs is None else {"rngs": rngs}
    outputs = [
        f(part, train=train, **options)
        for f, part in zip(activations, parts, strict=True)
    ]
    folds = {
        CHANNELS // 2: lambda y: jnp.repeat(y, 2, -1),
        CHANNELS: lambda y: y,
        CHANNELS * 2: lambda y: y[..., ::2] - y[..., 1::2],
    }
    fold = lambda y: folds[y.shape[-1]](y)
    return jnp.concatenate([fold(y) for y in outputs], -1)


class LinenBlock(nn.Module):
    """One layer (dense, or a 3 x 3 convolution) and all activations on its output."""

    case: Case
    train: bool = True

    @nn.compact
    def __call__(self, x, _=None):
        width = self.case.width
        layer = nn.Conv(width, (3, 3)) if self.case.conv else nn.Dense(width)
        layers = [relujax.linen.Activation(spec) for spec in self.case.specs]
        return each(layer(x), layers, self.train), None


class NnxBlock(nnx.Module):
    """The same in NNX."""

    def __init__(self, case, *, rngs):
        width = case.width
        self.layer = (
            nnx.Conv(width, width, (3, 3), rngs=rngs)
            if case.conv
            else nnx.Linear(width, width, rngs=rngs)
        )
        self.activations = nnx.List(
            [relujax.nnx.Activation(spec, CHANNELS) for spec in case.specs]
        )

    def __call__(self, x, *, train=True, rngs=None):
        return each(self.layer(x), self.activations, train, rngs)


def first(tree):
    """The first seed (or layer) of a stacked tree."""
    return jax.tree.map(lambda leaf: leaf[0], tree)


def fast_jit(f):
    """`jax.jit` that optimises little: these programs run once."""
    return jax.jit(f, compiler_options={"xla_backend_optimization_level": 0})


def mean_square(y):
    """A loss, and what it is the loss of."""
    return (y**2).mean(), y
