"""What is captured, and that capturing changes nothing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.experimental import pallas

from relujax import (
    InputError,
    Monitor,
    capture,
    diagnose,
    find_activations,
    replace_activations,
)

X = jnp.linspace(-2.0, 2.0, 12).reshape(3, 4)


def test_the_result_is_that_of_the_function(program):
    fn, params, x, ids = program
    result, seen = jax.jit(capture(fn))(params, x)
    np.testing.assert_allclose(result, jax.jit(fn)(params, x), atol=1e-6)
    assert set(seen) == set(ids)


def test_the_gradient_is_that_of_the_function(program):
    fn, params, x, _ = program
    loss = lambda f: lambda p: (f(p, x) ** 2).sum()
    seen = lambda p, x: capture(fn)(p, x)[0]
    expected = jax.tree.leaves(jax.jit(jax.grad(loss(fn)))(params))
    actual = jax.tree.leaves(jax.jit(jax.grad(loss(seen)))(params))
    assert any(np.any(np.asarray(e) != 0) for e in expected)
    for e, a in zip(expected, actual, strict=True):
        np.testing.assert_allclose(a, e, atol=1e-5)


def test_pre_and_post_of_a_pattern_and_of_an_inlined_function():
    fn = lambda x: jax.nn.gelu(3 * jnp.where(x > 0, x, 0.1 * x))
    _, seen = capture(fn)(X)
    leaky, gelu = seen["leaky_relu_0"], seen["gelu_0"]
    np.testing.assert_array_equal(leaky.pre, X)
    np.testing.assert_array_equal(leaky.post, jnp.where(X > 0, X, 0.1 * X))
    np.testing.assert_array_equal(gelu.pre, 3 * leaky.post)
    np.testing.assert_array_equal(gelu.post, fn(X))


def test_scan_stacks():
    def fn(x):
        return lax.scan(lambda c, b: (jax.nn.relu(c - b), None), x, jnp.arange(3.0))[0]

    _, seen = capture(fn)(X)
    (site,) = seen.values()
    assert site.pre.shape == (3, *X.shape)
    assert site.ran.tolist() == [True] * 3
    expected = X
    for i in range(3):
        np.testing.assert_array_equal(site.pre[i], expected - i)
        expected = jax.nn.relu(expected - i)
        np.testing.assert_array_equal(site.post[i], expected)


def test_reversed_scan_keeps_positions():
    step = lambda c, b: (jax.nn.relu(c - b), None)
    fn = lambda x: lax.scan(step, x, jnp.arange(3.0), reverse=True)[0]
    _, seen = capture(fn)(X)
    np.testing.assert_array_equal(seen["scan/relu_0"].pre[2], X - 2)


@pytest.mark.parametrize("taken", [True, False])
def test_cond_marks_the_branch_that_ran(taken):
    fn = lambda p, x: lax.cond(p, lambda x: jax.nn.relu(x), lambda x: jnp.tanh(x), x)
    for f in (capture(fn), jax.jit(capture(fn))):
        _, seen = f(taken, X)
        assert bool(seen["cond/1/relu_0"].ran) is taken
        assert bool(seen["cond/0/tanh_0"].ran) is not taken
        other = seen["cond/0/tanh_0" if taken else "cond/1/relu_0"]
        assert not other.pre.any()


def test_vmapped_cond_marks_each_member():
    fn = lambda x: lax.cond(x.sum() > 0, lambda x: jax.nn.relu(x), jnp.sin, x)
    _, seen = jax.vmap(capture(fn))(jnp.stack([X + 5, X - 5]))
    assert seen["cond/1/relu_0"].ran.tolist() == [True, False]


@pytest.mark.parametrize("steps", [0, 3])
def test_while_gives_the_last_iteration(steps):
    step = lambda s: (s[0] + 1, jax.nn.relu(s[1] - 0.5))
    fn = lambda x: lax.while_loop(lambda s: s[0] < steps, step, (0, x))[1]
    result, seen = capture(fn)(X)
    site = seen["while/relu_0"]
    assert bool(site.ran) is (steps > 0)
    np.testing.assert_array_equal(site.post, result if steps else jnp.zeros_like(X))


def test_custom_rules_survive():
    @jax.custom_vjp
    def fn(x):
        return jax.nn.relu(x)

    fn.defvjp(lambda x: (fn(x), None), lambda _, g: (7 * g,))
    gradient, seen = jax.grad(lambda x: _summed(capture(fn)(x)), has_aux=True)(X)
    np.testing.assert_array_equal(gradient, jnp.full_like(X, 7))
    np.testing.assert_array_equal(seen["relu_0"].post, jax.nn.relu(X))


def _summed(pair):
    return pair[0].sum(), pair[1]


def test_chosen_sites_only():
    fn = lambda x: jnp.tanh(jax.nn.relu(x)) + jax.nn.relu(-x)
    assert set(capture(fn, sites=["relu"])(X)[1]) == {"relu_0", "relu_1"}
    assert set(capture(fn, sites=["relu_1"])(X)[1]) == {"relu_1"}


def test_keyword_and_other_arguments_pass_through():
    fn = lambda x, *, scale, mode: (jax.nn.relu(x) if mode == "relu" else x) * scale
    result, seen = capture(fn)(X, scale=2.0, mode="relu")
    np.testing.assert_array_equal(result, 2 * jax.nn.relu(X))
    assert set(seen) == {"relu_0"}


def sharded(fn):
    auto = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((1,), ("x",), axis_types=auto)
    spec = jax.sharding.PartitionSpec("x")
    return jax.shard_map(fn, mesh=mesh, in_specs=spec, out_specs=spec)


def in_a_kernel(fn):
    def kernel(x, out):
        out[...] = fn(x[...])

    shape = jax.ShapeDtypeStruct(X.shape, X.dtype)
    return pallas.pallas_call(kernel, out_shape=shape, interpret=True)


@pytest.mark.parametrize("seal", [sharded, in_a_kernel])
def test_what_is_out_of_reach_is_left_out_and_said(seal):
    fn = lambda x: jnp.tanh(seal(lambda x: jnp.maximum(x, 0))(x))
    with pytest.warns(UserWarning, match="Left out 1 of 2 activations: '.*relu_0'"):
        result, seen = capture(fn)(X)
    np.testing.assert_array_equal(result, fn(X))
    assert set(seen) == {"tanh_0"}
    with pytest.warns(UserWarning, match="out of reach"):
        assert [site.id for site in diagnose(fn, X).sites] == ["tanh_0"]
    replaced = replace_activations(fn, {"tanh": "sigmoid"})
    with pytest.warns(UserWarning, match="out of reach"):
        _, seen = replaced.capture({}, X)
    site = seen["tanh_0"]
    np.testing.assert_array_equal(site.post, jax.nn.sigmoid(site.pre))


def pmapped(fn):
    return lambda x: jax.pmap(fn)(x[None])[0]


@pytest.mark.parametrize("seal", [sharded, in_a_kernel, pmapped])
@pytest.mark.parametrize("act", [jax.nn.relu, lambda x: jnp.maximum(x, 0)])
def test_what_is_out_of_reach_is_one_sentence(seal, act):
    """Whatever is asked, and before anything runs."""
    alone, beside = seal(act), lambda x: jnp.tanh(seal(act)(x))
    assert [site.sealed != "" for site in find_activations(beside, X)] == [True, False]
    asked = [
        capture(alone),
        capture(beside, sites=["relu"]),
        replace_activations(alone, {"relu": "elu"}),
        replace_activations(beside, {"relu": "relu"}),
        functools.partial(diagnose, alone),
        functools.partial(diagnose, beside, sites="relu"),
        lambda x: Monitor(lambda _, x: alone(x), x).record(0, x),
    ]
    for ask in asked:
        with pytest.raises(InputError, match=r"Expected activations outside .*relu_0"):
            ask(X)


def test_bad_input_is_one_sentence():
    with pytest.raises(InputError, match="found none"):
        capture(jnp.sin)(X)
    with pytest.raises(InputError, match="Did you mean 'relu_0'"):
        capture(jax.nn.relu, sites=["relu_1"])(X)
    with pytest.raises(InputError, match="exclude='relu' fits all 1"):
        capture(jax.nn.relu, exclude="relu")(X)
    with pytest.raises(InputError, match="outside shard_map"):
        capture(sharded(jax.nn.relu))(X)
