"""Activations asked at a few points, whatever their shape."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import crossed, some

from relujax import get, names
from relujax.activations import REGISTRY
from relujax.diagnosis._jaxpr.pointwise import GRID, sample
from relujax.diagnosis._jaxpr.sites import trace
from relujax.diagnosis._traits import traits_of

SHAPES = [(), (1,), (2, 3), (1 << 20, 1 << 20)]


FIXED = [
    name
    for name in names(gated=True)
    if not (get(name).needs_key or get(name).signal or name == "crelu")
    if REGISTRY.definition(name).line is None
]


@pytest.mark.parametrize("name", some(FIXED))
def test_values_and_slopes_are_those_at_the_points(name):
    act = get(name)
    params = act.init((), jnp.float32)

    def with_slope(x):
        post, pull = jax.vjp(lambda x: act.apply(params, x), x)
        return post, pull(jnp.ones_like(post))[0]

    x = jnp.asarray(GRID, jnp.float32)
    expected = jax.jit(with_slope)(x)
    for shape in SHAPES:
        actual = sample(with_slope, jax.ShapeDtypeStruct(shape, jnp.float32))
        assert actual is not None
        for a, e in zip(actual, expected, strict=True):
            np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "fn",
    [
        jax.nn.softmax,
        lambda x: x.sum(),
        lambda x: x @ x,
        lambda x: x + jnp.arange(16.0).reshape(4, 4),
        lambda x: x + np.eye(4, dtype=np.float32),
        lambda x: x + jax.random.normal(jax.random.key(0), x.shape),
        lambda x: jax.lax.fori_loop(0, 3, lambda _, x: x + 1, x),
        lambda x: jax.pure_callback(lambda x: x, x, x),
    ],
)
def test_what_is_not_elementwise_has_no_values(fn):
    assert sample(fn, jnp.ones((4, 4))) is None


def called_relu(fn):
    def relu(x):
        return fn(x)

    return jax.jit(relu)


@pytest.mark.parametrize(
    ("shape", "dtype"), crossed(SHAPES[::-1], [jnp.float32, jnp.bfloat16])
)
@pytest.mark.parametrize(
    ("gate", "fn"),
    [
        (True, jax.nn.relu),
        (True, called_relu(jax.nn.relu)),
        (True, lambda x: jnp.where(x > 0, x, 0)),
        (True, lambda x: x * (x > 0)),
        (False, lambda x: jnp.maximum(x, 0)),  # the slope 1/2 at 0
        (False, called_relu(lambda x: jnp.minimum(jax.nn.relu(x), 6))),
        (False, called_relu(lambda x: jax.nn.relu(x) - 0.1)),
        (False, called_relu(lambda x: jax.nn.relu(x + 5))),
        (False, called_relu(lambda x: x - jax.lax.stop_gradient(jnp.minimum(x, 0)))),
    ],
)
def test_a_gate_is_told_by_outputs_and_slopes(gate, fn, shape, dtype):
    plan = trace(fn, (jax.ShapeDtypeStruct(shape, dtype),), {}).plan
    found = traits_of(plan, 1e-3)
    assert {id for id, traits in found.items() if traits.gate} == (
        {"relu_0"} if gate else set()
    )


@pytest.mark.parametrize(
    ("keeps", "fn"),
    [
        (True, jax.nn.relu),
        (True, jax.nn.gelu),
        (True, lambda x: jnp.maximum(x, 0)),
        (False, lambda x: jnp.where(x > 0, x, 0)),
    ],
    ids=["relu", "gelu", "maximum", "where"],
)
def test_what_becomes_of_nan(keeps, fn):
    plan = trace(fn, (jax.ShapeDtypeStruct((2, 3), jnp.float32),), {}).plan
    (traits,) = traits_of(plan, 1e-3).values()
    assert traits.keeps_nan == keeps
