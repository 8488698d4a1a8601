"""The engine against a plain Python loop, and what must not change its numbers."""

import functools
from dataclasses import replace

import jax
import numpy as np
import optax
import pandas as pd
import pytest
from full import slow

from relujax import load_dataset, named
from relujax.activations import get
from relujax.engine import Cell, Member, Plan, train_population
from relujax.networks import MLP, from_linen
from relujax.training import streams


@pytest.fixture(scope="module")
def wdbc():
    return load_dataset("wdbc")


def small(activation="relu", **changes) -> Cell:
    settings = {
        "data": "wdbc",
        "model": "mlp(hidden=(16, 8), dropout=0.3)",
        "activation": activation,
        "optimizer": "adam(learning_rate=0.01)",
        "objective": "binary_cross_entropy",
        "batch_size": 64,
        "epochs": 2,
    }
    return Cell(**{**settings, **changes})


def train(cell, data, seeds, plan=Plan("map"), root=0) -> pd.DataFrame:
    done = []
    members = [Member(cell, seed) for seed in seeds]
    chunks = train_population(
        members, data, root=root, plan=plan, on_epochs=done.append
    )
    frame = pd.concat([frame for _, frame in chunks], ignore_index=True)
    assert sum(done) == cell.epochs * len(seeds)
    return frame


