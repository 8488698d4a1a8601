"""The core as it is installed alone: these tests need JAX and pytest, no extra."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import relujax

X = jnp.linspace(-4.0, 4.0, 41)
# `crelu` is two sites, `hard_swish` has another name in JAX, and a site is a function
# of one unit, which `top_k` is not.
OTHERS = ("crelu", "hard_swish", "top_k")
IDS = [name for name in relujax.names(gated=True) if name not in OTHERS]
# The site of a gated unit is its gate.
GATES = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}


@pytest.mark.parametrize(
    "name", "relu relu6 elu leaky_relu selu celu gelu silu mish softplus".split()
)
def test_values_and_slopes_are_those_of_jax(name):
    ours, theirs = getattr(relujax, name), getattr(jax.nn, name)
    slopes = lambda fn: jax.vmap(jax.grad(fn))(X[X != 0])
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slopes(ours), slopes(theirs), rtol=1e-5, atol=1e-6)


def test_gain_and_properties():
    assert relujax.gain("relu") == pytest.approx(2**0.5)
    assert relujax.properties("relu").monotone
    assert relujax.properties("silu").kinks == {}


def test_an_activation_of_your_own(registry):
    relujax.register("doubled", lambda x, *, alpha=2.0: alpha * jax.nn.relu(x))
    assert relujax.gain("doubled") == pytest.approx(0.5**0.5)
    assert str(relujax.get("doubled(alpha=3.0)")) == "doubled(alpha=3.0)"


@pytest.mark.parametrize("name", IDS)
def test_every_activation_is_recognised(name):
    activation = relujax.get(name)
    x = X[1:]
    params = activation.init(x.shape, x.dtype)
    key = jax.random.key(0)

    def fn(x):
        return 2 * activation.apply(params, x + 1, key=key, signal=0.3, train=True)

    (site,) = relujax.find_activations(fn, x)
    assert site.activation == GATES.get(name, name)


NN = "relu relu6 elu leaky_relu selu celu gelu silu mish softplus sigmoid".split()


@pytest.mark.parametrize("name", NN)
def test_functions_of_jax_nn_are_recognised(name):
    fn = lambda x: getattr(jax.nn, name)(x + 1)
    (site,) = relujax.find_activations(jax.jit(fn), X)
    assert site.activation == name


def deep(params, x, hidden=jax.nn.relu, last=jax.nn.elu):
    """Layers in a scan, with remat, then one under a condition."""
    layer = jax.checkpoint(lambda w, y: hidden(y @ w))
    y, _ = jax.lax.scan(lambda y, w: (layer(w, y), None), x, params["layers"])
    return jax.lax.cond(params["last"] > 0, last, lambda y: y, y).sum(-1)


@pytest.fixture(scope="module")
def network():
    """All weights are positive, but for those of one unit of the second layer."""
    weights = jax.random.uniform(jax.random.key(0), (3, 4, 4)).at[1, :, 2].set(-5.0)
    x = jax.random.uniform(jax.random.key(1), (8, 4))
    return {"layers": weights, "last": jnp.float32(1.0)}, x


def test_capture_gives_what_goes_into_every_site(network):
    y, seen = relujax.capture(deep)(*network)
    np.testing.assert_allclose(y, deep(*network), rtol=1e-6)
    assert len(seen) == 2


def test_replace_changes_every_site(network):
    changed = relujax.replace_activations(deep, {"relu": "tanh", "elu": "sigmoid"})
    expected = deep(*network, hidden=jnp.tanh, last=jax.nn.sigmoid)
    np.testing.assert_allclose(changed(*network), expected, rtol=1e-6)


def test_diagnose_finds_the_dead_unit_in_words_and_numbers(network):
    params, x = network
    found = relujax.diagnose(deep, [x], params=params)
    rows = json.loads(found.to_json())["layers"]
    assert [row["never_active"] for row in rows] == [0, 1, 0, 0]
    assert "dead" in found.headline() and found.headline() in found.summary()
