"""Derivative rules of the user's own decide what gradient there is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import crossed
from jax import lax

from relujax import diagnose, replace_activations

X = np.random.default_rng(0).uniform(-1.0, 1.0, (11, 4)).astype(np.float32)


@jax.custom_vjp
def straight_through(x):
    return jnp.maximum(x, 0)


straight_through.defvjp(lambda x: (straight_through(x), None), lambda _, g: (g,))


@jax.custom_jvp
def leaking(x):
    return jax.nn.relu(x)


leaking.defjvps(lambda g, _, x: g * jnp.where(x > 0, 1, 0.5))


@jax.custom_vjp
def hidden(x):
    return jnp.sin(jnp.maximum(x, 0))


hidden.defvjp(lambda x: (hidden(x), None), lambda _, g: (g,))


def net(act):
    """A layer with one dead unit, then one of `act` with two."""

    def fn(x):
        first = jax.nn.relu(x + jnp.array([[-9.0, 2, 2, 2]]))
        return act(_second(first))

    return fn


def _second(first):
    return first[:, ::-1] - jnp.array([[0.0, 0, 9, 9]])


def loss(output, batch):
    return (output - batch).sum(-1) ** 2


def into_first(act):
    """The largest gradient into each unit of the first layer, by plain JAX."""
    total = lambda z: loss(act(_second(jax.nn.relu(z))), X).sum()
    gradient = jax.grad(total)(X + jnp.array([[-9.0, 2, 2, 2]]))
    return np.abs(gradient).max(0)


CALLS = {
    "bare": lambda act: act,
    "jit": jax.jit,
    "remat": jax.checkpoint,
    "scan": lambda act: lambda x: lax.scan(lambda c, _: (act(c), 0), x, None, 1)[0],
}


@pytest.mark.parametrize(
    ("act", "call"),
    crossed([straight_through, leaking], ["scan", "bare", "jit", "remat"]),
)
def test_a_rule_of_an_activation_is_its_slope_and_its_gradient(act, call):
    result = diagnose(net(CALLS[call](act)), X, loss=loss)
    first, second = (result.statistics[site.id] for site in result.sites)
    np.testing.assert_allclose(first.gradient, into_first(act), rtol=1e-6)
    assert (first.gradient == 0).tolist() == [True, False, False, False]
    dead = np.squeeze(second.positive == 0)
    assert dead.tolist() == [False, False, True, True]
    assert (second.gradient > 0).all()
    assert (second.steep == second.count).all()
    summary = result.summary()
    assert "1 of 4 units never fires on 11 examples; its incoming" in summary
    assert "2 of 4 units never fire on 11 examples; a gradient still" in summary
    without = diagnose(net(CALLS[call](act)), X)
    assert "its slope is zero there" in without.summary().split("\n")[1]
    assert "a gradient still reaches" in without.summary().split("\n")[2]


def test_inside_a_rule_the_gradient_is_unknown():
    result = diagnose(net(hidden), X, loss=loss)
    first, inner = (result.statistics[site.id] for site in result.sites)
    np.testing.assert_allclose(first.gradient, into_first(hidden), rtol=1e-6)
    assert np.isnan(inner.gradient).all()
    assert result.mask("zero_gradient")["relu_1"].tolist() == [False] * 4
    for summary in (result.summary(), diagnose(net(hidden), X).summary()):
        assert "a derivative rule around them decides" in summary
    alone = diagnose(hidden, X - 2, loss=loss)
    assert np.isnan(alone.statistics["relu_0"].gradient).all()


def test_capturing_a_replaced_function_keeps_the_rules_of_the_others():
    fn = lambda x: jnp.tanh(hidden(x)).sum()
    new = replace_activations(fn, {"tanh": "sigmoid"})
    seen = lambda x: new.capture({}, x)[0]
    np.testing.assert_allclose(jax.grad(seen)(X), jax.grad(new)(X), rtol=1e-6)
    assert (jax.grad(new)(X) > 0).all()
