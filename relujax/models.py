"""Networks as pairs of pure functions, and the papers' networks in Flax Linen."""

import copy
import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import nnx
from flax.traverse_util import flatten_dict
from jax.typing import ArrayLike

from relujax.activations import Activation as Spec
from relujax.activations import get
from relujax.convolution import max_pool_2x2
from relujax.errors import InputError
from relujax.layers import (
    Conv,
    Dropout,
    check_initializer,
    check_rate,
    check_widths,
    dense,
)
from relujax.linen import Activation
from relujax.nnx import CALLS, Preactivation, Signal

Tree = Any


class Stack(NamedTuple):
    """What went through the activations of a stack of equal layers.

    Attributes:
      z: pre-activations, `[layers, units, batch]`.
      y: outputs of the activations, likewise.
      count: how many of the layers there are; the others are room for more.
    """

    z: jax.Array
    y: jax.Array
    count: jax.Array


class Model(NamedTuple):
    """A network as a pair of pure functions: all that the training loop knows of it.

    Attributes:
      init: `init(key, x) -> (params, state)`: what is learned, and what else changes
        (batch statistics, the `signal` collection); the latter is often empty.
      apply: `apply(params, state, x, *, rngs=None, train=False) -> (y, state,
        preactivations)`, where `rngs` maps stream names (`activation`, `dropout`) to
        keys, and `preactivations` is a tuple of the inputs `[batch, ..., units]` of
        the activations, in the order of the calls; or of one `Stack` alone.
    """

    init: Callable[..., tuple[Tree, Tree]]
    apply: Callable[..., tuple[jax.Array, Tree, tuple[jax.Array | Stack, ...]]]


def from_linen(module: nn.Module) -> Model:
    """The `Model` of a Linen module, called as `module(x, train=...)` or `module(x)`.

    Raises:
      InputError: its call requires another argument.
    """
    parameters = list(inspect.signature(type(module).__call__).parameters.values())[2:]
    for p in parameters:
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            if p.name != "train":
                raise InputError(
                    f"Expected a module that is called as module(x) or module(x, "
                    f"train=...), got one whose call requires {p.name!r}."
                )
    takes_train = any(p.name == "train" for p in parameters)
    mode = lambda train: {"train": train} if takes_train else {}

    def init(key, x):
        variables = dict(module.init({"params": key}, x, **mode(False)))
        params = variables.pop("params", {})
        variables.pop("preactivations", None)
        return params, variables

    def apply(
        params, state, x, *, rngs: dict[str, jax.Array] | None = None, train=False
    ):
        y, changed = module.apply(
            {"params": params, **state},
            x,
            **mode(train),
            rngs=rngs,
            mutable=[*(state if train else ()), "preactivations"],
        )
        changed = dict(changed)
        # Not `jax.tree.leaves`, which sorts: `Activation_10` comes before `_2`.
        sown = flatten_dict(changed.pop("preactivations", {})).values()
        preactivations = tuple(z for calls in sown for z in cast(tuple, calls))
        return y, {**state, **changed}, preactivations

    return Model(init, apply)


def in_bfloat16(model: Model) -> Model:
    """The network with its forward and backward pass in bfloat16.

    Its parameters and state stay float32, and so do their gradients; what it returns is
    float32 again.
    """
    down = lambda tree: _floats_to(jnp.bfloat16, tree)

    def apply(params, state, x, *, rngs=None, train=False):
        y, changed, layers = model.apply(
            down(params), state, down(x), rngs=rngs, train=train
        )
        y, changed, layers = _floats_to(jnp.float32, (y, changed, layers))
        return y, changed, layers

    return Model(model.init, apply)


def _floats_to(dtype: Any, tree: Tree) -> Tree:
    """`tree` with its arrays of floats in another type."""
    cast_one = lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a
    return jax.tree.map(cast_one, tree)


