"""What is compiled for an accelerator, as far as that can be seen without one."""

from itertools import product

import jax
import jax.numpy as jnp
import pytest
from jax import export

import relujax
from relujax.activations import REGISTRY
from relujax.engine import Cell
from relujax.engine._program import _arrays, _member, _names, member_of
from relujax.kernels.convolution import conv2d, max_pool_2x2
from relujax.kernels.noise import bits

ACCELERATORS = ("cuda", "tpu")


def lowered(function, *args, platform):
    """What the compiler of a platform is given."""
    return export.export(jax.jit(function), platforms=[platform])(*args).mlir_module()


IMAGES = jnp.ones((2, 6, 6, 3)), jnp.ones((3, 3, 3, 4)), jnp.ones(4)


def test_each_platform_gets_its_own_convolution():
    loss = lambda *args: conv2d(*args).sum()
    texts = {
        platform: lowered(jax.grad(loss, (0, 1)), *IMAGES, platform=platform)
        for platform in ("cpu", *ACCELERATORS)
    }
    has = {name: "stablehlo.convolution" in text for name, text in texts.items()}
    assert has == {"cpu": False, "cuda": True, "tpu": True}


def test_each_platform_gets_its_own_pooling():
    has = {
        platform: "reduce_window" in lowered(max_pool_2x2, IMAGES[0], platform=platform)
        for platform in ("cpu", *ACCELERATORS)
    }
    assert has == {"cpu": False, "cuda": True, "tpu": True}


def test_accelerators_get_the_random_bits_of_jax():
    key = jax.random.key(0)
    same = {}
    for platform in ("cpu", *ACCELERATORS):
        ours = lowered(lambda key: bits(key, (8,)), key, platform=platform)
        theirs = lowered(lambda key: jax.random.bits(key, (8,)), key, platform=platform)
        operations = [text.count("stablehlo.xor") for text in (ours, theirs)]
        same[platform] = operations[0] == operations[1]
    assert same == {"cpu": False, "cuda": True, "tpu": True}


@pytest.mark.parametrize("platform", ACCELERATORS)
def test_every_activation_lowers(platform):
    """Value and gradient, training and evaluating, all in one program."""
    key, x = jax.random.key(0), jnp.linspace(-2, 2, 8).reshape(2, 4)

    def total(x, key, name, train):
        activation = relujax.get(name)
        params = activation.init(x.shape, x.dtype)
        return activation.apply(params, x, key=key, train=train).sum()

    def everything(key, x):
        modes = product(REGISTRY, (False, True))
        return [jax.value_and_grad(total)(x, key, *mode) for mode in modes]

    assert lowered(everything, key, x, platform=platform)


@pytest.mark.parametrize("platform", ACCELERATORS)
@pytest.mark.parametrize(
    "model", ["mlp(hidden=(4,), dropout=0.1)", "cnn(filters=(2,))"]
)
def test_the_engines_programs_lower(model, platform):
    """Start, training and evaluation of a member of a population."""
    data = relujax.load_dataset("digits")
    cell = Cell(
        data="digits",
        model=model,
        activation="n_relu",
        objective="softmax_cross_entropy",
        batch_size=8,
        epochs=1,
    )
    one, arrays = member_of(cell, data, 0, None), _arrays(data)

    def life(member, arrays):
        state = one.start(member, arrays)
        return one.advance(state, member, (arrays, jnp.ones(1, jnp.int32)))

    assert lowered(life, _member(_names(cell)), arrays, platform=platform)
