"""Linen networks as users write them: what trains them is what trains them in Flax."""

import zlib

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from flax.traverse_util import flatten_dict
from full import crossed
from networks_loop import INIT, SGD, X, Y, keys_of, mean_square, train

import relujax
from relujax import InputError
from relujax.networks import as_model

RNGS = keys_of(0)
SMALL = X[:, 0, 0]


class ResNet(nn.Module):
    """A residual block with batch statistics, dropout, and noise of its own stream."""

    dropout: float = 0.5

    @nn.compact
    def __call__(self, x, training: bool):
        norm = lambda: nn.BatchNorm(use_running_average=not training, momentum=0.9)
        y = nn.relu(norm()(nn.Conv(4, (3, 3))(x)))
        y = nn.Dropout(self.dropout, deterministic=not training)(y)
        if training:
            y = y + 0.1 * jax.random.normal(self.make_rng("jitter"), y.shape)
        y = norm()(nn.Conv(2, (3, 3))(y))
        return nn.Dense(1)(nn.relu(x + y).reshape(len(x), -1))


def test_a_residual_network_trains_as_in_flax():
    """The oracle is the loop of Flax's documentation."""
    net = ResNet()
    ours = train(as_model(net))
    variables = net.init(INIT, X, training=False)
    params, stats = variables["params"], variables["batch_stats"]
    opt_state = SGD.init(params)

    @jax.jit
    def step(params, stats, opt_state, rngs):
        def loss(params):
            y, changed = net.apply(
                {"params": params, "batch_stats": stats},
                X,
                training=True,
                rngs=rngs,
                mutable=["batch_stats"],
            )
            return mean_square(y, Y), changed["batch_stats"]

        (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(params)
        updates, opt_state = SGD.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), stats, opt_state, value

    for i in range(3):
        keys = keys_of(i)
        jitter = jax.random.fold_in(keys["activation"], zlib.crc32(b"jitter"))
        rngs = {"dropout": keys["dropout"], "jitter": jitter}
        params, stats, opt_state, value = step(params, stats, opt_state, rngs)
        np.testing.assert_allclose(ours.losses[i], value, rtol=1e-6)
    chex.assert_trees_all_close(ours.params, params, rtol=1e-5, atol=1e-6)
    chex.assert_trees_all_close(ours.state, {"batch_stats": stats}, rtol=1e-5)
    y = net.apply({"params": params, "batch_stats": stats}, X, training=False)
    np.testing.assert_allclose(ours.outputs, y, rtol=1e-5, atol=1e-6)


class Plain(nn.Module):
    """What the networks with a flag below have in common."""

    @nn.compact
    def __call__(self, x, on):
        x = nn.Dropout(0.9, deterministic=not on)(nn.Dense(8)(x))
        return nn.BatchNorm(use_running_average=not on)(x)


def by_keyword(flag, training):
    """`__call__(self, x, *, flag=...)`, in evaluation by default."""
    scope = {"nn": nn, "Plain": Plain}
    source = f"""
class Net(nn.Module):
    @nn.compact
    def __call__(self, x, *, {flag}: bool = {not training}):
        return Plain()(x, {flag} == {training})
"""
    exec(source, scope)
    return scope["Net"]()


def by_position(flag, training):
    """`__call__(self, x, flag, /)`, required."""
    scope = {"nn": nn, "Plain": Plain}
    source = f"""
class Net(nn.Module):
    @nn.compact
    def __call__(self, x, {flag}, /):
        return Plain()(x, {flag} == {training})
"""
    exec(source, scope)
    return scope["Net"]()


def by_attribute(flag, training):
    """A field of the dataclass."""
    scope = {"nn": nn, "Plain": Plain}
    source = f"""
class Net(nn.Module):
    {flag}: bool | None = None
    @nn.compact
    def __call__(self, x):
        assert self.{flag} is not None
        return Plain()(x, self.{flag} == {training})
"""
    exec(source, scope)
    return scope["Net"]


def by_kwargs(flag, training):
    """`**kwargs`, handed on to something whose name for it only its author knows."""
    inner = by_keyword(flag, training)

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, **kwargs):
            return type(inner)()(x, **kwargs)

    return Net()


FLAGS = {
    "train": True,
    "training": True,
    "is_training": True,
    "deterministic": False,
    "use_running_average": False,
    "inference": False,
    "eval": False,
}


@pytest.mark.parametrize(
    ("way", "flag"),
    crossed([by_keyword, by_position, by_attribute, by_kwargs], FLAGS),
)
def test_every_flag_switches_dropout_and_batch_statistics(way, flag):
    model = as_model(way(flag, FLAGS[flag]))
    params, state = model.init(INIT, SMALL)
    still, same, _ = model.apply(params, state, SMALL)
    chex.assert_trees_all_equal(same, state)
    (a, moved, _), (b, _, _) = (
        model.apply(params, state, SMALL, rngs=keys_of(i), train=True) for i in (0, 1)
    )
    assert np.isfinite(still).all() and not np.allclose(a, b)
    for old, new in zip(jax.tree.leaves(state), jax.tree.leaves(moved), strict=True):
        assert not np.allclose(old, new)


class Jitter(nn.Module):
    """Noise of the user's own, with a flag that the network below does not pass on."""

    @nn.compact
    def __call__(self, x, train=False):
        key = self.make_rng("jitter") if train else None
        return x if key is None else x + jax.random.normal(key, x.shape)


