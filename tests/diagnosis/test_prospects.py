"""What is said of units that never fire is true."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow

from relujax import diagnose, find_activations
from relujax.diagnosis import Prospect

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 5)).astype(np.float32)
TARGET = np.sin(3 * X.sum(1))


def weights(*shape, scale=1.0):
    return jnp.asarray(scale * RNG.normal(size=shape), jnp.float32)


def normal(h):
    centred = h - h.mean(-1, keepdims=True)
    return centred / jnp.sqrt(jnp.mean(centred**2, -1, keepdims=True) + 1e-5)


# Two of six units never fire.
P = {
    "a": weights(5, 5),
    "w": weights(5, 6),
    "b": jnp.array([-60.0, -60, 0, 1, 1, 1]),
    "u": weights(6, 6),
    "v": weights(6),
}
relu = jax.nn.relu
NETS = {
    # Nothing but its own weights goes in.
    "dense": (lambda p, x: relu(x @ p["w"] + p["b"][None]) @ p["v"], Prospect.ALONE),
    # All that goes in leads through the layer, which is not dead altogether.
    "linear": (
        lambda p, x: relu((x @ p["a"]) @ p["w"] + p["b"][None]) @ p["v"],
        Prospect.LAYER,
    ),
    "norm": (
        lambda p, x: relu(normal(x @ p["w"]) + p["b"][None]) @ p["v"],
        Prospect.LAYER,
    ),
    "recurrent": (
        lambda p, x: (
            jax.lax.scan(
                lambda h, _: (relu(x @ p["w"] + h @ p["u"] + p["b"][None]), None),
                jnp.zeros((len(x), 6)),
                None,
                length=3,
            )[0]
            @ p["v"]
        ),
        Prospect.LAYER,
    ),
    "skip": (
        lambda p, x: (
            relu((x @ p["a"]) @ p["w"] + p["b"][None]) @ p["v"] + (x @ p["a"]).sum(-1)
        ),
        Prospect.BEFORE,
    ),
    "residual": (
        lambda p, x: (lambda h: h + relu(h))(x @ p["w"] + p["b"][None]) @ p["v"],
        Prospect.ELSEWHERE,
    ),
    "tied": (
        lambda p, x: relu(x @ p["w"] + p["b"][None]) @ p["v"] + (x @ p["w"]).sum(-1),
        Prospect.ELSEWHERE,
    ),
}


def loss(output, batch):
    return (output - TARGET[: len(output)]) ** 2


def movable(net):
    """Whether the pre-activations of dead units move as all parameters descend."""
    total = lambda p: loss(net(p, X), X).mean()
    step = jax.tree.map(lambda p, g: p - 0.1 * g, P, jax.grad(total)(P))
    from relujax import capture

    both = [capture(net)(p, X)[1] for p in (P, step)]
    (id,) = both[0]
    before, after = (np.asarray(seen[id].pre) for seen in both)
    return not np.array_equal(before[..., :2], after[..., :2])


@pytest.mark.parametrize("name", NETS)
def test_a_unit_that_gradients_can_move_is_not_said_to_be_lost(name):
    net, prospect = NETS[name]
    for given in ({}, {"loss": loss}):
        result = diagnose(net, X, params=P, **given)
        (site,) = result.sites
        assert result.mask("never_positive")[site.id][..., :2].all()
        assert result.prospects[site.id] is prospect
        is_lost = "cannot recover" in result.summary()
        assert is_lost == (name == "dense")
        assert is_lost != movable(net)


def test_a_dead_layer_takes_what_comes_before_with_it():
    dead = P | {"b": P["b"] - 99}
    net = NETS["linear"][0]
    total = lambda p: (loss(net(p, X), X)).mean()
    gradient = jax.grad(total)(dead)
    assert not gradient["a"].any() and not gradient["w"].any()
    assert (
        "they cannot recover by themselves" in diagnose(net, X, params=dead).summary()
    )
    skipping = diagnose(NETS["skip"][0], X, params=dead).summary()
    assert "the layers before them can move them" in skipping


def test_a_gradient_may_come_back_with_the_layers_after():
    nothing = lambda output, batch: 0 * output.sum()
    steep = diagnose(jax.nn.leaky_relu, -np.ones((3, 2), np.float32), loss=nothing)
    end = "their own weights get none; the layers after them can move them."
    assert steep.summary().endswith(end)


def test_constants_are_weights_unless_the_weights_are_given():
    first = np.eye(5, dtype=np.float32) + 1
    bias = np.full((1, 5), -99, np.float32).astype(np.float32)
    bias[0, 0] = 0
    closed = lambda x: relu((x @ first) @ jnp.eye(5) + bias)
    assert "can move them" in diagnose(closed, X).summary()
    given = lambda p, x: relu((x @ first) @ p + bias)
    result = diagnose(given, X, params=jnp.eye(5))
    assert "cannot recover" in result.summary()


# Functions of one pre-activation z that never is above 0, with a way around the kink.
COMPOSITES = {
    "leaky_relu": lambda z: jnp.maximum(z, 0) + 0.1 * jnp.minimum(z, 0),
    "prelu": lambda z: relu(z) - jnp.full(6, 0.25)[None] * relu(-z),
    "elu": lambda z: jnp.maximum(z, 0) + jnp.minimum(jnp.exp(z) - 1, 0),
    "celu": lambda z: jnp.maximum(z, 0) + jnp.minimum(2 * jnp.expm1(z / 2), 0),
    "crelu": lambda z: jnp.concatenate([relu(z), relu(-z)], -1),
}


@pytest.mark.parametrize("name", COMPOSITES)
@pytest.mark.parametrize("transform", [lambda f: f, *slow(jax.jit, jax.vmap)])
def test_a_composite_is_one_activation(name, transform):
    if name in ("crelu", "prelu") and transform is jax.vmap:
        pytest.skip("of a whole batch")
    act = transform(COMPOSITES[name])
    net = lambda p, x: act(x @ p - 1.5 * jnp.abs(x).sum(-1, keepdims=True) - 1)
    w = jnp.clip(P["w"], -1, 1)
    (site,) = find_activations(net, w, X)
    assert site.activation == name or (site.activation, name) == ("leaky_relu", "prelu")
    result = diagnose(net, X, params=w, loss=lambda output, _: output.sum(-1))
    gradient = np.abs(jax.grad(lambda z: act(z).sum())(net_input(w))).max(0)
    np.testing.assert_allclose(result.statistics[site.id].gradient, gradient, rtol=1e-5)
    assert result.mask("never_positive")[site.id].all()
    assert "a gradient still reaches some of them" in result.summary()
    assert result.headline() == "None of 6 units is dead."


def net_input(w):
    return X @ w - 1.5 * np.abs(X).sum(-1, keepdims=True) - 1


def test_the_gradient_counts_every_way_from_the_pre_activation():
    net = lambda p, x: (lambda h: h + relu(h))(x @ p["w"] + p["b"][None]).sum(-1)
    result = diagnose(net, X, params=P, loss=lambda output, _: output)
    assert result.statistics["relu_0"].gradient.tolist()[:2] == [1, 1]
    assert result.mask("never_positive")["relu_0"][:2].all()
    assert "may recover" in result.summary()


def test_modules_of_flax():
    class Block(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.relu(nn.Dense(6)(x))
            return nn.Dense(1)(nn.relu(nn.LayerNorm()(nn.Dense(6)(x))))

    module = Block()
    params = module.init(jax.random.key(0), X)
    first, second = diagnose(module, X, params=params).prospects.values()
    assert (first, second) == (Prospect.ALONE, Prospect.LAYER)
