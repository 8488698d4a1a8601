"""Activations whose parameters come from training: learned, or fed back by the loop.

The parameters are positional arguments that broadcast against `x`; the initial values
that `relujax.get` gives them are documented here with their source.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like


def prelu(x: ArrayLike, alpha: ArrayLike) -> jax.Array:
    r"""Parametric ReLU, the leaky ReLU with a learned slope.

    .. math::
      \mathrm{prelu}(x) = \begin{cases}
        x & x > 0 \\
        \alpha x & x \le 0
      \end{cases}

    The derivative at 0 is :math:`\alpha`, as eq. 1 has it (torch too; Flax, which tests
    :math:`x \ge 0`, has 1). `relujax.get("prelu(alpha=0.25, axis=-1)")` learns one
    :math:`\alpha` for each index of an axis; without `axis`, one for the whole tensor.

    Args:
      x: floating array, shape `[...]`.
      alpha: learned slope. It starts at 0.25 (the paper, torch, Equinox); Flax starts
        at 0.01 and Keras at 0. The paper has one per channel; one per tensor, as in
        torch and Flax, is the default. Weight decay should leave it alone.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> prelu(jnp.array([-2.0, 0.0, 3.0]), 0.25)
      Array([-0.5,  0. ,  3. ], dtype=float32)

    References:
      He, Zhang, Ren and Sun, `Delving Deep into Rectifiers
      <https://arxiv.org/abs/1502.01852>`_, 2015, eq. 1.
    """
    x = floating("prelu", x)
    return jnp.where(x > 0, x, like(x, alpha) * x)


def adaptive_tanh(x: ArrayLike, a: ArrayLike, b: ArrayLike) -> jax.Array:
    r"""Hyperbolic tangent with learned height and slope.

    .. math::
      \mathrm{adaptive\_tanh}(x) = a \tanh(b x)

    Smooth. The AReLU paper compares with an "adaptive tanh" that it does not define;
    this form is one of several in the literature.

    Args:
      x: floating array, shape `[...]`.
      a: learned height; it starts at 1, our choice.
      b: learned slope at 0, in units of `a`; it starts at 1, our choice.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> adaptive_tanh(jnp.array([-1.0, 0.0, 1.0]), 2.0, 0.5)
      Array([-0.92423433,  0.        ,  0.92423433], dtype=float32)

    References:
      Kunc and Kléma, `Three Decades of Activations
      <https://arxiv.org/abs/2402.09092>`_, 2024.
    """
    x = floating("adaptive_tanh", x)
    return like(x, a) * jnp.tanh(like(x, b) * x)


def arelu_attention(x: ArrayLike, alpha: ArrayLike, beta: ArrayLike) -> jax.Array:
    r"""Attention-based ReLU (Chen): positives amplified, negatives damped.

    .. math::
      \mathrm{arelu\_attention}(x) =
        (1 + \sigma(\beta)) \max(x, 0) - C(\alpha) \max(-x, 0),
      \qquad C(\alpha) = \min(\max(\alpha, 0.01), 0.99)

    The derivative at 0 is 0, that of both ReLUs, as in the official code. Where
    :math:`\alpha` is outside [0.01, 0.99] its own gradient is 0 and it stays there. The
    loss-driven AReLU of Atoum is `arelu`.

    Args:
      x: floating array, shape `[...]`.
      alpha: learned; it starts at 0.9 (official code).
      beta: learned; it starts at 2 (official code): slopes 0.9 and 1.8808.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> arelu_attention(jnp.array([-1.0, 0.0, 1.0]), 0.9, 2.0)
      Array([-0.9     ,  0.      ,  1.880797], dtype=float32)

    References:
      Chen, Li and Xu, `AReLU: Attention-based Rectified Linear Unit
      <https://arxiv.org/abs/2006.13858>`_, 2020.
    """
    x = floating("arelu_attention", x)
    amplify = 1 + jax.nn.sigmoid(like(x, beta))
    damp = jnp.clip(like(x, alpha), 0.01, 0.99)
    return amplify * jax.nn.relu(x) - damp * jax.nn.relu(-x)


def srelu_sshaped(
    x: ArrayLike,
    t_left: ArrayLike,
    a_left: ArrayLike,
    t_right: ArrayLike,
    a_right: ArrayLike,
) -> jax.Array:
    r"""S-shaped ReLU (Jin): the identity between two learned bends.

    .. math::
      \mathrm{srelu\_sshaped}(x) = \begin{cases}
        t_r + a_r (x - t_r) & x \ge t_r \\
        x & t_l < x < t_r \\
        t_l + a_l (x - t_l) & x \le t_l
      \end{cases}

    The derivative is :math:`a_r` at :math:`t_r` and :math:`a_l` at :math:`t_l`. Where
    the thresholds have crossed, the first case wins. Bhat's smooth ReLU is `srelu`.

    Args:
      x: floating array, shape `[...]`.
      t_left: learned threshold; it starts at 0 (keras-contrib).
      a_left: learned slope; it starts at 0.2, our choice: a leaky ReLU, to which the
        paper too freezes the unit for its first epochs.
      t_right: learned threshold; it starts at 1, our choice, where the paper waits for
        a quantile of the data.
      a_right: learned slope; it starts at 1 (keras-contrib).

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> srelu_sshaped(jnp.array([-2.0, 0.5, 3.0]), 0.0, 0.2, 1.0, 0.5)
      Array([-0.4,  0.5,  2. ], dtype=float32)

    References:
      Jin, Xu, Feng, Wei, Xiong and Yan, `Deep Learning with S-shaped Rectified Linear
      Activation Units <https://arxiv.org/abs/1512.07030>`_, 2015, eq. 1.
    """
    x = floating("srelu_sshaped", x)
    t_l, a_l, t_r, a_r = (like(x, p) for p in (t_left, a_left, t_right, a_right))
    left = t_l + a_l * (x - t_l)
    right = t_r + a_r * (x - t_r)
    return jnp.where(x >= t_r, right, jnp.where(x <= t_l, left, x))


def arelu(x: ArrayLike, slope: ArrayLike) -> jax.Array:
    r"""Adaptive ReLU (Atoum): the last training loss is the negative slope.

    .. math::
      \mathrm{arelu}(x) = \begin{cases}
        x & x > 0 \\
        l x & x \le 0
      \end{cases}

    The derivative at 0 is :math:`l` (the paper prints `x` for it below 0, a slip). The
    slope is data: no gradient reaches it. Written as :math:`\max(l x, x)`, as the paper
    also does, a loss above 1 would swap the branches.

    `relujax.get("arelu")` asks the loop for the mean training loss of the last epoch
    (`signal.name == "loss"`); the same value evaluates.

    Args:
      x: floating array, shape `[...]`.
      slope: :math:`l`, shared by all units; before the first epoch `initial_slope`,
        which is "say 0.1" in the paper.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> arelu(jnp.array([-2.0, 0.0, 3.0]), 2.3)
      Array([-4.6,  0. ,  3. ], dtype=float32)

    References:
      Atoum, Adaptive Rectified Linear Unit (AReLU) for Classification Problems to Solve
      Dying Problem in Deep Learning, IJACSA 14(2), 2023, `<https://thesai.org>`_.
    """
    x = floating("arelu", x)
    return jnp.where(x > 0, x, jax.lax.stop_gradient(like(x, slope)) * x)
