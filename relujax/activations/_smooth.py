r"""Smooth activations: infinitely differentiable, so that no kink needs a rule."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like, relu_tails

__all__ = (
    "gelu",
    "log_sigmoid",
    "mish",
    "msaf",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "squareplus",
    "sym_msaf",
    "tanh",
    "tanh_shrink",
)


def gelu(x: ArrayLike, *, approximate: bool = True) -> jax.Array:
    r"""Gaussian error linear unit.

    .. math::
      \mathrm{gelu}(x) = x \, \Phi(x)
      \approx \frac{x}{2} \left(1 + \tanh \left(
        \sqrt{2 / \pi} \, (x + 0.044715 x^3) \right) \right)

    Calls `jax.nn.gelu`; it is 0 at minus infinity, where JAX has NaN.

    Args:
      x: floating array, shape `[...]`.
      approximate: True, as in JAX and Flax, for the tanh form; torch and Keras default
        to False, the exact form. The two differ by at most 4.74e-4, at |x| = 2.70.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> gelu(jnp.array([-1.0, 0.0, 1.0]))
      Array([-0.15880796,  0.        ,  0.841192  ], dtype=float32)

    References:
      Hendrycks and Gimpel, `Gaussian Error Linear Units
      <https://arxiv.org/abs/1606.08415>`_, 2016.
    """
    return relu_tails(
        partial(jax.nn.gelu, approximate=approximate), floating("gelu", x)
    )


def silu(x: ArrayLike) -> jax.Array:
    r"""Sigmoid linear unit, also called swish.

    .. math::
      \mathrm{silu}(x) = \frac{x}{1 + e^{-x}}

    Calls `jax.nn.silu`; it is 0 at minus infinity, where JAX has NaN.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> silu(jnp.array([-1.0, 0.0, 1.0]))
      Array([-0.26894143,  0.        ,  0.7310586 ], dtype=float32)

    References:
      Elfwing, Uchibe and Doya, `Sigmoid-Weighted Linear Units for Neural Network
      Function Approximation in Reinforcement Learning
      <https://arxiv.org/abs/1702.03118>`_, 2017; Ramachandran, Zoph and Le, `Searching
      for Activation Functions <https://arxiv.org/abs/1710.05941>`_, 2017.
    """
    return relu_tails(jax.nn.silu, floating("silu", x))


def mish(x: ArrayLike) -> jax.Array:
    r"""Mish.

    .. math::
      \mathrm{mish}(x) = x \tanh(\log(1 + e^x))

    Calls `jax.nn.mish`; it is 0 at minus infinity, where JAX has NaN.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> mish(jnp.array([-1.0, 0.0, 1.0]))
      Array([-0.30340144,  0.        ,  0.8650985 ], dtype=float32)

    References:
      Misra, `Mish: A Self Regularized Non-Monotonic Activation Function
      <https://arxiv.org/abs/1908.08681>`_, 2019.
    """
    return relu_tails(jax.nn.mish, floating("mish", x))


def softplus(x: ArrayLike) -> jax.Array:
    r"""Softplus, the integral of the sigmoid.

    .. math::
      \mathrm{softplus}(x) = \log(1 + e^x)

    Calls `jax.nn.softplus`, exact everywhere; torch returns `x` above 20.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> softplus(jnp.array([-1.0, 0.0, 1.0]))
      Array([0.3132617, 0.6931472, 1.3132617], dtype=float32)

    References:
      Dugas, Bengio, Bélisle, Nadeau and Garcia, `Incorporating Second-Order Functional
      Knowledge for Better Option Pricing <https://proceedings.neurips.cc/paper/2000/hash/44968aece94f667e4095002d140b5896-Abstract.html>`_,
      2000.
    """
    return jax.nn.softplus(floating("softplus", x))


def sigmoid(x: ArrayLike) -> jax.Array:
    r"""Logistic sigmoid.

    .. math::
      \mathrm{sigmoid}(x) = \frac{1}{1 + e^{-x}}

    Calls `jax.nn.sigmoid`.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> sigmoid(jnp.array([-1.0, 0.0, 1.0]))
      Array([0.26894143, 0.5       , 0.7310586 ], dtype=float32)

    References:
      Rumelhart, Hinton and Williams, `Learning representations by back-propagating
      errors <https://doi.org/10.1038/323533a0>`_, 1986, eq. 2.
    """
    return jax.nn.sigmoid(floating("sigmoid", x))


def tanh(x: ArrayLike) -> jax.Array:
    r"""Hyperbolic tangent.

    .. math::
      \tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}

    Calls `jax.numpy.tanh`.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> tanh(jnp.array([-1.0, 0.0, 1.0]))
      Array([-0.7615942,  0.       ,  0.7615942], dtype=float32)

    References:
      LeCun, Bottou, Orr and Müller, `Efficient BackProp
      <http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf>`_, 1998, section 4.4.
    """
    return jnp.tanh(floating("tanh", x))


def msaf(
    x: ArrayLike, *, a: ArrayLike = 0.0, b: tuple[float, ...] = (1.0, 2.0)
) -> jax.Array:
    r"""Multistate activation function: a staircase of sigmoids.

    .. math::
      \mathrm{msaf}(x) = a + \sum_{k=1}^{N} \frac{1}{1 + e^{-(x - b_k)}}

    Args:
      x: floating array, shape `[...]`.
      a: the level on the left; 0 is the paper's "N-order" form.
      b: increasing positive thresholds, fixed at trace time. The papers print none;
        (1, 2) is our choice, that of the torch_activation package.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> msaf(jnp.array([-1.0, 0.0, 1.5]))
      Array([0.1666288 , 0.38814434, 1.        ], dtype=float32)

    References:
      Cai et al., 2015, after Kunc and Kléma, `Three Decades of Activations
      <https://arxiv.org/abs/2402.09092>`_, 2024.
    """
    x = floating("msaf", x)
    return like(x, a) + sum(jax.nn.sigmoid(x - like(x, b_k)) for b_k in b)


def sym_msaf(x: ArrayLike, *, a: ArrayLike = -5.0) -> jax.Array:
    r"""Symmetrical multistate activation function.

    .. math::
      \mathrm{sym\_msaf}(x) = \frac{1}{1 + e^{-x}} + \frac{1}{1 + e^{-x - a}} - 1

    odd about :math:`x = -a / 2`, with values in (-1, 1).

    Args:
      x: floating array, shape `[...]`.
      a: "significantly smaller than 0" in the survey, without a value; -5 is our
        choice.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> sym_msaf(jnp.array([-20.0, 0.0, 2.5]))
      Array([-1.        , -0.49330717,  0.        ], dtype=float32)

    References:
      Cai et al., 2015, after Kunc and Kléma, `Three Decades of Activations
      <https://arxiv.org/abs/2402.09092>`_, 2024.
    """
    x = floating("sym_msaf", x)
    return jax.nn.sigmoid(x) + jax.nn.sigmoid(x + like(x, a)) - 1


def squareplus(x: ArrayLike, *, b: ArrayLike = 4.0) -> jax.Array:
    r"""Squareplus: softplus without exponentials.

    .. math::
      \mathrm{squareplus}(x) = \frac{x + \sqrt{x^2 + b}}{2}

    `jax.nn.squareplus` in a form that loses no digits below 0 and does not overflow.

    Args:
      x: floating array, shape `[...]`.
      b: positive; 4 in the paper and in JAX gives the slope 1/2 and the value 1 at 0.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> squareplus(jnp.array([-1.0, 0.0, 1.0]))
      Array([0.618034, 1.      , 1.618034], dtype=float32)

    References:
      Barron, `Squareplus: A Softplus-Like Algebraic Rectifier
      <https://arxiv.org/abs/2112.11687>`_, 2021.
    """
    x = floating("squareplus", x)
    b = like(x, b)

    def inside(x):
        root = jnp.hypot(x, jnp.sqrt(b))
        # (x + root) / 2 times (root - x) is b / 2; the unused branch stays finite.
        right, left = jnp.where(x > 0, x, 0), jnp.where(x > 0, 0, x)
        below = b / (2 * (jnp.where(x > 0, jnp.sqrt(b), root) - left))
        return jnp.where(x > 0, (right + root) / 2, below)

    return relu_tails(inside, x, beyond=float(jnp.finfo(x.dtype).max) / 8)


def soft_sign(x: ArrayLike) -> jax.Array:
    r"""Softsign: a sigmoid with slow tails.

    .. math::
      \mathrm{soft\_sign}(x) = \frac{x}{1 + |x|}

    The derivative at 0 is 1; the second one jumps there. It is `jax.nn.soft_sign` but
    at infinity, where that is NaN.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> soft_sign(jnp.array([-1.0, 0.0, 3.0]))
      Array([-0.5 ,  0.  ,  0.75], dtype=float32)

    References:
      Turian, Bergstra and Bengio, `Quadratic Features and Deep Architectures for
      Chunking <https://aclanthology.org/N09-2062>`_, 2009.
    """
    x = floating("soft_sign", x)
    finite = jnp.where(jnp.isinf(x), 0, x)
    return jnp.where(jnp.isinf(x), jnp.sign(x), jax.nn.soft_sign(finite))


def log_sigmoid(x: ArrayLike) -> jax.Array:
    r"""Logarithm of the sigmoid.

    .. math::
      \mathrm{log\_sigmoid}(x) = -\log(1 + e^{-x})

    Calls `jax.nn.log_sigmoid`.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> log_sigmoid(jnp.array([-1.0, 0.0, 1.0]))
      Array([-1.3132617, -0.6931472, -0.3132617], dtype=float32)

    References:
      Dugas et al., 2000, as for `softplus`, mirrored twice.
    """
    return jax.nn.log_sigmoid(floating("log_sigmoid", x))


def tanh_shrink(x: ArrayLike) -> jax.Array:
    r"""Tanh shrinkage: what tanh takes away.

    .. math::
      \mathrm{tanh\_shrink}(x) = x - \tanh(x)

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> tanh_shrink(jnp.array([-1.0, 0.0, 1.0]))
      Array([-0.2384058,  0.       ,  0.2384058], dtype=float32)

    References:
      Paszke et al., `PyTorch <https://arxiv.org/abs/1912.01703>`_, 2019, as
      `torch.nn.Tanhshrink`.
    """
    x = floating("tanh_shrink", x)
    return x - jnp.tanh(x)
