"""The study of narrow, deep networks: its grid, and its claims on planted results."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import probed
from matplotlib.figure import Figure

import relujax
from relujax.cli import _study_file
from relujax.statistics import parameter
from relujax.studies import judge

FILE = Path(relujax.__file__).parents[1] / "experiments" / "relu_variants.py"
#: Fewer than from where permutation tests, with their least p-value, are taken.
SEEDS = 8


@pytest.fixture(scope="module")
def study():
    """The study without its measured times, which a test below plants."""
    found = _study_file.load_study(FILE)
    module_of(found)["TIMES"] = Path("nowhere.csv")
    return found


def module_of(study):
    """What the modules beside the study define that hold the paper's own words."""
    assert study.claims
    return vars(sys.modules["_narrow_paper"])


@pytest.fixture(scope="module")
def frame(study):
    """SELU is best by far, ReLU worst and half dead in deep networks; no times."""
    rng = np.random.default_rng(0)
    rank = {"selu": 0, "elu": 1, "prelu": 2, "leaky_relu": 3, "al_relu": 4, "relu": 5}
    rows = []
    for cell in study.profiles["paper"]:
        classes = "two_class" in cell.data
        depth = int(cell.model.partition("depth=")[2].partition(",")[0])
        bad = rank[cell.activation] / 5
        for seed in range(SEEDS):
            good = 0.9 - 0.4 * bad + rng.normal(0, 0.01)
            dead = [0.5 * (depth > 1) + rng.uniform(0, 0.1)] * depth
            few = rng.uniform(0, 1e-3, depth).tolist()
            dead = dead if cell.activation == "relu" else few
            rows.append(
                {
                    "cell": "/".join([cell.data, cell.model, cell.activation]),
                    "data": cell.data,
                    "model": cell.model,
                    "activation": cell.activation,
                    "optimizer": cell.optimizer,
                    "seed": seed,
                    "epoch": 100,
                    "split": "test",
                    "loss": 1 - good,
                    "accuracy": good if classes else np.nan,
                    "f1_weighted": good if classes else np.nan,
                    "mse": np.nan if classes else 10 * (1 - good),
                    "dead": dead,
                    **{f"small_{e}": dead for e in ("0.01", "0.001", "1e-05")},
                    "diverged": False,
                }
            )
    return pd.DataFrame(rows)


def test_the_paper_has_7200_networks_on_30_samples(study):
    cells = study.profiles["paper"]
    assert len(cells) * study.seeds["paper"] == 7200
    assert len(set(study.profiles["alternatives"])) == 720
    assert len({cell.data for cell in cells}) == 30
    assert len({cell.skeleton for cell in cells}) == 24
    assert len({cell.digest("x", 0) for cell in cells}) == 720


def test_ten_draws_of_the_samples_share_the_programs(study):
    cells = study.profiles["draws"]
    paper = {cell.skeleton for cell in study.profiles["paper"]}
    assert len({cell.data for cell in cells}) == 300
    assert len({cell.digest("x", 0) for cell in cells}) == 7200
    assert {cell.skeleton for cell in cells} == paper


def test_claims_have_a_sample_for_each_seed(study, frame):
    ids = ("quadratic-1d", "quadratic-values-selu", "quadratic-5d-selu")
    claims = [c for c in study.claims if c.id in ids]
    own = frame[frame["data"].str.contains("quadratic', n=500")]
    inputs = parameter(own, "data.d")
    crossed = pd.concat(
        own.assign(
            data=own["data"].str.replace("columns", f"seed={seed}, columns"),
            cell=own["cell"] + f" {seed}",
            mse=own["mse"] * (1 + seed * inputs / 4),
        )
        for seed in range(SEEDS)
    )
    assert len(claims) == 3
    for one, many in zip(judge(claims, own), judge(claims, crossed), strict=True):
        assert many.evidence.n == one.evidence.n == SEEDS
        # The samples' errors lie far apart, and so do the ends of the interval.
        width = lambda j: np.ptp(j.evidence.interval)
        assert width(many) > 3 * width(one)


def test_verdicts_follow_what_was_planted(study, frame):
    judged = {j.claim.id: j for j in judge(study.claims, frame)}
    assert judged["selu-least-error"].evidence.effect > 45
    found = {id: j.verdict for id, j in judged.items()}
    planted = {
        "relu-most-dead": "supported",
        "relu-most-dead-sound": "supported",
        "zero-at-small-tolerance": "supported",
        "deeper-is-deader": "supported",
        "deeper-is-deader-selu": "undecided",
        "infinitely-deep": "supported",
        "no-matter-on-linear": "contradicted",
        "quadratic-2d-by-depth": "undecided",
        "quadratic-values-worst": "contradicted",
        "exponential-values-relu": "contradicted",
        "conclusion-agrees": "contradicted",
        "f1-lowest": "supported",
        "leaky-underperform": "supported",
        "quadratic-2d": "supported",
        "quadratic-5d-selu": "supported",
        "quadratic-5d-al-relu": "contradicted",
        "quadratic-5d-relu-third": "contradicted",
        "exponential-5d-relu-worst": "supported",
        "variants-beat-relu": "supported",
        "selu-best-f1": "supported",
        "worst-f1": "contradicted",
        "time-in-its-own-table": "contradicted",
        "deep-time-in-its-own-table": "contradicted",
        "slowest-in-its-own-table": "contradicted",
        "depth-in-its-own-table": "contradicted",
        "al-relu-in-table-1": "contradicted",
        "inputs-increased-by-one": "contradicted",
        "prelu-vanishes": "supported",
        "listing-runs": "contradicted",
        "printed-elu": "contradicted",
    }
    assert {claim: found[claim] for claim in planted} == planted


