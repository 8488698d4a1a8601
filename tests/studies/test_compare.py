"""Comparing activations in a network that the library did not write."""

import jax
import numpy as np
import pandas as pd
import pytest
from flax import linen as nn
from flax import nnx
from full import slow

import relujax
from relujax import InputError, compare
from relujax.engine import Cell, Member, Plan, train_population
from relujax.networks import MODELS, from_linen

LISTS = ["confusion", "dead", "births", "revivals", "ever_dead"]
GLOROT = nn.initializers.glorot_uniform()
SCHEDULE = {"epochs": 2, "batch_size": 64, "optimizer": "adam(learning_rate=0.01)"}


class Net(nn.Module):
    """What someone else wrote, initialised like the papers' networks."""

    @nn.compact
    def __call__(self, x):
        for width in (8, 6):
            x = nn.relu(nn.Dense(width, kernel_init=GLOROT)(x))
        return nn.Dense(1, kernel_init=GLOROT)(x)


def numbers(frame, activation):
    rows = frame[frame["activation"] == activation].drop(columns=["cell", "activation"])
    return rows.astype(dict.fromkeys(LISTS, str)).reset_index(drop=True)


@pytest.fixture(scope="module")
def results():
    wanted = ["relu", "n_relu(sigma=0.3)", "arelu"]
    return compare(Net(), "wdbc", wanted, seeds=[3, 11], **SCHEDULE)


@pytest.fixture(scope="module")
def learned():
    return compare(Net(), "wdbc", ["prelu(axis=-1)"], seeds=[3, 11], **SCHEDULE)


def test_replacing_an_activation_by_itself_changes_no_bit(results):
    own, same = (numbers(results.frame, name) for name in ("own", "relu"))
    pd.testing.assert_frame_equal(own, same, check_exact=True)


@pytest.mark.parametrize("kind", ["results", *slow("learned")])
def test_every_kind_trains_paired_by_seed(request, kind):
    frame = request.getfixturevalue(kind).frame
    assert frame.groupby(["activation", "seed", "epoch", "split"]).size().eq(1).all()
    assert set(frame["seed"]) == {3, 11} and not frame["diverged"].any()
    assert frame["dead"].map(len).eq(2).all()
    test = frame[frame["split"] == "test"].set_index(["activation", "seed", "epoch"])
    end = test["loss"].xs(2, level="epoch").drop("own", level="activation")
    assert end.nunique() == len(end)
    assert (end < test["loss"].xs(0, level="epoch")[end.index]).all()


def test_arelu_is_fed_the_training_loss(results):
    rows = results.frame.query("activation == 'arelu' and split == 'test'")
    for _, run in rows.groupby("seed"):
        expected = [np.float32(0.1), run["running_loss"].iloc[1]]
        np.testing.assert_array_equal(run["signal"].iloc[1:], expected)


def test_sites_are_selectable_and_seeds_do_not_depend_on_the_others(results):
    spec = "n_relu(sigma=0.3)"
    item = {"Net/relu_0": spec, "Net/relu_1": spec}
    alone = compare(Net(), "wdbc", [item], seeds=[11], **SCHEDULE)
    a = numbers(alone.frame, f"Net/relu_0: {spec}; Net/relu_1: {spec}")
    b = numbers(results.frame, spec).query("seed == 11").reset_index(drop=True)
    pd.testing.assert_frame_equal(a, b, check_exact=True)


@pytest.mark.parametrize(
    "wanted, exclude, label",
    [
        ("elu", "*relu_1", "*: elu; *relu_1: own"),
        pytest.param(
            {"relu": "elu"}, ["*_1"], "relu: elu; *_1: own", marks=pytest.mark.slow
        ),
    ],
    ids=["all", "named"],
)
def test_excluded_sites_keep_their_activation(wanted, exclude, label):
    """Whether excluded by pattern, or left out of what is chosen: the same numbers."""
    some = compare(Net(), "wdbc", [wanted], [3], exclude=exclude, **SCHEDULE)
    chosen = compare(Net(), "wdbc", [{"*/relu_0": "elu"}], [3], **SCHEDULE)
    a, b = numbers(some.frame, label), numbers(chosen.frame, "*/relu_0: elu")
    pd.testing.assert_frame_equal(a, b, check_exact=True)


