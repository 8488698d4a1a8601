r"""Deterministic rectifiers: linear above zero, something else below.

Every function takes `x` of any shape `[...]` and of any floating dtype, and returns an
array of the same shape and dtype. Parameters are cast to the dtype of `x` and broadcast
against it, so they may be arrays or traced values.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like


def relu(x: ArrayLike) -> jax.Array:
    r"""Rectified linear unit.

    .. math::
      \mathrm{relu}(x) = \max(x, 0)

    The derivative at 0 is 0 (that of `jax.nn.relu`, which this calls).

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

    Args:
      x: floating array, shape `[...]`.
      alpha: slope of the mirrored branch; 0.01 is the official code's default.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> al_relu(jnp.array([-2.0, 0.0, 3.0]))
      Array([0.02, 0.  , 3.  ], dtype=float32)

    References:
      Mastromichalakis, `ALReLU: A different approach on Leaky ReLU activation function
      to improve Neural Networks Performance <https://arxiv.org/abs/2012.07564>`_, 2020.
    """
    x = floating("al_relu", x)
    return jnp.where(x > 0, x, -jnp.abs(like(x, alpha)) * x)
