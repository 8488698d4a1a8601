"""Activations of several features: against other libraries and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import relujax

X = jax.random.normal(jax.random.key(0), (5, 3, 8))
GATES = {
    "glu": jax.nn.sigmoid,
    "reglu": jax.nn.relu,
    "geglu": jax.nn.gelu,
    "geglu(approximate=False)": lambda x: jax.nn.gelu(x, approximate=False),
    "swiglu": jax.nn.silu,
}


@pytest.mark.parametrize("spec", GATES)
def test_the_second_half_gates_the_first(spec):
    got = relujax.get(spec).apply({}, X)
    expected = X[..., :4] * GATES[spec](X[..., 4:])
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


def test_a_notebook_shows_the_curve_along_the_line():
    plain, gated = relujax.get("silu"), relujax.get("swiglu")
    drawn = gated._repr_html_().partition("<svg")[2]
    assert drawn and drawn == plain._repr_html_().partition("<svg")[2]


def test_glu_is_that_of_jax():
    np.testing.assert_array_equal(relujax.glu(X), jax.nn.glu(X))


@pytest.mark.parametrize("name", ["glu", "reglu", "geglu", "swiglu"])
def test_halves_need_an_even_number_of_features(name):
    act = relujax.get(name)
    assert act.apply({}, jnp.ones((7, 0))).shape == (7, 0)
    for x in (jnp.ones((2, 3)), jnp.float32(1)):
        with pytest.raises(ValueError, match=f"an even number of features for {name}"):
            act.apply({}, x)


@pytest.mark.parametrize("name", ["glu", "reglu", "geglu", "swiglu"])
def test_the_gain_is_that_of_independent_halves(name):
    """A million draws: the relative standard error of E f^2 is below 1 %."""
    y = relujax.get(name).apply({}, jax.random.normal(jax.random.key(1), (1000, 2000)))
    assert relujax.gain(name) ** -2 == pytest.approx(float((y**2).mean()), rel=0.02)


@pytest.mark.parametrize("k", [1, 3, 8, 99])
def test_top_k_keeps_the_k_largest(k):
    y = np.asarray(relujax.top_k(X, k=k))
    order = np.argsort(-np.asarray(X), -1)
    rank = np.argsort(order, -1)
    np.testing.assert_array_equal(y, np.where(rank < k, X, 0))
    grad = jax.grad(lambda x: relujax.top_k(x, k=k).sum())(X)
    np.testing.assert_array_equal(grad, (rank < k).astype(np.float32))


def test_top_k_keeps_ties_and_nan():
    y = relujax.top_k(jnp.array([1.0, 2.0, 1.0, 0.5]), k=2)
    assert y.tolist() == [1, 2, 1, 0]
    assert np.isnan(relujax.top_k(jnp.array([jnp.nan, 1.0, 2.0]), k=1)[0])


def test_top_k_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="k from 1 for top_k, got 0"):
        relujax.top_k(X, k=0)
    with pytest.raises(ValueError, match="an axis of features for top_k"):
        relujax.top_k(jnp.float32(1))
