"""A network driven to death: when it died, and what brings it back."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from relujax import (
    InputError,
    Link,
    Monitor,
    diagnose,
    recycle,
    replace_activations,
)

X = np.random.default_rng(0).uniform(-1, 1, (64, 2)).astype(np.float32)
Y = np.sin(3 * X[:, :1]).astype(np.float32)
EPOCHS = 12
LINKS = {"relu_0": Link("w", "v", "b")}


def initial():
    keys = jax.random.split(jax.random.key(0))
    w = jax.random.normal(keys[0], (2, 12))
    v = 0.6 * jax.random.normal(keys[1], (12, 1))
    return {"w": w, "b": jnp.full(12, -0.5), "v": v, "c": jnp.zeros(1)}


def net(params, x):
    hidden = jax.nn.relu(x @ params["w"] + params["b"][None])
    return hidden @ params["v"] + params["c"][None]


def loss(params, fn=net):
    return jnp.mean((fn(params, X) - Y) ** 2)


@functools.cache
def step(fn):
    descend = lambda params, rate: jax.tree.map(
        lambda p, g: p - rate * g, params, jax.grad(lambda p: loss(p, fn))(params)
    )
    return jax.jit(descend)


def train(params, steps, rate, fn=net):
    for _ in range(steps):
        params = step(fn)(params, rate)
    return params


@pytest.fixture(scope="module", name="death")
def _death():
    """Three steps at a rate that trains, then at ten times it."""
    monitor, params = Monitor(net, X), initial()
    for epoch in range(EPOCHS):
        monitor.record(epoch, params)
        params = train(params, 1, 0.1 if epoch < 3 else 1.0)
    return monitor, params


def test_the_time_of_death_is_recorded(death):
    monitor, params = death
    assert not np.any(np.asarray(X @ params["w"] + params["b"][None]) > 0)
    times = monitor.time_of_death()["relu_0"]
    table = monitor.table()
    assert table.dead.iloc[-1] == 12
    for epoch in range(EPOCHS):
        (born,) = table[table.epoch == epoch].births
        (revived,) = table[table.epoch == epoch].revivals
        before = monitor.records[epoch - 1].dead["relu_0"] if epoch else np.zeros(12)
        now = monitor.records[epoch].dead["relu_0"]
        assert born - revived == now.sum() - before.sum()
    assert times.min() > 3  # none died at the small rate
    assert len(set(times.tolist())) > 2  # nor all at once
    for unit, time in enumerate(times):
        fates = [r.dead["relu_0"][unit] for r in monitor.records]
        assert fates == [r.epoch >= time for r in monitor.records]


def test_a_dead_network_stays_dead(death):
    _, params = death
    again = train(params, 50, 0.1)
    np.testing.assert_array_equal(again["w"], params["w"])


def test_leaky_relu_revives_it(death):
    _, params = death
    leaky = replace_activations(net, {"relu": "leaky_relu"})
    squared = lambda output, batch: jnp.square(output - 1)
    for fn, stuck in ((net, 12), (leaky, 0)):
        result = diagnose(fn, X, params=params, loss=squared)
        (mask,) = result.mask("zero_gradient").values()
        assert mask.sum() == stuck
    watch = Monitor(leaky, X)
    watch.record(0, params)
    cured = train(params, 800, 0.1, leaky)
    watch.record(1, cured)
    assert watch.table().dead.iloc[0] == 12
    assert watch.table().revivals.iloc[1] >= 1
    assert loss(cured, leaky) < 0.5 * np.var(Y)  # the best that a dead one reaches


def test_recycling_revives_it(death):
    monitor, params = death
    dead = {id: jnp.asarray(m) for id, m in monitor.records[-1].dead.items()}
    recycled, _ = recycle(jax.random.key(1), params, dead, LINKS)
    np.testing.assert_array_equal(net(recycled, X), net(params, X))
    cured = train(recycled, 400, 0.1)
    watch = Monitor(net, X)
    watch.record(0, params)
    watch.record(1, cured)
    assert watch.table().dead.tolist()[0] == 12
    assert watch.table().dead.tolist()[1] <= 2
    assert loss(cured) < 0.5 * np.var(Y)  # the best that a dead one reaches


def test_exports(death):
    monitor, _ = death
    flat = monitor.metrics("probe")
    assert flat["probe/relu_0/never_positive"] == 1.0
    assert flat["probe/relu_0/births"] == monitor.table().births.iloc[-1]
    assert all(isinstance(value, float) for value in flat.values())
    above, middle, below = monitor.plot().axes
    assert len(above.lines) == len(below.lines) == 1
    np.testing.assert_allclose(above.lines[0].get_ydata()[-1], 1.0)
    np.testing.assert_allclose(
        below.lines[0].get_ydata(), monitor.table().ever_dead / 12
    )
    assert len(middle.lines) == 3


def test_it_compiles_once():
    traces = []

    def fn(params, x):
        traces.append(0)
        return net(params, x)

    monitor = Monitor(fn, X)
    monitor.record(0, initial())
    first = len(traces)
    # One trace, of shapes, checks the data; the compiled step is not traced again.
    monitor.record(1, initial())
    assert len(traces) - first <= 1


def test_it_works_in_an_optax_loop_over_seeds():
    params = jax.vmap(lambda scale: jax.tree.map(lambda p: scale * p, initial()))(
        jnp.array([1.0, 2.0])
    )
    optimiser = optax.adam(1e-2)
    state = jax.jit(jax.vmap(optimiser.init))(params)
    monitor = Monitor(net, X, seed_axis=0)

    @jax.jit
    @jax.vmap
    def update(params, state):
        updates, state = optimiser.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    for epoch in range(2):
        monitor.record(epoch, params)
        params, state = update(params, state)
    assert monitor.records[0].dead["relu_0"].shape == (2, 12)
    table = monitor.table()
    assert table.seed.tolist() == [0, 1, 0, 1]
    assert table.units.tolist() == [12] * 4
    for row in table.itertuples():
        dead = monitor.records[row.epoch].dead["relu_0"]
        assert row.dead == dead[row.seed].sum()
    assert "dead_units/seed_1/relu_0/never_positive" in monitor.metrics()
    above, *_ = monitor.plot().axes
    assert len(above.lines) == 2
    assert len(above.get_legend().get_texts()) == 1


def test_the_layers_of_a_scan_are_followed_on_their_own():
    step = lambda c, b: (jax.nn.relu(c + b[None]), None)
    monitor = Monitor(lambda biases, x: jax.lax.scan(step, x, biases)[0], X**2 + 1)
    alive, half = jnp.zeros((3, 2)), jnp.zeros((3, 2)).at[1, 0].set(-9)
    for epoch, biases in enumerate((alive, half, alive)):
        monitor.record(epoch, biases)
    table = monitor.table().pivot(index="site", columns="epoch")
    names = [f"scan/relu_0[{i}]" for i in range(3)]
    assert table.index.tolist() == names
    # What is dead in the second layer is dead in the third: it gets zeros.
    assert table["dead"].to_numpy().tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert table["revivals"][2].tolist() == [0, 1, 1]
    assert table["ever_dead"][2].tolist() == [0, 1, 1]
    flat = monitor.metrics()
    assert [flat[f"dead_units/{n}/revivals"] for n in names] == [0, 1, 1]
    assert {flat[f"dead_units/{n}/never_positive"] for n in names} == {0}
    assert len(monitor.plot().axes[0].lines) == 3


def test_a_network_that_diverges_neither_dies_nor_revives():
    monitor = Monitor(net, X)
    params = initial()
    dead = params | {"b": params["b"].at[:3].set(-99)}
    broken = params | {"w": jnp.full((2, 12), jnp.nan)}
    for epoch, now in enumerate((dead, broken, dead)):
        monitor.record(epoch, now)
    table = monitor.table()
    before = table.dead.iloc[0]
    assert before >= 3
    assert table.dead.tolist() == [before, 0, before]
    assert table.births.tolist() == [before, 0, before]
    assert table.revivals.tolist() == [0, 0, 0]
    assert table.not_finite.tolist() == [0, 12, 0]
    assert monitor.plot().axes


def test_bad_input_is_one_sentence():
    monitor = Monitor(net, X)
    with pytest.raises(InputError, match="Expected a record first"):
        monitor.metrics()
    monitor.record(1, initial())
    with pytest.raises(InputError, match="Expected an epoch after 1"):
        monitor.record(1, initial())
    with pytest.raises(InputError, match="Unknown definition of dead 'dormant'"):
        Monitor(net, X, definition="dormant")
    with pytest.raises(InputError, match="Unknown definition of dead 'zero_gradient'"):
        Monitor(net, X, definition="zero_gradient")
    with pytest.raises(InputError, match="got a generator"):
        Monitor(net, (x for x in [X]))
