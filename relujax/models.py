"""Networks as pairs of pure functions, and the papers' networks in Flax Linen."""

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict
from jax.typing import ArrayLike

from relujax.activations import Activation as Spec
from relujax.errors import InputError, unknown
from relujax.linen import Activation

Tree = Any


class Model(NamedTuple):
    """A network as a pair of pure functions: all that the training loop knows of it.

    Attributes:
      init: `init(key, x) -> (params, state)`: what is learned, and what else changes
        (batch statistics, the `signal` collection); the latter is often empty.
      apply: `apply(params, state, x, *, rngs=None, train=False) -> (y, state,
        preactivations)`, where `rngs` maps stream names (`activation`, `dropout`) to
        keys, and `preactivations` is a tuple of the inputs `[batch, ..., units]` of
        the activations, in the order of the calls.
    """

    init: Callable[..., tuple[Tree, Tree]]
    apply: Callable[..., tuple[jax.Array, Tree, tuple[jax.Array, ...]]]


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


class Dropout(nn.Module):
    """Inverted dropout whose rate may be traced, unlike that of `flax.linen.Dropout`.

    Attributes:
      rate: probability of zeroing an element; None for no dropout at all.
    """

    rate: ArrayLike | None

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        if self.rate is None or not train:
            return x
        if not self.has_rng("dropout"):
            raise ValueError(
                "Expected the 'dropout' random stream to train with dropout, got none; "
                "pass rngs={'dropout': key} to apply."
            )
        keep = 1.0 - jnp.asarray(self.rate, x.dtype)
        kept = jax.random.bernoulli(self.make_rng("dropout"), keep, x.shape)
        return jnp.where(kept, x / keep, 0)


def _pytorch_uniform(fan_in: int) -> nn.initializers.Initializer:
    """PyTorch's default for `Linear`, weights and biases: U(-1, 1) / sqrt(fan_in)."""
    bound = 1.0 / math.sqrt(fan_in)

    def init(key, shape, dtype=jnp.float32, out_sharding=None):
        del out_sharding
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


_INITIALIZERS = {
    "glorot": nn.initializers.glorot_uniform(),
    "he": nn.initializers.he_normal(),
    "lecun": nn.initializers.lecun_normal(),
}

#: The names that the networks take for `initializer`.
INITIALIZERS = (*_INITIALIZERS, "pytorch")


def _check_rate(rate: ArrayLike | None) -> None:
    """Refuse a dropout rate outside [0, 1); a traced one cannot be looked at."""
    if rate is None or isinstance(rate, jax.Array):
        return
    if not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise InputError(
            f"Expected a dropout rate in [0, 1), or None for no dropout, got {rate!r} "
            f"instead."
        )


def dense(features: int, fan_in: int, init: str) -> nn.Dense:
    """A dense layer by the name of its initialiser.

    `glorot` is Glorot uniform (the default of Keras), `he` is He normal, `lecun` LeCun
    normal, all with zero biases; `pytorch` is the default of `torch.nn.Linear`, whose
    biases are random too.
    """
    if init == "pytorch":
        uniform = _pytorch_uniform(fan_in)
        return nn.Dense(features, kernel_init=uniform, bias_init=uniform)
    return nn.Dense(features, kernel_init=_INITIALIZERS[init])


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
        widths = self.hidden
        if not isinstance(widths, tuple | list) or not all(
            isinstance(width, int) and width > 0 for width in widths
        ):
            raise InputError(
                f"Expected hidden=(width, ...) of an MLP to be positive integers, got "
                f"{widths!r} instead; a single layer is written (512,)."
            )
        _check_rate(self.dropout)
        if self.initializer not in INITIALIZERS:
            raise unknown("initializer", str(self.initializer), INITIALIZERS)
        super().__post_init__()

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        x = x.reshape(x.shape[0], -1)
        for width in self.hidden:
            x = dense(width, x.shape[-1], self.initializer)(x)
            x = Activation(self.activation)(x, train=train)
            x = Dropout(self.dropout)(x, train=train)
        return dense(self.outputs, x.shape[-1], self.initializer)(x)