@pytest.mark.parametrize(
    ("kind", "activation"),
    [
        ("results", "relu"),
        pytest.param("learned", "prelu(axis=-1)", marks=pytest.mark.slow),
    ],
)
def test_it_agrees_with_the_sweep_of_the_papers_networks(request, kind, activation):
    results = request.getfixturevalue(kind)
    cell = Cell(
        data="wdbc",
        model="mlp(hidden=(8, 6))",
        activation=activation,
        objective="binary_cross_entropy",
        **SCHEDULE,
    )
    data = relujax.load_dataset("wdbc")
    members = [Member(cell, seed) for seed in (3, 11)]
    ((_, swept),) = train_population(members, data, root=0, plan=Plan("map"))
    order = ["seed", "split", "epoch"]
    swept = swept.sort_values(order)
    ours = results.frame[results.frame["activation"] == activation].sort_values(order)
    for column in ("loss", "running_loss"):
        np.testing.assert_allclose(ours[column], swept[column], rtol=1e-5)
    for column in ("dead", "births", "ever_dead"):
        np.testing.assert_allclose(np.stack(ours[column]), np.stack(swept[column]))


@pytest.mark.slow
def test_batch_statistics_dropout_and_scans():
    class Block(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            x = nn.BatchNorm(use_running_average=not train)(nn.Dense(4)(x))
            return nn.Dropout(0.1, deterministic=not train)(nn.tanh(x)), None

    class Deep(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            blocks = nn.scan(
                Block,
                variable_axes={"params": 0, "batch_stats": 0},
                split_rngs={"params": True, "dropout": True},
                in_axes=nn.broadcast,
                length=3,
            )
            x, _ = blocks()(nn.Dense(4)(x), train)
            return nn.Dense(1)(x)

    model = from_linen(Deep())
    found = compare(model, "wdbc", ["gelu"], seeds=1, **SCHEDULE)
    assert np.isfinite(found.frame["loss"]).all()
    assert found.frame["activation"].unique().tolist() == ["own", "gelu"]
    assert found.frame["dead"].map(len).eq(3).all()


def a_pair():
    init = lambda key, x: {"b": jax.random.normal(key, x.shape[1:])}
    return init, lambda p, x: jax.nn.relu(x) + p["b"][None]


def a_planted_difference(**options):
    """The target is |x|, which this model can reach with a slope of -1 alone."""
    x = np.random.default_rng(0).uniform(-1, 1, (64, 1))
    y = np.abs(x[:, 0])
    return compare(
        a_pair(),
        (x, y, x, y),
        ["leaky_relu(negative_slope=-1.0)"],
        seeds=6,
        epochs=20,
        batch_size=16,
        optimizer="sgd(learning_rate=0.1)",
        **options,
    )


def test_a_planted_difference_is_found():
    found = a_planted_difference()
    assert found.metric == "mse"
    assert (found.tests()["p_holm"] < 0.01).all()
    assert "leaky_relu(negative_slope=-1.0)" in found.conclusion()
    assert len(found.table()) == 2


@pytest.mark.slow
def test_a_comparison_has_a_page(tmp_path):
    found = a_planted_difference(out=tmp_path)
    assert found.plot("loss").axes
    page = (tmp_path / "report.html").read_text()
    assert "Which activation suits pair on arrays?" in page
    assert "Claims" not in page and "the paper" not in page.lower()
    stored = pd.read_parquet(tmp_path / "results.parquet")
    np.testing.assert_array_equal(stored["loss"], found.frame["loss"])


class Pair(nn.Module):
    """A network that returns what it has inside, too."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(h := nn.relu(nn.Dense(2)(x))), h


class Squeezed(nn.Module):
    """A network without the axis of its outputs."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(nn.relu(nn.Dense(2)(x)))[:, 0]


def test_a_refused_model_leaves_no_name_behind():
    known = set(MODELS)
    for model in (object(), None, lambda x: x):
        with pytest.raises(InputError):
            compare(model, "wdbc", ["elu"], 1, **SCHEDULE)
    assert set(MODELS) == known


@pytest.mark.slow
def test_a_stock_network_on_two_classes():
    found = compare("mlp(hidden=(2,))", "wdbc", ["elu"], 1, **SCHEDULE)
    assert set(found.frame["activation"]) == {"relu", "elu"}


X, Y = np.zeros((4, 3)), np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("args", "changes", "sentence"),
    [
        ((nn.Dense(1), "wdbc", ["elu"]), {}, "Expected a model with activations"),
        ((print, "wdbc", ["elu"]), {}, "Expected a"),
        ((Net(), "wdbcc", ["elu"]), {}, "Did you mean 'wdbc'"),
        ((Net(), "wdbc", ["eluu"]), {}, "Did you mean 'elu'"),
        ((Net(), "wdbc", "elu"), {}, "a list of activations"),
        ((Net(), "wdbc", []), {}, "a list of activations"),
        ((Net(), "wdbc", ["elu", "elu"]), {}, "'elu' twice"),
        ((Net(), "wdbc", [{"gelu": "elu"}]), {}, "'gelu'"),
        ((Net(), "wdbc", ["crelu"]), {}, "keeps the shape"),
        ((Net(), "digits", ["elu"]), {}, r"outputs of shape \(batch, 10\)"),
        ((Net(), "wdbc", ["elu"]), {"objective": "mse"}, "objective for classif"),
        ((Net(), "wine", ["elu"]), {"objective": "binary_cross_entropy"}, "two class"),
        ((Net(), "wdbc", ["elu"]), {"objective": "mes"}, "'mse'"),
        ((Net(), "wdbc", ["elu"]), {"optimizer": "adma"}, "'adam'"),
        ((Net(), "wdbc", ["elu"]), {"epochs": 0}, "at least 1"),
        ((Net(), "wdbc", ["elu"]), {"epochs": 2.0}, "whole number"),
        ((Net(), "wdbc", ["elu"]), {"exclude": "*"}, "gets another activation"),
        ((Net(), "wdbc", ["elu"]), {"exclude": "gelu"}, "'gelu'"),
        ((Net(), "wdbc", [{"relu": "own"}]), {}, "gets another activation"),
        (("mlp", "wdbc", ["elu"]), {"exclude": "relu"}, "activations of its own"),
        ((Net(), "wdbc", ["elu"]), {"plan": "fast"}, "'auto', 'vmap', 'map'"),
        ((Net(), "wdbc", ["elu"]), {"seeds": 0}, "number of seeds from 1"),
        ((Net(), "wdbc", ["elu"]), {"seeds": [1, 1]}, "different ids"),
        ((Net(), (X, Y), ["elu"]), {}, "enough examples"),
        ((Net(), (X, Y[:3], X, Y), ["elu"]), {}, "y_train of shape"),
        ((Net(), (X, Y, X[:, :2], Y), ["elu"]), {}, "of one shape"),
        ((Net(), (X, Y, X, 0.5 * Y), ["elu"]), {}, "integer labels or float"),
        ((a_pair()[::-1], "wdbc", ["elu"]), {}, "takes float32 inputs of shape"),
        ((Net(), "wdbc", ["own"]), {}, "compare with own"),
        (("mlp(hidden=(2,))", "wdbc", ["relu"]), {}, "compare with relu"),
        ((Net(), "wdbc", ["elu"]), {"metrics": "auroc"}, "a tuple of metrics"),
        ((Net(), "wdbc", ["elu"]), {"out": __file__}, "got the file"),
        ((Net(), {"x": X}, ["elu"]), {}, "a data set: a name"),
        ((Net(), X, ["elu"]), {}, "a data set: a name"),
        ((Net(), (X, 0 * Y, X, 0 * Y), ["elu"]), {}, "two classes or more"),
        ((object(), "wdbc", ["elu"]), {}, "as the model, got <object"),
        ((lambda x: x, "wdbc", ["elu"]), {}, r"\(init, apply\)"),
        ((nnx.Linear(30, 2, rngs=nnx.Rngs(0)), "wdbc", ["elu"]), {}, "a finished Lin"),
        ((Pair(), "wdbc", ["elu"]), {}, "a tuple of 2 arrays"),
        ((Squeezed(), "wdbc", ["elu"]), {}, r"shape \(batch, 2\).*got \(2,\)"),
    ],
)
def test_bad_input_is_one_sentence(args, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        compare(*args, **{"seeds": 1, **SCHEDULE, **changes})
