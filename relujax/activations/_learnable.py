"""Activations whose parameters come from training: learned, or fed back by the loop.

The parameters are positional arguments that broadcast against `x`; the initial values
that `relujax.get` gives them are documented here with their source.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations._numeric import floating, like

__all__ = (
    "adaptive_tanh",
    "apl",
    "arelu",
    "arelu_attention",
    "prelu",
    "rational",
    "srelu_sshaped",
)


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


def apl(
    x: ArrayLike, a1: ArrayLike, b1: ArrayLike, a2: ArrayLike, b2: ArrayLike
) -> jax.Array:
    r"""Adaptive piecewise linear unit with two learned hinges.

    .. math::
      \mathrm{apl}(x) = \max(x, 0) + a_1 \max(b_1 - x, 0) + a_2 \max(b_2 - x, 0)

    Left of its hinge :math:`b_i` a term has the slope :math:`-a_i`, to the right it is
    0. The derivative at every bend is that of its left side. Where the two slopes
    cancel at :math:`-\infty`, the value there is NaN.

    Args:
      x: floating array, shape `[...]`.
      a1: learned; it starts at -0.1, our choice, as the others here: slope 0.1 below 0
        and 0.2 below -0.5. From 0 a hinge would have no gradient.
      b1: learned hinge, from 0.
      a2: learned, from -0.1.
      b2: learned hinge, from -0.5.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> apl(jnp.array([-2.5, 0.0, 3.0]), -0.1, 0.0, -0.1, -0.5)
      Array([-0.45,  0.  ,  3.  ], dtype=float32)

    References:
      Agostinelli, Hoffman, Sadowski and Baldi, `Learning Activation Functions to
      Improve Deep Neural Networks <https://arxiv.org/abs/1412.6830>`_, 2014, eq. 1.
    """
    x = floating("apl", x)
    a1, b1, a2, b2 = (like(x, p) for p in (a1, b1, a2, b2))
    hinge = lambda a, b: jnp.where(x > b, 0, a * (b - x))
    return jnp.where(x <= 0, 0, x) + hinge(a1, b1) + hinge(a2, b2)


def rational(
    x: ArrayLike,
    p0: ArrayLike,
    p1: ArrayLike,
    p2: ArrayLike,
    p3: ArrayLike,
    q0: ArrayLike,
    q1: ArrayLike,
    q2: ArrayLike,
) -> jax.Array:
    r"""Rational (Padé) activation of type (3, 2), its coefficients learned.

    .. math::
      \mathrm{rational}(x) =
        \frac{p_3 x^3 + p_2 x^2 + p_1 x + p_0}{q_2 x^2 + q_1 x + q_0}

    It starts as the best approximation of ReLU on [-1, 1], off by at most 0.0218.
    Nothing keeps the denominator from 0; it starts without a real root. Smooth.

    Args:
      x: floating array, shape `[...]`.
      p0: learned; it starts at 0.0218 (the paper's code), as the others here.
      p1: learned, from 0.5.
      p2: learned, from 1.5957.
      p3: learned, from 1.1915.
      q0: learned, from 1.
      q1: learned, from 0.
      q2: learned, from 2.383.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> rational(jnp.array([-1.0, 0.0, 1.0]), 0, 0, 0, 1, 1, 0, 1)
      Array([-0.5,  0. ,  0.5], dtype=float32)

    References:
      Boullé, Nakatsukasa and Townsend, `Rational neural networks
      <https://arxiv.org/abs/2004.01902>`_, 2020, section 2.
    """
    x = floating("rational", x)
    p0, p1, p2, p3, q0, q1, q2 = (like(x, c) for c in (p0, p1, p2, p3, q0, q1, q2))
    # Outside [-1, 1] in powers of 1 / x, which do not overflow.
    finite = jnp.where(jnp.isinf(x), 0, x)
    far = jnp.abs(finite) > 1
    near, beyond = jnp.where(far, 0, finite), jnp.where(far, finite, 1)
    u = 1 / beyond
    top = ((p3 * near + p2) * near + p1) * near + p0
    inner = top / ((q2 * near + q1) * near + q0)
    top = ((p0 * u + p1) * u + p2) * u + p3
    outer = beyond * top / ((q0 * u + q1) * u + q2)
    return jnp.where(jnp.isinf(x), p3 / q2 * x, jnp.where(far, outer, inner))
