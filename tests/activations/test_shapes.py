"""What holds for every activation whatever its values: shapes, dtypes, transforms."""

import inspect

import chex
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import some
from hypothesis import given, settings

import relujax
from relujax.activations._registry import definition

from .apply import value
from .table import ROWS

KEY = jax.random.key(3)
NAMES = relujax.names(gated=True)
FORMS = [
    *NAMES,
    *(row.spec for row in ROWS if row.spec not in NAMES and "=T" in row.spec),
]
specs = pytest.mark.parametrize("spec", some(FORMS))
names = pytest.mark.parametrize("name", NAMES)


def keys(spec):
    """Evaluation, and training where that differs."""
    return (None, KEY) if relujax.get(spec).needs_key else (None,)


@specs
def test_traced_hyperparameters_sweep(spec):
    """A vmap over each float hyperparameter is the loop over its values."""
    x = jnp.linspace(-2, 2, 5)
    activation = relujax.get(spec)
    for name, v in activation.hyperparameters.items():
        if not isinstance(v, float):
            continue
        grid = jnp.array([v, 1.1 * v + 0.01], jnp.float32)
        f = lambda v, name=name: value(spec, x, key=keys(spec)[-1], **{name: v})
        loop = jnp.stack([f(float(v)) for v in grid])
        chex.assert_trees_all_close(jax.vmap(f)(grid), loop, rtol=1e-5, atol=1e-6)


@names
def test_empty_and_scalar_arrays(name):
    shape = lambda x: jax.eval_shape(lambda x: value(name, x), x).shape
    assert shape(jnp.zeros((0, 2)))[0] == 0
    if name != "crelu":
        assert shape(jnp.float32(0.5)) == ()


@pytest.mark.parametrize("x", [[1, 2], [True, False], [1j]], ids=["int", "bool", "c"])
@names
def test_only_floating_input(name, x):
    known = definition(name)
    given = inspect.signature(known.function).parameters.values()
    inputs = [p.name for p in given if p.kind is not p.KEYWORD_ONLY]
    rest = (1.0,) * len(set(inputs) - {"key", "x"})
    first = (KEY,) if relujax.get(name).needs_key else ()
    with pytest.raises(TypeError, match=f"Expected a floating-point array for {name}"):
        known.function(*first, jnp.array(x), *rest)
    if known.evaluation is not None:
        with pytest.raises(TypeError, match="Expected a floating-point array"):
            known.evaluation(jnp.array(x))


def test_crelu_keeps_both_halves():
    x = jnp.array([[-2.0, 3.0], [jnp.inf, -jnp.inf]])
    halves = jnp.stack([jax.nn.relu(x), jax.nn.relu(-x)])
    chex.assert_trees_all_equal(relujax.crelu(x), jnp.concatenate([*halves], 1))
    chex.assert_trees_all_equal(relujax.crelu(x, axis=0), jnp.concatenate([*halves], 0))
    chex.assert_trees_all_equal(value("crelu(axis=0)", x), relujax.crelu(x, axis=0))
    with pytest.raises(ValueError):
        relujax.crelu(jnp.float32(1.0))


@settings(max_examples=40)
@given(
    row=st.sampled_from(ROWS),
    x=hnp.arrays(
        np.float32,
        # Of every rank, and few: JAX compiles every operation for each shape.
        st.sampled_from([(), (1,), (4,), (2, 3), (2, 1, 4)]),
        elements=st.floats(-50, 50, width=32).filter(
            lambda v: v == 0 or abs(v) > 1e-30
        ),
    ),
)
def test_any_shape_agrees_with_numpy(row, x):
    y = value(row.spec, jnp.asarray(x))
    chex.assert_type(y, jnp.float32)
    np.testing.assert_allclose(y, row.y(x.astype(np.float64)), rtol=2e-5, atol=2e-6)


@settings(max_examples=30)
@given(
    name=st.sampled_from(
        ["leaky_relu", "al_relu", "elu", "celu", "srelu", "star_relu"]
    ),
    dtype=st.sampled_from(["bfloat16", "float16", "float32"]),
    parameter=st.floats(0.1, 2.0),
)
def test_any_parameter_leaves_the_right_side_alone(name, dtype, parameter):
    """Above 0 these are x (star_relu: a square), whatever the left side does."""
    x = jnp.array([0.5, 1.0, 4.0], dtype)
    first = next(iter(definition(name).defaults))
    if name == "srelu":
        first = "beta"
    y = value(name, x, **{first: parameter})
    if name == "star_relu":
        p = jnp.asarray(parameter, dtype)
        bias = jnp.asarray(-0.4472, dtype)
        chex.assert_trees_all_close(y, p * x * x + bias, rtol=2e-2, atol=2e-2)
    else:
        chex.assert_trees_all_equal(y, x)
