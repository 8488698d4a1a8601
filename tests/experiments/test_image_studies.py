"""The studies of the image papers: grids, claims and exhibits on planted results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import probed, results
from matplotlib.figure import Figure

import relujax
from relujax.cli._study_file import load_study
from relujax.report._exhibits import make_exhibits
from relujax.studies import judge

FOLDER = Path(relujax.__file__).parents[1] / "experiments"
NAMES = ("arelu", "n_relu", "srelu")
DIGITS = dict(seeds=5, n_test=1000, classes=10)


def load(name):
    return load_study(FOLDER / f"{name}.py")


def specs(study, profile):
    return list(dict.fromkeys(cell.activation for cell in study.profiles[profile]))


def judged(study, frame, *ids):
    """The claims that are named, or all."""
    claims = [c for c in study.claims if not ids or c.id in ids]
    return {j.claim.id: j for j in judge(claims, frame)}


def verdicts(study, frame, *ids):
    return {id: j.verdict for id, j in judged(study, frame, *ids).items()}


def untested(study, frame, *ids):
    found = judged(study, frame, *ids)
    return {id for id, j in found.items() if "Not tested" in j.evidence.summary}


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
    return study, probed(study, frame)


@pytest.mark.slow
def test_arelu_tests_every_claim(arelu):
    study, frame = arelu
    assert untested(study, frame) == set()
    on_digits = frame.assign(data="digits")
    lacking = untested(study, on_digits)
    assert {"accuracy", "accuracy-at-best", "beats-prelu-by-0.42"} < lacking
    rest = lacking - {"accuracy", "accuracy-at-best", "beats-prelu-by-0.42"}
    assert len(rest) == 9 and all(id.startswith("rate-of-") for id in rest)


def test_arelu_settles_what_needs_no_training(arelu):
    expected = {
        "in-table-1": "contradicted",
        "printed-derivative": "contradicted",
        "no-hyperparameters": "contradicted",
        "max-form": "contradicted",
        "printed-relu-derivative": "contradicted",
        "low-cost": "supported",
        "relu-costs-less": "supported",
        "high-rate-kills": "supported",
        "negative-bias-kills": "supported",
    }
    assert verdicts(*arelu, *expected) == expected


@pytest.mark.slow
def test_arelu_compares_the_rates_of_table_1(arelu):
    study, frame = arelu
    (claim,) = (c for c in study.claims if c.id == "in-table-1")
    table = claim.test.__globals__["TABLE_1"]
    rates = {spec: rate for spec, (_, rate) in table.items()}
    noise = np.random.default_rng(0).normal(0, 1e-4, len(frame))
    accuracy = 1 - frame["activation"].map(rates).fillna(0.012) + noise
    found = verdicts(study, frame.assign(accuracy=accuracy))
    assert {v for id, v in found.items() if id.startswith("rate-of-")} == {"supported"}
    assert found["table-1-order"] == "supported"
    found = verdicts(study, frame.assign(accuracy=0.98 + noise))
    assert found["rate-of-msaf"] == found["beats-prelu-by-0.42"] == "contradicted"
    assert found["table-1-order"] == "contradicted"


@pytest.mark.parametrize(
    "accuracy, expected", [(0.999, "supported"), (0.9, "contradicted")]
)
def test_arelu_follows_the_planted_accuracy(arelu, accuracy, expected):
    study, frame = arelu
    ours = (frame.activation == "arelu") & (frame.split == "test")
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1e-4, len(frame))
    frame = frame.assign(accuracy=np.where(ours, accuracy + noise, 0.97 + noise))
    own = ("accuracy", "accuracy-at-best", "keeps-accuracy")
    found = verdicts(study, frame, *own, "lowest-rate", "beats-relu", "beats-prelu")
    assert len(found) == 6 and set(found.values()) == {expected}
    table = study.exhibits[0].make(frame)
    rates = table.set_index("activation")["ours, % [95 % interval]"]
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
        ids = ("flat-after-three-epochs", "constant-validation-loss")
        found = verdicts(study, planted, *ids, "slope-decreases", "slope-is-small")
        assert len(found) == 4 and set(found.values()) == {expected}
    table, curves, figure_9 = (e.make(rising) for e in study.exhibits[:3])
    assert len(table) == 10 and isinstance(curves, Figure)
    value, derivative = (axes.lines[0].get_ydata() for axes in figure_9.axes)
    assert value[[0, -1]] == pytest.approx([-0.4, 4])
    assert derivative[[0, -1]] == pytest.approx([0.1, 1])


@pytest.mark.parametrize(
    ("ours", "expected"), [(0.1, "supported"), (0.3, "contradicted")]
)
def test_arelu_keeps_the_losses_of_relu_and_fewer_dead_units(arelu, ours, expected):
    study, frame = arelu
    own = frame["activation"] == "arelu"
    noise = np.random.default_rng(0).normal(0, 1e-3, len(frame))
    loss = np.where(own, ours, 0.2) + noise
    frame = frame.assign(loss=loss, dead=[[x, x] for x in loss])
    found = verdicts(study, frame, "keeps-speed", "keeps-loss", "dead-units-lrelu")
    assert len(found) == 3 and set(found.values()) == {expected}


@pytest.mark.slow
def test_arelu_lists_its_settings(arelu):
    study, frame = arelu
    with pytest.raises(relujax.InputError, match="several settings"):
        study.exhibits[-1].make(frame)
    fast = frame.assign(
        optimizer="adamax(learning_rate=0.002)", cell="fast/" + frame["cell"]
    )
    table = study.exhibits[-1].make(pd.concat([frame, fast])).set_index("result")
    assert list(table.columns) == ["0.001", "0.002"]
    assert {"misclassification rate of relu, %", "beats-relu"} <= set(table.index)


@pytest.mark.slow
def test_arelu_says_nothing_of_table_1_in_the_alternatives(arelu):
    """Which have four of its activations."""
    study, frame = arelu
    few = frame[frame.activation.isin(specs(study, "alternatives"))]
    table, curves, *_ = make_exhibits(study.exhibits, few)
    assert table.table is None and "results of sigmoid, tanh" in table.lacks
    assert curves.figure.axes
    assert {"table-1-correlates", "table-1-order", "lowest-rate"} < untested(study, few)
    assert not {"beats-relu", "rate-of-relu"} & untested(study, few)


@pytest.fixture(scope="module")
def n_relu_unprobed():
    study = load("n_relu")
    names = specs(study, "two_cores")
    return study, results(names, data=("mnist",), models=("mlp", "cnn"), **DIGITS)


@pytest.fixture(scope="module")
def n_relu(n_relu_unprobed):
    """The networks that the study looks into learn 400 digits, not 1,437."""
    study, frame = n_relu_unprobed
    digits = relujax.load_dataset("digits")
    few = replace(digits, x_train=digits.x_train[:400], y_train=digits.y_train[:400])
    with pytest.MonkeyPatch.context() as patch:
        place = "relujax.studies._small_networks.load_dataset"
        patch.setattr(place, {"digits": few}.__getitem__)
        return study, probed(study, frame)


@pytest.mark.slow
def test_n_relu_tests_every_claim(n_relu):
    study, frame = n_relu
    assert untested(study, frame) == {"robustness"}


def test_n_relu_trains_nothing_to_judge(n_relu_unprobed):
    study, frame = n_relu_unprobed
    lacking = untested(study, frame)
    assert {"gradient-flow", "same-mean-unit", "no-dead-neurons-noise-on"} < lacking
    assert len(lacking) == 6  # And robustness, which needs three rates.


@pytest.mark.parametrize(
    ("ours", "expected"), [(1e-4, "supported"), (1e-1, "contradicted")]
)
def test_n_relu_compares_how_far_seeds_lie_apart(ours, expected):
    study = load("n_relu")
    frame = results(("relu", "n_relu(sigma=0.1)"), seeds=20, epochs=1)
    own = frame["activation"] == "n_relu(sigma=0.1)"
    noise = np.random.default_rng(0).normal(0, np.where(own, ours, 1e-2))
    frame = frame.assign(accuracy=0.8 + noise, loss=0.2 + noise)
    found = verdicts(study, frame, "stabilizes", "stabilizes-loss")
    assert len(found) == 2 and set(found.values()) == {expected}


def test_n_relu_compares_learning_rates(n_relu_unprobed):
    study, frame = n_relu_unprobed
    rng = np.random.default_rng(0)
    ours = frame["activation"] == "n_relu(sigma=0.1)"
    parts = [
        frame.assign(
            cell=frame["cell"] + rate,
            optimizer=f"adam(learning_rate={rate})",
            accuracy=rng.normal(np.where(ours, 0.97, 0.97 - loss), 1e-3),
        )
        for rate, loss in (("0.0001", 0.0), ("0.001", 0.0), ("0.01", 0.1))
    ]
    found = verdicts(study, pd.concat(parts), "robustness")
    assert found["robustness"] == "supported"


@pytest.mark.slow
def test_n_relu_reads_what_its_probe_has_measured(n_relu):
    found = verdicts(*n_relu)
    assert found["gradient-flow"] == "contradicted"
    assert found["gradient-flow-outgoing"] == "supported"
    assert found["same-mean-unit"] == "supported"
    assert found["same-mean-network"] == "contradicted"
    assert found["no-dead-neurons-noise-on"] == "supported"
    assert found["no-parameters"] == found["no-divergence"] == "supported"


@pytest.mark.slow
def test_n_relu_counts_dead_units(n_relu):
    study, frame = n_relu
    id = "no-dead-neurons-noise-off"
    assert verdicts(study, frame, id) == {id: "contradicted"}
    alive = frame.assign(dead=[[0.0, 0.0]] * len(frame))
    assert verdicts(study, alive, id) == {id: "supported"}
    counts, _, figure = made(study, frame).values()
    assert len(counts) == 2 * frame["activation"].nunique()
    assert isinstance(figure, Figure)


@pytest.mark.slow
def test_n_relu_looks_into_small_networks(n_relu):
    _, table, _ = made(*n_relu).values()
    table = table.set_index("activation")
    column = lambda start: next(c for c in table if c.startswith(start))
    never, gradient, output, behind = map(
        column, ("active on no", "no gradient", "output", "gradient behind")
    )
    ours = table.loc["n_relu(sigma=0.1)"]
    # As ReLU, it sends no gradient into a unit that is never active; its output is
    # not 0, and what lies behind it learns.
    assert float(ours[gradient]) >= float(ours[never])
    assert float(table.loc["relu", output]) >= float(table.loc["relu", never]) > 0
    assert float(ours[output]) == 0 < float(ours[behind])
    assert float(table.loc["leaky_relu", gradient]) == 0
    assert float(table.loc["relu", behind]) == 0


def test_n_relu_anneals_to_the_last_step():
    for profile, examples in (("quick", 1437), ("two_cores", 60_000)):
        cells = load("n_relu").profiles[profile]
        (cell,) = (c for c in cells if "linear" in c.activation)
        sigma = relujax.get(cell.activation).hyperparameters["sigma"]
        assert sigma.steps == cell.epochs * -(-examples // cell.batch_size)


#: The claims about SReLU that are computed, whatever was trained.
COMPUTED = {
    "novel": "contradicted",
    "flexible": "contradicted",
    "differentiable": "contradicted",
    "simpler-than-elu": "contradicted",
    "gradient-does-not-vanish": "contradicted",
    "derivative": "supported",
    "gradient-not-zero": "supported",
    "low-cost": "supported",
    "simpler-than-gelu": "supported",
}


@pytest.fixture(scope="module")
def srelu():
    study = load("srelu")
    parts = [
        results([*specs(study, "quick"), "sigmoid"], data=("wdbc",)),
        results(specs(study, "two_cores"), data=("mnist", "fashion_mnist"), **DIGITS),
    ]
    return study, pd.concat(parts, ignore_index=True)


def test_srelu_tests_every_claim(srelu):
    study, frame = srelu
    assert untested(study, frame) == {
        *("mnist-cnn", "mnist-cnn-matches", "fashion-cnn", "fashion-cnn-matches")
    }
    measured = {claim.id for claim in study.claims} - set(COMPUTED)
    quick = frame[frame["data"] == "wdbc"]
    tested = measured - untested(study, quick, *measured)
    assert {"wdbc-accuracy", "wdbc-f1", "initial-epochs"} <= tested
    assert not any(id.startswith(("mnist", "fashion")) for id in tested)
    names = specs(study, "quick")
    digits = results(names, data=("digits",), models=("mlp",), **DIGITS)
    tested = measured - untested(study, digits, *measured)
    assert {"mnist-f1", "mnist-fewer-epochs", "mnist-initial-epochs"} <= tested
    assert not {"mnist-f1-by-0.1", "mnist-near-perfect", "wdbc-f1"} & tested


def test_srelu_settles_what_needs_no_training(srelu):
    assert verdicts(*srelu, *COMPUTED) == COMPUTED


@pytest.mark.parametrize(
    ("other", "expected"), [(0.8, "supported"), (0.99, "contradicted")]
)
def test_srelu_is_compared_with_the_sigmoid_and_with_people(srelu, other, expected):
    study, frame = srelu
    noise = np.random.default_rng(0).normal(0, 1e-3, len(frame))
    mine = 0.9 if expected == "supported" else 0.8
    tested = frame["activation"].isin(["srelu(beta=0.5)", "relu"])
    accuracy = np.where(tested, mine, other) + noise
    frame = frame.assign(
        accuracy=accuracy, loss=1 - accuracy, dead=[[1 - x] * 2 for x in accuracy]
    )
    ids = ("beats-sigmoid", "mnist-beats-sigmoid", "sigmoid-slower")
    ids += ("fashion-few-errors", "dead-units-leaky", "mnist-dead-units-leaky")
    found = verdicts(study, frame, *ids)
    assert len(found) == 6 and set(found.values()) == {expected}


@pytest.mark.parametrize("errors, expected", [(50, "supported"), (0, "contradicted")])
def test_srelu_ranks_the_confused_pairs(srelu, errors, expected):
    study, frame = srelu
    counts = 100 * np.eye(10, dtype=int)
    for n, other in enumerate((1, 2, 4, 5)):
        counts[0, other] = 10 + n
    planted = []
    for seed in frame["seed"]:
        confusion = counts.copy()
        confusion[3, 8], confusion[0, 1] = errors and errors + seed, 20 + seed
        planted.append(confusion.ravel().tolist())
    frame = frame.assign(confusion=planted)
    id = "mnist-confusions"
    found = judged(study, frame[frame.data == "mnist"], id)[id].evidence
    assert ("number 1 of 45" in found.summary) == (expected == "supported")
    assert (found.effect > 0) == (expected == "supported")


def test_srelu_finds_faster_starts(srelu):
    study, frame = srelu
    ours = frame["activation"] == "srelu(beta=0.5)"
    noise = np.random.default_rng(0).normal(0, 1e-3, len(frame))
    loss = np.where(ours, 0.5, 1.0) / (1 + frame["epoch"]) + noise
    expected = {
        # Over all epochs but the first tenth, and from the first.
        "initial-epochs": pytest.approx(0.25, abs=0.01),
        "mnist-initial-epochs": pytest.approx(0.25, abs=0.01),
        "mnist-fewer-epochs": pytest.approx(1, abs=0.5),
    }
    found = judged(study, frame.assign(loss=loss), *expected)
    assert {id: j.evidence.effect for id, j in found.items()} == expected


def test_srelu_shows_every_task(srelu):
    study, frame = srelu
    table, *matrices, losses, gaps, betas = made(study, frame).values()
    assert [len(figure.axes[0].texts) for figure in matrices] == [100, 100, 4]
    assert len(losses.axes[0].lines) == 6
    assert set(table["task"]) == {"WDBC, MLP", "MNIST, MLP", "Fashion-MNIST, MLP"}
    assert len(gaps.axes) == 3
    assert len(betas.axes) == 6
    wdbc = frame[frame["data"] == "wdbc"]
    with pytest.raises(relujax.InputError, match="several β"):
        study.exhibits[-1].make(wdbc)