class Unknown(nn.Module):
    """Its flag has a name that nobody else gives."""

    layer: str = "dropout"

    @nn.compact
    def __call__(self, x, wild: bool = False):
        x = nn.Dense(8)(x)
        if self.layer == "dropout":
            return nn.Dropout(0.5, deterministic=not wild)(x)
        if self.layer == "noise":
            return Jitter()(x, wild)
        if self.layer == "attention":
            attend = nn.MultiHeadDotProductAttention(2, dropout_rate=0.1)
            return attend(x[None], deterministic=not wild)[0]
        return nn.BatchNorm(use_running_average=not wild)(x)


class Forgotten(nn.Module):
    """Flax itself refuses this one, in training and evaluation."""

    @nn.compact
    def __call__(self, x):
        return nn.Dropout(0.5)(nn.Dense(8)(x))


@pytest.mark.parametrize(
    ("net", "layer"),
    [
        (Unknown(), r"'Dropout_0' \(Dropout\)"),
        (Unknown("norm"), r"'BatchNorm_0' \(BatchNorm\)"),
        (Unknown("attention"), r"\(MultiHeadDotProductAttention\)"),
        (Unknown("noise"), r"'Jitter_0' \(Jitter\)"),
        (Forgotten(), r"'Dropout_0' \(Dropout\)"),
    ],
    ids=["dropout", "norm", "attention", "noise", "forgotten"],
)
def test_a_layer_that_nobody_tells_is_refused(net, layer):
    model = as_model(net)
    with pytest.raises(InputError, match=f"(?s)says whether it trains.*{layer}.*train"):
        model.init(INIT, SMALL)


def test_layers_that_do_the_same_in_both_modes_need_no_flag():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Dropout(0.0, deterministic=True)(nn.Dense(8)(x))
            attend = nn.MultiHeadDotProductAttention(2)
            return nn.LayerNorm()(attend(x[None])[0])

    model = as_model(Net())
    params, state = model.init(INIT, SMALL)
    a, b = (model.apply(params, state, SMALL, rngs=RNGS, train=t)[0] for t in (0, 1))
    np.testing.assert_array_equal(a, b)


def test_what_a_sequential_holds_is_set():
    noisy = relujax.linen.Activation("n_relu(sigma=5.0)")
    shared = nn.Dense(8)
    layers = [shared, nn.Dropout(0.5), noisy, shared, nn.BatchNorm()]
    net = nn.Sequential([nn.Dense(8), nn.Sequential(layers)])
    model = as_model(net)
    params, state = model.init(INIT, SMALL)
    # A layer that is used twice has one set of weights.
    assert len([path for path in flatten_dict(params) if "kernel" in path]) == 2
    seen = [
        model.apply(params, state, SMALL, rngs=keys_of(i), train=t)[0]
        for i, t in ((0, False), (1, False), (0, True), (1, True))
    ]
    np.testing.assert_array_equal(seen[0], seen[1])
    assert not np.allclose(seen[2], seen[3])


def test_compiled_layers_know_the_mode():
    """`nn.jit` keeps what it traced in evaluation; training must not get it."""

    class Block(nn.Module):
        @nn.compact
        def __call__(self, x):
            return relujax.linen.Activation("n_relu(sigma=1.0)")(x)

    compiled = nn.jit(Block)

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return compiled()(nn.Dense(8)(x))

    model = as_model(Net())
    params, state = model.init(INIT, SMALL)
    y, *_ = model.apply(params, state, SMALL, rngs=RNGS)
    noisy, *_ = model.apply(params, state, SMALL, rngs=RNGS, train=True)
    assert (y >= 0).all() and (noisy < 0).any()


def test_rematerialised_networks_take_their_flag_by_position():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            return nn.Dropout(0.5, deterministic=not train)(nn.Dense(8)(x))

    remat, plain = as_model(nn.remat(Net, static_argnums=(2,))), as_model(Net)
    params, state = plain.init(INIT, SMALL)
    for on in (False, True):
        a, b = (
            model.apply(params, state, SMALL, rngs=RNGS, train=on)[0]
            for model in (remat, plain)
        )
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_scan_gives_each_layer_noise_of_its_own():
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            noise = self.make_rng("noise") if train else None
            return x, None if noise is None else jax.random.normal(noise, (3,))

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, train=False):
            options = {"split_rngs": {"noise": True}, "in_axes": nn.broadcast}
            _, noise = nn.scan(Layer, length=2, **options)()(x, train)
            return x if noise is None else noise

    model = as_model(Net())
    noise, *_ = model.apply(*model.init(INIT, SMALL), SMALL, rngs=RNGS, train=True)
    assert len(np.unique(noise)) == 6


def test_what_is_sown_is_not_state():
    """The state would grow by what every step sows, and recompile."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Dense(2)(x)
            self.sow("losses", "l2", (x**2).sum())
            self.variable("counts", "calls", lambda: jnp.zeros(())).value += 1.0
            return x

    model = as_model(Net())
    params, state = model.init(INIT, SMALL)
    _, after, _ = model.apply(params, state, SMALL, rngs=RNGS, train=True)
    assert set(state) == {"counts"} == set(after)
    assert after["counts"]["calls"] == state["counts"]["calls"] + 1


def test_noise_in_evaluation_is_refused():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return x + jax.random.normal(self.make_rng("noise"), x.shape)

    model = as_model(Net())
    params, state = model.init(INIT, SMALL)
    assert model.apply(params, state, SMALL, rngs=RNGS, train=True)[0].shape == (10, 2)
    with pytest.raises(InputError, match=r"no random numbers in evaluation.*noise"):
        model.apply(params, state, SMALL)


def test_another_required_argument_is_refused():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, mask):
            return x * mask

    with pytest.raises(InputError, match=r"module Net .* requires 'mask'"):
        as_model(Net())
