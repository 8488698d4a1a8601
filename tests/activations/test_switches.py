"""Every activation under the switches of JAX that a user may have set."""

import jax
import jax.numpy as jnp
import pytest
from full import slow

import relujax

MESH = jax.make_mesh((1,), ("d",), axis_types=(jax.sharding.AxisType.Explicit,))
SWITCHES = {
    "debug_nans": lambda: jax.debug_nans(True),
    "debug_infs": lambda: jax.debug_infs(True),
    "debug_key_reuse": lambda: jax.debug_key_reuse(True),
    "x64": lambda: jax.enable_x64(True),
    "strict promotion": lambda: jax.numpy_dtype_promotion("strict"),
    "another generator": lambda: jax.default_prng_impl("rbg"),
    "explicit mesh": lambda: jax.set_mesh(MESH),
    "transfer guard": lambda: jax.transfer_guard("disallow"),
}
# What promotes, what shards, and what counts the uses of a key.
KINDS = ("debug_key_reuse", "strict promotion", "explicit mesh")
FORMS = (
    *relujax.names(gated=True),
    "prelu(axis=-1)",
    "srelu(trainable=True)",
    "n_relu(surrogate='sugar_relu')",
    "n_relu(sigma='linear(start=0.1, end=0.0, steps=100)')",
)
STOCHASTIC = [name for name in relujax.names(gated=True) if relujax.get(name).needs_key]


def both(spec, z, key):
    """Value in training and evaluation, and the derivative, of the dtype of `z`."""
    act = relujax.get(spec)
    params = act.init(z.shape)
    signal = None if act.signal is None else jnp.float32(act.signal.initial)
    f = lambda z: act.apply(params, z, key=key, signal=signal, train=True)
    y, pullback = jax.vjp(f, z)
    return y, act.apply(params, z, signal=signal), *pullback(y)


@pytest.fixture(params=["bfloat16", *slow("float32")])
def z(request):
    return jnp.linspace(-3, 3, 8).astype(request.param).reshape(2, 4)


@pytest.mark.parametrize(
    "switch", [*KINDS, *slow(*(s for s in SWITCHES if s not in KINDS))]
)
def test_every_activation_is_traced(switch, z):
    with jax.set_mesh(MESH):
        sharded = jax.device_put(z, jax.NamedSharding(MESH, jax.P("d")))
    with SWITCHES[switch]():
        for spec in FORMS:
            given = sharded if switch == "explicit mesh" else z
            traced = jax.eval_shape(
                lambda z, spec=spec: both(spec, z, jax.random.key(0)), given
            )
            assert {leaf.dtype for leaf in traced} == {z.dtype}, spec


@pytest.mark.parametrize("name", [STOCHASTIC[0], *slow(*STOCHASTIC[1:])])
@pytest.mark.parametrize(
    "switch", ["debug_nans", "debug_key_reuse", "strict promotion"]
)
def test_noise_is_drawn_eagerly(switch, name):
    with SWITCHES[switch]():
        act, x = relujax.get(name), jnp.array([-1.0, 2.0], jnp.bfloat16)
        y = act.apply({}, x, key=jax.random.key(0), train=True)
        assert y.dtype == x.dtype and bool(jnp.isfinite(y).all())
        layer = relujax.linen.Activation(name)
        layer.apply({}, x, True, rngs={"activation": jax.random.key(1)})
        relujax.nnx.Activation(name)(x, True, rngs=jax.random.key(2))


def test_nothing_is_jitted_where_jit_is_switched_off():
    with jax.disable_jit():
        y = relujax.n_relu(jax.random.key(0), jnp.array([-1.0, 2.0]))
    assert y[1] == 2


@pytest.mark.parametrize("switch", ["debug_nans", "strict promotion", "transfer guard"])
def test_what_is_worked_out(switch):
    with SWITCHES[switch]():
        assert relujax.gain("gelu") > 1
        assert relujax.properties("n_relu").dying
