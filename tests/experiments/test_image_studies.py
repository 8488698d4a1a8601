"""The studies of the image papers: grids, claims and exhibits on planted results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import results
from matplotlib.figure import Figure

import relujax
from relujax.analysis import judge
from relujax.cli._study_file import load_study

FOLDER = Path(relujax.__file__).parents[1] / "experiments"
NAMES = ("arelu", "n_relu", "srelu")
DIGITS = dict(seeds=5, n_test=1000, classes=10)


def load(name):
    return load_study(FOLDER / f"{name}.py")


def specs(study, profile):
    return list(dict.fromkeys(cell.activation for cell in study.profiles[profile]))


def verdicts(study, frame):
    return {j.claim.id: j.verdict for j in judge(study.claims, frame)}


def untested(study, frame):
    judgements = judge(study.claims, frame)
    return {j.claim.id for j in judgements if "Not tested" in j.evidence.summary}


def made(study, frame):
    return {exhibit.title: exhibit.make(frame) for exhibit in study.exhibits}


@pytest.mark.parametrize("name", NAMES)
def test_quick_needs_no_download_and_holds_the_baseline(name):
    study = load(name)
    assert {cell.data for cell in study.profiles["quick"]} <= {"digits", "wdbc"}
    assert set(study.seeds) == set(study.profiles)
    for cells in study.profiles.values():
        for task in {(cell.data, cell.model, cell.optimizer) for cell in cells}:
            mine = [c for c in cells if (c.data, c.model, c.optimizer) == task]
            activations = [cell.activation for cell in mine]
            assert study.baseline in activations
            assert len(set(activations)) == len(activations)


@pytest.mark.parametrize("name", NAMES)
def test_claims_have_ids_of_their_own(name):
    ids = [claim.id for claim in load(name).claims]
    assert len(set(ids)) == len(ids) >= 9


@pytest.fixture(scope="module")
def arelu():
    study = load("arelu")
    names = dict.fromkeys(specs(study, "paper") + specs(study, "alternatives"))
    frame = results(list(names), data=("mnist",), epochs=20, **DIGITS)
    return study, frame


def test_arelu_tests_every_claim(arelu):
    study, frame = arelu
    assert untested(study, frame) == set()
    on_digits = frame.assign(data="digits")
    assert untested(study, on_digits) == {"accuracy", "accuracy-at-best"}


def test_arelu_settles_what_needs_no_training(arelu):
    found = verdicts(*arelu)
    assert found["in-table-1"] == "contradicted"
    assert found["printed-derivative"] == "contradicted"
    assert found["no-hyperparameters"] == "contradicted"


@pytest.mark.parametrize(
    "accuracy, expected", [(0.999, "supported"), (0.9, "contradicted")]
)
def test_arelu_follows_the_planted_accuracy(arelu, accuracy, expected):
    study, frame = arelu
    ours = (frame.activation == "arelu") & (frame.split == "test")
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1e-4, len(frame))
    frame = frame.assign(accuracy=np.where(ours, accuracy + noise, 0.97 + noise))
    found = verdicts(study, frame)
    own = ("accuracy", "accuracy-at-best")
    for claim in (*own, "lowest-rate", "beats-relu", "beats-prelu"):
        assert found[claim] == expected
    table = made(study, frame)["Table I: misclassification rates"]
    rates = table.set_index("AF")["MR, ours [95 % interval]"]
    assert rates["AReLU"].startswith(f"{100 * (1 - accuracy):.2f} [")
    assert rates["ReLU"].startswith("3.00 [")


def test_arelu_reads_its_curves(arelu):
    study, frame = arelu
    epoch = frame["epoch"].to_numpy()
    jitter = np.random.default_rng(0).normal(0, 1e-4, len(frame))
    flat = frame.assign(
        accuracy=0.98 + jitter,
        loss=0.1 + jitter,
        signal=np.where(epoch < 2, 0.1, 0.3 / np.maximum(epoch, 1)),
    )
    rising = frame.assign(
        accuracy=0.9 + 0.004 * epoch + jitter,
        loss=0.1 + 0.01 * epoch + jitter,
        signal=0.01 * epoch,
    )
    for planted, expected in ((flat, "supported"), (rising, "contradicted")):
        found = verdicts(study, planted)
        assert found["flat-after-three-epochs"] == expected
        assert found["constant-validation-loss"] == expected
        assert found["slope-decreases"] == found["slope-is-small"] == expected
    assert isinstance(list(made(study, rising).values())[1], Figure)


@pytest.fixture(scope="module")
def n_relu():
    study = load("n_relu")
    names = specs(study, "two_cores")
    return study, results(names, data=("mnist",), models=("mlp", "cnn"), **DIGITS)


def test_n_relu_tests_every_claim(n_relu):
    study, frame = n_relu
    assert untested(study, frame) == set()


def test_n_relu_settles_what_needs_no_training(n_relu):
    found = verdicts(*n_relu)
    assert found["gradient-flow"] == "contradicted"
    assert found["same-mean-unit"] == "supported"
    assert found["same-mean-network"] == "contradicted"
    assert found["no-dead-neurons-noise-on"] == "supported"
    assert found["no-parameters"] == found["no-divergence"] == "supported"


def test_n_relu_counts_dead_units(n_relu):
    study, frame = n_relu
    assert verdicts(study, frame)["no-dead-neurons-noise-off"] == "contradicted"
    alive = frame.assign(dead=[[0.0, 0.0]] * len(frame))
    assert verdicts(study, alive)["no-dead-neurons-noise-off"] == "supported"
    table, figure = made(study, frame).values()
    rows = table[table["model"] == "mlp"].set_index("activation")
    never, gradient, output = rows.columns[1:]
    assert rows.loc["relu", never] == rows.loc["relu", output] != "0"
    assert (
        rows.loc["n_relu(sigma=0.1)", gradient] == rows.loc["n_relu(sigma=0.1)", never]
    )
    assert (rows.loc["n_relu(sigma=0.1)", output], rows.loc["prelu", gradient]) == (
        "0",
        "0",
    )
    assert isinstance(figure, Figure)


def test_n_relu_anneals_to_the_last_step():
    for profile, examples in (("quick", 1437), ("two_cores", 60_000)):
        cells = load("n_relu").profiles[profile]
        (cell,) = (c for c in cells if "linear" in c.activation)
        sigma = relujax.get(cell.activation).hyperparameters["sigma"]
        assert sigma.steps == cell.epochs * -(-examples // cell.batch_size)


@pytest.fixture(scope="module")
def srelu():
    study = load("srelu")
    parts = [
        results(specs(study, "quick"), data=("wdbc",)),
        results(specs(study, "two_cores"), data=("mnist", "fashion_mnist"), **DIGITS),
    ]
    return study, pd.concat(parts, ignore_index=True)


def test_srelu_tests_every_claim(srelu):
    study, frame = srelu
    assert untested(study, frame) == set()
    quick = frame[frame["data"] == "wdbc"]
    tested = {claim.id for claim in study.claims} - untested(study, quick)
    assert {"wdbc-accuracy", "wdbc-f1", "convergence", "novel"} <= tested
    assert not any(id.startswith(("mnist", "fashion")) for id in tested)


def test_srelu_settles_what_needs_no_training(srelu):
    found = verdicts(*srelu)
    for claim in ("novel", "differentiable", "simpler-than-elu"):
        assert found[claim] == "contradicted"
    assert found["gradient-does-not-vanish"] == "contradicted"


@pytest.mark.parametrize("wrong, expected", [((3, 8), "supported"), ((0, 1), None)])
def test_srelu_ranks_the_confused_pairs(srelu, wrong, expected):
    study, frame = srelu
    counts = 100 * np.eye(10, dtype=int)
    for n, (a, b) in enumerate([(0, 1), (0, 2), (0, 3), (0, 4)]):
        counts[a, b] = 10 + n
    counts[wrong] = 50 if expected else 0
    frame = frame.assign(confusion=[counts.ravel().tolist()] * len(frame))
    found = verdicts(study, frame[frame["data"] != "wdbc"])["mnist-confusions"]
    assert found == (expected or "contradicted")


def test_srelu_shows_every_task(srelu):
    study, frame = srelu
    table, gaps, betas = made(study, frame).values()
    assert set(table["task"]) == {"WDBC, FFNN", "MNIST, FFNN", "Fashion-MNIST, FFNN"}
    assert len(gaps.axes) == 3
    assert len(betas.axes) == 6
    wdbc = frame[frame["data"] == "wdbc"]
    with pytest.raises(relujax.InputError, match="several β"):
        study.exhibits[-1].make(wdbc)
