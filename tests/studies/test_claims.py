from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from frames import results

from relujax.statistics import holm, tails
from relujax.studies import (
    Claim,
    Evidence,
    best,
    better,
    equivalent,
    judge,
    no_worse,
    positive,
    reaches,
    settled,
)


def claim(test, id="c"):
    return Claim(id=id, quote="A is better.", where="Abstract", test=test)


def verdicts(tests, frame):
    return [j.verdict for j in judge([claim(t) for t in tests], frame)]


def planted(names=("relu", "elu", "gelu"), seeds=10, **means):
    return results(names, accuracy=means, n_test=1000, seeds=seeds)


def test_planted_differences_are_found_in_both_directions():
    frame = planted(elu=0.9)
    tests = [better("relu", "elu"), better("elu", "relu"), best("elu")]
    assert verdicts(tests, frame) == ["supported", "contradicted", "contradicted"]


def test_best_must_beat_every_other():
    assert verdicts([best("elu")], planted(elu=0.999, relu=0.9, gelu=0.9)) == [
        "supported"
    ]
    assert verdicts([best("elu")], planted(elu=0.97, relu=0.9, gelu=0.97)) == [
        "undecided"
    ]


def test_best_among_some_leaves_out_the_rest():
    frame = planted(elu=0.97, relu=0.9, gelu=0.999)
    tests = [best("elu", among=["relu"]), best("elu", among=["elu", "relu", "gelu"])]
    assert verdicts(tests, frame) == ["supported", "contradicted"]


def test_matching_the_best_allows_a_margin():
    frame = planted(elu=0.968, relu=0.97, gelu=0.9)
    matches = lambda by: best("elu", by=by)
    assert verdicts([matches(-0.02), matches(0.05)], frame) == [
        "supported",
        "contradicted",
    ]


def test_a_reported_number_is_reached_or_not():
    frame = planted(relu=0.97)
    tests = [reaches("relu", 0.9), reaches("relu", 0.99), reaches("relu", 0.97)]
    assert verdicts(tests, frame) == ["supported", "contradicted", "undecided"]
    evidence = reaches("relu", 0.9)(frame)
    assert evidence.n == 10 and evidence.unit == "percentage points"
    mean = frame[(frame.activation == "relu") & (frame.split == "test")]
    mean = mean[mean.epoch == mean.epoch.max()]["accuracy"].mean()
    assert evidence.effect == pytest.approx(100 * (mean - 0.9))
    assert "the paper reports 90.00 %" in evidence.summary


def test_a_loss_is_reached_from_above():
    frame = planted()
    tests = [reaches("relu", 9.0, "loss"), reaches("relu", 0.0, "loss")]
    assert verdicts(tests, frame) == ["supported", "contradicted"]


def test_one_number_per_seed():
    up, down = [0.1, 0.2, 0.1, 0.2, 0.15], [-0.1, -0.2, -0.1, -0.2, -0.15]
    make = lambda x: lambda _: positive(x, "So it is.", unit="points", scale=100)
    assert verdicts([make(up), make(down)], results()) == ["supported", "contradicted"]
    evidence = make(up)(results())
    assert evidence.effect == pytest.approx(15) and evidence.n == 5
    low, high = evidence.interval
    assert 0 < low < 15 < high


def test_at_least_so_many_points():
    frame = planted(relu=0.99, elu=0.9)
    tests = [better("relu", "elu", by=0.05), better("relu", "elu", by=0.2)]
    assert verdicts(tests, frame) == ["supported", "contradicted"]


def test_equivalent_and_no_worse():
    frame = planted(relu=0.97, elu=0.97, gelu=0.8)
    tests = [
        equivalent("elu", "relu", margin=0.05),
        equivalent("gelu", "relu", margin=0.05),
        no_worse("elu", "relu", margin=0.05),
        no_worse("gelu", "relu", margin=0.05),
    ]
    expected = ["supported", "contradicted"] * 2
    assert verdicts(tests, frame) == expected


def test_a_lead_supports_no_worse_and_contradicts_equivalent():
    frame = planted(relu=0.9, elu=0.99)
    tests = [
        no_worse("elu", "relu", margin=0.02),
        equivalent("elu", "relu", margin=0.02),
    ]
    assert verdicts(tests, frame) == ["supported", "contradicted"]


def test_a_lower_loss_is_better():
    frame = results(["relu", "elu"])
    frame.loc[frame.activation == "elu", "loss"] = 0.1
    frame.loc[frame.activation == "relu", "loss"] = 0.2
    evidence = better("elu", "relu", "loss")(frame)
    assert evidence.effect == pytest.approx(0.1)
    assert evidence.p_for == 2**-10


def test_effects_are_in_percentage_points():
    frame = results(["relu", "elu"])
    frame["accuracy"] = np.where(frame.activation == "elu", 0.97, 0.96)
    evidence = better("elu", "relu")(frame)
    assert evidence.effect == pytest.approx(1.0)
    assert evidence.interval == pytest.approx((1.0, 1.0))
    assert evidence.unit == "percentage points"
    assert "better in 10, equal in 0, worse in 0 of 10 seeds" in evidence.summary


