"""What may be diagnosed: functions, modules of three libraries, and what else."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from relujax import InputError, Monitor, capture, diagnose
from relujax.networks import MLP as PaperMLP
from relujax.networks import from_linen

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
Y = np.zeros(20, np.int32)


def test_programs_of_others_are_diagnosed_as_captured(program):
    result = diagnose(program.fn, program.x, params=program.params)
    _, seen = capture(program.fn)(program.params, program.x)
    assert [site.id for site in result.sites] == program.ids
    for site in result.sites:
        pre, post, ran = map(np.asarray, seen[site.id])
        s = result.statistics[site.id]
        loops = ran.ndim
        ran = ran.reshape(*ran.shape, *[1] * (pre.ndim - loops))
        over = tuple(range(loops, pre.ndim - 1))
        observed = np.broadcast_to(ran, pre.shape)
        np.testing.assert_array_equal(s.count, observed.sum(over))
        np.testing.assert_array_equal(s.positive, ((pre > 0) & ran).sum(over))
        np.testing.assert_array_equal(s.nonzero, ((post != 0) & ran).sum(over))
        np.testing.assert_allclose(s.largest, np.abs(post).max(over), rtol=1e-6)
        np.testing.assert_allclose(s.total, np.abs(post).sum(over), rtol=1e-5)


def same(a, b):
    assert [s._replace(source="") for s in a.sites] == [
        s._replace(source="") for s in b.sites
    ]
    for id, statistics in a.statistics.items():
        for x, y in zip(statistics, b.statistics[id], strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5)


class Net(nn.Module):
    @nn.compact
    def __call__(self, x, train=True):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(6)(x))
        return nn.Dropout(0.5, deterministic=not train)(nn.relu(x))


def test_linen_modules():
    module = Net()
    variables = module.init(jax.random.key(0), X, train=False)
    apply = lambda v, x: module.apply(v, x, train=False)
    expected = diagnose(apply, X, params=variables)
    same(diagnose(module, X, params=variables), expected)
    mlp = nn.Sequential([nn.Dense(6), nn.relu])
    variables = mlp.init(jax.random.key(0), X)
    expected = diagnose(mlp.apply, X, params=variables)
    same(diagnose(mlp, X, params=variables), expected)
    same(diagnose(mlp, X, params=variables["params"]), expected)
    same(diagnose(mlp.bind(variables), X), expected)


def test_linen_modules_see_the_inputs_of_labelled_batches():
    mlp = nn.Sequential([nn.Dense(6), nn.relu, nn.Dense(1)])
    variables = mlp.init(jax.random.key(0), X)
    loss = lambda output, batch: (output[:, 0] - batch[1]) ** 2
    given = diagnose(mlp, (X, Y), params=variables, loss=loss)
    apply = lambda v, batch: mlp.apply(v, batch[0])
    same(given, diagnose(apply, (X, Y), params=variables, loss=loss))


class Noisy(nnx.Module):
    def __init__(self, rngs):
        self.up = nnx.Linear(4, 6, rngs=rngs)
        self.norm = nnx.BatchNorm(6, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.dropout(nnx.relu(self.norm(self.up(x))))


def test_nnx_modules_run_in_evaluation_mode_and_stay_as_they_are():
    module = Noisy(nnx.Rngs(0))
    result = diagnose(module, X)
    assert not module.dropout.deterministic
    module.eval()
    graph, state = nnx.split(module)
    same(result, diagnose(lambda s, x: nnx.merge(graph, s)(x), X, params=state))


def test_a_monitor_follows_an_nnx_module_that_is_trained_in_place():
    module = nnx.Sequential(nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.relu)
    monitor = Monitor(module, X)
    monitor.record(0)
    module.layers[0].bias[...] = jnp.array([0.0, -99.0, 0.0])
    monitor.record(1)
    assert monitor.table().dead.tolist() == [0, 1]


def test_equinox_modules_take_one_example():
    eqx: Any = pytest.importorskip("equinox")
    module = eqx.nn.MLP(4, 2, 6, 2, key=jax.random.key(0))
    same(diagnose(module, X), diagnose(jax.vmap(module), X))
    monitor = Monitor(module, X)
    monitor.record(0, module)
    bias = lambda m: m.layers[0].bias
    monitor.record(1, eqx.tree_at(bias, module, jnp.full(6, -99.0)))
    assert monitor.table().dead.tolist()[::2] == [0, 6]


def test_models_of_this_library():
    model = from_linen(module := PaperMLP(1, "relu", hidden=(5,)))
    pair = model.init(jax.random.key(0), X)
    variables = {"params": pair[0]}
    same(diagnose(model, X, params=pair), diagnose(module, X, params=variables))


class Pair:
    apply = staticmethod(jax.nn.relu)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (Net(), "Expected params=... with a Linen module"),
        (from_linen(PaperMLP(1, "relu")), "the pair that its init gives"),
        (Net, "got the class Net"),
        (Pair(), "Expected a function, a Linen, NNX or Equinox module"),
        (3, "Expected a function, a Linen, NNX or Equinox module"),
    ],
)
def test_what_is_neither_is_refused(model, sentence):
    with pytest.raises(InputError, match=sentence):
        diagnose(model, X)
