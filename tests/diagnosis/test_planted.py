"""Dead units that are planted are found: these and no others, in every mode.

In three hidden layers, a set of units for each definition. No two are equal, but for
those that the maths makes equal: an output that is always 0 is a score of 0, and at a
ReLU also an input that is never positive and a slope that is always 0.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relujax import diagnose

N, UNITS, SINK = 37, 16, 15
SEEDS = (0, 5, 11)
ACTIVATIONS = {
    "relu_0": jax.nn.relu,
    "leaky_relu_0": lambda x: jax.nn.leaky_relu(x, 0.1),
    "tanh_0": jnp.tanh,
}

# A unit sees `scale * x + bias`, where x is between 0.5 and 1.5 in size and every other
# one is negative; a unit that is not listed sees x. By layer.
PLANTED = {
    "relu_0": {
        0: (1, -100),  # dead
        1: (0, -1),  # dead
        2: (1, 3),  # linear
        3: (1, 2),  # linear
        4: (0.01, 0),  # dormancy score 0.01
        5: (0.05, 0),  # 0.05
        6: (0.2, 0),  # 0.2
        7: (5e-3 / 1.5, 0),  # peaks at 5e-3
        8: (5e-4 / 1.5, 0),  # at 5e-4
        9: (5e-6 / 1.5, 0),  # at 5e-6
    },
    "leaky_relu_0": {
        0: (0, 0),  # silent
        1: (1, -8),  # never positive, but not silent
        2: (1, -6),
        3: (1, 2),  # linear
        4: (1, 2),
        5: (1, 2),
        6: (0.01, 0),
        7: (0.05, 0),
        8: (0.2, 0),
        9: (5e-3 / 1.5, 0),
        10: (5e-4 / 1.5, 0),
        11: (5e-6 / 1.5, 0),
    },
    "tanh_0": {
        0: (0, 0),
        1: (0.2, -1),  # never positive, but steep
        2: (0.3, 30),  # saturated: the slope is exactly 0
        3: (0.1, 5),  # saturated: the slope is 2e-4
        4: (0.1, -5),  # the same, never positive
        5: (0.1, 0.5),  # always positive, but steep
        6: (0.009, 0),  # score 0.02
        7: (0.03, 0),  # 0.07
        8: (0.09, 0),  # 0.2
        9: (5e-3 / 1.5, 0),
        10: (5e-4 / 1.5, 0),
        11: (5e-6 / 1.5, 0),
        SINK: (0.5, 0),
    },
}
# Nothing comes of them, so no gradient comes back.
WITHOUT_EFFECT = {"relu_0": [10], "leaky_relu_0": [12, 13], "tanh_0": [12]}

EXPECTED = {
    "relu_0": {
        "never_active": {0, 1},
        "never_positive": {0, 1},
        "always_on": {2, 3},
        "saturated": {0, 1},
        "zero_gradient": {0, 1, 10},
        "dormant_0": {0, 1},
        "dormant_0.025": {0, 1, 4, 7, 8, 9},
        "dormant_0.1": {0, 1, 4, 5, 7, 8, 9},
        "small_0.01": {0, 1, 7, 8, 9},
        "small_0.001": {0, 1, 8, 9},
        "small_1e-05": {0, 1, 9},
        "not_finite": set(),
    },
    "leaky_relu_0": {
        "never_active": {0},
        "never_positive": {0, 1, 2},
        "always_on": {3, 4, 5},
        "saturated": set(),
        "zero_gradient": {12, 13},
        "dormant_0": {0},
        "dormant_0.025": {0, 6, 9, 10, 11},
        "dormant_0.1": {0, 6, 7, 9, 10, 11},
        "small_0.01": {0, 9, 10, 11},
        "small_0.001": {0, 10, 11},
        "small_1e-05": {0, 11},
        "not_finite": set(),
    },
    "tanh_0": {
        "never_active": {0},
        "never_positive": {0, 1, 4},
        "always_on": {2, 3, 5},
        "saturated": {2, 3, 4},
        "zero_gradient": {2, 12},
        "dormant_0": {0},
        "dormant_0.025": {0, 6, 9, 10, 11},
        "dormant_0.1": {0, 6, 7, 9, 10, 11},
        "small_0.01": {0, 9, 10, 11},
        "small_0.001": {0, 10, 11},
        "small_1e-05": {0, 11},
        "not_finite": set(),
    },
}


def examples():
    size = np.random.default_rng(0).uniform(0.5, 1.5, (N, UNITS)).astype(np.float32)
    odd = np.add.outer(np.arange(N), np.arange(UNITS)) % 2
    return np.where(odd, size, -size), np.full((N, 1), 10, np.float32)


X, Y = examples()


def planted(seed):
    """The parameters; another seed has the same units `seed` places further on."""
    layers = {}
    for id, units in PLANTED.items():
        rows = np.array([units.get(unit, (1, 0)) for unit in range(UNITS)], np.float32)
        out = np.full(UNITS, 0.02, np.float32)
        out[WITHOUT_EFFECT[id]] = 0
        rows, out = np.roll(rows, seed, 0), np.roll(out, seed)
        layers[id] = {"scale": rows[:, 0], "bias": rows[:, 1], "out": out}
    sink = np.zeros(UNITS, np.float32)
    sink[(SINK + seed) % UNITS] = 1  # the unit of a layer that sees the layer before
    return {"layers": layers, "sink": sink}


def net(params, batch):
    x, _ = batch
    seen = jnp.zeros((len(x), 1))
    for id, activation in ACTIVATIONS.items():
        p = params["layers"][id]
        z = x * p["scale"][None] + p["bias"][None] + seen * params["sink"][None]
        seen = activation(z) @ p["out"][:, None]
    return seen


def loss(output, batch):
    return jnp.sum((output - batch[1]) ** 2, -1)


def masks_of(planned, seed):
    shifted = [(unit + seed) % UNITS for unit in planned]
    return np.isin(np.arange(UNITS), shifted)


def cut(size):
    return [(X[i : i + size], Y[i : i + size]) for i in range(0, N, size)]


DATA = {
    "whole": lambda: ((X, Y), N),
    "ragged": lambda: ((X, Y), 10),
    "generator": lambda: ((batch for batch in cut(10)), None),
}


QUICK = [("plain", "ragged"), ("plain", "generator"), ("seeds", "ragged")]
PAIRS = [(mode, data) for mode in ("plain", "seeds", "jit", "eager") for data in DATA]


@pytest.mark.parametrize(
    ("mode", "data"),
    [
        pytest.param(*pair, marks=() if pair in QUICK else pytest.mark.slow)
        for pair in PAIRS
    ],
)
def test_every_definition_finds_its_units_and_no_others(mode, data):
    batches, batch_size = DATA[data]()
    settings = {"loss": loss, "batch_size": batch_size}
    fn = jax.jit(net) if mode == "jit" else net
    if mode == "seeds":
        params = jax.tree.map(lambda *p: np.stack(p), *map(planted, SEEDS))
        result = diagnose(fn, batches, params=params, seed_axis=0, **settings)
        seeds = SEEDS
    else:
        with jax.disable_jit(mode == "eager"):
            result = diagnose(fn, batches, params=planted(0), **settings)
        seeds = (0,)
    assert result.examples == N
    for id, sets in EXPECTED.items():
        assert (result.statistics[id].count == N).all()
        assert set(sets) == set(result.definitions)
        for name, units in sets.items():
            found = np.atleast_2d(result.mask(name)[id])
            expected = [masks_of(units, seed) for seed in seeds]
            np.testing.assert_array_equal(found, expected, f"{id}: {name}")


def test_dormancy_scores_are_as_planted():
    scores = diagnose(net, (X, Y), params=planted(0)).scores()
    np.testing.assert_allclose(scores["relu_0"][4:7], [0.01, 0.05, 0.2], rtol=0.15)
    np.testing.assert_allclose(scores["tanh_0"][6:9], [0.02, 0.07, 0.2], rtol=0.15)
