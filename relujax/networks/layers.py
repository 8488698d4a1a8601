"""Layers of the papers' networks that Flax lacks or that XLA runs slowly on a CPU."""

import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import ArrayLike

from relujax.activations import Activation, Union
from relujax.errors import InputError, unknown
from relujax.kernels.barrier import all_at_once, apart
from relujax.kernels.convolution import conv2d
from relujax.kernels.noise import flat, uniform


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
        key = self.make_rng("dropout")
        # Uniform draws of bfloat16 are multiples of 1/128: too coarse for most rates.
        wide = jnp.promote_types(x.dtype, jnp.float32)
        keep = 1.0 - jnp.asarray(self.rate, wide)
        kept = apart(lambda key: uniform(key, x.shape, wide) < keep, key)
        # One division: a traced rate would have each element divided, there and back.
        return jnp.where(kept, x.astype(wide) * (1.0 / keep), 0).astype(x.dtype)


def _pytorch_uniform(fan_in: int) -> nn.initializers.Initializer:
    """PyTorch's default for weights and biases: U(-1, 1) / sqrt(fan_in)."""
    bound = 1.0 / math.sqrt(fan_in)

    def init(key, shape, dtype=jnp.float32, out_sharding=None):
        del out_sharding
        return flat(jax.random.uniform, key, shape, dtype, -bound, bound)

    return init


def _glorot_uniform(key, shape, dtype=jnp.float32, out_sharding=None):
    del out_sharding
    variance = jnp.array(2 / sum(_fans(shape)), dtype)
    drawn = flat(jax.random.uniform, key, shape, dtype, -1.0)
    return drawn * jnp.sqrt(3 * variance)


def _truncated_normal(scale: float) -> nn.initializers.Initializer:
    """Normal, cut at two standard deviations, of variance `scale / fan_in`."""

    def init(key, shape, dtype=jnp.float32, out_sharding=None):
        del out_sharding
        fan_in, _ = _fans(shape)
        draw = lambda *args: jax.random.truncated_normal(args[0], -2, 2, *args[1:])
        # 0.88 is the standard deviation of what the cut leaves.
        spread = jnp.sqrt(jnp.array(scale / fan_in, dtype))
        return flat(draw, key, shape, dtype) * (spread / 0.87962566103423978)

    return init


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


_INITIALIZERS = {
    "glorot": _glorot_uniform,
    "he": _truncated_normal(2.0),
    "lecun": _truncated_normal(1.0),
}

#: The names that the networks take for `initializer`.
INITIALIZERS = (*_INITIALIZERS, "pytorch")


def check_rate(rate: ArrayLike | None) -> None:
    """Refuse a dropout rate outside [0, 1); a traced one cannot be looked at."""
    if rate is None or isinstance(rate, jax.Array):
        return
    if not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise InputError(
            f"Expected a dropout rate in [0, 1), or None for no dropout, got {rate!r} "
            f"instead."
        )


def check_widths(name: str, widths: tuple[int, ...]) -> None:
    """Refuse anything but a tuple of positive integers."""
    if not isinstance(widths, tuple | list) or not all(
        isinstance(width, int) and width > 0 for width in widths
    ):
        raise InputError(
            f"Expected {name}=(width, ...) to be positive integers, got {widths!r} "
            f"instead; a single layer is written (512,)."
        )


def check_initializer(name: str) -> None:
    """Refuse what is not in `INITIALIZERS`."""
    if name not in INITIALIZERS:
        raise unknown("initializer", str(name), INITIALIZERS)


def initializers(
    name: str, fan_in: int
) -> tuple[nn.initializers.Initializer, nn.initializers.Initializer]:
    """The initialisers of weights and biases.

    `glorot` is Glorot uniform (the default of Keras), `he` is He normal, `lecun` LeCun
    normal, all with zero biases; `pytorch` is the default of PyTorch's layers, whose
    biases are random too.
    """
    if name == "pytorch":
        return _pytorch_uniform(fan_in), _pytorch_uniform(fan_in)
    return _INITIALIZERS[name], nn.initializers.zeros_init()


# Kernels whose gradient is faster to compute transposed: up to so many columns, of at
# least so many rows. On one core it saves 21 to 75 % of a layer's step with a batch of
# 128, with one of 32 little; at 64 columns it costs small networks 10 % of theirs.
_COLUMNS, _ROWS = 16, 128


def dense(features: int, fan_in: int, initializer: str) -> nn.Dense:
    """A dense layer by the name of its initialiser, one of `INITIALIZERS`."""
    kernel_init, bias_init = initializers(initializer, fan_in)
    narrow = 1 < features <= _COLUMNS and fan_in >= _ROWS
    return nn.Dense(
        features,
        kernel_init=kernel_init,
        bias_init=bias_init,
        dot_general=_narrow_dot_general if narrow else None,
    )


def _narrow_dot_general(x: jax.Array, kernel: jax.Array, *args, **kwargs) -> jax.Array:
    """`jax.lax.dot_general` by a kernel of few columns.

    On a CPU, XLA takes 113 us for the gradient of a kernel of 512 x 10, `x^T g` (batch
    128, one core), and 22 for its transpose `g^T x`; but it turns the latter into the
    former where nothing stands between the product and its transposition.
    """
    return jax.lax.dot_general(x, all_at_once(kernel.T).T, *args, **kwargs)


def in_planes(act: Activation) -> Activation:
    """`act` on images, in the order in which a CPU holds them: `convolution.py`.

    Noise is drawn in the order of an array's axes, and what a `Union` chooses between
    is handed to it in that order.
    """
    if isinstance(act, Union):
        back = lambda one: one if one.needs_key else _swapped(one)
        return _swapped(act.each(back))
    if not act.needs_key:
        return act
    in_order = _swapped(act)

    def apply(params, x, *, train=False, **rest):
        chosen = in_order if train else act
        return chosen.apply(params, x, train=train, **rest)

    return act._replace(apply=apply)


def _swapped(act: Activation) -> Activation:
    """`act` of an input whose first and last of four axes it finds exchanged."""

    def apply(params, x, **rest):
        return act.apply(params, x.swapaxes(0, 3), **rest).swapaxes(0, 3)

    return Activation(*act)._replace(apply=apply, activations=())


class Conv(nn.Module):
    """Convolution, stride 1, without padding; parameters as in `flax.linen.Conv`.

    Attributes:
      features: number of output channels.
      kernel: rows and columns of the kernel.
      initializer: one of `INITIALIZERS`.
    """

    features: int
    kernel: tuple[int, int]
    initializer: str

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        channels = x.shape[-1]
        kernel_init, bias_init = initializers(
            self.initializer, channels * math.prod(self.kernel)
        )
        shape = (*self.kernel, channels, self.features)
        kernel = self.param("kernel", kernel_init, shape, x.dtype)
        bias = self.param("bias", bias_init, (self.features,), x.dtype)
        return conv2d(x, kernel, bias)
