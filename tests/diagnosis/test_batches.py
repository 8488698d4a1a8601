"""What a batch holds: examples, other axes, names, numbers that are none."""

from typing import Any, NamedTuple

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from flax import nnx

import relujax
from relujax import InputError, Monitor, capture, diagnose, find_activations

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3)).astype(np.float32)
W = jnp.asarray(RNG.normal(size=(3, 4)), jnp.float32)
relu = jax.nn.relu


@pytest.mark.parametrize(
    "beside",
    [
        {"class_weight": np.ones(10, np.float32)},
        {"epoch": np.int32(3)},
        {"epoch": 3, "rate": 0.1, "flag": True},
        {"path": [f"{i}.png" for i in range(6)]},
        {"path": np.array([f"{i}.png" for i in range(6)])},
        {"mode": "train", "mask": None},
        {"edges": np.zeros((40, 2), np.int32)},
    ],
    ids=lambda beside: "-".join(beside),
)
def test_examples_are_those_of_what_goes_into_the_sites(beside):
    batch = {**beside, "image": X}
    result = diagnose(lambda b: relu(b["image"] @ W), [batch, batch])
    assert result.examples == 12
    assert (result.statistics["relu_0"].count == 12).all()


class Graph(NamedTuple):
    """As jraph has it."""

    nodes: Any
    edges: Any
    senders: Any
    receivers: Any
    n_node: Any


GRAPH = Graph(
    RNG.normal(size=(7, 3)).astype(np.float32),
    RNG.normal(size=(12, 3)).astype(np.float32),
    np.arange(12) % 7,
    (np.arange(12) * 3) % 7,
    np.array([3, 4]),
)


def test_a_graph_is_one_batch_and_its_graphs_are_the_examples():
    def fn(p, graph):
        messages = relu(graph.edges @ p + (graph.nodes @ p)[graph.senders])
        sums = jax.ops.segment_sum(messages, graph.receivers, 7)
        return relu(sums - graph.nodes @ p)

    result = diagnose(fn, [GRAPH], params=W)
    assert result.examples == 2
    assert [result.statistics[id].count[0] for id in ("relu_0", "relu_1")] == [12, 7]

    class Network(nn.Module):
        @nn.compact
        def __call__(self, graph):
            return nn.relu(nn.Dense(4)(graph.nodes))

    net = Network()
    assert diagnose(net, [GRAPH], params=net.init(jax.random.key(0), GRAPH)).sites
    with pytest.raises(InputError, match=r"stands in a list: \[batch\]"):
        diagnose(fn, GRAPH, params=W)


def test_positions_of_one_frame_are_no_examples():
    conv = nn.Conv(4, (3, 3))
    frame = RNG.normal(size=(8, 8, 3)).astype(np.float32)
    params = conv.init(jax.random.key(0), frame)
    fn = lambda p, x: relu(conv.apply(p, x))
    assert diagnose(fn, [frame], params=params).examples == 1
    assert diagnose(fn, np.stack([frame] * 3), params=params).examples == 3
    adjacent = lambda x: relu(x @ x.T @ x)
    assert diagnose(adjacent, [X]).examples == 1


def test_empty_batches_are_passed_over():
    fn = lambda x: relu(x @ W)
    assert diagnose(fn, [X, X[:0], X[:2]]).examples == 8
    assert diagnose(fn, [X[:0], X]).examples == 6
    with pytest.raises(InputError, match="empty data"):
        diagnose(fn, [X[:0], X[:0]])


def test_sites_without_entries_are_passed_over():
    def fn(x):
        join = lambda a, b: relu(a @ b)
        squares = jnp.stack([x.T @ x] * 3)
        return relu(x) @ jax.lax.associative_scan(join, squares)[-1]

    result = diagnose(fn, [X])
    assert all(0 not in site.shape[1:] for site in result.sites)
    assert result.summary()


def test_nan_in_the_data_is_not_blamed_on_the_network():
    x = np.concatenate([X] * 4)
    x[19, 1] = np.nan
    fn = lambda p, x: relu(relu(x @ p) @ p.T)
    result = diagnose(fn, x, params=W, batch_size=6)
    top = result.summary().split("\n")[0]
    where = "1 value is NaN or infinite, in example 19, column 1, and so 7 units"
    assert top.startswith(f"The data are not finite: {where} from relu_0 on")
    assert "diverged" not in result.summary()
    x[20] = np.inf
    batch = {"x": x, "y": x[:, 0]}  # which is infinite once
    result = diagnose(lambda p, b: fn(p, b["x"]), [batch], params=W)
    where = "5 values are NaN or infinite, the first in example 19, column 1 of 'x'"
    assert where in result.headline()
    labels = np.where(np.arange(6) == 2, np.nan, 0).astype(np.float32)
    squares = lambda output, batch: (output.sum(-1) - batch[1]) ** 2
    labelled = diagnose(lambda b: relu(b[0] @ W), (X, labels), loss=squares)
    where = "1 value is NaN or infinite, in example 2 of '1', and so gradients. None of"
    assert labelled.headline().startswith(f"The data are not finite: {where}")
    broken = diagnose(fn, X, params=W.at[0, 0].set(jnp.nan))
    assert broken.headline().startswith("The network has diverged: ")


