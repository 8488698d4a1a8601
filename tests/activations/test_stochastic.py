"""The noise: its law, its independence, its expectation and its derivative.

Keys are fixed, so a test passes or fails for good. Each bound is one that a correct
sampler breaks for one key in 10^4 (a two-sided 3.89 standard errors, or p < 1e-4); some
15 such bounds make the chance that a new JAX sampler breaks any about 0.2 %.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from full import slow

import relujax
from relujax.activations._registry import definition

N = 40_000
KEY = jax.random.key(2511)
BOUND = 3.89
STOCHASTIC = [name for name in relujax.names(gated=True) if relujax.get(name).needs_key]
names = pytest.mark.parametrize("name", STOCHASTIC)
# What the element of a large array at x = -0.7 is distributed like.
LAWS = {
    "n_relu": scipy.stats.norm(0, 0.05),
    "rrelu": scipy.stats.uniform(-0.7 / 3, 0.7 / 3 - 0.7 / 8),
}


def evaluation(name):
    rule = definition(name).evaluation
    assert rule is not None
    return rule


def test_these_are_the_stochastic_ones():
    assert STOCHASTIC == ["n_relu", "rrelu", "noisy_relu"]


@pytest.mark.parametrize("name", LAWS)
def test_law(name):
    y = definition(name).function(KEY, jnp.full(N, -0.7))
    assert scipy.stats.kstest(np.asarray(y), LAWS[name].cdf).pvalue > 1e-4


@pytest.mark.parametrize("x", [-1.0, 0.0, 2.0])
def test_law_of_noisy_relu(x):
    """A normal of variance sigmoid(x), cut at 0."""
    y = np.asarray(relujax.noisy_relu(KEY, jnp.full(N, x)))
    s = np.sqrt(1 / (1 + np.exp(-x)))
    p = scipy.stats.norm.cdf(-x / s)
    error = np.sqrt(p * (1 - p) / N)
    assert abs((y == 0).mean() - p) < BOUND * error
    cut = scipy.stats.truncnorm(-x / s, np.inf, loc=x, scale=s)
    assert scipy.stats.kstest(y[y > 0], cut.cdf).pvalue > 1e-4


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_noise_is_as_fine_as_its_dtype(dtype):
    """Drawn in bfloat16 itself, JAX's noise would have 128 values."""
    y = relujax.n_relu(KEY, jnp.full(N, -1.0, dtype), sigma=1.0)
    assert len(np.unique(np.asarray(y, np.float32))) > 1000
    assert abs(float(jnp.std(y.astype(jnp.float32))) - 1) < BOUND / np.sqrt(2 * N)


def test_second_moment_of_n_relu():
    """E f(z)^2 = (s^2 + sigma^2) / 2 for z of variance s^2."""
    key_z, key_f = jax.random.split(KEY)
    f2 = relujax.n_relu(key_f, jax.random.normal(key_z, (N,)), sigma=0.5) ** 2
    assert abs(float(f2.mean()) - 0.625) < BOUND * float(f2.std()) / np.sqrt(N)


@pytest.mark.parametrize("x", [-3.0, -0.5, 0.0, 0.5, 3.0])
@names
def test_expectation_is_the_evaluation_rule(name, x):
    known = definition(name)
    y = known.function(KEY, jnp.full(N, x))
    expected = float(evaluation(name)(jnp.float32(x)))
    error = float(y.std()) / np.sqrt(N)
    assert abs(float(y.mean()) - expected) <= BOUND * error + 2e-6


@pytest.mark.parametrize("x", [-0.5, 0.0, 0.5])
@names
def test_mean_derivative_is_the_derivative_of_the_mean(name, x):
    known = definition(name)
    slopes = jax.grad(lambda x: known.function(KEY, x).sum())(jnp.full(N, x))
    expected = float(jax.grad(evaluation(name))(x))
    error = float(slopes.std()) / np.sqrt(N)
    assert abs(float(slopes.mean()) - expected) <= BOUND * error + 2e-6


