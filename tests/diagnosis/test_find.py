"""Which equations count as activations, and what is said of them."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
import pytest
from full import crossed, some
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
    "hard_tanh hard_sigmoid hard_silu squareplus sparse_plus soft_sign log_sigmoid "
    "sparse_sigmoid"
)
OURS = {"hard_silu": "hard_swish"}


@pytest.mark.parametrize(
    ("transform", "name"),
    crossed([jax.jit, lambda f: f, jax.vmap, jax.checkpoint], NN.split()),
)
def test_functions_of_jax_nn_are_one_site_each(name, transform):
    fn = getattr(jax.nn, name)
    twice = lambda x: transform(fn)(x @ jnp.ones((4, 4))) + fn(x)
    assert names(twice, X) == [OURS.get(name, name)] * 2


# The site of a gated unit is its gate.
GATES = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}


@pytest.mark.parametrize(
    "name", [n for n in relujax.names(gated=True) if n not in ("crelu", "top_k")]
)
def test_every_activation_of_the_registry_is_recognised(name):
    activation = relujax.get(name)
    params = activation.init(X.shape, X.dtype)

    def fn(x):
        key = jax.random.key(0)
        x = x + 1
        return 2 * activation.apply(params, x, key=key, signal=0.3, train=True)

    assert names(fn, X) == [GATES.get(name, name)]


def scanned(fn):
    return lambda x: lax.scan(lambda c, _: (fn(c), None), x, None, length=2)[0]


def branched(fn):
    return lambda x: lax.cond(x[0, 0] > 0, fn, jnp.sin, x)


def looped(fn):
    return lambda x: lax.while_loop(lambda x: x[0, 0] > 0, fn, x)


def ruled(fn):
    """Beside other arithmetic inside a function with a rule of its own."""
    new = jax.custom_vjp(fn)
    new.defvjp(lambda x: (fn(x), None), lambda _, g: (g,))
    return new


def sharded(fn):
    auto = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((1,), ("x",), axis_types=auto)
    spec = jax.sharding.PartitionSpec("x")
    return jax.shard_map(fn, mesh=mesh, in_specs=spec, out_specs=spec)


TRANSFORMS = {
    "bare": lambda fn: fn,
    "jit": jax.jit,
    "vmap": jax.vmap,
    "vmap of jit": lambda fn: jax.vmap(jax.jit(fn)),
    "scan": scanned,
    "cond": branched,
    "while": looped,
    "remat": jax.checkpoint,
    "custom_vjp": ruled,
    "shard_map": sharded,
}


def nano_gpt_gelu(x):
    c = jnp.sqrt(2 / jnp.pi)
    return 0.5 * x * (1 + jnp.tanh(c * (x + 0.044715 * jnp.power(x, 3))))


SPELT = [
    ("relu", lambda x: jnp.maximum(x, 0)),
    ("relu", lambda x: jnp.maximum(0.0, x)),
    ("relu", lambda x: jnp.maximum(x, jnp.zeros_like(x))),
    ("relu", lambda x: jnp.clip(x, 0)),
    ("relu", lambda x: x.clip(min=0)),
    ("relu", lambda x: jnp.where(x > 0, x, 0)),
    ("relu", lambda x: jnp.where(x < 0, 0.0, x)),
    ("relu", lambda x: jnp.where(0 <= x, x, 0.0)),
    ("relu", lambda x: x * (x > 0)),
    ("relu", lambda x: lax.max(x, jnp.zeros_like(x))),
    ("relu", lambda x: lax.select(x > 0, x, jnp.zeros_like(x))),
    ("relu6", lambda x: jnp.minimum(jnp.maximum(x, 0), 6)),
    ("relu6", lambda x: jnp.maximum(jnp.minimum(x, 6), 0)),
    ("relu6", lambda x: jnp.clip(x, 0, 6)),
    ("relu6", lambda x: jnp.clip(x, max=6.0, min=0.0)),
    ("relu6", lambda x: lax.clamp(x.dtype.type(0), x, x.dtype.type(6))),
    ("leaky_relu", lambda x: jnp.where(x > 0, x, 0.1 * x)),
    ("leaky_relu", lambda x: jnp.maximum(x, 0.1 * x)),
    ("rectifier", lambda x: jnp.where(x > 0, x, jnp.sin(x))),
    ("softplus", lambda x: jnp.logaddexp(x, 0.0)),
    ("softplus", lambda x: jnp.logaddexp(0.0, x)),
    ("sigmoid", lambda x: jax.scipy.special.expit(x)),
    ("silu", lambda x: x * jax.nn.sigmoid(x)),
    ("silu", lambda x: jax.nn.sigmoid(x) * x),
    ("silu", lambda x: x / (1 + jnp.exp(-x))),
    ("mish", lambda x: x * jnp.tanh(jax.nn.softplus(x))),
    ("gelu", nano_gpt_gelu),
    ("gelu", lambda x: x * (jnp.tanh(0.7978845608 * (x + 0.044715 * x**3)) + 1) / 2),
    ("gelu", lambda x: 0.5 * (1 + lax.erf(x / 2**0.5)) * x),
    ("gelu", lambda x: 0.5 * x * jax.scipy.special.erfc(-x * 0.70710678)),
    ("gelu", lambda x: jax.vmap(jax.jit(jax.nn.gelu))(x)),
]


@pytest.mark.parametrize(
    ("transform", "spelling"),
    crossed(TRANSFORMS, SPELT),
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_spellings(transform, spelling):
    expected, fn = spelling
    whole = lambda x: TRANSFORMS[transform](lambda x: fn(x + 1) * 2)(x)
    assert names(whole, X) == [expected]


@pytest.mark.parametrize(("expected", "fn"), SPELT)
def test_a_spelling_with_a_rule_of_its_own_is_the_site(expected, fn):
    for call in (ruled(fn), ruled(jax.jit(fn))):
        (site,) = find_activations(lambda x, call=call: call(x) + 1, X)
        assert (site.activation, site.ruled) == (expected, False)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_products_are_told_in_half_precision(dtype):
    for name, fn in SPELT:
        assert names(fn, X.astype(dtype)) == [name]


def test_other_products_are_gates():
    assert names(lambda x: x * jax.nn.sigmoid(1.5 * x), X) == ["sigmoid"]
    assert names(lambda x: jnp.sin(x) * jnp.tanh(x), X) == ["tanh"]


def test_a_zero_from_outside_a_loop_is_known():
    def fn(x):
        zero = jnp.zeros(())
        relu = lambda x: jnp.maximum(x, zero)
        step = lambda c, _: (relu(c), jax.checkpoint(relu)(c))
        x, _ = lax.scan(step, x, None, length=2)
        x = lax.cond(x[0, 0] > zero, relu, jnp.sin, x)
        return lax.while_loop(lambda x: x[0, 0] > zero, jax.jit(relu), x)

    assert names(fn, X) == ["relu"] * 4


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
        lambda x: jnp.where(x > 0, x, 1.0),  # a safe divisor
        lambda x: jnp.where(x > 0, x, -1e9),
        lambda x: jnp.where(x > 0, x, jnp.finfo(x.dtype).eps),
        lambda x: jnp.where(x > 0, x, x.mean()),
        lambda x: jnp.logaddexp(x, 1.0),
        lambda x: jnp.logaddexp2(x, 0.0),
        lambda x: x.var(0),
        lambda x: x * jnp.exp(-x),
        lambda x: x + jax.random.uniform(jax.random.key(0), x.shape),
        lambda x: optax.softmax_cross_entropy(x, x),
        lambda x: optax.sigmoid_binary_cross_entropy(x, x),
        lambda x: optax.hinge_loss(x, x),
        lambda x: optax.sigmoid_focal_loss(x, x),
        lambda x: nn.LayerNorm().init_with_output(jax.random.key(0), x)[0],
    ],
)
@pytest.mark.parametrize("transform", [lambda fn: fn, jax.jit], ids=["bare", "jit"])
def test_arithmetic_is_no_activation(fn, transform):
    assert names(transform(fn), X) == []


def test_calls_on_one_line_are_told_apart():
    assert names(lambda x: jax.nn.gelu(jax.nn.gelu(x)), X) == ["gelu", "gelu"]


@pytest.mark.parametrize("name", some(NN.split(), 3))
@pytest.mark.parametrize("library", [jax.nn, relujax.activations])
def test_calls_in_a_python_loop_are_told_apart(name, library):
    fn = getattr(library, name, getattr(jax.nn, name))

    def loop(x):
        for _ in range(3):
            x = fn(x)
        return x

    assert names(loop, X) == [OURS.get(name, name)] * 3


@pytest.mark.parametrize("name", ["n_relu", "gelu"])
def test_equations_before_an_inlined_activation_do_not_matter(name):
    # A set of indices on both sides of a power of two is not in their order.
    activation = relujax.get(name)
    for before in range(24, 34):

        def fn(x, before=before):
            for _ in range(before):
                x = jnp.sin(x)
            return activation.apply({}, x, key=jax.random.key(0), train=True)

        assert names(fn, X) == [name]


def test_the_input_of_a_named_call_must_be_plain():
    # The weights have the shape of the data: either might be what goes in.
    @jax.jit
    def silu(w, x):
        return w @ (x * jax.nn.sigmoid(x))

    square = jnp.ones((4, 4))
    _, seen = relujax.capture(silu)(square, 2 * square)
    assert list(seen) == ["silu_0"]
    assert (seen["silu_0"].pre == 2).all()


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


def test_a_working_directory_that_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    (site,) = find_activations(lambda x: jax.nn.relu(x), X)
    assert "test_find.py:" in site.source


def test_custom_derivatives_are_looked_into():
    @jax.custom_vjp
    def fn(x):
        return jnp.sin(jax.nn.relu(x))

    fn.defvjp(lambda x: (fn(x), x), lambda x, g: (g,))
    (site,) = find_activations(fn, X)
    assert (site.activation, site.ruled) == ("relu", True)


def test_shard_map_is_looked_into():
    fn = sharded(jax.nn.relu)
    (site,) = find_activations(fn, X)
    assert (site.activation, site.sealed) == ("relu", "shard_map")


def test_shapes_are_enough(program):
    fn, params, x, ids = program
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    assert [site.id for site in find_activations(fn, params, shape)] == ids


def test_the_backward_pass_of_a_gradient_holds_no_sites():
    for fn, listed in ((jax.nn.relu, ["relu"]), (jax.nn.silu, [])):
        assert names(jax.grad(lambda x, fn=fn: fn(x).sum()), X) == listed
