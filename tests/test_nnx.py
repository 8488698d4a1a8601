"""The NNX adapter under the transformations of JAX and NNX, in both graph modes."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from full import slow
from nets import (
    NnxBlock,
    cases,
    fast_jit,
    first,
    mean_square,
    scheduled,
)

import relujax
from relujax.networks import from_nnx
from relujax.nnx import Activation, Preactivation, Signal, feed
from relujax.training import feed as feed_state

KEYS = jax.random.split(jax.random.key(0), 2)


@pytest.fixture(params=[True, *slow(False)], ids=["graph", "tree"], autouse=True)
def mode(request):
    with nnx.set_graph_mode(request.param), nnx.set_graph_updates(request.param):
        yield request.param


@cases
def test_jit_grad_remat_and_vmap_over_seeds(case):
    """A seed of a vmapped program computes what it computes alone, rematerialised."""
    x = case.data()

    def forward(module, key):
        return mean_square(module(x, rngs=nnx.Rngs(activation=key)))

    def gradients(key, forward):
        module = NnxBlock(case, rngs=nnx.Rngs(params=key))
        grads, y = nnx.grad(forward, has_aux=True)(module, key)
        return nnx.state(grads, nnx.Param), y

    @fast_jit
    def both(keys):
        seeds = jax.vmap(lambda key: gradients(key, forward))(keys)
        return seeds, gradients(keys[0], nnx.remat(forward))

    seeds, (grads, y) = both(KEYS)
    case.assert_each_close(seeds[1][0], y)
    chex.assert_trees_all_close(first(seeds[0]), grads, atol=1e-5)
    chex.assert_tree_all_finite(seeds)
    assert not np.array_equal(*seeds[1])
    learned = nnx.to_pure_dict(grads)["activations"]
    assert len(learned) == case.learnable()
    for i, own in learned.items():
        assert any(np.any(g != 0) for g in own.values()), case.specs[i]


@cases
def test_scan_over_layers(case):
    """Scanned and rematerialised layers compute what a loop over them computes."""
    x, layers = case.data(), 2

    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
    def scan(y, block):
        return nnx.remat(lambda block, y: block(y, train=False))(block, y)

    @nnx.vmap
    def make(key):
        return NnxBlock(case, rngs=nnx.Rngs(params=key))

    def scanned(stack):
        return mean_square(scan(x, stack))

    def looped(stack):
        y = x
        for i in range(layers):
            y = jax.tree.map(lambda v, i=i: v[i], stack)(y, train=False)
        return mean_square(y)

    @fast_jit
    def both(keys):
        stack = make(keys)
        return [
            (nnx.state(grads, nnx.Param), y)
            for grads, y in (
                nnx.grad(f, has_aux=True)(stack) for f in (scanned, looped)
            )
        ]

    (grads, y), (expected_grads, expected) = both(jax.random.split(KEYS[0], layers))
    case.assert_each_close(y, expected)
    chex.assert_trees_all_close(grads, expected_grads, rtol=1e-4, atol=1e-5)


def test_scanned_layers_draw_their_own_noise():
    layer = Activation("n_relu")

    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    def scan(x, key):
        return x, layer(x, train=True, rngs=key)

    @nnx.jit
    def run(x, rngs):
        return scan(x, jax.random.split(rngs.activation(), 4))

    _, ys = run(-jnp.ones(25), nnx.Rngs(activation=0))
    assert len(np.unique(ys)) == 100


def test_noise_needs_a_stream_and_moves_with_it():
    layer, x = Activation("n_relu"), -jnp.ones(50)
    for rngs in (None, nnx.Rngs(params=0)):
        with pytest.raises(ValueError, match="'activation' random stream"):
            layer(x, train=True, rngs=rngs)
    np.testing.assert_array_equal(layer(x, train=False), jnp.zeros(50))
    rngs = nnx.Rngs(activation=0)
    step = nnx.jit(lambda layer, rngs: layer(x, train=True, rngs=rngs))
    draws = [layer(x, train=True, rngs=rngs) for _ in range(2)]
    draws += [layer(x, train=True, rngs=nnx.Rngs(3)), step(layer, nnx.Rngs(4))]
    draws += [layer(x, train=True, rngs=nnx.Rngs(activation=5).activation)]
    assert len(np.unique(draws)) == 250
    key = jax.random.key(0)
    np.testing.assert_array_equal(
        layer(x, train=True, rngs=key),
        relujax.n_relu(key, x, sigma=0.05),
    )


def test_signals_are_fed_by_name_and_not_learned():
    class Net(nnx.Module):
        def __init__(self):
            self.noisy = Activation(scheduled())
            self.last = Activation("arelu")

        def __call__(self, x, rngs):
            x = self.noisy(x, train=True, rngs=rngs)
            return self.last(x, train=True)

    net = Net()
    assert not jax.tree.leaves(nnx.state(net, nnx.Param))
    signals = nnx.to_pure_dict(nnx.state(net, Signal))
    chex.assert_trees_all_close(
        signals, {"noisy": {"step": jnp.float32(0)}, "last": {"loss": jnp.float32(0.1)}}
    )
    feed(net, step=99, loss=1.0)
    y = nnx.jit(lambda net, rngs: net(-jnp.ones(1000), rngs))(net, nnx.Rngs(0))
    # 1,000 draws: the relative standard error of the deviation is 2.2 %.
    np.testing.assert_allclose(y.std(), 0.001, rtol=0.1)


def test_shape_where_an_axis_needs_it():
    with pytest.raises(ValueError, match=r"axis of an input of shape \(\)"):
        Activation("prelu(axis=-1)")
    assert Activation("prelu(axis=-3)", (5, 2, 2)).alpha.shape == (5, 1, 1)
    assert Activation("prelu").alpha.shape == ()


def test_modules_of_equal_spec_strings_share_a_program():
    """Only an activation that was built elsewhere is told apart by identity."""
    traces = []

    @nnx.jit
    def run(layer, x):
        traces.append(layer)
        return layer(x)

    act = relujax.get(jnp.tanh)
    for spec in ("prelu(alpha=0.5)", "prelu(alpha=0.5)", act, act):
        run(Activation(spec), jnp.ones(3))
    assert len(traces) == 2


class Net(nnx.Module):
    """Its layers are called in another order than that of their names."""

    def __init__(self, inputs, *, rngs):
        self.z = nnx.Linear(inputs, 3, rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.b = Activation("arelu")
        self.a = Activation("n_relu")
        self.many = nnx.List([Activation("prelu(axis=-1)", 3) for _ in range(12)])

    def __call__(self, x, *, train=False, rngs=None):
        x = self.norm(self.z(x), use_running_average=not train)
        for layer in (self.b, self.a, *self.many):
            x = layer(x, train=train, rngs=rngs)
        return x


def test_from_nnx_is_a_pair_of_pure_functions():
    model = from_nnx(functools.partial(Net, 4))
    x = jax.random.normal(jax.random.key(1), (20, 4))
    params, state = jax.jit(model.init)(jax.random.key(0), x)
    assert set(params) == {"z", "norm", "many"} and set(state) == {"signal", "rest"}
    state = feed_state(state, loss=jnp.float32(0.5))
    apply = jax.jit(model.apply, static_argnames="train")

    y, same, z = apply(params, state, x)
    chex.assert_trees_all_equal(same, state)
    assert [v.shape for v in z] == [(20, 3)] * 14
    np.testing.assert_allclose(z[1], relujax.arelu(z[0], 0.5), rtol=1e-6)
    np.testing.assert_allclose(z[2], relujax.relu(z[1]), rtol=1e-6)
    np.testing.assert_allclose(y, relujax.prelu(z[-1], 0.25), rtol=1e-6)

    rngs = {"activation": jax.random.key(2)}
    _, after, z = apply(params, state, x, rngs=rngs, train=True)
    assert not np.array_equal(after["rest"]["norm"]["mean"], np.zeros(3))
    chex.assert_trees_all_equal(after["signal"], state["signal"])
    noise = z[2][z[1] <= 0]
    assert len(np.unique(noise)) == noise.size > 0
    with pytest.raises(ValueError, match="'activation' random stream"):
        model.apply(params, state, x, train=True)

    def loss(params):
        return (apply(params, state, x, rngs=rngs, train=True)[0] ** 2).sum()

    chex.assert_tree_all_finite(jax.grad(loss)(params))
    keys = jax.random.split(jax.random.key(0), 3)
    seeds, _ = jax.vmap(model.init, (0, None))(keys, x)
    chex.assert_trees_all_close(first(seeds), model.init(keys[0], x)[0], rtol=1e-6)


def test_preactivations_are_captured_on_request():
    net = Net(4, rngs=nnx.Rngs(params=0))
    before = jax.tree.structure(nnx.state(net))
    _, sown = nnx.capture(lambda net: net(jnp.ones((2, 4))), Preactivation)(net)
    assert len(jax.tree.leaves(sown)) == 14
    net(jnp.ones((2, 4)))
    assert jax.tree.structure(nnx.state(net)) == before
