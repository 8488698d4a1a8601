"""Where one activation becomes another."""

import chex
import jax
import jax.numpy as jnp
import pytest

import relujax

from .apply import slope, value

X = jnp.linspace(-5, 5, 41)  # 0 is on it


def same(one, other, x=X, rtol=1e-6, atol=1e-7):
    for f in (value, slope):
        chex.assert_trees_all_close(f(one, x), f(other, x), rtol=rtol, atol=atol)


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0])
def test_srelu_is_elu(beta):
    same(f"srelu(alpha=1.0, beta={beta})", f"elu(alpha={beta})")


def test_srelu_is_selu():
    same("srelu(alpha=1.0507009873554805, beta=1.7580993408473766)", "selu")
    # To the four digits that the paper has.
    same("srelu(alpha=1.0507, beta=1.7581)", "selu", rtol=2e-6, atol=2e-5)


def test_srelu_is_a_scaled_elu():
    chex.assert_trees_all_close(
        relujax.srelu(X, alpha=2.0, beta=3.0), 2 * relujax.elu(X, alpha=1.5), rtol=1e-6
    )


def test_leaky_relu_of_slope_zero_is_relu_in_value_only():
    chex.assert_trees_all_equal(
        value("leaky_relu(negative_slope=0.0)", X), value("relu", X)
    )
    zero = jnp.zeros(1)
    assert slope("leaky_relu(negative_slope=0.0)", zero) == 1
    assert slope("relu", zero) == 0


@pytest.mark.parametrize("other", ["al_relu(alpha=0.0)", "prelu(alpha=0.0)"])
def test_slope_zero_is_relu(other):
    same(other, "relu")


def test_slope_one_is_the_line():
    for spec in ("prelu(alpha=1.0)", "arelu(initial_slope=1.0)"):
        chex.assert_trees_all_equal(value(spec, X), X)
    for spec in ("al_relu(alpha=1.0)", "q_relu(alpha=1.0)", "m_q_relu(alpha=0.0)"):
        chex.assert_trees_all_equal(value(spec, X), jnp.abs(X))


def test_m_q_relu_is_q_relu_one_further():
    same("m_q_relu(alpha=0.3)", "q_relu(alpha=1.3)")


def test_celu_of_one_is_elu_and_celu_scales():
    same("celu(alpha=1.0)", "elu(alpha=1.0)")
    chex.assert_trees_all_close(
        relujax.celu(X, alpha=3.0), 3 * relujax.elu(X / 3), rtol=1e-6
    )


def test_saturated_ends():
    for spec in ("gelu", "silu", "mish", "softplus", "noisy_relu"):
        chex.assert_trees_all_close(
            value(spec, 10 * X), value("relu", 10 * X), atol=0.7
        )


def test_symmetries():
    odd = value("sym_msaf(a=-4.0)", 2 + X) + value("sym_msaf(a=-4.0)", 2 - X)
    chex.assert_trees_all_close(odd, jnp.zeros_like(X), atol=1e-6)
    for spec in ("gelu", "silu"):  # f(x) - f(-x) = x
        both = value(spec, X) - value(spec, -X)
        chex.assert_trees_all_close(both, X, rtol=1e-6, atol=1e-6)


def test_msaf_is_a_sum_of_sigmoids():
    chex.assert_trees_all_close(
        relujax.msaf(X, a=-1.0, b=(0.0, 5.0)), relujax.sym_msaf(X, a=-5.0), atol=1e-6
    )


def test_star_relu_of_a_normal_is_standard():
    z = jax.scipy.stats.norm.ppf((jnp.arange(20_000) + 0.5) / 20_000)
    y = relujax.star_relu(z)
    assert abs(float(y.mean())) < 1e-3 and abs(float(y.var()) - 1) < 5e-3


def test_sshaped_between_far_thresholds_is_the_line():
    spec = "srelu_sshaped(t_left=-9.0, t_right=9.0)"
    chex.assert_trees_all_equal(value(spec, X), X)


def test_rrelu_of_one_slope_is_prelu():
    y = relujax.rrelu(jax.random.key(0), X, lower=0.3, upper=0.3)
    chex.assert_trees_all_close(y, value("prelu(alpha=0.3)", X))


def test_sugar_relu_has_the_value_of_relu():
    chex.assert_trees_all_equal(value("sugar_relu", X), value("relu", X))


def test_al_relu_mirrors_a_negative_alpha():
    """|alpha x|, as the paper has it: only spec strings refuse a negative alpha."""
    one, other = relujax.al_relu(X, alpha=-0.3), relujax.al_relu(X, alpha=0.3)
    chex.assert_trees_all_equal(one, other)
