"""Units of members, heads and experts: every index that has weights of its own."""

import json
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from relujax import InputError, Monitor, capture, diagnose, recycle
from relujax.diagnosis import Link
from relujax.diagnosis._jaxpr.reshapes import covered, reshaped

X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
TOKENS = np.random.default_rng(1).normal(size=(7, 6, 4)).astype(np.float32)
IMAGES = np.random.default_rng(2).normal(size=(5, 6, 6, 2)).astype(np.float32)
W = jnp.asarray(np.random.default_rng(3).normal(size=(3, 4, 5)), jnp.float32)
SCALES = jnp.asarray(np.random.default_rng(5).normal(size=(1, 3, 5)), jnp.float32)
relu = jax.nn.relu


class Dense(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.LayerNorm()(nn.relu(nn.Dense(5)(x)))
        return nn.relu(nn.GroupNorm(1)(nn.Dense(7)(x)))


class Convolutions(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.relu(nn.Conv(6, (3, 3))(nn.relu(nn.Conv(5, (3, 3))(x))))


class Recurrent(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.RNN(nn.GRUCell(5))(x)


class Remat(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.remat(Dense)()(x)


def drawn(init, *args):
    """Parameters of the shapes that `init` gives, without its compilation."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(init, *args)
    draw = lambda s: jnp.asarray(rng.normal(size=s.shape), s.dtype)
    return jax.tree.map(draw, shapes)


def linen(module, x):
    params = drawn(lambda x: module.init(jax.random.key(0), x), x)
    return module.apply, params, x


def ensemble(kind, x, **lifted):
    settings: Any = {
        "variable_axes": {"params": 0},
        "split_rngs": {"params": True},
        "in_axes": None,
        "axis_size": 3,
        **lifted,
    }
    return linen(nn.vmap(kind, **settings)(), x)


def stacked(rows):
    net = Dense()
    keys = jax.random.split(jax.random.key(0), 3)
    params = drawn(lambda x: jax.vmap(net.init, (0, None))(keys, x), X)
    one = (
        (lambda p, x: jax.vmap(lambda row: net.apply(p, row))(x)) if rows else net.apply
    )
    return lambda p, x: jax.vmap(one, (0, None))(p, x), params, X


def twice():
    net = Dense()
    keys = jax.random.split(jax.random.key(0), (2, 3))
    init = jax.vmap(jax.vmap(net.init, (0, None)), (0, None))
    params = drawn(lambda x: init(keys, x), X)
    over = lambda fn: jax.vmap(fn, (0, None))
    return over(over(net.apply)), params, X


def of_nnx():
    @nnx.split_rngs(splits=3)
    @nnx.vmap(in_axes=0, out_axes=0)
    def make(rngs):
        return nnx.Linear(4, 5, rngs=rngs)

    graph, state = nnx.split(make(nnx.Rngs(0)))

    def fn(state, x):
        layers = nnx.merge(graph, state)
        return nnx.relu(nnx.vmap(lambda l, x: l(x), in_axes=(0, None))(layers, x))

    return fn, state, X


def of_equinox():
    eqx: Any = pytest.importorskip("equinox")

    class Net(eqx.Module):
        conv: list
        norm: Any

        def __init__(self, key):
            keys = jax.random.split(key)
            sizes = [(2, 4), (4, 6)]
            pairs = zip(sizes, keys, strict=True)
            self.conv = [eqx.nn.Conv2d(*s, 3, key=key) for s, key in pairs]
            self.norm = eqx.nn.GroupNorm(2, 4)

        def __call__(self, x):
            return relu(self.conv[1](relu(self.norm(self.conv[0](x)))))

    nets = eqx.filter_vmap(Net)(jax.random.split(jax.random.key(0), 3))
    params, static = eqx.partition(nets, eqx.is_array)

    def fn(params, x):
        call = eqx.filter_vmap(lambda net: jax.vmap(net)(x))
        return call(eqx.combine(params, static))

    return fn, params, np.moveaxis(IMAGES, -1, 1)


def experts():
    dense = lambda p, x: relu(jnp.einsum("bd,edf->bef", x, p))
    return dense, W, X


def dispatched():
    def fn(p, x):
        chosen = jax.nn.one_hot(jnp.argmax(x[:, :3], -1), 3)
        slot = (jnp.cumsum(chosen, 0) * chosen).sum(-1).astype(int) - 1
        sent = chosen[..., None] * jax.nn.one_hot(slot, len(x))[:, None]
        return relu(jnp.einsum("bec,bd,edf->ecf", sent, x, p))

    return fn, W, X


class Heads(nn.Module):
    @nn.compact
    def __call__(self, x):
        x += self.param("place", nn.initializers.zeros, (1, 6, 4))
        one = nn.relu(nn.DenseGeneral((2, 3))(x))
        other = nn.relu(nn.Dense(6)(x).reshape(*x.shape[:-1], 2, 3))
        return one + other, nn.relu(nn.Dense(8)(x))


class Latents(nn.Module):
    @nn.compact
    def __call__(self, x):
        latents = self.param("latents", nn.initializers.zeros, (5, 4))
        asked = jnp.broadcast_to(latents, (len(x), 5, 4))
        asked += nn.MultiHeadDotProductAttention(2)(asked, x)
        return nn.relu(nn.Dense(8)(asked))


def spectral():
    size = lambda p: jnp.linalg.norm(p)
    return lambda p, x: relu(jnp.einsum("bd,edf->ebf", x, p / size(p))), W, X


def biases():
    return lambda p, x: relu(x[None] + p[:, None]), W[:, :, 0], X


def nodes():
    mix = jnp.asarray(np.random.default_rng(4).normal(size=(6, 6)), jnp.float32)
    return lambda p, x: relu(mix @ (x @ p)), W[0], TOKENS


CASES = {
    "nn.vmap": (lambda: ensemble(Dense, X), [(3, 5), (3, 7)]),
    "nn.vmap, out_axes=1": (lambda: ensemble(Dense, X, out_axes=1), [(3, 5), (3, 7)]),
    "convolutions": (lambda: ensemble(Convolutions, IMAGES), [(3, 5), (3, 6)]),
    "remat": (lambda: ensemble(Remat, X), [(3, 5), (3, 7)]),
    "recurrent": (lambda: ensemble(Recurrent, TOKENS), [(3, 5)] * 3),
    "jax.vmap": (lambda: stacked(False), [(3, 5), (3, 7)]),
    "jax.vmap of rows": (lambda: stacked(True), [(3, 5), (3, 7)]),
    "jax.vmap twice": (twice, [(2, 3, 5), (2, 3, 7)]),
    "nnx.vmap": (of_nnx, [(3, 5)]),
    "filter_vmap": (of_equinox, [(3, 4), (3, 6)]),
    "experts": (experts, [(3, 5)]),
    "experts with slots": (dispatched, [(3, 5)]),
    "heads": (lambda: linen(Heads(), TOKENS), [(2, 3), (2, 3), (8,)]),
    "latents": (lambda: linen(Latents(), TOKENS), [(8,)]),
    "spectral norm": (spectral, [(3, 5)]),
    "biases": (biases, [(3, 4)]),
    "nodes": (nodes, [(5,)]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_units_are_all_that_have_weights_of_their_own(case):
    build, shapes = CASES[case]
    fn, params, x = build()
    result = diagnose(fn, [x], params=params, max_rank_units=0)
    assert list(result.unit_shapes.values()) == shapes
    assert not result.doubts
    _, seen = jax.jit(capture(fn))(params, x)
    for site in result.sites:
        pre = np.asarray(seen[site.id].pre)
        axes = np.atleast_1d(result.unit_axes[site.id]) + len(site.loops)
        kept = {*range(len(site.loops)), *axes.tolist()}
        over = tuple(i for i in range(pre.ndim) if i not in kept)
        counted = result.statistics[site.id].positive
        expected = (pre > 0).sum(over).reshape(counted.shape)
        np.testing.assert_array_equal(counted, expected)


def killed():
    fn, params, x = ensemble(Dense, X)
    bias = params["params"]["Dense_0"]["bias"]
    params["params"]["Dense_0"]["bias"] = bias.at[1, 4].set(-1e3).at[2, 0].set(-1e3)
    return fn, params, x


def test_dead_units_of_members_are_named_counted_and_watched():
    fn, params, x = killed()
    loss = lambda out, batch: jnp.sum(out) * jnp.ones(())
    result = diagnose(fn, [x], params=params, loss=loss, sites="*/relu_0")
    (id,) = result.unit_shapes
    dead = result.mask("never_positive")[id].reshape(result.unit_shapes[id])
    assert np.argwhere(dead).tolist() == [[1, 4], [2, 0]]
    gradient = result.mask("zero_gradient")[id].reshape(result.unit_shapes[id])
    assert gradient[1, 4] and gradient[2, 0]
    assert result.headline().startswith("2 of 15 units are dead")
    assert "2 of 15 units (3 x 5) never fire" in result.summary()
    (row,) = json.loads(result.to_json())["layers"]
    assert (row["units"], row["unit_shape"]) == (15, "3 x 5")
    monitor = Monitor(fn, [x], sites="*/relu_0")
    monitor.record(0, params)
    assert monitor.table()[["units", "dead"]].to_numpy().tolist() == [[15, 2]]
    by_hand = diagnose(fn, [x], params=params, sites="*/relu_0", unit_axis=(0, 2))
    assert by_hand.mask("never_positive")[id].tolist() == dead.ravel().tolist()
    one = diagnose(fn, [x], params=params, sites="*/relu_0", unit_axis=0)
    assert one.unit_axes == {id: 0}


def test_recycle_draws_the_dead_units_of_a_member_anew():
    fn, params, x = killed()
    dead = diagnose(fn, [x], params=params).mask("never_positive")
    (id, *_) = dead
    layer = "params/Dense_0"
    link = Link(
        f"{layer}/kernel", "params/Dense_1/kernel", f"{layer}/bias", (0, -1), (0, -2)
    )
    new, _ = recycle(jax.random.key(0), params, dead, {id: link})
    old, new = params["params"], new["params"]
    changed = np.asarray(old["Dense_0"]["kernel"] != new["Dense_0"]["kernel"])
    mask = dead[id].reshape(3, 5)
    np.testing.assert_array_equal(changed, np.broadcast_to(mask[:, None], (3, 4, 5)))
    assert float(jnp.abs(new["Dense_0"]["kernel"][1, :, 4]).max()) < (6 / 9) ** 0.5
    np.testing.assert_array_equal(new["Dense_0"]["bias"] == 0, mask)
    silenced = np.asarray(new["Dense_1"]["kernel"] == 0)
    np.testing.assert_array_equal(
        silenced, np.broadcast_to(mask[..., None], silenced.shape)
    )
    wrong = link._replace(unit_axis=-1)
    with pytest.raises(InputError, match="Expected 15 units along axis -1"):
        recycle(jax.random.key(0), params, dead, {id: wrong})


@pytest.mark.parametrize(
    ("fn", "why"),
    [
        (
            lambda p, x: jnp.einsum("bd,bdf->bf", x, p[jnp.argmax(x[:, :3], -1)]),
            "data choose their weights",
        ),
        (
            lambda p, x: jax.lax.ragged_dot(x, p, jnp.array([3, 3, 3])),
            "data choose their weights",
        ),
        (
            lambda p, x: (x[:, None, :] @ p[0]).repeat(2, 1).reshape(len(x), -1),
            "they are one axis with what is not theirs",
        ),
        (  # a BatchEnsemble: one weight for all members, and a scale for each
            lambda p, x: (x @ p[0])[:, None] * SCALES,
            "scales or biases of theirs differ along more axes",
        ),
    ],
)
def test_what_cannot_be_told_is_said(fn, why):
    result = diagnose(lambda p, x: relu(fn(p, x)), X, params=W)
    assert result.doubts == {"relu_0": why}
    (axis,) = result.unit_axes.values()
    line = (
        f"The units of relu_0 are those along axis {axis} of its input, which may be "
        f"wrong: {why}; unit_axis= says which they are."
    )
    assert line in result.summary().split("\n")
    given = diagnose(lambda p, x: relu(fn(p, x)), X, params=W, unit_axis=1)
    assert not given.doubts


def test_a_loop_over_examples_is_said_to_be_left_out():
    def fn(p, x):
        return jax.lax.map(lambda row: relu(row @ p), relu(x @ p))

    result = diagnose(fn, X, params=W[0][:, :4])
    assert [site.id for site in result.sites] == ["relu_0"]
    assert result.single == ("scan/relu_0",)
    assert result.summary().split("\n")[-1] == (
        "1 activation left out, which sees one example at a time in a loop: "
        "scan/relu_0; jax.vmap in its place shows the units."
    )


def test_axes_are_followed_through_merging_and_splitting():
    members = {0: (0, 0), 1: (1, 0)}
    merged = reshaped(members, (3, 5), (15,))
    assert covered(merged) == {0}
    assert reshaped(merged, (15,), (3, 5)) == members
    assert covered(reshaped({1: (0, 0)}, (2, 5), (10,))) == frozenset()
    groups = reshaped({1: (2, 0)}, (7, 32), (7, 8, 4))
    assert covered(groups) == {1, 2}
    assert reshaped(groups, (7, 8, 4), (7, 32)) == {1: (2, 0)}
    assert reshaped(merged, (15,), (2, 15)[1:]) == merged
    assert reshaped({0: (0, 0)}, (6, 1), (4, 1)) == {}
