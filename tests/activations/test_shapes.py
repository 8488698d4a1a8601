"""What holds for every activation whatever its values: shapes, dtypes, transforms."""

import chex
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

import relujax
from relujax.activations._registry import definition

from .apply import gradient, slope, value
from .table import ROWS

KEY = jax.random.key(3)
NAMES = relujax.names()
FORMS = [
    *NAMES,
    *(row.spec for row in ROWS if row.spec not in NAMES and "=T" in row.spec),
]
specs = pytest.mark.parametrize("spec", FORMS)
names = pytest.mark.parametrize("name", NAMES)


def keys(spec):
    """Evaluation, and training where that differs."""
    return (None, KEY) if relujax.get(spec).needs_key else (None,)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32, jnp.float64])
@specs
def test_dtype_and_shape_are_kept(spec, dtype):
    """Parameters of a wider type must not promote the output."""
    with jax.enable_x64(True):
        x = jax.ShapeDtypeStruct((2, 3), dtype)
        wide = {
            name: jnp.asarray(v, jnp.float64)
            for name, v in relujax.get(spec).hyperparameters.items()
            if isinstance(v, float)
        }
        for key in keys(spec):
            for f in (value, slope):
                y = jax.eval_shape(lambda x, f=f, k=key: f(spec, x, key=k, **wide), x)
                chex.assert_shape(y, (2, 6) if spec == "crelu" else (2, 3))
                chex.assert_type(y, dtype)


@specs
def test_jit_is_eager(spec):
    x = jnp.linspace(-3, 3, 8).reshape(2, 4)
    for key in keys(spec):
        both = lambda x, key=key: (value(spec, x, key=key), gradient(spec, x, key=key))
        chex.assert_trees_all_close(jax.jit(both)(x), both(x), rtol=1e-6, atol=1e-6)


@specs
def test_vmap_is_a_loop(spec):
    x = jnp.linspace(-3, 3, 8).reshape(2, 4)
    activation = relujax.get(spec)
    params = activation.init((4,), x.dtype)

    def apply(key, x):
        return activation.apply(params, x, key=key, train=activation.needs_key)

    split = jax.random.split(KEY, 2)
    loop = jnp.stack([apply(k, row) for k, row in zip(split, x, strict=True)])
    chex.assert_trees_all_close(jax.vmap(apply)(split, x), loop, rtol=1e-6, atol=1e-7)


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
    assert value(name, jnp.zeros((0, 2))).shape[0] == 0
    if name != "crelu":
        assert value(name, jnp.float32(0.5)).shape == ()


@pytest.mark.parametrize("x", [[1, 2], [True, False], [1j]], ids=["int", "bool", "c"])
@names
def test_only_floating_input(name, x):
    known = definition(name)
    rest = (1.0,) * {"prelu": 1, "arelu": 1, "adaptive_tanh": 2}.get(name, 0)
    rest = {"arelu_attention": (1.0, 1.0), "srelu_sshaped": (1.0,) * 4}.get(name, rest)
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
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
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