@names
def test_elements_and_keys_are_independent(name):
    f = definition(name).function
    x = jnp.full((2, N // 2), -0.2)
    one, two = f(KEY, x), f(jax.random.fold_in(KEY, 1), x)
    chex.assert_trees_all_equal(one, f(KEY, x))
    for a, b in [(one[0], one[1]), (one[0, 1:], one[0, :-1]), (one[0], two[0])]:
        r = np.corrcoef(np.asarray(a), np.asarray(b))[0, 1]
        assert abs(r) < BOUND / np.sqrt(len(a))
    if name != "noisy_relu":  # which is often exactly 0
        # Random float32 numbers coincide, but rarely: about N^2 / 2^24 pairs.
        assert len(np.unique(np.asarray(one))) > 0.95 * N


@names
def test_key_is_consumed_once(name):
    with jax.debug_key_reuse(True):
        definition(name).function(jax.random.key(0), jnp.ones(3))


@names
def test_keys(name):
    x = jnp.ones(3)
    activation = relujax.get(name)
    with pytest.raises(ValueError, match=f"Expected a PRNG key for {name}"):
        activation.apply({}, x, train=True)
    for bad in (jax.random.PRNGKey(0), 0, None):
        with pytest.raises(TypeError, match=f"first argument of {name}"):
            definition(name).function(bad, x)


@names
def test_training_draws_and_evaluation_does_not(name):
    activation, known = relujax.get(name), definition(name)
    x = jnp.linspace(-1, 1, 8)
    train = activation.apply({}, x, key=KEY, train=True)
    chex.assert_trees_all_equal(train, known.function(KEY, x))
    for key in (None, KEY):
        y = activation.apply({}, x, key=key)
        chex.assert_trees_all_equal(y, evaluation(name)(x))
    assert (train != y).any()


def bits(x):
    return np.asarray(x).view(np.uint32)


@pytest.mark.parametrize("compiled", [True, False], ids=["jit", "eager"])
def test_n_relu_without_noise_is_relu_bit_for_bit(compiled):
    x = jnp.array([*np.linspace(-2, 2, 33), -0.0, -jnp.inf, jnp.inf, jnp.nan])

    def forward_and_backward(f):
        both = jax.value_and_grad(lambda x: (f(x).sum(), f(x)), has_aux=True)
        return (jax.jit(both) if compiled else both)(x)

    for sigma in (0.0, jnp.float32(0.0)):
        noiseless = lambda x, sigma=sigma: relujax.n_relu(KEY, x, sigma=sigma)
        (_, ours), d_ours = forward_and_backward(noiseless)
        (_, relu), d_relu = forward_and_backward(jax.nn.relu)
        assert (bits(ours) == bits(relu)).all()
        assert (bits(d_ours) == bits(d_relu)).all()


def test_n_relu_noise_stays_on_the_left():
    x = jnp.linspace(-2, 2, 9)
    y = relujax.n_relu(KEY, x, sigma=0.1)
    chex.assert_trees_all_equal(y[5:], x[5:])
    assert (y[:5] != 0).all() and (jnp.abs(y[:5]) < 0.6).all()
    # The same normal numbers, scaled.
    chex.assert_trees_all_close(relujax.n_relu(KEY, x, sigma=0.2)[:5], 2 * y[:5])
    slope = jax.grad(lambda x: relujax.n_relu(KEY, x, sigma=0.1).sum())(x)
    chex.assert_trees_all_equal(slope, (x > 0).astype(jnp.float32))


def test_surrogate_changes_the_derivative_only():
    x = jnp.linspace(-2, 2, 9)
    noisy = lambda x, sigma=0.1, **options: relujax.n_relu(
        KEY, x, sigma=sigma, **options
    )
    for surrogate in ("silu", "leaky_relu(negative_slope=0.3)", jnp.tanh):
        named = relujax.get(surrogate)
        y, pull = jax.vjp(lambda x, s=surrogate: noisy(x, surrogate=s), x)
        _, expected = jax.vjp(lambda x, named=named: named.apply({}, x), x)
        chex.assert_trees_all_equal(y, noisy(x))
        chex.assert_trees_all_close(pull(jnp.ones(9)), expected(jnp.ones(9)))
    # sigma keeps its own derivative, the noise.
    d_sigma = [
        jax.grad(lambda s, o=o: noisy(x, sigma=s, **o).sum())(0.1)
        for o in ({}, {"surrogate": "silu"})
    ]
    assert d_sigma[0] == d_sigma[1] != 0


def test_rrelu_slopes_stay_between_the_bounds():
    slopes = -relujax.rrelu(KEY, jnp.full(N, -1.0), lower=0.2, upper=0.6)
    assert 0.2 <= slopes.min() < 0.201 and 0.599 < slopes.max() <= 0.6
    x = jnp.linspace(0.0, 3.0, 5)
    chex.assert_trees_all_equal(relujax.rrelu(KEY, x), x)
    slope = jax.grad(lambda x: relujax.rrelu(KEY, x).sum())(jnp.array([-2.0, 0.0]))
    assert (slope >= 1 / 8).all() and (slope <= 1 / 3).all()  # r at 0, as in torch


@pytest.mark.parametrize("impl", ["threefry2x32", *slow("threefry4x32")])
@pytest.mark.parametrize("fn", [relujax.n_relu, relujax.rrelu, relujax.noisy_relu])
def test_sharding_changes_no_number(fn, impl):
    """The same draws on two devices as on one, for any way the array is cut."""
    key = jax.random.key(3, impl=impl)
    x = jax.random.normal(jax.random.key(4), (8, 6))
    expected = jax.jit(fn)(key, x)
    mesh = jax.make_mesh((2,), ("i",), (jax.sharding.AxisType.Auto,))
    for spec in (jax.P("i", None), jax.P(None, "i")):
        spread = jax.device_put(x, jax.NamedSharding(mesh, spec))
        got = jax.jit(fn)(key, spread)
        assert len(got.sharding.device_set) == 2
        np.testing.assert_array_equal(got, expected)
