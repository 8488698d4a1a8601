"""The networks of the papers on images and tables, in Flax Linen."""

import jax
from flax import linen as nn
from jax.typing import ArrayLike

from relujax.activations import Activation as Spec
from relujax.activations import get
from relujax.errors import InputError
from relujax.kernels.convolution import max_pool_2x2
from relujax.linen import Activation
from relujax.networks.layers import (
    Conv,
    Dropout,
    check_initializer,
    check_rate,
    check_widths,
    dense,
    in_planes,
)


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
        _check_room(x.shape[1:3], self.filters)
        on_images = in_planes(get(self.activation))
        for features in self.filters:
            x = Conv(features, (3, 3), self.initializer)(x)
            x = Activation(on_images)(x, train=train)
            x = Dropout(self.dropout)(max_pool_2x2(x), train=train)
        head = MLP(
            self.outputs, self.activation, self.hidden, self.dropout, self.initializer
        )
        return head(x, train=train)


def _check_room(size: tuple[int, ...], filters: tuple[int, ...]) -> None:
    """Refuse more convolutions than images have room for."""
    left = min(size)
    for number in range(1, len(filters) + 1):
        # 3 x 3 without padding, then a half of what is left.
        left = (left - 2) // 2
        if left < 1:
            raise InputError(
                f"Expected images with room for {len(filters)} convolutions, each with "
                f"a 2 x 2 pooling, got {size[0]} x {size[1]} pixels, of which number "
                f"{number} leaves nothing: take fewer filters, or an mlp."
            )
