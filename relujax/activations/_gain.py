"""Initialisation: the gain that keeps the second moment of a layer's activations."""

from collections.abc import Callable

import jax
import numpy as np

from relujax.activations._registry import get
from relujax.activations._spec import Activation
from relujax.activations.unary import candidate_kinks, drawn_squares, numbers, values
from relujax.errors import InputError

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def _normal_density(x: np.ndarray) -> np.ndarray:
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def _noisy_relu_variance(x: np.ndarray) -> np.ndarray:
    from scipy.special import expit, ndtr

    s = np.sqrt(expit(x))
    upper, density = ndtr(x / s), _normal_density(x / s)
    return (x**2 + s**2) * upper + x * s * density - (x * upper + s * density) ** 2


#: Variance of the stochastic activations given the input, in training.
_VARIANCES: dict[str, Callable[..., np.ndarray]] = {
    "n_relu": lambda x, sigma: np.where(x > 0, 0, sigma**2),
    "rrelu": lambda x, lower, upper: np.where(
        x > 0, 0, (upper - lower) ** 2 / 12 * x**2
    ),
    "noisy_relu": _noisy_relu_variance,
}


def gain(spec: str | Activation | Callable) -> float:
    r"""The factor that makes up for an activation's effect on the second moment.

    .. math::
      \mathrm{gain}(f) = \frac{1}{\sqrt{E[f(z)^2]}}, \qquad z \sim N(0, 1)

    By Gauss-Legendre quadrature between the kinks, exact to about 1e-12. Stochastic
    activations count as they train, with their noise (that of your own is drawn, 1,000
    times at each of 1,272 points, and good to about three digits); learnable ones at
    their initial values, loss-driven ones at the initial signal and schedules at step
    0; `crelu` with the mean over both halves, since it doubles the fan-in. Gated units
    such as `glu` count by their gates, for values of second moment 1 that do not depend
    on them; `top_k` as if it kept every second feature.

    `torch.nn.init.calculate_gain` agrees for `relu` (:math:`\sqrt 2`) and `leaky_relu`
    (:math:`\sqrt{2 / (1 + a^2)}`), and has other conventions elsewhere: 5/3 for `tanh`
    (1.5925 here), 3/4 for `selu` (1 here), 1 for `sigmoid` (1.8462 here).

    Args:
      spec: anything that `relujax.get` takes.

    Returns:
      The gain, a Python float.

    Raises:
      InputError: a hyperparameter is traced or an array, or :math:`E[f(z)^2]` is not
        positive and finite.

    Examples:
      >>> gain("relu") ** 2
      2.0000
      >>> gain("q_relu") ** 2  # 2 / (1 + 1.99^2): He's 2 is 4.96 times too much
      0.4032

    References:
      He, Zhang, Ren and Sun, `Delving Deep into Rectifiers
      <https://arxiv.org/abs/1502.01852>`_, 2015, section 2.2, for any activation.
    """
    act = get(spec)
    kinks = candidate_kinks(act)
    edges = np.union1d(np.linspace(-13, 13, 53), kinks[np.abs(kinks) < 13])
    center, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    x = (center[:, None] + half[:, None] * _NODES).ravel()
    weights = (half[:, None] * _WEIGHTS).ravel() * _normal_density(x)
    squares = (values(act, x) ** 2).mean(1)
    if act.id in _VARIANCES:
        squares += _VARIANCES[act.id](x, **numbers(act))
    elif act.needs_key:
        squares = drawn_squares(act, x).mean(1)
    moment = float(weights @ squares)
    if not 0 < moment < np.inf:
        raise InputError(
            f"Expected the second moment of {act} to be positive and finite, got "
            f"{moment:g}."
        )
    return moment**-0.5


def recommended_init(
    spec: str | Activation | Callable,
) -> jax.nn.initializers.Initializer:
    r"""The initialiser for the weights of a layer between two layers of `spec` units.

    Normal, with mean 0 and variance :math:`\mathrm{gain}^2 / \mathrm{fan\_in}`; biases
    start at 0. If a layer's input has the second moment :math:`\mathrm{gain}^{-2}`,
    its pre-activations have second moment 1 and its output has that of the input again,
    in expectation over the weights. (Before the first layer, where the input is data of
    second moment 1, the same takes the variance 1 / fan_in.) What depth makes of it
    depends on the slope of :math:`q \mapsto E[f(\sqrt q z)^2] / E[f(z)^2]` at 1, by
    which a layer multiplies a deviation. Promised at depth 50 and width 64, to a factor
    within [0.3, 3] of the input's second moment, where the slope is

    - below 0.6, in every network: bounded and sigmoid-like ones, such as `softplus`,
      `sigmoid`, `tanh`, `msaf`, `hard_tanh`.
    - up to 1, in the mean over networks: `relu`, `leaky_relu`, `elu`, `selu`, `prelu`,
      `q_relu`, `crelu` and their like. The piecewise linear ones never correct a
      deviation, and those of the layers multiply: a few networks lie far above the mean
      and most below; for `relu`, nine in ten between 0.005 and 3.3, with the median at
      0.13. That comes with the width; no variance of the weights cures it.
    - above 1, not: `gelu`, `silu`, `mish`, `squared_relu`, `star_relu` amplify a
      deviation (by 1.14, 1.17, 1.08, 2 and 2 a layer), gated units more than their
      gates do: normalise, or stay shallow.

    Of the stochastic ones nothing is promised.

    Args:
      spec: anything that `relujax.get` takes; as in `gain`.

    Returns:
      A JAX initialiser, `init(key, shape, dtype)`, for the kernels of Flax's dense and
      convolutional layers.

    Raises:
      InputError: as `gain`.

    Examples:
      >>> kernel = recommended_init("q_relu")(jax.random.key(0), (1000, 1000))
      >>> float(1000 * kernel.var())
      0.40

    References:
      He et al., 2015, as for `gain`; Hanin and Rolnick, `How to Start Training
      <https://arxiv.org/abs/1803.01719>`_, 2018, for the deviations of single networks.
    """
    return jax.nn.initializers.variance_scaling(gain(spec) ** 2, "fan_in", "normal")
