"""Gains against closed forms and scipy, and what they do to deep networks."""

import inspect
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow, some
from scipy.integrate import quad
from scipy.stats import norm

import relujax
from relujax import InputError, gain, recommended_init

from .table import ROWS, SELU, SELU_LEFT

GATED = ("glu", "reglu", "geglu", "swiglu")
STOCHASTIC = [name for name in relujax.names(gated=True) if relujax.get(name).needs_key]


Z = np.linspace(-12, 12, 100_001)
DENSITY = norm.pdf(Z)


def slope(name):
    """That of q -> E f(sqrt(q) z)^2 / E f(z)^2 at q = 1, across jumps too."""
    (y,) = (row.y for row in ROWS if row.spec == name)
    squares = lambda q: DENSITY @ (y(np.sqrt(q) * Z[:, None]) ** 2).mean(1)
    # The value of a gated unit grows as its gate does.
    moment = lambda q: squares(q) * (q if name in GATED else 1)
    return (moment(1.01) - moment(0.99)) / 0.02 / moment(1.0)


# In every network of depth 50 and width 64, and in the mean over networks: the second
# moment stays within [0.3, 3] of the input's where a deviation is damped or kept.
SLOPES = {n: slope(n) for n in relujax.names(gated=True) if n not in STOCHASTIC}
EACH = [name for name, slope in SLOPES.items() if slope < 0.6]
MEAN = [name for name, slope in SLOPES.items() if 0.6 <= slope <= 1.001]
NOT = [name for name, slope in SLOPES.items() if slope > 1.001]
DEPTH, WIDTH = 50, 64


def line(left, right=1.0):
    return 2 / (left**2 + right**2)


def exponential(right, left):
    """1 / E f^2, f = right x above 0 and left (e^x - 1) below."""
    below = math.e**2 * norm.cdf(-2) - 2 * math.e**0.5 * norm.cdf(-1) + 0.5
    return 1 / (right**2 / 2 + left**2 * below)


@pytest.mark.parametrize(
    ("spec", "square"),
    [
        ("relu", 2),
        ("leaky_relu", line(0.01)),
        ("leaky_relu(negative_slope=0.3)", line(0.3)),
        ("al_relu(alpha=3.0)", line(3)),
        ("q_relu", line(1.99)),
        ("m_q_relu", line(0.99)),
        ("prelu", line(0.25)),
        ("prelu(axis=-1)", line(0.25)),
        ("prelu(axis=1)", line(0.25)),
        ("arelu", line(0.1)),
        ("arelu_attention", line(0.9, 1 + 1 / (1 + math.e**-2))),
        ("elu", exponential(1, 1)),
        ("srelu(alpha=2.0, beta=0.5)", exponential(2, 0.5)),
        ("selu", exponential(SELU, SELU_LEFT)),
        ("squared_relu", 2 / 3),
        ("star_relu", 1 / (1.5 * 0.8944**2 - 0.8944 * 0.4472 + 0.4472**2)),
        ("crelu", 2),
        ("crelu(axis=1)", 2),
        ("n_relu(sigma=0.5)", 2 / 1.25),
        ("rrelu", 2 / (1 + (1 / 3**3 - 1 / 8**3) / (3 * (1 / 3 - 1 / 8)))),
    ],
)
def test_closed_forms(spec, square):
    assert gain(spec) ** 2 == pytest.approx(square, rel=1e-9)


QUIET = [r for r in ROWS if r.spec != "crelu" and not relujax.get(r.spec).needs_key]


@pytest.mark.parametrize("row", some(QUIET, 3), ids=lambda row: row.spec)
def test_against_scipy(row):
    """Adaptive quadrature of the NumPy transcription of each activation."""
    f = lambda x: float(row.y(np.float64(x))) ** 2 * norm.pdf(x)
    moment, _ = quad(f, -12, 12, points=[0, *row.kinks], epsabs=1e-11, limit=200)
    assert gain(row.spec) == pytest.approx(moment**-0.5, rel=1e-8)


@pytest.mark.parametrize(
    "spec",
    ["n_relu(sigma=0.7)", "noisy_relu", *slow("rrelu(upper=0.9)", "n_relu", "rrelu")],
)
def test_noise_counts(spec):
    """A million draws: the relative standard error of E f^2 is below 0.25 %."""
    key_z, key_noise = jax.random.split(jax.random.key(0))
    z = jax.random.normal(key_z, (1_000_000,))
    y = relujax.get(spec).apply({}, z, key=key_noise, train=True)
    assert gain(spec) ** -2 == pytest.approx(float((y**2).mean()), rel=0.01)


def test_torch_agrees_on_the_rectifiers():
    """torch.nn.init.calculate_gain documents these two formulas."""
    assert gain("relu") == pytest.approx(math.sqrt(2))
    leaky = gain("leaky_relu(negative_slope=0.2)")
    assert leaky == pytest.approx(math.sqrt(2 / (1 + 0.2**2)))


def test_what_is_not_the_default():
    assert gain(jnp.tanh) == gain("tanh") == gain(relujax.get("tanh"))
    assert gain(relujax.get("n_relu", sigma=lambda step: 0.5 / (step + 1))) == gain(
        "n_relu(sigma=0.5)"
    )
    assert gain(relujax.get("prelu", alpha=jnp.float32(0.25))) == gain("prelu")


@pytest.mark.parametrize("sigma", [jnp.ones(3), np.ones(3)])
def test_arrays_have_no_single_gain(sigma):
    with pytest.raises(InputError, match="single known number for 'sigma' of n_relu"):
        gain(relujax.get("n_relu", sigma=sigma))


