r"""Stochastic rectifiers: random in training, with a deterministic rule to evaluate.

The key comes first and the call consumes it: fold in a new one for every layer and
step. Elements are independent, and noise for half precision is drawn in float32 and
rounded. Each function has its evaluation rule beside it, which needs no key and is the
exact expectation over the noise.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.activations import _registry
from relujax.activations._numeric import (
    drawn,
    floating,
    like,
    relu_tails,
    typed_key,
    wide,
    with_derivative_of,
)
from relujax.kernels.noise import normal, uniform

__all__ = (
    "n_relu",
    "n_relu_mean",
    "noisy_relu",
    "noisy_relu_mean",
    "rrelu",
    "rrelu_mean",
)


def n_relu(
    key: jax.Array,
    x: ArrayLike,
    *,
    sigma: ArrayLike = 0.05,
    surrogate: str | Callable | None = None,
) -> jax.Array:
    r"""N-ReLU: zero-mean Gaussian noise in place of the zeros of ReLU.

    .. math::
      \mathrm{n\_relu}(x) = \begin{cases}
        x & x > 0 \\
        \sigma \varepsilon,\ \varepsilon \sim N(0, 1) & x \le 0
      \end{cases}

    The derivative is 0 at 0 and below, as in ReLU: the noise moves the layers above,
    not the unit itself. With :math:`\sigma = 0` it is `relu` bit for bit, forward and
    backward. Evaluate with `n_relu_mean`.

    Args:
      key: typed PRNG key, consumed.
      x: floating array, shape `[...]`.
      sigma: standard deviation; the paper reports 0.05 to 0.10 as best, the lower end
        is our choice. `relujax.get` also takes a schedule of the step.
      surrogate: an extension, not in the paper: the activation (spec string or
        function) whose derivative replaces the literal one everywhere, such as
        `"leaky_relu"` or `"sugar_relu"`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating, or `key` is no typed key.

    Examples:
      >>> y = n_relu(jax.random.key(0), jnp.array([-2.0, 0.0, 3.0]), sigma=0.1)
      >>> bool(y[0] != 0), bool(y[1] != 0), float(y[2])
      (True, True, 3.0)

    References:
      Manik, Islam and Wang, `N-ReLU: Zero-Mean Stochastic Extension of ReLU
      <https://arxiv.org/abs/2511.07559>`_, 2025.
    """
    key, x = typed_key("n_relu", key), floating("n_relu", x)
    sigma = like(x, sigma)
    # Zero times a negative number is -0.0, and ReLU's zero is positive.
    noise = jnp.where(sigma == 0, 0, sigma * drawn(normal, key, x))

    def forward(x):
        # NaN stays, with the derivative 0 that ReLU has there.
        rest = jnp.where(x <= 0, noise, jax.lax.stop_gradient(x))
        return jnp.where(x > 0, x, rest)

    return _surrogated(surrogate, forward, x)


def n_relu_mean(
    x: ArrayLike,
    *,
    sigma: ArrayLike = 0.05,
    surrogate: str | Callable | None = None,
) -> jax.Array:
    """The expectation of `n_relu` over its noise: ReLU, whatever `sigma`.

    The derivative at 0 is 0, or that of `surrogate`.

    Args:
      x: floating array, shape `[...]`.
      sigma: unused; the mean does not depend on it.
      surrogate: as in `n_relu`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> n_relu_mean(jnp.array([-2.0, 0.0, 3.0]))
      Array([0., 0., 3.], dtype=float32)
    """
    del sigma
    return _surrogated(surrogate, jax.nn.relu, floating("n_relu_mean", x))


def rrelu(
    key: jax.Array,
    x: ArrayLike,
    *,
    lower: ArrayLike = 1 / 8,
    upper: ArrayLike = 1 / 3,
) -> jax.Array:
    r"""Randomized leaky ReLU: a fresh negative slope for every element.

    .. math::
      \mathrm{rrelu}(x) = \begin{cases}
        x & x > 0 \\
        r x,\ r \sim U(\mathrm{lower}, \mathrm{upper}) & x \le 0
      \end{cases}

    The derivative at 0 is :math:`r`, as in torch. Evaluate with `rrelu_mean`.

    Args:
      key: typed PRNG key, consumed.
      x: floating array, shape `[...]`.
      lower: least slope; 1/8 in torch and TensorFlow Addons.
      upper: largest slope; 1/3 in torch and TensorFlow Addons. The paper draws a
        divisor from U(3, 8) instead: the same range, another law.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating, or `key` is no typed key.

    Examples:
      >>> y = rrelu(jax.random.key(0), jnp.array([-2.0, 0.0, 3.0]))
      >>> bool(-2 / 3 <= y[0] <= -2 / 8), float(y[1]), float(y[2])
      (True, 0.0, 3.0)

    References:
      Xu, Wang, Chen and Li, `Empirical Evaluation of Rectified Activations in
      Convolutional Network <https://arxiv.org/abs/1505.00853>`_, 2015.
    """
    key, x = typed_key("rrelu", key), floating("rrelu", x)
    lower, upper = like(x, lower), like(x, upper)
    r = lower + (upper - lower) * drawn(uniform, key, x)
    return jnp.where(x > 0, x, r * x)


def rrelu_mean(
    x: ArrayLike, *, lower: ArrayLike = 1 / 8, upper: ArrayLike = 1 / 3
) -> jax.Array:
    r"""The expectation of `rrelu` over its slopes.

    .. math::
      \mathrm{rrelu\_mean}(x) = \begin{cases}
        x & x > 0 \\
        \frac{\mathrm{lower} + \mathrm{upper}}{2} x & x \le 0
      \end{cases}

    The derivative at 0 is the mean slope, 11/48 by default: torch's rule. The paper
    divides by the mean divisor, a slope of 1/5.5.

    Args:
      x: floating array, shape `[...]`.
      lower: least slope, as in `rrelu`.
      upper: largest slope, as in `rrelu`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> rrelu_mean(jnp.array([-10.0, 0.0, 3.0]))
      Array([-2.2916667,  0.       ,  3.       ], dtype=float32)
    """
    x = floating("rrelu_mean", x)
    return jnp.where(x > 0, x, (like(x, lower) + like(x, upper)) / 2 * x)


def noisy_relu(key: jax.Array, x: ArrayLike) -> jax.Array:
    r"""Noisy rectified linear unit (Nair and Hinton's NReLU).

    .. math::
      \mathrm{noisy\_relu}(x) = \max(0, x + s(x) \varepsilon), \qquad
      s(x)^2 = \frac{1}{1 + e^{-x}}, \quad \varepsilon \sim N(0, 1)

    The kink moves with the noise; the derivative on it is 0. Elsewhere it is the
    pathwise one, through `s` too, so that its mean is the derivative of the mean: our
    choice, since a restricted Boltzmann machine needs none. Evaluate with
    `noisy_relu_mean`. The N-ReLU of Manik et al. is `n_relu`.

    Args:
      key: typed PRNG key, consumed.
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating, or `key` is no typed key.

    Examples:
      >>> y = noisy_relu(jax.random.key(0), jnp.array([-20.0, 1.0, 1.0]))
      >>> float(y[0]), bool(y[1] != y[2])
      (0.0, True)

    References:
      Nair and Hinton, `Rectified Linear Units Improve Restricted Boltzmann Machines
      <https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf>`_, 2010, section 2, where
      sigmoid(x) is the variance.
    """
    key, x = typed_key("noisy_relu", key), floating("noisy_relu", x)
    return jax.nn.relu(x + _root_sigmoid(x) * drawn(normal, key, x))


def noisy_relu_mean(x: ArrayLike) -> jax.Array:
    r"""The expectation of `noisy_relu` over its noise.

    .. math::
      \mathrm{noisy\_relu\_mean}(x) = x \, \Phi(t) + s \, \varphi(t), \qquad
      t = \frac{x}{s}, \quad s = \frac{1}{\sqrt{1 + e^{-x}}}

    with the normal density and distribution function. Smooth; 0.282095 at 0. It is the
    exact mean of a rectified normal variable and our choice: the paper evaluates none.

    Args:
      x: floating array, shape `[...]`.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating.

    Examples:
      >>> noisy_relu_mean(jnp.array([-20.0, 0.0, 3.0]))
      Array([0.       , 0.2820948, 3.0002868], dtype=float32)
    """
    x = floating("noisy_relu_mean", x)
    # JAX has the normal distribution in float32 and float64 only.
    exact = x.astype(wide(x.dtype))
    # At 8 the terms that are not ReLU's are below the last bit of either.
    return relu_tails(_rectified_mean, exact, beyond=8).astype(x.dtype)


def _rectified_mean(x: jax.Array) -> jax.Array:
    s = _root_sigmoid(x)
    t = x / s
    return x * jax.scipy.special.ndtr(t) + s * jax.scipy.stats.norm.pdf(t)


def _root_sigmoid(x: jax.Array) -> jax.Array:
    """sqrt(sigmoid(x)), whose derivative is finite where the sigmoid underflows."""
    return jnp.exp(jax.nn.log_sigmoid(x) / 2)


def _surrogated(
    surrogate: str | Callable | None, forward: Callable, x: jax.Array
) -> jax.Array:
    """`forward(x)`, with the derivative of the named activation if one is named."""
    if surrogate is None:
        return forward(x)
    named = _registry.get(surrogate)
    y = forward(jax.lax.stop_gradient(x))
    return with_derivative_of(lambda x: named.apply({}, x), y, x)