@pytest.mark.slow
def test_a_narrow_range_is_found(study, frame):
    small = frame["mse"].groupby(frame["data"]).transform("mean")
    noise = np.random.default_rng(1).normal(0, 1e-4, len(frame))
    flat = frame.assign(mse=small + noise)
    found = {j.claim.id: j.verdict for j in judge(study.claims, flat)}
    assert found["no-matter-on-linear"] == "supported"
    assert found["no-matter-on-sinusoidal"] == "supported"


def test_table_1_is_transcribed_as_its_own_labels_say(study):
    module = module_of(study)
    table = module["printed"]()
    assert len(table) == 24 and table["n"].value_counts()[100] == 12
    fastest = table[[*module["TIMED"]]].idxmin(axis=1)
    assert (fastest.str.partition("_")[0] == table["best"]).all()
    assert module["wins"](table).to_dict() == {
        "leaky_relu": 9,
        "relu": 6,
        "elu": 5,
        "selu": 4,
        "prelu": 0,
    }


def test_the_listing_fails_as_printed(study):
    outcome, listing = (module_of(study)[name] for name in ("outcome", "listing_1"))
    assert outcome(listing(1, inside=True)) == "8 outputs, of a hidden layer"
    assert outcome(listing(3, inside=True)) == "layer 4 takes 8 values and gets 1"
    assert outcome(listing(3, inside=False)) == "1 output"


def test_pytorchs_default_slope_is_read(study, frame):
    pytest.importorskip("torch")
    (claim,) = (c for c in study.claims if c.id == "slope-of-pytorch")
    assert claim.test(frame).effect == 0.01


def test_claims_on_samples_that_were_not_run_are_not_tested(study, frame):
    quick = {cell.data for cell in study.profiles["quick"]}
    judged = judge(study.claims, frame[frame["data"].isin(quick)])
    untested = {j.claim.id for j in judged if "Not tested" in j.evidence.summary}
    assert "quadratic-2d" in untested and "quadratic-5d-selu" not in untested


@pytest.mark.slow
def test_times_decide_the_claims_about_time(study, frame, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    cost = {"prelu": 2.0, "relu": 1.5}
    rows = [
        ("torch", a, n, d, depth, i, cost.get(a, 1) * depth * rng.normal(n**0.1, 0.01))
        for a in ("relu", "leaky_relu", "al_relu", "elu", "selu", "prelu")
        for n in (100, 500)
        for d in (1, 2, 5)
        for depth in (1, 3, 10, 30)
        for i in range(10)
    ]
    columns = ["program", "activation", "n", "d", "depth", "repeat", "seconds"]
    table = pd.DataFrame(rows, columns=columns)
    both = pd.concat([table, table.assign(program="relujax")])
    both.to_csv(tmp_path / "times.csv", index=False)
    monkeypatch.setitem(module_of(study), "TIMES", tmp_path / "times.csv")
    found = {j.claim.id: j.verdict for j in judge(study.claims, frame)}
    assert found["time-of-classification"] == "supported"
    assert found["prelu-slowest"] == "supported"
    assert found["time-by-depth"] == "supported"
    assert found["faster-with-more-data"] == "contradicted"
    assert found["leaky-slower"] == "undecided"
    printed = exhibit(study, "Table 1").make(frame)
    assert len(printed) == 24 and "PReLU" not in set(printed["Best Activation"])


def exhibit(study, title):
    (found,) = (e for e in study.exhibits if e.title.startswith(title))
    return found


@pytest.mark.slow
def test_dead_units_are_counted_by_each_reading(study, frame):
    made = exhibit(study, "Dead by").make(probed(study, frame))
    table = made.set_index(["reading", "ε"])
    assert list(table.columns) == [f"depth {d}" for d in (1, 3, 10, 30)]
    size = table.loc["every weight is below ε in size, before training"].astype(float)
    # One weight from U(-1, 1) below 0.01; eight at once, next to never.
    assert size.loc["0.01", "depth 1"] == pytest.approx(1, abs=0.2)
    assert size.loc["0.01", "depth 30"] == pytest.approx(1 / 30, abs=0.02)
    of_selu = table.loc[("output is below ε, trained, SELU", "0.01")].astype(float)
    assert (of_selu < 0.1).all()
    assert len(table) == 3 * (2 * 3 + 2)


@pytest.mark.slow
def test_verdicts_are_listed_by_setting(study, frame):
    made = exhibit(study, "Verdicts by")
    with pytest.raises(relujax.InputError, match="several settings"):
        made.make(frame)
    slow = frame.assign(
        optimizer="adam(learning_rate=0.001)", cell="slow/" + frame["cell"]
    )
    table = made.make(pd.concat([frame, slow])).set_index("result")
    assert list(table.columns) == ["0.01, 100 steps", "0.001, 100 steps"]
    assert (table.loc["relu-most-dead"] == "supported").all()


def test_figures_have_a_panel_per_sample(study, frame):
    panels = [len(e.make(frame).axes) for e in study.exhibits[:6]]
    assert panels == [4, 2, 3, 3, 3, 3]
    assert isinstance(study.exhibits[0].make(frame), Figure)
