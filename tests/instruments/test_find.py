"""Which equations count as activations, and what is said of them."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
import pytest
from jax import lax

import relujax
from relujax import find_activations

X = jnp.linspace(-2.0, 2.0, 12).reshape(3, 4)


def names(fn, *args):
    return [site.activation for site in find_activations(fn, *args)]


def test_finds_every_site_of_a_program(program):
    fn, params, x, ids = program
    assert [site.id for site in find_activations(fn, params, x)] == ids


def test_ids_do_not_depend_on_jit(program):
    fn, params, x, ids = program
    assert [site.id for site in find_activations(jax.jit(fn), params, x)] == ids


NN = (
    "relu relu6 elu leaky_relu selu celu gelu silu mish softplus sigmoid tanh "
    "hard_tanh hard_sigmoid hard_silu squareplus sparse_plus soft_sign"
)


@pytest.mark.parametrize("name", NN.split())
@pytest.mark.parametrize("transform", [lambda f: f, jax.jit, jax.vmap, jax.checkpoint])
def test_functions_of_jax_nn_are_one_site_each(name, transform):
    fn = getattr(jax.nn, name)
    twice = lambda x: transform(fn)(x @ jnp.ones((4, 4))) + fn(x)
    assert names(twice, X) == [name, name]


@pytest.mark.parametrize("name", [n for n in relujax.names() if n != "crelu"])
def test_every_activation_of_the_registry_is_recognised(name):
    activation = relujax.get(name)
    params = activation.init(X.shape, X.dtype)

    def fn(x):
        key = jax.random.key(0)
        x = x + 1
        return 2 * activation.apply(params, x, key=key, signal=0.3, train=True)

    assert names(fn, X) == [name]


@pytest.mark.parametrize(
    ("expected", "fn"),
    [
        ("relu", lambda x: jnp.maximum(x, 0)),
        ("relu", lambda x: jnp.maximum(0.0, x)),
        ("relu", lambda x: jnp.maximum(x, jnp.zeros_like(x))),
        ("relu", lambda x: jnp.clip(x, 0)),
        ("relu", lambda x: jnp.where(x > 0, x, 0)),
        ("relu", lambda x: jnp.where(x < 0, 0.0, x)),
        ("relu", lambda x: jnp.where(0 <= x, x, 0.0)),
        ("relu", lambda x: x * (x > 0)),
        ("relu6", lambda x: jnp.minimum(jnp.maximum(x, 0), 6)),
        ("leaky_relu", lambda x: jnp.where(x > 0, x, 0.1 * x)),
        ("leaky_relu", lambda x: jnp.maximum(x, 0.1 * x)),
        ("rectifier", lambda x: jnp.where(x > 0, x, jnp.sin(x))),
    ],
)
def test_patterns(expected, fn):
    assert names(lambda x: fn(x + 1) * 2, X) == [expected]


def test_a_slope_that_is_an_input_is_a_prelu():
    assert names(lambda x, a: jnp.where(x > 0, x, a * x), X, X[0, 0]) == ["prelu"]
    model = nn.PReLU()
    assert names(model.apply, model.init(jax.random.key(0), X), X) == ["prelu"]


@pytest.mark.parametrize(
    "fn",
    [
        jax.nn.softmax,
        jax.nn.log_softmax,
        jax.nn.logsumexp,
        lambda x: jnp.clip(x, 0, 1),
        lambda x: jnp.maximum(x, 1e-6),
        lambda x: jnp.where(x > 0, 1.0, x),
        lambda x: x + jax.random.uniform(jax.random.key(0), x.shape),
        lambda x: optax.softmax_cross_entropy(x, x),
        lambda x: optax.sigmoid_binary_cross_entropy(x, x),
        lambda x: optax.hinge_loss(x, x),
        lambda x: nn.LayerNorm().init_with_output(jax.random.key(0), x)[0],
    ],
)
def test_arithmetic_is_no_activation(fn):
    assert names(fn, X) == []


def test_calls_on_one_line_are_told_apart():
    assert names(lambda x: jax.nn.gelu(jax.nn.gelu(x)), X) == ["gelu", "gelu"]


def test_control_flow_path_and_repeats():
    def fn(x):
        step = lambda c, _: (jax.nn.relu(c), None)
        outer = lambda c, _: (lax.scan(step, c, None, length=2)[0], None)
        x = lax.scan(outer, x, None, length=3)[0]
        return lax.while_loop(lambda x: x.sum() > 0, lambda x: jnp.tanh(x) - 1, x)

    scanned, looped = find_activations(fn, X)
    assert (scanned.path, scanned.repeats, scanned.loops) == ("scan/scan", 6, (3, 2))
    assert (looped.path, looped.repeats, looped.loops) == ("while", None, (None,))
    assert scanned.shape == X.shape
    assert scanned.dtype == X.dtype


def test_source_is_the_line_of_the_call():
    def fn(x):
        return jax.nn.relu(x)

    (site,) = find_activations(fn, X)
    line = fn.__code__.co_firstlineno + 1
    assert site.source.endswith(f"test_find.py:{line}")


def test_custom_derivatives_are_looked_into():
    @jax.custom_vjp
    def fn(x):
        return jnp.sin(jax.nn.relu(x))

    fn.defvjp(lambda x: (fn(x), x), lambda x, g: (g,))
    assert names(fn, X) == ["relu"]


def test_shard_map_is_looked_into():
    auto = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((1,), ("x",), axis_types=auto)
    spec = jax.sharding.PartitionSpec("x")
    fn = jax.shard_map(jax.nn.relu, mesh=mesh, in_specs=spec, out_specs=spec)
    assert names(fn, X) == ["relu"]


def test_shapes_are_enough(program):
    fn, params, x, ids = program
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    assert [site.id for site in find_activations(fn, params, shape)] == ids


def test_the_backward_pass_of_a_gradient_holds_no_sites():
    for fn, listed in ((jax.nn.relu, ["relu"]), (jax.nn.silu, [])):
        assert names(jax.grad(lambda x, fn=fn: fn(x).sum()), X) == listed