def test_tasks_are_averaged_within_seeds():
    frame = results(["relu", "elu"], data=("wdbc", "digits"))
    assert better("elu", "relu")(frame).n == 10
    only = better("elu", "relu", where={"data": "digits"})(frame)
    alone = better("elu", "relu")(frame[frame.data == "digits"])
    assert only == alone


def test_a_name_stands_for_its_only_spec():
    frame = results(["relu", "n_relu(sigma=0.1)"])
    assert better("n_relu", "relu")(frame).n == 10


def test_settled_claims_stand_outside_the_correction():
    frame = planted(elu=0.9)
    tests = [
        lambda _: settled(True, "It is."),
        lambda _: settled(False, "It is not."),
        better("relu", "elu"),
        equivalent("relu", "elu", margin=0.01, where={"data": "mnist"}),
    ]
    a, b, c, d = judge([claim(t) for t in tests], frame)
    assert (a.verdict, b.verdict, a.p) == ("supported", "contradicted", None)
    assert c.p == pytest.approx(2 * c.evidence.p_for)
    assert d.verdict == "not tested" and d.p is None
    assert "Not tested" in d.evidence.summary and "mnist" in d.evidence.summary


def test_holm_runs_over_the_claims():
    raw = [0.01, 0.02, 0.3]
    make = lambda p: lambda _: Evidence(1.0, (0.0, 2.0), p, 1 - p, 10, "", "")
    judgements = judge([claim(make(p)) for p in raw], pd.DataFrame())
    assert [j.p for j in judgements] == pytest.approx(holm([0.02, 0.04, 0.6]))


def test_exploratory_claims_leave_the_planned_ones_alone():
    raw = [0.01, 0.02, 0.3]
    make = lambda p: lambda _: Evidence(1.0, (0.0, 2.0), p, 1 - p, 10, "", "")
    planned = [claim(make(p)) for p in raw]
    late = [replace(claim(make(p)), exploratory=True) for p in (0.02, 0.001)]
    mixed = [planned[0], late[0], planned[1], late[1], planned[2]]
    found = {id(j.claim): j.p for j in judge(mixed, pd.DataFrame())}
    assert [found[id(c)] for c in planned] == pytest.approx(holm([0.02, 0.04, 0.6]))
    assert [found[id(c)] for c in late] == pytest.approx(holm([0.04, 0.002]))


def test_no_claims_and_one_seed():
    assert judge([], results()) == []
    (one,) = judge([claim(better("elu", "relu"))], results(seeds=1))
    assert (one.verdict, one.p, one.least_p) == ("undecided", 1.0, (1.0, 1.0))


def test_the_least_p_is_what_the_clearest_results_would_give():
    names = ["relu", "elu", "gelu", "selu"]
    nulls = [better("selu", "gelu"), better("gelu", "selu")]
    clear = results(names, seeds=20, accuracy={"elu": 0.6}, n_test=10_000)
    claims = [claim(t) for t in (best("elu"), *nulls)]
    found, *_ = judge(claims, clear)
    assert found.verdict == "contradicted"
    # Three others, either direction, three claims, and one of 100,000 sign patterns.
    assert found.p == pytest.approx(3 * 2 * 3 * 1e-5)
    assert found.least_p == pytest.approx((found.p / 3, found.p))
    vague, *_ = judge(claims, results(names, seeds=20))
    assert vague.p > 0.05 and max(vague.least_p) < 0.001


def test_differences_without_spread_have_a_least_p():
    frame = results(["relu", "elu"], seeds=5)
    frame["accuracy"] = np.where(frame.activation == "elu", 0.97, 0.96)
    (found,) = judge([claim(better("elu", "relu"))], frame)
    assert found.verdict == "undecided" and found.least_p == (1 / 16, 1 / 16)
    (found,) = judge([claim(best("elu", among=["relu", "gelu"]))], planted(seeds=5))
    assert found.least_p == (0.0, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "others"), [(5, 5), (5, 20), (10, 20), (20, 3)])
def test_false_verdicts_are_rarer_than_alpha(seeds, others):
    # Claims on activations that differ in nothing, on a test set of 114 examples
    # whose difficulty varies from seed to seed: the family-wise error rate of `judge`.
    rng = np.random.default_rng(1)
    studies, wrong = 200, 0
    for _ in range(studies):
        difficulty = rng.normal(0.97, 0.005, seeds).clip(0, 1)
        baseline, *rest = rng.binomial(114, difficulty, (1 + others, seeds)) / 114
        claims = [claim(on(other - baseline)) for other in rest]
        verdicts = [j.verdict for j in judge(claims, pd.DataFrame())]
        wrong += any(verdict != "undecided" for verdict in verdicts)
    assert wrong / studies <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / studies)


def on(d):
    """The test of a claim on given differences."""
    p_for, p_against = tails(d)
    return lambda _: Evidence(0.0, (0.0, 0.0), p_for, p_against, len(d), "", "")
