"""One row per form of every activation: what it must be, written without JAX.

`y` and `dy` are NumPy float64 transcriptions of the papers' equations, `dy` worked out
by hand and carrying our choice at each kink. `golden` holds literal numbers from
elsewhere. A public activation without a row here fails `test_table_is_complete`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import erf, expit
from scipy.stats import norm

inf, nan = np.inf, np.nan


class Row(NamedTuple):
    """A spec and the truth about it.

    Attributes:
      spec: the spec string; stochastic ones are evaluated here, not trained.
      y: value.
      dy: derivative, one-sided as decided at kinks.
      ends: value at -inf and +inf, derivative at -1e4 and +1e4.
      kinks: point to derivative there.
      golden: point to value, from outside this repository.
    """

    spec: str
    y: Callable[[np.ndarray], np.ndarray]
    dy: Callable[[np.ndarray], np.ndarray]
    ends: tuple[float, float, float, float]
    kinks: Mapping[float, float] = {}
    golden: Mapping[float, float] = {}


def step(x):
    return np.where(x > 0, 1.0, 0.0)


def pos(x):
    return np.where(x > 0, x, 0.0)


def gate(x):
    """The derivative of the sigmoid."""
    return expit(x) * expit(-x)


def below(slope):
    """`x` above 0 and `slope * x` at 0 and below, with its derivative."""
    return (
        lambda x: np.where(x > 0, x, slope * x),
        lambda x: np.where(x > 0, 1.0, slope),
    )


def exponential(right, left, scale=1.0):
    """`right * x` above 0, `left * (exp(x / scale) - 1)` at 0 and below."""
    return (
        lambda x: np.where(x > 0, right * x, left * np.expm1(pos(-x) / -scale)),
        lambda x: np.where(x > 0, right, left / scale * np.exp(pos(-x) / -scale)),
    )


C = np.sqrt(2 / np.pi)


def gelu_tanh(x):
    return x / 2 * (1 + np.tanh(C * (x + 0.044715 * x**3)))


def d_gelu_tanh(x):
    t = np.tanh(C * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t**2) * C * (1 + 0.134145 * x**2)


def d_mish(x):
    t = np.tanh(np.logaddexp(0, x))
    return t + x * (1 - t**2) * expit(x)


def noisy_mean(x):
    s = np.sqrt(expit(x))
    return x * norm.cdf(x / s) + s * norm.pdf(x / s)


def d_noisy_mean(x):
    # d/dx E max(0, x + s z) = P(x + s z > 0) + s' phi(x / s), s' = s (1 - s^2) / 2.
    s = np.sqrt(expit(x))
    return norm.cdf(x / s) + s * (1 - s**2) / 2 * norm.pdf(x / s)


def s_shape(t_l, a_l, t_r, a_r):
    return (
        lambda x: (
            np.clip(x, t_l, t_r)
            + a_r * np.maximum(x - t_r, 0)
            + a_l * np.minimum(x - t_l, 0)
        ),
        lambda x: np.where(x >= t_r, a_r, np.where(x <= t_l, a_l, 1.0)),
    )


def square_root(b):
    """Squareplus, below 0 in the form that loses no digits."""

    def y(x):
        root = np.sqrt(x**2 + b)
        return np.where(x > 0, (x + root) / 2, b / 2 / (root + np.abs(x)))

    def dy(x):
        root = np.sqrt(x**2 + b)
        return np.where(x > 0, (1 + x / root) / 2, b / 2 / root / (root + np.abs(x)))

    return y, dy


def at_ends(dy):
    """The derivative at -1e4 and +1e4."""
    return float(dy(np.float64(-1e4))), float(dy(np.float64(1e4)))


def shrink(band, by):
    """0 within `band` of 0, and the rest moved `by` towards it."""
    return (
        lambda x: np.where(np.abs(x) <= band, 0, x - by * np.sign(x)),
        lambda x: np.where(np.abs(x) <= band, 0.0, 1.0),
    )


def cut(at, value):
    return (
        lambda x: np.where(x > at, x, value),
        lambda x: np.where(x > at, 1.0, 0.0),
    )


def hinges(*terms):
    """ReLU, and `a * (b - x)` left of each hinge `b`."""
    return (
        lambda x: pos(x) + sum(a * pos(b - x) for a, b in terms),
        lambda x: step(x) - sum(np.where(x <= b, a, 0.0) for a, b in terms),
    )


def quotient(p, q):
    """A quotient of two polynomials, highest power first."""
    p, q = np.poly1d(p), np.poly1d(q)
    return (
        lambda x: p(x) / q(x),
        lambda x: (p.deriv()(x) * q(x) - p(x) * q.deriv()(x)) / q(x) ** 2,
    )


NEAR_RELU = (1.1915, 1.5957, 0.5, 0.0218), (2.383, 0.0, 1.0)
SELU = 1.0507009873554804934193349852946
SELU_LEFT = SELU * 1.6732632423543772848170429916717

ROWS = (
    Row("relu", pos, step, (0, inf, 0, 1), {0.0: 0.0}, {-2.0: 0.0, 3.0: 3.0}),
    Row(
        "leaky_relu",
        lambda x: np.where(x >= 0, x, 0.01 * x),
        lambda x: np.where(x >= 0, 1.0, 0.01),
        (-inf, inf, 0.01, 1),
        {0.0: 1.0},
        {-3.0: -0.03},  # torch documentation, negative_slope=1e-2
    ),
    Row(
        "leaky_relu(negative_slope=0.3)",
        lambda x: np.where(x >= 0, x, 0.3 * x),
        lambda x: np.where(x >= 0, 1.0, 0.3),
        (-inf, inf, 0.3, 1),
        {0.0: 1.0},
    ),
    # github.com/MStamatis/ALReLU: ALReLU([-2, -1, 0, 1, 2]) = [.02, .01, 0, 1, 2].
    Row(
        "al_relu",
        *below(-0.01),
        (inf, inf, -0.01, 1),
        {0.0: -0.01},
        {-2.0: 0.02, -1.0: 0.01, 0.0: 0.0, 1.0: 1.0, 2.0: 2.0},
    ),
    # alpha > 1: the published max(|alpha x|, x) would give 3 x above 0.
    Row("al_relu(alpha=3.0)", *below(-3.0), (inf, inf, -3, 1), {0.0: -3.0}),
    Row("al_relu(trainable=True)", *below(-0.01), (inf, inf, -0.01, 1), {0.0: -0.01}),
    # elu, selu, gelu, silu, mish: jax 0.10.2's own float32 values at these points.
    Row(
        "elu",
        *exponential(1, 1),
        (-1, inf, 0, 1),
        {0.0: 1.0},
        {-3.0: -0.95021296, -1.0: -0.63212055, -0.5: -0.39346933, 3.0: 3.0},
    ),
    Row("elu(alpha=0.7)", *exponential(1, 0.7), (-0.7, inf, 0, 1), {0.0: 0.7}),
    Row(
        "selu",
        *exponential(SELU, SELU_LEFT),
        (-SELU_LEFT, inf, 0, SELU),
        {0.0: 1.7580993408473766},
        {-3.0: -1.6705688, -1.0: -1.1113307, 0.5: 0.5253505, 3.0: 3.152103},
    ),
    Row("celu", *exponential(1, 1), (-1, inf, 0, 1), {0.0: 1.0}),
    Row("celu(alpha=2.0)", *exponential(1, 2, 2), (-2, inf, 0, 1), {0.0: 1.0}),
    Row("srelu", *exponential(1, 1), (-1, inf, 0, 1), {0.0: 1.0}),
    Row(
        "srelu(alpha=2.0, beta=0.5)",
        *exponential(2, 0.5),
        (-0.5, inf, 0, 2),
        {0.0: 0.5},
    ),
    Row(
        "srelu(beta=0.5, trainable=True)",
        *exponential(1, 0.5),
        (-0.5, inf, 0, 1),
        {0.0: 0.5},
    ),
    Row(
        "gelu",
        gelu_tanh,
        d_gelu_tanh,
        (0, inf, 0, 1),
        golden={-3.0: -0.00363734, -1.0: -0.15880796, 0.5: 0.345714, 3.0: 2.9963627},
    ),
    Row(
        "gelu(approximate=False)",
        lambda x: x / 2 * (1 + erf(x / np.sqrt(2))),
        lambda x: norm.cdf(x) + x * norm.pdf(x),
        (0, inf, 0, 1),
        golden={-3.0: -0.0040497, -1.0: -0.15865527, 0.5: 0.34573123, 3.0: 2.9959502},
    ),
    Row(
        "silu",
        lambda x: x * expit(x),
        lambda x: expit(x) + x * gate(x),
        (0, inf, 0, 1),
        golden={-3.0: -0.14227763, -1.0: -0.26894143, 0.5: 0.31122968, 3.0: 2.8577223},
    ),
    Row(
        "mish",
        lambda x: x * np.tanh(np.logaddexp(0, x)),
        d_mish,
        (0, inf, 0, 1),
        golden={-3.0: -0.14564745, -1.0: -0.30340144, 0.5: 0.37524524, 3.0: 2.9865355},
    ),
    Row(
        "softplus",
        lambda x: np.logaddexp(0, x),
        expit,
        (0, inf, 0, 1),
        golden={0.0: np.log(2)},
    ),
    Row("sigmoid", expit, gate, (0, 1, 0, 0), golden={0.0: 0.5}),
    Row("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, (-1, 1, 0, 0)),
    Row(
        "relu6",
        lambda x: np.minimum(pos(x), 6),
        lambda x: np.where((x > 0) & (x < 6), 1.0, 0.0),
        (0, 6, 0, 0),
        {0.0: 0.0, 6.0: 0.0},
    ),
    # github.com/luca-parisi/quantum_relu, its own tests.
    Row("q_relu", *below(-1.99), (inf, inf, -1.99, 1), {0.0: -1.99}, {-2.0: 3.98}),
    Row("q_relu(alpha=0.2)", *below(-1.8), (inf, inf, -1.8, 1), {0.0: -1.8}),
    Row("m_q_relu", *below(-0.99), (inf, inf, -0.99, 1), {0.0: -0.99}, {-2.0: 1.98}),
    Row("m_q_relu(alpha=0.2)", *below(-0.8), (inf, inf, -0.8, 1), {0.0: -0.8}),
    Row(
        "msaf",
        lambda x: expit(x - 1) + expit(x - 2),
        lambda x: gate(x - 1) + gate(x - 2),
        (0, 2, 0, 0),
        golden={0.0: 0.388144, 1.5: 1.0},  # by hand; 1.5 is its centre
    ),
    Row(
        "msaf(a=0.5, b=(3.0,))",
        lambda x: 0.5 + expit(x - 3),
        lambda x: gate(x - 3),
        (0.5, 1.5, 0, 0),
    ),
    Row(
        "sym_msaf",
        lambda x: expit(x) + expit(x - 5) - 1,
        lambda x: gate(x) + gate(x - 5),
        (-1, 1, 0, 0),
        golden={2.5: 0.0},  # odd about -a / 2
    ),
    Row("prelu", *below(0.25), (-inf, inf, 0.25, 1), {0.0: 0.25}),
    Row("prelu(alpha=-0.5)", *below(-0.5), (inf, inf, -0.5, 1), {0.0: -0.5}),
    Row("adaptive_tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, (-1, 1, 0, 0)),
    Row(
        "adaptive_tanh(a=2.0, b=0.5)",
        lambda x: 2 * np.tanh(x / 2),
        lambda x: 1 - np.tanh(x / 2) ** 2,
        (-2, 2, 0, 0),
    ),
    # github.com/densechen/AReLU: slopes 1.880797 and 0.9 at its initial values.
    Row(
        "arelu_attention",
        lambda x: np.where(x > 0, (1 + expit(2)) * x, 0.9 * x),
        lambda x: np.where(x > 0, 1 + expit(2), np.where(x < 0, 0.9, 0)),
        (-inf, inf, 0.9, 1 + expit(2)),
        {0.0: 0.0},
        {-1.0: -0.9, 1.0: 1.880797},
    ),
    Row(
        "arelu_attention(alpha=7.0, beta=0.0)",
        lambda x: np.where(x > 0, 1.5 * x, 0.99 * x),
        lambda x: np.where(x > 0, 1.5, np.where(x < 0, 0.99, 0)),
        (-inf, inf, 0.99, 1.5),
        {0.0: 0.0},
    ),
    Row(
        "arelu_attention(alpha=-7.0, beta=0.0)",
        lambda x: np.where(x > 0, 1.5 * x, 0.01 * x),
        lambda x: np.where(x > 0, 1.5, np.where(x < 0, 0.01, 0)),
        (-inf, inf, 0.01, 1.5),
        {0.0: 0.0},
    ),
    Row(
        "srelu_sshaped",
        *s_shape(0, 0.2, 1, 1),
        (-inf, inf, 0.2, 1),
        {0.0: 0.2, 1.0: 1.0},
    ),
    Row(
        "srelu_sshaped(t_left=-1.0, a_left=0.3, t_right=2.0, a_right=0.5)",
        *s_shape(-1, 0.3, 2, 0.5),
        (-inf, inf, 0.3, 0.5),
        {-1.0: 0.3, 2.0: 0.5},
    ),
    Row("arelu", *below(0.1), (-inf, inf, 0.1, 1), {0.0: 0.1}),
    Row("arelu(initial_slope=2.3)", *below(2.3), (-inf, inf, 2.3, 1), {0.0: 2.3}),
    Row("n_relu", pos, step, (0, inf, 0, 1), {0.0: 0.0}),
    Row(
        "n_relu(sigma=0.1, surrogate='leaky_relu(negative_slope=0.3)')",
        pos,
        lambda x: np.where(x >= 0, 1.0, 0.3),
        (0, inf, 0.3, 1),
        {0.0: 1.0},
    ),
    # torch issue 110620: -10 becomes -2.2917 in evaluation.
    Row(
        "rrelu",
        *below(11 / 48),
        (-inf, inf, 11 / 48, 1),
        {0.0: 11 / 48},
        {-10.0: -2.2916667},
    ),
    Row("rrelu(lower=0.2, upper=0.6)", *below(0.4), (-inf, inf, 0.4, 1), {0.0: 0.4}),
    Row(
        "noisy_relu",
        noisy_mean,
        d_noisy_mean,
        (0, inf, 0, 1),
        golden={0.0: 1 / np.sqrt(4 * np.pi)},  # sqrt(1/2) * phi(0)
    ),
    Row(
        "sugar_relu",
        pos,
        lambda x: expit(x) + (x + 1.67) * gate(x),
        (0, inf, 0, 1),
        {0.0: 0.9175},
    ),
    Row(
        "sugar_relu(alpha=0.5)",
        pos,
        lambda x: expit(x) + (x + 0.5) * gate(x),
        (0, inf, 0, 1),
        {0.0: 0.625},
    ),
    Row(
        "star_relu",
        lambda x: 0.8944 * pos(x) ** 2 - 0.4472,
        lambda x: 1.7888 * pos(x),
        (-0.4472, inf, 0, 17888),
        {0.0: 0.0},
    ),
    Row(
        "star_relu(scale=2.0, bias=1.0, trainable=True)",
        lambda x: 2 * pos(x) ** 2 + 1,
        lambda x: 4 * pos(x),
        (1, inf, 0, 40000),
        {0.0: 0.0},
    ),
    Row(
        "squared_relu",
        lambda x: pos(x) ** 2,
        lambda x: 2 * pos(x),
        (0, inf, 0, 20000),
        {0.0: 0.0},
    ),
    Row(
        "crelu",
        lambda x: np.concatenate([pos(x), pos(-x)], -1),
        lambda x: np.concatenate([step(x), -step(-x)], -1),
        (nan, nan, 0, 1),  # two values each: test_shapes.py
        {0.0: 0.0},
    ),
    Row(
        "hard_tanh",
        lambda x: np.clip(x, -1, 1),
        lambda x: np.where(np.abs(x) <= 1, 1.0, 0.0),
        (-1, 1, 0, 0),
        {-1.0: 1.0, 1.0: 1.0},
    ),
    Row(
        "hard_sigmoid",
        lambda x: np.clip((x + 3) / 6, 0, 1),
        lambda x: np.where(np.abs(x) < 3, 1 / 6, 0.0),
        (0, 1, 0, 0),
        {-3.0: 0.0, 3.0: 0.0},
    ),
    Row(
        "hard_swish",
        lambda x: x * np.clip((x + 3) / 6, 0, 1),
        lambda x: np.where(x >= 3, 1.0, np.where(x <= -3, 0.0, (2 * x + 3) / 6)),
        (0, inf, 0, 1),
        {-3.0: 0.0, 3.0: 1.0},
        {-1.0: -1 / 3, 1.0: 2 / 3},
    ),
    Row(
        "squareplus",
        *square_root(4.0),
        (0, inf, *at_ends(square_root(4.0)[1])),
        golden={-1.0: 0.618034, -3.0: 0.30277562, 0.5: 1.2807764, 3.0: 3.3027756},
    ),
    Row(
        "squareplus(b=0.5)",
        *square_root(0.5),
        (0, inf, *at_ends(square_root(0.5)[1])),
    ),
    Row(
        "soft_sign",
        lambda x: x / (1 + np.abs(x)),
        lambda x: 1 / (1 + np.abs(x)) ** 2,
        (-1, 1, 1 / 10001**2, 1 / 10001**2),
        {0.0: 1.0},
    ),
    Row(
        "log_sigmoid",
        lambda x: -np.logaddexp(0, -x),
        lambda x: expit(-x),
        (-inf, 0, 1, 0),
    ),
    Row(
        "tanh_shrink",
        lambda x: x - np.tanh(x),
        lambda x: np.tanh(x) ** 2,
        (-inf, inf, 1, 1),
    ),
    Row("hard_shrink", *shrink(0.5, 0.0), (-inf, inf, 1, 1), {-0.5: 0.0, 0.5: 0.0}),
    Row(
        "hard_shrink(lambd=2.0)",
        *shrink(2.0, 0.0),
        (-inf, inf, 1, 1),
        {-2.0: 0.0, 2.0: 0.0},
    ),
    Row("soft_shrink", *shrink(0.5, 0.5), (-inf, inf, 1, 1), {-0.5: 0.0, 0.5: 0.0}),
    Row(
        "soft_shrink(lambd=2.0)",
        *shrink(2.0, 2.0),
        (-inf, inf, 1, 1),
        {-2.0: 0.0, 2.0: 0.0},
    ),
    Row("threshold", *cut(1.0, 0.0), (0, inf, 0, 1), {1.0: 0.0}),
    Row(
        "threshold(threshold=-0.5, value=-2.0)",
        *cut(-0.5, -2.0),
        (-2, inf, 0, 1),
        {-0.5: 0.0},
    ),
    Row(
        "rational",
        *quotient(*NEAR_RELU),
        (-inf, inf, *at_ends(quotient(*NEAR_RELU)[1])),
        golden={0.0: 0.0218},
    ),
    Row(
        "rational(p3=1.0, p2=0.0, p1=0.0, p0=0.0, q2=1.0)",
        *quotient((1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 1.0)),
        (-inf, inf, 1 + 1e-8, 1 + 1e-8),
    ),
    Row(
        "apl",
        *hinges((-0.1, 0), (-0.1, -0.5)),
        (-inf, inf, 0.2, 1),
        {-0.5: 0.2, 0.0: 0.1},
    ),
    # By hand: 0.5 max(1 - x, 0) + 0.25 max(-2 - x, 0) beside the ReLU.
    Row(
        "apl(a1=0.5, b1=1.0, a2=0.25, b2=-2.0)",
        *hinges((0.5, 1), (0.25, -2)),
        (inf, inf, -0.75, 1),
        {-2.0: -0.75, 0.0: -0.5, 1.0: 0.5},
        {-4.0: 3.0, -1.0: 1.0, 0.5: 0.75, 3.0: 3.0},
    ),
    # Gated units by their gate, with the value 1; the halves are in test_features.py.
    Row("glu", expit, gate, (0, 1, 0, 0), golden={0.0: 0.5}),
    Row("reglu", pos, step, (0, inf, 0, 1), {0.0: 0.0}),
    Row("geglu", gelu_tanh, d_gelu_tanh, (0, inf, 0, 1)),
    Row(
        "geglu(approximate=False)",
        lambda x: x / 2 * (1 + erf(x / np.sqrt(2))),
        lambda x: norm.cdf(x) + x * norm.pdf(x),
        (0, inf, 0, 1),
    ),
    Row(
        "swiglu",
        lambda x: x * expit(x),
        lambda x: expit(x) + x * gate(x),
        (0, inf, 0, 1),
    ),
    # Beside k features at 0, which it must reach to be among the k largest.
    Row("top_k", pos, lambda x: np.where(x >= 0, 1.0, 0.0), (0, inf, 0, 1), {0.0: 1.0}),
    Row(
        "top_k(k=1)",
        pos,
        lambda x: np.where(x >= 0, 1.0, 0.0),
        (0, inf, 0, 1),
        {0.0: 1.0},
    ),
    Row("jump_relu", *cut(0.001, 0.0), (0, inf, 0, 1), {0.001: 0.0}),
    Row("jump_relu(threshold=1.5)", *cut(1.5, 0.0), (0, inf, 0, 1), {1.5: 0.0}),
)
