"""The Linen adapter under JAX's transformations, every spec in an MLP and in a CNN."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from nets import (
    SPECS,
    LinenBlock,
    cases,
    fast_jit,
    first,
    mean_square,
    scheduled,
)

import relujax
from relujax.linen import Activation

KEYS = jax.random.split(jax.random.key(0), 2)


@cases
def test_jit_grad_remat_and_vmap_over_seeds(case):
    """A seed of a vmapped program computes what it computes alone, rematerialised."""
    x = case.data()

    def gradients(key, block):
        module = block(case, name="block")
        variables = module.init({"params": key, "activation": key}, x)
        params = variables.pop("params")

        def loss(params):
            y, _ = module.apply(
                {"params": params, **variables}, x, rngs={"activation": key}
            )
            return mean_square(y)

        return jax.grad(loss, has_aux=True)(params)

    @fast_jit
    def both(keys):
        seeds = jax.vmap(lambda key: gradients(key, LinenBlock))(keys)
        return seeds, gradients(keys[0], nn.remat(LinenBlock))

    seeds, (grads, y) = both(KEYS)
    case.assert_each_close(seeds[1][0], y)
    chex.assert_trees_all_close(first(seeds[0]), grads, atol=1e-5)
    chex.assert_tree_all_finite(seeds)
    assert not np.array_equal(*seeds[1])
    learned = {name: g for name, g in grads.items() if name.startswith("Activation")}
    assert len(learned) == case.learnable()
    for name, own in learned.items():
        assert any(np.any(g != 0) for g in own.values()), name


@cases
def test_scan_over_layers(case):
    """Scanned and rematerialised layers compute what a loop over them computes."""
    x, layers = case.data(), 2
    block = LinenBlock(case, train=False)
    stack = nn.scan(
        nn.remat(LinenBlock),
        variable_axes={"params": 0, "signal": 0},
        split_rngs={"params": True, "activation": True},
        length=layers,
    )(case, train=False)

    def scanned(variables):
        return stack.apply(variables, x)[0]

    def looped(variables):
        y = x
        for i in range(layers):
            y, _ = block.apply(jax.tree.map(lambda v, i=i: v[i], variables), y)
        return y

    def gradient(f, variables):
        return jax.grad(lambda v: mean_square(f(v)), has_aux=True)(variables)

    @fast_jit
    def both(key):
        variables = stack.init(key, x)
        return gradient(scanned, variables), gradient(looped, variables)

    (grads, y), (expected_grads, expected) = both(KEYS[0])
    case.assert_each_close(y, expected)
    chex.assert_trees_all_close(grads, expected_grads, rtol=1e-4, atol=1e-5)


def test_scanned_layers_draw_their_own_noise():
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return x, Activation("n_relu")(x, train=True)

    stack = nn.scan(Layer, split_rngs={"activation": True}, length=4)()
    rngs = {"activation": jax.random.key(0)}
    _, ys = jax.jit(lambda x: stack.apply({}, x, None, rngs=rngs))(-jnp.ones(25))
    assert len(np.unique(ys)) == 100


def test_schedules_and_feedback_live_in_the_signal_collection():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, train=False):
            x = Activation(scheduled())(x, train=train)
            return Activation("arelu")(x, train=train)

    variables = Net().init(jax.random.key(0), jnp.ones(3))
    signal = variables["signal"]
    assert [set(leaf) for leaf in signal.values()] == [{"step"}, {"loss"}]
    chex.assert_trees_all_close(signal["Activation_1"], {"loss": jnp.float32(0.1)})
    later = {"Activation_0": {"step": 99}, "Activation_1": {"loss": 1.0}}
    y = Net().apply(
        {"signal": later},
        -jnp.ones(1000),
        train=True,
        rngs={"activation": jax.random.key(0)},
    )
    # 1,000 draws: the relative standard error of the deviation is 2.2 %.
    np.testing.assert_allclose(y.std(), 0.001, rtol=0.1)


def test_the_networks_hold_every_activation():
    assert {relujax.get(spec).id for spec in SPECS} == set(relujax.names(gated=True))
    assert len(set(SPECS)) == len(SPECS)