def test_traced_values_have_no_known_gain():
    with pytest.raises(InputError, match="single known number for 'alpha' of elu"):
        jax.jit(lambda alpha: gain(relujax.get("elu", alpha=alpha)))(1.0)
    with pytest.raises(InputError, match="positive and finite, got 0"):
        gain(jnp.zeros_like)


def test_networks_may_be_built_under_any_transformation():
    def init(key):
        return recommended_init("relu")(key, (3, 4))

    keys = jax.random.split(jax.random.key(0), 2)
    kernels = jax.jit(jax.vmap(init))(keys)
    np.testing.assert_allclose(kernels[1], init(keys[1]), rtol=1e-6)


@pytest.mark.parametrize("name", some(relujax.names(gated=True)))
def test_initialiser_has_the_variance_of_the_gain(name):
    """90,000 draws."""
    kernel = recommended_init(name)(jax.random.key(0), (3, 3, 100, 100))
    assert 900 * float(kernel.var()) == pytest.approx(gain(name) ** 2, rel=0.03)


def second_moments(names, networks, init=recommended_init, depth=DEPTH, dtype="f4"):
    """The ratio of the second moment after every layer to the input's.

    Returns:
      Activation to array `[networks, depth]`; all share the draws of the weights.
    """
    key = jax.random.key(0)
    kernels = {name: init(name)(key, (2, 2)) for name in names}
    unit = jax.random.normal(key, (2, 2))
    # An initialiser scales one draw: the scale is all that differs.
    scale = {name: float((k / unit)[0, 0]) * 2**0.5 for name, k in kernels.items()}
    act = {name: relujax.get(name) for name in names}
    fans = {"crelu": 2 * WIDTH, **dict.fromkeys(GATED, WIDTH // 2)}
    fan = {name: fans.get(name, WIDTH) for name in names}

    def network(key):
        key_x, key_w = jax.random.split(key)
        x = jax.random.normal(key_x, (2 * WIDTH,), dtype)

        def layer(hidden, key):
            w = jax.random.normal(key, (2 * WIDTH, WIDTH), dtype)
            out = {}
            for name, h in hidden.items():
                z = h @ w[: fan[name]] * (scale[name] / fan[name] ** 0.5)
                params = act[name].init(z.shape, z.dtype)
                out[name] = act[name].apply(params, z.astype(dtype))
            return out, {name: jnp.mean(h**2) for name, h in out.items()}

        hidden = {}
        for name in names:
            h = x[: fan[name]]
            hidden[name] = h / jnp.sqrt(jnp.mean(h**2)) / gain(name)
        return jax.lax.scan(layer, hidden, jax.random.split(key_w, depth))[1]

    keys = jax.random.split(jax.random.key(1), networks)
    moments = jax.jit(lambda keys: jax.lax.map(network, keys, batch_size=32))(keys)
    return {name: np.asarray(q) * gain(name) ** 2 for name, q in moments.items()}


@pytest.mark.parametrize("names", [EACH[::8], *slow(EACH)], ids=["some", "all"])
def test_every_network_keeps_its_second_moment(names):
    for name, ratio in second_moments(names, 64).items():
        assert 0.3 < ratio.min() < ratio.max() < 3, name


@pytest.fixture(scope="module")
def of_512():
    """The ratios in 512 networks, drawn once."""
    return second_moments(MEAN, 512)


@pytest.mark.slow
def test_the_mean_over_networks_keeps_its_second_moment(of_512):
    """512 networks.

    Under `relu` the mean is exactly 1, and its standard error at depth 50 is
    ((1 + 5 / 64)^50 - 1)^0.5 / 512^0.5 = 0.29; the others have lighter tails.
    """
    for name, ratio in of_512.items():
        mean = ratio.mean(0)
        assert 0.3 < mean.min() < mean.max() < 3, name


@pytest.mark.parametrize("names", [NOT[::8], *slow(NOT)], ids=["some", "all"])
def test_the_others_amplify_deviations(names):
    for name, ratio in second_moments(names, 64).items():
        final = ratio[:, -1]
        assert not (np.isfinite(final) & (final > 0.3) & (final < 3)).all(), name


@pytest.mark.slow
def test_he_initialisation_explodes_under_q_relu(of_512):
    """The second moment grows by 1 + 1.99^2 = 4.96 a layer, 7e34 at depth 50.

    That is beyond float16 after some 15 layers, and beyond float32 soon after 50.
    """
    he = lambda _name: jax.nn.initializers.variance_scaling(2.0, "fan_in", "normal")
    grown = second_moments(["q_relu"], 8, he, depth=70)["q_relu"]
    assert (grown[:, DEPTH - 1] > 1e30).all()
    assert np.isinf(grown[:, -1]).all()
    half = second_moments(["q_relu"], 8, he, dtype="f2")["q_relu"]
    assert not np.isfinite(half[:, -1]).any()
    kept = of_512["q_relu"].mean(0)
    assert 0.3 < kept.min() < kept.max() < 3


def test_the_docstring_has_the_right_examples():
    promises = inspect.getdoc(recommended_init).split("Args:")[0].split("\n- ")[1:]
    quoted = [set(re.findall(r"`(\w+)`", text)) for text in promises]
    for named, computed in zip(quoted, (EACH, MEAN, NOT), strict=True):
        assert named and named <= set(computed)
    amplified = [round(SLOPES[name], 2) for name in quoted[2]]
    shown = re.findall(r"\d+(?:\.\d+)?", promises[2].partition("(by")[2])[:5]
    assert sorted(amplified) == sorted(map(float, shown))