def from_nnx(make: Callable[..., nnx.Module]) -> Model:
    """The `Model` of an NNX module that is called as `module(x, train=..., rngs=...)`.

    What is no `nnx.Param` is state: the `Signal`s under `signal`, all other variables
    (batch statistics) under `rest`.

    Args:
      make: `make(rngs=nnx.Rngs(params=key)) -> module`, such as a module class with its
        other arguments bound by `functools.partial`. Random streams (`activation`,
        `dropout`) come with every call, not with the module.
    """
    kinds = nnx.Param, Signal, ...

    @functools.cache
    def blank():
        return nnx.split(nnx.eval_shape(lambda: make(rngs=nnx.Rngs(params=0))), *kinds)

    def init(key, x):
        del x
        _, *states = nnx.split(make(rngs=nnx.Rngs(params=key)), *kinds)
        return _unbound(*states)

    def apply(
        params, state, x, *, rngs: dict[str, jax.Array] | None = None, train=False
    ):
        graph, *blanks = blank()
        values = params, state.get("signal", {}), state.get("rest", {})
        states = [copy.deepcopy(empty) for empty in blanks]
        for empty, value in zip(states, values, strict=True):
            nnx.replace_by_pure_dict(empty, value)
        module = nnx.merge(graph, *states)
        streams = nnx.Rngs(**rngs) if rngs else None
        forward = nnx.capture(
            lambda module: module(x, train=train, rngs=streams), Preactivation
        )
        numbering = CALLS.set(itertools.count())
        try:
            y, sown = forward(module)
        finally:
            CALLS.reset(numbering)
        # The last part of the path counts the calls.
        flat = flatten_dict(nnx.to_pure_dict(sown))
        ordered = sorted(flat.items(), key=lambda item: item[0][-1])
        preactivations = tuple(z for _, calls in ordered for z in calls)
        if train:
            _, state = _unbound(*nnx.split(module, *kinds)[1:])
        return y, state, preactivations

    return Model(init, apply)


def _unbound(params, signal, rest) -> tuple[Tree, Tree]:
    """Plain nested dictionaries of arrays; the state without its empty collections."""
    state = {"signal": nnx.to_pure_dict(signal), "rest": nnx.to_pure_dict(rest)}
    return nnx.to_pure_dict(params), {name: c for name, c in state.items() if c}


class MLP(nn.Module):
    """Multilayer perceptron: (dense, activation, dropout) per hidden layer, dense.

    Attributes:
      outputs: number of outputs (logits).
      activation: anything that `relujax.get` takes.
      hidden: widths of the hidden layers.
      dropout: rate after every activation; None for none. It may be traced.
      initializer: one of `INITIALIZERS`.
    """

    outputs: int
    activation: str | Spec
    hidden: tuple[int, ...] = (512, 512)
    dropout: ArrayLike | None = None
    initializer: str = "glorot"

    def __post_init__(self) -> None:
        check_widths("hidden", self.hidden)
        check_rate(self.dropout)
        check_initializer(self.initializer)
        super().__post_init__()

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        x = x.reshape(x.shape[0], -1)
        for width in self.hidden:
            x = dense(width, x.shape[-1], self.initializer)(x)
            x = Activation(self.activation)(x, train=train)
            x = Dropout(self.dropout)(x, train=train)
        return dense(self.outputs, x.shape[-1], self.initializer)(x)


class CNN(nn.Module):
    """Convolutional network of the SReLU paper (Bhat, section IV-B).

    (3 x 3 convolution, activation, 2 x 2 max-pooling, dropout) per entry of `filters`,
    then an `MLP`.

    Attributes:
      outputs: number of outputs (logits).
      activation: anything that `relujax.get` takes.
      filters: channels of the convolutions.
      hidden: widths of the dense hidden layers.
      dropout: rate after every pooling and dense layer; None for none.
      initializer: one of `INITIALIZERS`.
    """

    outputs: int
    activation: str | Spec
    filters: tuple[int, ...] = (32, 64)
    hidden: tuple[int, ...] = (512, 512)
    dropout: ArrayLike | None = None
    initializer: str = "glorot"

    def __post_init__(self) -> None:
        check_widths("filters", self.filters)
        check_widths("hidden", self.hidden)
        check_rate(self.dropout)
        check_initializer(self.initializer)
        super().__post_init__()

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        if x.ndim != 4:
            raise InputError(
                f"Expected images [batch, height, width, channels] for a CNN, got "
                f"shape {x.shape}; take an mlp for data without rows and columns."
            )
        for features in self.filters:
            x = Conv(features, (3, 3), self.initializer)(x)
            noisy = train and get(self.activation).needs_key
            # Noise in the order in which a CPU holds images: `convolution.py`.
            x = x.swapaxes(0, 3) if noisy else x
            x = Activation(self.activation)(x, train=train)
            x = x.swapaxes(0, 3) if noisy else x
            x = Dropout(self.dropout)(max_pool_2x2(x), train=train)
        head = MLP(
            self.outputs, self.activation, self.hidden, self.dropout, self.initializer
        )
        return head(x, train=train)
