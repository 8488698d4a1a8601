"""A residual network in three frameworks; none of them knows of relujax."""

import equinox as eqx
import jax
from flax import linen as nn
from flax import nnx


class ResNet(nn.Module):
    """Linen: blocks of (normalisation, dense, relu, dropout) beside a shortcut."""

    width: int = 8
    depth: int = 2

    @nn.compact
    def __call__(self, x, training: bool = False):
        x = nn.Dense(self.width)(x)
        for _ in range(self.depth):
            y = nn.BatchNorm(use_running_average=not training)(x)
            y = nn.relu(nn.Dense(self.width)(y))
            x = x + nn.Dropout(0.1, deterministic=not training)(y)
        return nn.Dense(2)(x)


class Block(nnx.Module):
    """NNX: the same block, dropout and normalisation from the constructor."""

    def __init__(self, width: int, rngs: nnx.Rngs):
        self.norm = nnx.BatchNorm(width, rngs=rngs)
        self.dense = nnx.Linear(width, width, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        return x + self.dropout(nnx.relu(self.dense(self.norm(x))))


class NnxResNet(nnx.Module):
    """NNX: two blocks between two dense layers."""

    def __init__(self, inputs: int = 5, width: int = 8, *, rngs: nnx.Rngs):
        self.first = nnx.Linear(inputs, width, rngs=rngs)
        self.blocks = nnx.List([Block(width, rngs), Block(width, rngs)])
        self.last = nnx.Linear(width, 2, rngs=rngs)

    def __call__(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.last(x)


class EquinoxResNet(eqx.Module):
    """Equinox: one example at a time, dropout with a key."""

    first: eqx.nn.Linear
    hidden: list
    dropout: eqx.nn.Dropout
    last: eqx.nn.Linear

    def __init__(self, inputs: int = 5, width: int = 8, *, key):
        keys = jax.random.split(key, 4)
        self.first = eqx.nn.Linear(inputs, width, key=keys[0])
        self.hidden = [eqx.nn.Linear(width, width, key=k) for k in keys[1:3]]
        self.dropout = eqx.nn.Dropout(0.1)
        self.last = eqx.nn.Linear(width, 2, key=keys[3])

    def __call__(self, x, *, key=None):
        x = self.first(x)
        for layer in self.hidden:
            x = x + self.dropout(jax.nn.relu(layer(x)), key=key)
        return self.last(x)
