"""The study of narrow, deep networks: its grid, and its claims on planted results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import relujax
from relujax.analysis import judge
from relujax.cli import _study_file

FILE = Path(relujax.__file__).parents[1] / "experiments" / "relu_variants.py"
SEEDS = 10


@pytest.fixture(scope="module")
def study():
    """The study without its measured times, which a test below plants."""
    found = _study_file.load_study(FILE)
    module_of(found)["TIMES"] = Path("nowhere.csv")
    return found


def module_of(study):
    return study.claims[-1].test.__globals__


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
            dead = dead if cell.activation == "relu" else [0.0] * depth
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
    assert len({cell.data for cell in cells}) == 30
    assert len({cell.skeleton for cell in cells}) == 24
    assert len({cell.digest("x", 0) for cell in cells}) == 720


def test_verdicts_follow_what_was_planted(study, frame):
    found = {j.claim.id: j.verdict for j in judge(study.claims, frame)}
    planted = {
        "relu-most-dead": "supported",
        "relu-most-dead-sound": "supported",
        "zero-at-small-tolerance": "supported",
        "deeper-is-deader": "supported",
        "deeper-is-deader-selu": "undecided",
        "infinitely-deep": "supported",
        "no-matter-on-linear": "contradicted",
        "quadratic-2d": "supported",
        "quadratic-5d-selu": "supported",
        "quadratic-5d-al-relu": "contradicted",
        "quadratic-5d-relu-third": "contradicted",
        "exponential-5d-relu-worst": "supported",
        "variants-beat-relu": "supported",
        "selu-least-error": "supported",
        "selu-best-f1": "supported",
        "worst-f1": "contradicted",
        "time-in-its-own-table": "contradicted",
    }
    assert {claim: found[claim] for claim in planted} == planted


def test_claims_on_samples_that_were_not_run_are_not_tested(study, frame):
    quick = {cell.data for cell in study.profiles["quick"]}
    judged = judge(study.claims, frame[frame["data"].isin(quick)])
    untested = {j.claim.id for j in judged if "Not tested" in j.evidence.summary}
    assert "quadratic-2d" in untested and "quadratic-5d-selu" not in untested


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
    printed = study.exhibits[-1].make(frame)
    assert len(printed) == 24 and "PReLU" not in set(printed["Best Activation"])


def test_figures_have_a_panel_per_sample(study, frame):
    panels = [len(e.make(frame).axes) for e in study.exhibits[:6]]
    assert panels == [4, 2, 3, 3, 3, 3]
    assert isinstance(study.exhibits[0].make(frame), Figure)