def scalars(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    lists = ["confusion", "dead", "births", "revivals", "ever_dead"]
    rows = frame[frame["seed"] == seed].drop(columns=[*lists, "member"])
    return rows.sort_values(["epoch", "split"], ignore_index=True)


def plain_losses(act, net):
    """The loss of a network without the engine, on logits and on (padded) batches."""

    def logits_of(params, slope, x, **kwargs):
        variables = {"params": params}
        if act.signal is not None:
            layers = {f"Activation_{i}": {"loss": slope} for i in range(2)}
            variables["signal"] = layers
        logits = net.apply(variables, x, **kwargs)
        assert isinstance(logits, jax.Array)
        return logits[:, 0]

    def loss_of(params, slope, x, y, rngs):
        logits = logits_of(params, slope, x, train=True, rngs=rngs)[: len(y)]
        return optax.sigmoid_binary_cross_entropy(logits, y).mean()

    def test_loss(params, slope, x, y):
        logits = logits_of(params, slope, x)
        return optax.sigmoid_binary_cross_entropy(logits, y).mean()

    return jax.jit(jax.value_and_grad(loss_of)), jax.jit(test_loss)


def plain_loop(cell, data, seeds):
    """The same training, written without the engine: of each seed the losses."""
    values = cell.hyperparameters
    act = get(cell.activation)
    net = MLP(1, act, hidden=(16, 8), dropout=values["model"]["dropout"])
    losses = plain_losses(act, net)
    return {seed: plain_training(cell, data, seed, net, losses) for seed in seeds}


def plain_training(cell, data, seed, net, losses):
    loss_and_grads, test_loss = losses
    optimizer = optax.adam(cell.hyperparameters["optimizer"]["learning_rate"])
    keys = streams(0, seed)
    params = jax.jit(net.init)({"params": keys.init}, data.x_train[:1])["params"]
    opt_state = optimizer.init(params)
    update = jax.jit(optimizer.update)
    slope = 0.1
    step = 0
    test_losses, running, slopes = [], [], []
    n = len(data.x_train)
    for epoch in range(cell.epochs):
        order = jax.random.permutation(jax.random.fold_in(keys.order, epoch), n)
        total = 0.0
        slopes.append(slope)
        for first in range(0, n, cell.batch_size):
            chosen = np.asarray(order)[first : first + cell.batch_size]
            # The engine draws noise for the padded batch: draw it alike, then cut.
            padding = cell.batch_size - len(chosen)
            chosen = np.concatenate([chosen, np.asarray(order)[:padding]])
            real = cell.batch_size - padding
            rngs = {
                "activation": jax.random.fold_in(keys.activation, step),
                "dropout": jax.random.fold_in(keys.dropout, step),
            }

            x = data.x_train[chosen]
            y = data.y_train[chosen][:real].astype(np.float32)
            loss, grads = loss_and_grads(params, np.float32(slope), x, y, rngs)
            updates, opt_state = update(grads, opt_state, params)
            params = optax.apply_updates(params, updates)
            total += float(loss) * real
            step += 1
        running.append(total / n)
        if get(cell.activation).signal is not None:
            slope = total / n
        y = data.y_test.astype(np.float32)
        loss = test_loss(params, np.float32(slope), data.x_test, y)
        test_losses.append(float(loss))
    return test_losses, running, slopes


@pytest.mark.parametrize(
    "activation", ["n_relu(sigma=0.3)", *slow("arelu", "relu", "prelu")]
)
def test_equals_a_plain_python_loop(wdbc, activation):
    cell = small(activation)
    frame = train(cell, wdbc, [3, 11])
    plain = plain_loop(cell, wdbc, [3, 11])
    for seed, (test, running, slopes) in plain.items():
        got = scalars(frame, seed)
        got = got[(got["split"] == "test") & (got["epoch"] > 0)]
        np.testing.assert_allclose(got["loss"], test, rtol=2e-5)
        np.testing.assert_allclose(got["running_loss"], running, rtol=2e-5)
        if activation == "arelu":
            np.testing.assert_allclose(got["signal"], slopes, rtol=2e-5)
        else:
            assert got["signal"].isna().all()


@pytest.mark.parametrize("activation", ["n_relu", *slow("relu", "arelu")])
def test_map_is_bitwise_independent_of_the_other_seeds(wdbc, activation):
    cell = small(activation)
    many = train(cell, wdbc, [0, 5, 2, 9])
    alone = train(cell, wdbc, [9])
    pd.testing.assert_frame_equal(scalars(many, 9), scalars(alone, 9), check_exact=True)


def test_vmap_equals_map_to_rounding(wdbc):
    cell = small("n_relu")
    a, b = (train(cell, wdbc, [0, 1, 2], Plan(name)) for name in ("map", "vmap"))
    for seed in range(3):
        pd.testing.assert_frame_equal(
            scalars(a, seed), scalars(b, seed), rtol=1e-4, atol=1e-5
        )


def test_seeds_and_roots_differ(wdbc):
    cell = small("n_relu")
    frame = pd.concat([train(cell, wdbc, [0, 1]), train(cell, wdbc, [0], root=1)])
    losses = frame[(frame["epoch"] == 2) & (frame["split"] == "test")]["loss"]
    assert losses.nunique() == 3


def test_the_initial_network_is_paired_across_activations(wdbc):
    """The same seed starts from the same weights under every activation."""
    a, b = (train(small(act), wdbc, [4]) for act in ("n_relu", "arelu"))
    order = [frame.query("epoch == 0")["loss"].to_numpy() for frame in (a, b)]
    np.testing.assert_allclose(order[0], order[1], rtol=0.05)
    assert not np.array_equal(order[0], order[1])


@pytest.fixture
def compiled(monkeypatch):
    """An empty cache of compiled programs; the other tests keep theirs."""
    from relujax.engine import _program

    empty = functools.cache(_program._advance.__wrapped__)
    monkeypatch.setattr(_program, "_advance", empty)
    return lambda: empty.cache_info().currsize


@pytest.mark.parametrize(
    "spec", ["n_relu(sigma={})".format, *slow("al_relu(alpha={})".format)]
)
def test_one_compilation_per_cell(wdbc, compiled, monkeypatch, spec):
    """Another σ, α or learning rate, or more calls, trace nothing again."""
    from relujax.engine import _network

    traced = []
    original = _network.train_epoch

    def counted(*args, **kwargs):
        traced.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(_network, "train_epoch", counted)
    one, other = (small(spec(number)) for number in (0.1, 0.7))
    train(one, wdbc, [0, 1])
    assert len(traced) == compiled() == 1
    train(other, wdbc, [0, 1])
    train(replace(one, optimizer="adam(learning_rate=0.5)"), wdbc, [2, 3])
    train(replace(one, model="mlp(hidden=(16, 8), dropout=0.1)"), wdbc, [0, 1])
    assert len(traced) == compiled() == 1


def test_another_sigma_changes_the_numbers(wdbc):
    a, b = (train(small(f"n_relu(sigma={s})"), wdbc, [0]) for s in (0.1, 2.0))
    assert a["loss"].iloc[-1] != b["loss"].iloc[-1]


def test_the_slope_of_arelu_follows_the_loss(wdbc):
    frame = train(small("arelu", epochs=4), wdbc, [0, 1])
    for seed in (0, 1):
        rows = scalars(frame, seed).query("split == 'test' and epoch > 0")
        expected = [np.float32(0.1), *rows["running_loss"].iloc[:-1]]
        np.testing.assert_array_equal(rows["signal"], expected)
    assert frame["signal"].nunique() > 2


def test_a_diverged_seed_is_marked(wdbc):
    frame = train(small(optimizer="sgd(learning_rate=1e30)"), wdbc, [0])
    assert not frame.query("epoch == 0")["diverged"].any()
    later = frame.query("epoch > 0")
    assert later["diverged"].all()
    # The loss of step 0 is finite, that of the next one is not; at both epochs after.
    assert set(later["diverged_step"]) == {1.0}


def test_the_last_update_can_be_the_one_that_ruins_a_network(wdbc):
    """No step is left whose loss could show it: evaluation does, on both splits."""
    full = {"batch_size": 455, "epochs": 1}
    frame = train(small(optimizer="sgd(learning_rate=1e30)", **full), wdbc, [0, 1])
    assert np.isfinite(frame["running_loss"].dropna()).all()
    last = frame.query("epoch == 1")
    assert len(last) == 4 and last["diverged"].all()
    assert set(last["diverged_step"]) == {1.0}
    assert frame.query("epoch == 0")["diverged_step"].isna().all()


@pytest.mark.parametrize("plan", ["vmap", *slow("map")])
def test_a_diverged_seed_leaves_the_others_alone(wdbc, plan):
    """One member of the population has an absurd learning rate."""
    good, bad = (small(optimizer=f"sgd(learning_rate={lr})") for lr in (0.1, 1e30))
    members = [Member(good, 0), Member(bad, 0), Member(good, 1)]
    plan = Plan(plan)
    ((chunk, frame),) = train_population(members, wdbc, root=0, plan=plan)
    assert chunk == members
    last = frame.query("epoch == 2 and split == 'test'").set_index("member")
    assert last["diverged"].tolist() == [False, True, False]
    alone = train(good, wdbc, [0, 1, 2], plan)  # As many: the same program.
    alone = alone.query("epoch == 2 and split == 'test' and seed < 2")
    np.testing.assert_allclose(last["loss"][[0, 2]], alone["loss"], rtol=1e-5)


@pytest.fixture(scope="module")
def whole(wdbc):
    """Five seeds in one chunk."""
    return train(small("n_relu"), wdbc, range(5))


@pytest.mark.parametrize("chunk", [2, *slow(1, 3, 20)])
def test_chunks_change_no_number(wdbc, whole, chunk):
    """Nor does the number of rows, which is that of the chunk."""
    parts = train(small("n_relu"), wdbc, range(5), Plan("map", chunk=chunk))
    for seed in range(5):
        expected = scalars(whole, seed)
        pd.testing.assert_frame_equal(scalars(parts, seed), expected, check_exact=True)


@pytest.mark.slow
def test_a_chunk_larger_than_usual_is_one_call(wdbc):
    members = [Member(small(epochs=1), seed) for seed in range(18)]
    plan = Plan("map", chunk=18)
    ((chunk, frame),) = train_population(members, wdbc, root=0, plan=plan)
    assert chunk == members and frame["seed"].nunique() == 18


def test_a_long_training_reports_more_often():
    from relujax.engine._population import _calls

    epochs = np.arange(101)
    assert [len(call) for call in _calls(epochs, 1.0)] == [5] * 21
    assert [len(call) for call in _calls(epochs, 50.0)] == [2] * 51
    assert [len(call) for call in _calls(epochs, 1e6)] == [1] * 101


@pytest.mark.parametrize("name", ["adamw", *slow("adam", "adamax", "rmsprop", "sgd")])
def test_every_optimiser_trains(wdbc, name):
    frame = train(small(optimizer=f"{name}(learning_rate=0.01)", epochs=3), wdbc, [0])
    losses = frame.query("split == 'train'").sort_values("epoch")["loss"]
    assert losses.iloc[-1] < losses.iloc[0]


def test_an_optimiser_gets_the_loss(wdbc):
    """Polyak's step length is the loss over the squared norm of the gradient."""
    cell = Cell(
        data="wdbc",
        model=named("net", from_linen(MLP(1, "relu", hidden=(8,)))),
        activation="own",
        optimizer=named("opt", optax.polyak_sgd(max_learning_rate=0.1)),
        objective="binary_cross_entropy",
        batch_size=64,
        epochs=3,
    )
    losses = train(cell, wdbc, [0]).query("split == 'train'")["loss"]
    assert losses.iloc[-1] < losses.iloc[0]


@pytest.mark.slow
def test_a_convolutional_network_learns_digits():
    cell = Cell(
        data="digits",
        model="cnn(filters=(8,), hidden=(32,), dropout=0.1)",
        activation="relu",
        optimizer="adam(learning_rate=0.003)",
        batch_size=32,
        epochs=8,
    )
    last = train(cell, load_dataset("digits"), [0]).query("epoch == 8")
    assert (last["accuracy"] > 0.9).all()
    assert last["dead"].map(len).eq(2).all()


def test_training_learns(wdbc):
    frame = train(small("n_relu", epochs=20), wdbc, range(3))
    last = frame.query("epoch == 20 and split == 'test'")
    assert (last["accuracy"] > 0.93).all()
    assert (last["confusion"].map(sum) == len(wdbc.x_test)).all()
    assert last["dead"].map(len).eq(2).all()


DEEP = {"objective": "mse", "batch_size": 100, "optimizer": "adam(learning_rate=0.01)"}


def deep(depth=3, **changes):
    settings = {"model": f"deep_mlp(depth={depth}, capacity=6)", "epochs": 4}
    return small("elu", **{**DEEP, **settings, **changes})


@pytest.fixture(scope="module")
def curve():
    return load_dataset("synthetic(curve='quadratic', n=100, d=2)")


def test_evaluations_may_lie_epochs_apart(curve):
    every, some = (train(deep(evaluate_every=k), curve, [0, 1]) for k in (1, 2))
    kept = every[every["epoch"].isin([0, 2, 4])].reset_index(drop=True)
    columns = ["seed", "epoch", "split", "loss", "mse", "r2", "running_loss"]
    pd.testing.assert_frame_equal(kept[columns], some[columns])
    assert kept["dead"].map(list).tolist() == some["dead"].map(list).tolist()


def test_divergence_between_evaluations_is_found(curve):
    fast = deep(evaluate_every=4, optimizer="sgd(learning_rate=1e30)")
    frame = train(fast, curve, [0])
    assert frame.query("epoch == 4")["diverged"].all()
    step = frame.query("epoch == 4")["diverged_step"].unique()
    assert len(step) == 1 and step[0] in (1.0, 2.0)


def test_depths_share_a_program_and_keep_their_layers(curve, compiled):
    members = [Member(deep(depth, tolerances=(0.01,)), 0) for depth in (1, 6, 3)]
    chunks = train_population(members, curve, root=0, plan=Plan("map"))
    frame = pd.concat([frame for _, frame in chunks])
    assert compiled() == 1
    for member, depth in enumerate((1, 6, 3)):
        rows = frame[frame["member"] == member]
        assert {len(row) for row in rows["dead"]} == {depth}
        assert {len(row) for row in rows["small_0.01"]} == {depth}
        alone = train(deep(depth, tolerances=(0.01,)), curve, [0])
        np.testing.assert_array_equal(rows["loss"].to_numpy(), alone["loss"].to_numpy())


def test_small_units_are_those_below_the_tolerance(curve):
    frame = train(deep(tolerances=(1e-9, 1e9)), curve, [0])
    assert all(set(row) == {0.0} for row in frame["small_1e-09"])
    assert all(set(row) == {1.0} for row in frame["small_1e+09"])


def test_activations_that_learn_nothing_start_with_one_program(curve, monkeypatch):
    from relujax.engine import _program

    started = functools.cache(_program._start.__wrapped__)
    monkeypatch.setattr(_program, "_start", started)

    def programs(activation):
        cell = small(activation, **DEEP, model="deep_mlp(capacity=6)")
        _program.compile_program(cell, curve, root=0, plan=Plan("map"))
        return started.cache_info().currsize

    assert {programs(name) for name in ("relu", "elu(alpha=0.5)", "n_relu")} == {1}
    assert programs("prelu") == 2
