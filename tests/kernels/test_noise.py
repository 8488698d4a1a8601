"""The random numbers of layers: those of JAX, or closer to what they should be."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from relujax.kernels import noise
from relujax.networks.layers import Dropout

KEY = jax.random.key(5)
SHAPES = [(), (0,), (1,), (7,), (3, 5, 2), (4096,)]
BOTH = [(noise.bits, jax.random.bits), (noise.uniform, jax.random.uniform)]


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
class TestTheNumbersAreThoseOfJax:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_of_any_shape_compiled_or_not(self, ours, theirs, shape):
        expected = theirs(KEY, shape)
        for found in (ours(KEY, shape), jax.jit(ours, static_argnums=1)(KEY, shape)):
            chex.assert_trees_all_equal_shapes_and_dtypes(found, expected)
            np.testing.assert_array_equal(found, expected)

    def test_of_many_keys(self, ours, theirs):
        keys = jax.random.split(jax.random.fold_in(KEY, 3), 50)
        draw = lambda f: jax.vmap(lambda key: f(key, (20,)))(keys)
        np.testing.assert_array_equal(draw(ours), draw(theirs))
        np.testing.assert_array_equal(jax.jit(draw, static_argnums=0)(ours), draw(ours))

    @pytest.mark.parametrize("impl", ["threefry4x32", "philox4x32", "rbg"])
    def test_of_other_generators(self, ours, theirs, impl):
        key = jax.random.key(1, impl=impl)
        np.testing.assert_array_equal(ours(key, (9,)), theirs(key, (9,)))

    def test_in_threefry_s_older_order(self, ours, theirs):
        with jax.threefry_partitionable(False):
            np.testing.assert_array_equal(ours(KEY, (9,)), theirs(KEY, (9,)))


@pytest.mark.parametrize("name", ["uniform", "normal"])
def test_other_types_are_left_to_jax(name):
    ours, theirs = getattr(noise, name), getattr(jax.random, name)
    with jax.enable_x64(True):
        for dtype in (jnp.float64, jnp.float16):
            found, expected = ours(KEY, (9,), dtype), theirs(KEY, (9,), dtype)
            np.testing.assert_array_equal(found, expected)


def from_bits(monkeypatch, given):
    """The normal draws that come of these bits."""
    monkeypatch.setattr(noise, "bits", lambda _key, _shape: jnp.asarray(given))
    return np.asarray(noise.normal(KEY, given.shape))


def test_normal_is_the_inverse_of_the_distribution(monkeypatch):
    """Against SciPy in double precision, over the bulk and both ends."""
    ends = np.arange(2**14, dtype=np.uint32) << 8
    half = np.uint32(2**31)
    bulk = np.asarray(jax.random.bits(KEY, (2**20,)))
    given = np.concatenate([bulk, ends, ~ends, half + ends, half - 1 - ends])
    u = (2 * (given.view(np.int32).astype(np.int64) >> 8) + 1) / 2**24
    found = from_bits(monkeypatch, given)
    expected = np.sqrt(2) * special.erfinv(u)
    assert (np.abs(u).min(), np.abs(u).max()) == (2**-24, 1 - 2**-24)
    np.testing.assert_allclose(found, expected, rtol=5e-7)


def test_every_draw_has_its_opposite(monkeypatch):
    given = np.asarray(jax.random.bits(KEY, (10_000,)))
    chosen, opposite = (from_bits(monkeypatch, b) for b in (given, ~given))
    np.testing.assert_array_equal(chosen, -opposite)
    assert (chosen != 0).all()


def test_normal_draws_are_normal_and_independent():
    z = np.asarray(noise.normal(KEY, (1000, 1000)), np.float64)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3)):
        spread = np.sqrt(stats.norm.moment(2 * power) - moment**2) / 1000
        assert abs((z**power).mean() - moment) < 4 * spread
    for a, b in ((z[:-1], z[1:]), (z[:, :-1], z[:, 1:])):
        assert abs((a * b).mean()) < 4 / 1000


def test_normal_has_the_shape_and_any_mapping():
    keys = jax.random.split(KEY, 3)
    draw = lambda key: noise.normal(key, (2, 5))
    chex.assert_shape(draw(KEY), (2, 5))
    one_by_one = jnp.stack([draw(key) for key in keys])
    np.testing.assert_allclose(jax.vmap(draw)(keys), one_by_one, rtol=1e-6)


def test_dropout_drops_what_bernoulli_drops():
    x = jnp.ones((8, 3, 3, 4))
    seen = []

    class Spy(Dropout):
        def make_rng(self, name="params"):
            seen.append(super().make_rng(name))
            return seen[-1]

    y = Spy(0.3).apply({}, x, train=True, rngs={"dropout": KEY})
    kept = jax.random.bernoulli(seen[0], jnp.float32(0.7), x.shape)
    np.testing.assert_array_equal(y != 0, kept)
