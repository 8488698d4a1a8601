r"""Piecewise-linear and piecewise-quadratic rectifiers."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like

__all__ = (
    "al_relu",
    "crelu",
    "leaky_relu",
    "m_q_relu",
    "q_relu",
    "relu",
    "relu6",
    "squared_relu",
    "star_relu",
)


def relu(x: ArrayLike) -> jax.Array:
    r"""Rectified linear unit.

    .. math::
      \mathrm{relu}(x) = \max(x, 0)

    The derivative at 0 is 0, that of `jax.nn.relu`, which this calls.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> relu(jnp.array([-2.0, 0.0, 3.0]))
      Array([0., 0., 3.], dtype=float32)

    References:
      Nair and Hinton, `Rectified Linear Units Improve Restricted Boltzmann Machines
      <https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf>`_, 2010.
    """
    return jax.nn.relu(floating("relu", x))


def leaky_relu(x: ArrayLike, *, negative_slope: ArrayLike = 0.01) -> jax.Array:
    r"""Leaky ReLU.

    .. math::
      \mathrm{leaky\_relu}(x) = \begin{cases}
        x & x \ge 0 \\
        \mathrm{negative\_slope} \cdot x & x < 0
      \end{cases}

    The derivative at 0 is 1, that of `jax.nn.leaky_relu`, which this calls: a slope of
    0 gives the values of `relu` but not its derivative at 0.

    Args:
      x: floating array, shape `[...]`.
      negative_slope: 0.01 in the paper, JAX and torch; Keras has 0.2 in its function
        and 0.3 in its layer.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> leaky_relu(jnp.array([-2.0, 0.0, 3.0]), negative_slope=0.1)
      Array([-0.2,  0. ,  3. ], dtype=float32)

    References:
      Maas, Hannun and Ng, `Rectifier Nonlinearities Improve Neural Network Acoustic
      Models <https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf>`_,
      2013.
    """
    x = floating("leaky_relu", x)
    return jax.nn.leaky_relu(x, like(x, negative_slope))


def al_relu(x: ArrayLike, *, alpha: ArrayLike = 0.01) -> jax.Array:
    r"""Absolute leaky ReLU.

    .. math::
      \mathrm{al\_relu}(x) = \begin{cases}
        x & x > 0 \\
        |\alpha x| & x \le 0
      \end{cases}

    The derivative is 1 above 0 and :math:`-|\alpha|` below. At 0 it is
    :math:`-|\alpha|`: the paper gives the second branch to :math:`x \le 0`. Written as
    :math:`\max(|\alpha x|, x)`, as the official code does, autodiff would average the
    branches at 0, and :math:`\alpha > 1` would change the positive side.

    `relujax.get("al_relu(trainable=True)")` learns :math:`\alpha`, from the same 0.01.

    Args:
      x: floating array, shape `[...]`.
      alpha: slope of the mirrored branch; 0.01 is the official code's default.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> al_relu(jnp.array([-2.0, 0.0, 3.0]))
      Array([ 0.02, -0.  ,  3.  ], dtype=float32)

    References:
      Mastromichalakis, `ALReLU: A different approach on Leaky ReLU activation function
      to improve Neural Networks Performance <https://arxiv.org/abs/2012.07564>`_, 2020.
    """
    x = floating("al_relu", x)
    return jnp.where(x > 0, x, -jnp.abs(like(x, alpha)) * x)


def relu6(x: ArrayLike) -> jax.Array:
    r"""ReLU capped at 6.

    .. math::
      \mathrm{relu6}(x) = \min(\max(x, 0), 6)

    The derivative is 0 at 0 and at 6, that of `jax.nn.relu6`, which this calls.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> relu6(jnp.array([-2.0, 3.0, 7.0]))
      Array([0., 3., 6.], dtype=float32)

    References:
      Krizhevsky, `Convolutional Deep Belief Networks on CIFAR-10
      <https://www.cs.toronto.edu/~kriz/conv-cifar10-aug2010.pdf>`_, 2010.
    """
    return jax.nn.relu6(floating("relu6", x))


def q_relu(x: ArrayLike, *, alpha: ArrayLike = 0.01) -> jax.Array:
    r"""Quantum ReLU (QReLU).

    .. math::
      \mathrm{q\_relu}(x) = \begin{cases}
        x & x > 0 \\
        \alpha x - 2 x & x \le 0
      \end{cases}

    The derivative at 0 is :math:`\alpha - 2`, the lower branch's. The authors'
    TensorFlow code returns `x` for the derivative above 0; it is 1, as in their torch
    code. The unit is close to :math:`|2x|` on the left: He initialisation multiplies
    the second moment by 4.96 at every layer.

    Args:
      x: floating array, shape `[...]`.
      alpha: 0.01 in the paper, the slope of the leaky ReLU it starts from.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> q_relu(jnp.array([-2.0, 0.0, 3.0]))
      Array([ 3.98, -0.  ,  3.  ], dtype=float32)

    References:
      Parisi, Neagu, Ma and Campean, `QReLU and m-QReLU: Two novel quantum activation
      functions to aid medical diagnostics <https://arxiv.org/abs/2010.08031>`_, 2020.
    """
    x = floating("q_relu", x)
    # One product: alpha x - 2 x would be inf - inf at -inf.
    return jnp.where(x > 0, x, (like(x, alpha) - 2) * x)


def m_q_relu(x: ArrayLike, *, alpha: ArrayLike = 0.01) -> jax.Array:
    r"""Modified quantum ReLU (m-QReLU).

    .. math::
      \mathrm{m\_q\_relu}(x) = \begin{cases}
        x & x > 0 \\
        \alpha x - x & x \le 0
      \end{cases}

    The derivative at 0 is :math:`\alpha - 1`. He initialisation multiplies the second
    moment by 1.98 at every layer.

    Args:
      x: floating array, shape `[...]`.
      alpha: 0.01 in the paper.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> m_q_relu(jnp.array([-2.0, 0.0, 3.0]))
      Array([ 1.98, -0.  ,  3.  ], dtype=float32)

    References:
      Parisi, Neagu, Ma and Campean, `QReLU and m-QReLU
      <https://arxiv.org/abs/2010.08031>`_, 2020.
    """
    x = floating("m_q_relu", x)
    return jnp.where(x > 0, x, (like(x, alpha) - 1) * x)


def squared_relu(x: ArrayLike) -> jax.Array:
    r"""Squared ReLU.

    .. math::
      \mathrm{squared\_relu}(x) = \max(x, 0)^2

    The derivative :math:`2 \max(x, 0)` is continuous, 0 at 0. In float16 the value
    overflows above 255.9.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> squared_relu(jnp.array([-2.0, 0.0, 3.0]))
      Array([0., 0., 9.], dtype=float32)

    References:
      So, Mańke, Liu, Dai, Shazeer and Le, `Primer: Searching for Efficient Transformers
      for Language Modeling <https://arxiv.org/abs/2109.08668>`_, 2021.
    """
    return jnp.square(jax.nn.relu(floating("squared_relu", x)))


def star_relu(
    x: ArrayLike, *, scale: ArrayLike = 0.8944, bias: ArrayLike = -0.4472
) -> jax.Array:
    r"""StarReLU: squared ReLU brought to mean 0 and variance 1.

    .. math::
      \mathrm{star\_relu}(x) = s \max(x, 0)^2 + b

    The derivative :math:`2 s \max(x, 0)` is continuous, 0 at 0.
    `relujax.get("star_relu(trainable=True)")` learns :math:`s` and :math:`b`.

    Args:
      x: floating array, shape `[...]`.
      scale: :math:`s`; the paper's 0.8944, :math:`1 / \sqrt{5/4}` rounded, which gives
        variance 1 for a standard normal input. The official code starts from 1.
      bias: :math:`b`; the paper's -0.4472, which gives mean 0. The official code starts
        from 0.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> star_relu(jnp.array([-2.0, 0.0, 1.0]))
      Array([-0.4472, -0.4472,  0.4472], dtype=float32)

    References:
      Yu et al., `MetaFormer Baselines for Vision <https://arxiv.org/abs/2210.13452>`_,
      2022.
    """
    x = floating("star_relu", x)
    return like(x, scale) * jnp.square(jax.nn.relu(x)) + like(x, bias)


def crelu(x: ArrayLike, *, axis: int = -1) -> jax.Array:
    r"""Concatenated ReLU: both halves of the line, side by side.

    .. math::
      \mathrm{crelu}(x) = [\max(x, 0), \max(-x, 0)]

    Both derivatives at 0 are 0.

    Args:
      x: floating array, shape `[..., features]`, at least one axis.
      axis: the axis to double; the last one is our choice, channels in Flax.

    Returns:
      Array of the dtype of `x`, shape `[..., 2 * features]`.

    Raises:
      TypeError: `x` is not floating.
      ValueError: `x` has no such axis.

    Examples:
      >>> crelu(jnp.array([-2.0, 3.0]))
      Array([0., 3., 2., 0.], dtype=float32)

    References:
      Shang, Sohn, Almeida and Lee, `Understanding and Improving Convolutional Neural
      Networks via Concatenated Rectified Linear Units
      <https://arxiv.org/abs/1603.05201>`_, 2016.
    """
    x = floating("crelu", x)
    return jnp.concatenate([jax.nn.relu(x), jax.nn.relu(-x)], axis)
