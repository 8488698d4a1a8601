"""What a user has switched on in JAX to hunt faults finds none in ours."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from relujax import (
    Link,
    Monitor,
    capture,
    diagnose,
    find_activations,
    recycle,
    replace_activations,
)

X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
W = np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
W[:, 1] = 0  # never above 0
SWITCHES = {
    "jax_debug_nans": True,
    "jax_debug_infs": True,
    "jax_debug_key_reuse": True,
    "jax_enable_x64": True,
    "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise",
    "jax_disable_jit": True,
    "jax_transfer_guard": "disallow",
    "jax_default_prng_impl": "rbg",
    "jax_threefry_partitionable": False,
}


def net(w, x):
    return jax.nn.relu(x @ w)


def loss(output, batch):
    del batch
    return output.sum(1)


@functools.cache
def given():
    """Arrays and a key, made before anything is switched on."""
    return jnp.asarray(W), jnp.asarray(X), jax.random.key(0)


# What users set most.
OFTEN = ("jax_debug_nans", "jax_enable_x64")
REST = [name for name in SWITCHES if name not in OFTEN]


@pytest.fixture(params=[*OFTEN, *slow(*REST)])
def switch(request):
    """A switch as an environment variable sets it: in all threads."""
    given()
    name = request.param
    before = getattr(jax.config, name)
    jax.config.update(name, SWITCHES[name])
    yield name
    jax.config.update(name, before)


DEAD = [False, True, False, False, False, False]


@pytest.mark.usefixtures("switch")
def test_the_instruments_work_whatever_is_switched_on():
    w, x, key = given()
    assert [s.id for s in find_activations(net, w, x)] == ["relu_0"]
    _, seen = capture(net)(w, x)
    assert list(seen) == ["relu_0"]
    for settings in ({}, {"loss": loss}):
        result = diagnose(net, X, params=w, batch_size=4, **settings)
        assert result.mask("never_positive")["relu_0"].tolist() == DEAD
        assert result.headline() == "1 of 6 units is dead."
    monitor = Monitor(net, x)
    monitor.record(0, w)
    monitor.record(1, w)
    assert monitor.table().dead.tolist() == [1, 1]
    for name in ("relu", "elu"):
        replaced = replace_activations(net, {"relu": name})
        assert jax.jit(replaced)(w, x).dtype == jnp.float32
        assert replaced(w, x).shape == (8, 6)
    params = {"w": w, "v": w.T}
    dead = {"relu_0": np.array(DEAD)}
    new, _ = recycle(key, params, dead, {"relu_0": Link("w", "v")})
    assert new["w"].shape == w.shape


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit])
def test_arrays_that_are_spread_over_devices(kind):
    mesh = jax.make_mesh((2,), ("data",), axis_types=(kind,))
    deep = lambda w, x: jax.nn.relu(jnp.stack([x, x], 1) @ w)
    with jax.set_mesh(mesh):
        x = jax.device_put(X, P("data", None))
        for w in (jax.device_put(W, P()), jax.device_put(W, P(None, "data"))):
            rows = x if w.sharding.spec == P() else X
            for settings in ({}, {"loss": loss}):
                result = diagnose(net, [rows], params=w, **settings)
                assert result.mask("never_positive")["relu_0"].tolist() == DEAD
        w = jax.device_put(W, P())
        assert diagnose(deep, [x], params=w).statistics["relu_0"].count[0] == 16
        _, seen = capture(net)(w, x)
        assert seen["relu_0"].pre.sharding.is_equivalent_to(net(w, x).sharding, 2)
        for name in ("relu", "elu"):
            replaced = replace_activations(net, {"relu": name})
            total = lambda w, fn=replaced: fn(w, x).sum()
            assert jax.jit(jax.grad(total))(w).shape == W.shape