def cnn():
    class CNN(eqx.Module):
        conv: eqx.nn.Conv2d
        dense: eqx.nn.Linear

        def __call__(self, x):
            x = relu(self.conv(x))
            return relu(self.dense(x.mean((1, 2))))

    keys = jax.random.split(jax.random.key(0))
    model = CNN(eqx.nn.Conv2d(1, 3, 3, key=keys[0]), eqx.nn.Linear(3, 5, key=keys[1]))
    bias = lambda m: m.conv.bias
    return eqx.tree_at(bias, model, model.conv.bias.at[1].set(-99))


IMAGES = RNG.normal(size=(5, 1, 8, 8)).astype(np.float32)


def test_units_lie_along_the_outputs_of_the_weights():
    model = cnn()
    result = diagnose(model, IMAGES)
    assert result.mask("never_positive")["relu_0"].tolist() == [False, True, False]
    assert result.unit_axes == {"relu_0": 1, "relu_1": 1}
    chosen = diagnose(model, IMAGES, unit_axis={"relu_0": -1})
    assert chosen.unit_axes == {"relu_0": 3, "relu_1": 1}
    assert len(chosen.mask("never_positive")["relu_0"]) == 6
    with pytest.raises(InputError, match="Unknown site or activation"):
        diagnose(model, IMAGES, unit_axis={"conv*": 1})

    class Layer(eqx.Module):
        def __call__(self, x):
            return relu(x)

    assert diagnose(Layer(), IMAGES).unit_axes == {"relu_0": 1}
    kernel = jnp.ones((3, 1, 3, 3))
    first = lambda x: relu(jax.lax.conv(x, kernel, (1, 1), "SAME"))
    assert diagnose(first, IMAGES).unit_axes == {"relu_0": 1}


def test_a_pattern_of_axes_takes_parts_of_paths():
    def fn(x):
        with jax.named_scope("Net"), jax.named_scope("conv1"):
            x = relu(x)
        return relu(x + 1)

    result = diagnose(fn, IMAGES, unit_axis={"conv*": 1})
    assert result.unit_axes == {"Net/conv1/relu_0": 1, "relu_0": 3}


def test_functions_that_equinox_wraps_take_whole_batches():
    centred = lambda b: relu(b - b.mean(0, keepdims=True))
    expected = diagnose(centred, X).firing()["relu_0"]
    for wrap in (eqx.filter_jit, eqx.Partial, jax.tree_util.Partial):
        given = diagnose(wrap(centred), X).firing()["relu_0"]
        np.testing.assert_array_equal(given, expected)
    mapped = eqx.filter_vmap(lambda x: relu(x - 1))
    np.testing.assert_array_equal(
        diagnose(mapped, X).firing()["relu_0"], (X > 1).mean(0)
    )


def test_equinox_models_as_parameters():
    model = eqx.nn.MLP(3, 2, 6, 2, key=jax.random.key(0))
    forward = lambda model, x: jax.vmap(model)(x)
    expected = diagnose(model, X)
    monitor = Monitor(forward, X)
    given = [
        diagnose(forward, X, params=model),
        diagnose(eqx.filter_jit(model), X),
        monitor.record(0, model),
    ]
    for result in given:
        for id, statistics in expected.statistics.items():
            np.testing.assert_array_equal(
                result.statistics[id].positive, statistics.positive
            )


class Both(nn.Module):
    @nn.compact
    def __call__(self, inputs, targets, training: bool = True):
        hidden = nn.relu(nn.Dense(4)(inputs) + nn.Dense(4)(targets))
        return nn.Dropout(0.5, deterministic=not training)(hidden)


class Named(nn.Module):
    @nn.compact
    def __call__(self, *, tokens, deterministic=False):
        return nn.Dropout(0.5, deterministic=deterministic)(nn.relu(tokens))


def test_modules_of_several_inputs_and_of_names():
    key = jax.random.key(0)
    both = Both()
    params = both.init(key, X, X, training=False)
    for data in ((X, X, X), {"inputs": X, "targets": X, "labels": X}):
        assert diagnose(both, data, params=params).examples == 6
    with pytest.raises(InputError, match="Expected batches of 2 arrays for Both"):
        diagnose(both, X, params=params)
    named = Named()
    for data in ({"tokens": X}, {"tokens": X, "labels": X}):
        assert diagnose(named, data, params={"params": {}}).examples == 6
    with pytest.raises(InputError, match=r"'tokens'.*by name, got an array"):
        diagnose(named, X, params={"params": {}})


