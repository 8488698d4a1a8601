"""The barriers: they change no number, and XLA does not see through them."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relujax.kernels.barrier import all_at_once


@pytest.mark.parametrize("compiled", [False, True])
def test_all_at_once_changes_no_number(compiled):
    odd = jnp.array([jnp.nan, jnp.inf, -jnp.inf, -0.0, 0.0, 1e-30, 3.0])
    tree = {"first": odd, "half": odd.astype(jnp.bfloat16), "one": jnp.float32(2.0),
            "none": jnp.zeros((0, 3))}  # fmt: skip
    same = jax.jit(all_at_once)(tree) if compiled else all_at_once(tree)
    chex.assert_trees_all_equal_shapes_and_dtypes(same, tree)
    bits = lambda leaf: np.asarray(leaf).tobytes()
    assert jax.tree.map(bits, same) == jax.tree.map(bits, tree)


def test_all_at_once_of_nothing_is_nothing():
    assert all_at_once({}) == {}


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="a barrier of the CPU")
def test_weights_are_updated_in_place():
    """By gradient descent on two layers, whose backward pass reads the second."""
    x = jnp.ones((32, 48))

    def loss(weights):
        first, second = weights
        return jnp.square(jnp.tanh(x @ first) @ second).sum()

    def step(_, weights):
        grads = all_at_once(jax.grad(loss)(weights))
        return jax.tree.map(lambda w, g: w - 0.1 * g, weights, grads)

    train = lambda weights: jax.lax.fori_loop(0, 9, step, weights)
    weights = (jnp.ones((48, 64)), jnp.ones((64, 80)))
    text = jax.jit(train, donate_argnums=0).lower(weights).compile().as_text()
    assert text is not None
    copies = [line for line in text.splitlines() if " copy(" in line]
    assert not [line for line in copies if "f32[64,80]" in line]