def test_modules_are_found_captured_and_replaced():
    both = Both()
    params = both.init(jax.random.key(0), X, X, training=False)
    (site,) = find_activations(both, params, X, X)
    assert site.id == "Both/relu_0"
    out, seen = capture(both)(params, X, X)
    np.testing.assert_array_equal(out, both.apply(params, X, X, training=False))
    np.testing.assert_array_equal(seen[site.id].post, relu(seen[site.id].pre))
    leaky = relujax.replace_activations(both, {"relu": "leaky_relu"})
    expected = jnp.where(
        seen[site.id].pre > 0, seen[site.id].pre, 0.01 * seen[site.id].pre
    )
    np.testing.assert_allclose(leaky(params, X, X), expected)


def test_bare_errors_are_sentences():
    dense = nn.Sequential([nn.Dense(3), nn.relu])
    with pytest.raises(InputError, match=r"Expected params=\.\.\. with the variables"):
        diagnose(dense.apply, X)
    with pytest.raises(InputError, match=r"needs params=\.\.\."):
        diagnose(lambda p, x: relu(x @ p), X)
    with pytest.raises(InputError, match="Expected a dict from what to replace"):
        relujax.replace_activations(relu, "leaky_relu")
    with pytest.raises(InputError, match="got the class Both"):
        find_activations(Both, X)


class Stateful(eqx.Module):
    """As `equinox.nn.BatchNorm` has it: a state goes in and comes out."""

    linear: eqx.nn.Linear

    def __call__(self, x, state):
        return jax.nn.relu(self.linear(x)), state


def test_a_model_with_a_state_is_told_what_to_do():
    model = Stateful(eqx.nn.Linear(3, 4, key=jax.random.key(0)))
    with pytest.raises(InputError, match=r"takes a state; give a function of a batch"):
        relujax.diagnose(model, np.ones((5, 3), np.float32))
    wrapped = lambda x: jax.vmap(lambda one: model(one, None)[0])(x)
    result = relujax.diagnose(wrapped, np.ones((5, 3), np.float32))
    assert result.statistics["relu_0"].count.shape == (4,)


def test_what_a_function_refuses_comes_with_a_way_out():
    x = np.ones((5, 3), np.float32)
    dense = nn.Sequential([nn.Dense(4), nn.relu])
    variables = dense.init(jax.random.key(0), x)
    with pytest.raises(InputError, match="a module takes a dict whole, unless"):
        relujax.diagnose(dense, {"image": x}, params=variables)
    module = nnx.Sequential(nnx.BatchNorm(3, rngs=nnx.Rngs(0)), nnx.relu)
    with pytest.raises(InputError, match="give the NNX module itself"):
        relujax.diagnose(lambda x: module(x), x)
    assert len(relujax.diagnose(module, x).sites) == 1


class Tensor:
    """A tensor of another library: what NumPy can make an array of."""

    def __init__(self, values: np.ndarray):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


@pytest.mark.parametrize("data", [pd.DataFrame(X), [Tensor(X)], [(Tensor(X), [0] * 6)]])
def test_tables_and_tensors_are_arrays(data):
    fn = lambda batch: relu((batch[0] if isinstance(batch, tuple) else batch) @ W)
    found, expected = diagnose(fn, data), diagnose(fn, X)
    assert found.examples == 6
    np.testing.assert_array_equal(found.firing()["relu_0"], expected.firing()["relu_0"])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (X.astype(object), "numbers as data, got an array of object"),
        (X.astype(str), "numbers as data, got an array of <U32"),
        (pd.DataFrame({"a": ["x", "y"]}), "numbers as data, got an array of"),
        (X.tolist(), r"a list is read as batches: numpy\.asarray"),
    ],
    ids=["objects", "strings", "table", "list"],
)
def test_what_is_no_array_of_numbers_is_one_sentence(data, sentence):
    with pytest.raises(InputError, match=sentence):
        diagnose(lambda x: relu(x @ W), data)


def test_a_sequential_of_equinox_needs_no_state():
    one, two = jax.random.split(jax.random.key(0))
    layers = [
        eqx.nn.Conv2d(1, 3, 3, key=one),
        eqx.nn.Lambda(relu),
        eqx.nn.Lambda(jnp.ravel),
        eqx.nn.Linear(3 * 36, 2, key=two),
    ]
    killed = lambda b: b.at[1].set(-100.0)
    network: Any = eqx.nn.Sequential(layers)
    network = eqx.tree_at(lambda m: m.layers[0].bias, network, replace_fn=killed)
    images = RNG.normal(size=(5, 1, 8, 8)).astype(np.float32)
    assert diagnose(network, images).headline() == "1 of 3 units is dead."
    stateful = eqx.nn.Sequential([eqx.nn.BatchNorm(3, "batch", mode="batch")])
    with pytest.raises(InputError, match="takes a state"):
        diagnose(stateful, X)
