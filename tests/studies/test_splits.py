"""Repeated splits: what is tested over them, and what is averaged over them."""

import numpy as np
import pandas as pd
import pytest
from frames import results
from scipy import stats

from relujax.statistics import scores
from relujax.studies import Claim, best_over_splits, judge, pool_splits
from relujax.studies._splits import combine, contrast

SPLITS = [f"wdbc(split={j})" for j in range(10)]


def frame(improvements, data=SPLITS):
    """Results in which `elu` is better than `relu` by so much, `[splits, seeds]`."""
    improvements = np.asarray(improvements)
    splits, seeds = improvements.shape
    columns = {
        "data": np.repeat(data[:splits], seeds),
        "seed": np.tile(np.arange(seeds), splits),
    }
    parts = [
        pd.DataFrame(columns | {"activation": name, "accuracy": values.ravel()})
        for name, values in (
            ("relu", np.zeros_like(improvements)),
            ("elu", improvements),
        )
    ]
    both = pd.concat(parts, ignore_index=True)
    both["cell"] = both["data"] + both["activation"]
    fixed = dict(model="mlp", optimizer="adam", epoch=1, split="test", diverged=False)
    return both.assign(**fixed)


def verdict(data):
    test = best_over_splits("elu", among=["relu"])
    claim = Claim(id="c", quote="ELU is better.", where="Abstract", test=test)
    return judge([claim], data)[0].verdict


def same_examples(rng):
    # 100 examples on which neither activation is better in the population; a split
    # tests on 20 of them.
    examples = rng.choice([-1.0, 0.0, 1.0], 100, p=[0.1, 0.8, 0.1])
    tests = np.array([rng.permutation(100)[:20] for _ in SPLITS])
    noise = rng.normal(0, 0.01, (10, 5))
    return examples[tests].mean(axis=1, keepdims=True) + noise


def same_seeds(rng):
    # A seed's initialisation favours one activation, whatever the split.
    return rng.normal(0, 0.01, (1, 5)) + rng.normal(0, 0.001, (10, 5))


@pytest.mark.parametrize("chance", [same_examples, same_seeds])
def test_false_verdicts_are_as_rare_as_stated(chance):
    rng, studies = np.random.default_rng(0), 1000
    drawn = [chance(rng) for _ in range(studies)]
    found = [combine({"wdbc": d}) for d in drawn]
    rate = lambda side: np.mean([c.p(side) <= 0.025 for c in found])
    limit = 0.025 + 3 * np.sqrt(0.025 * 0.975 / studies)
    assert rate("greater") <= limit and rate("less") <= limit
    # Taking what is shared for independent would find three times as many and more.
    naive = [stats.ttest_1samp(d.ravel(), 0).pvalue <= 0.05 for d in drawn]
    assert np.mean(naive) > 0.15


def test_a_planted_difference_is_found():
    rng = np.random.default_rng(0)
    found = [combine({"wdbc": 0.2 + same_examples(rng)}) for _ in range(200)]
    assert np.mean([c.p("greater") <= 0.025 for c in found]) > 0.8
    assert not any(c.p("less") <= 0.025 for c in found)


def test_verdicts_in_both_directions():
    d = 0.2 + same_examples(np.random.default_rng(0))
    assert verdict(frame(d)) == "supported"
    assert verdict(frame(-d)) == "contradicted"
    assert verdict(frame(d - 0.2)) == "undecided"


def test_without_repeated_splits_it_is_the_paired_t_test():
    d = np.random.default_rng(3).normal(0.01, 0.02, (1, 6))
    c = contrast(frame(d, ["mnist"]), "accuracy", "elu", "relu")
    expected = stats.ttest_1samp(d[0], 0, alternative="greater")
    assert c.p("greater") == pytest.approx(expected.pvalue)
    assert c.interval() == pytest.approx(
        stats.ttest_1samp(d[0], 0).confidence_interval()
    )


def test_the_standard_error_by_hand():
    # Splits: x = [1, 3], variance 2, factor 1/2 + 1/4; seeds: [2, 2], no variance.
    c = contrast(frame([[1.0, 1.0], [3.0, 3.0]]), "accuracy", "elu", "relu")
    assert (c.value, c.error, c.df) == pytest.approx((2.0, np.sqrt(1.5), 1.0))
    # Two tasks of that kind, and one with an official split: a third of the weight.
    parts = [
        frame([[1.0, 1.0], [3.0, 3.0]]),
        frame([[1.0, 1.0], [3.0, 3.0]], ["wine(split=0)", "wine(split=1)"]),
        frame([[5.0, 5.0]], ["mnist"]),
    ]
    c = contrast(pd.concat(parts), "accuracy", "elu", "relu")
    assert (c.value, c.error) == pytest.approx((3.0, np.sqrt(2 * 1.5 / 9)))
    assert c.df == pytest.approx(2.0)
    assert {k: x.mean() for k, x in c.by_split.items()} == {
        "wdbc(splits=2)": 2.0,
        "wine(splits=2)": 2.0,
        "mnist": 5.0,
    }


def test_no_spread_and_one_seed():
    assert verdict(frame(np.zeros((10, 5)))) == "undecided"
    assert verdict(frame(np.full((10, 5), 0.01))) == "undecided"  # 2 / 2**5 > 0.05
    assert verdict(frame(np.full((10, 9), 0.01))) == "supported"
    one = np.random.default_rng(0).normal(0.05, 0.001, (10, 1))
    assert verdict(frame(one)) == "undecided"


def test_an_improvement_of_at_least_so_much():
    data = frame(np.random.default_rng(0).normal(0.05, 0.005, (10, 5)))
    test = lambda by: best_over_splits("elu", among=["relu"], by=by)(data)
    small, large = test(0.02), test(0.08)
    assert small.p_for < 0.001 and large.p_against < 0.001
    assert small.effect == large.effect
    assert "more than 8.00 percentage points is claimed" in large.summary


def test_it_must_beat_every_other():
    rng = np.random.default_rng(0)
    parts = frame(rng.normal(0.05, 0.005, (10, 5)))
    rival = parts[parts["activation"] == "elu"].assign(activation="gelu")
    rival["cell"] += "g"
    both = pd.concat([parts, rival.assign(accuracy=0.1)], ignore_index=True)
    alone = best_over_splits("elu", among=["relu"])(both)
    against = best_over_splits("elu", among=["relu", "gelu"])(both)
    assert alone.effect == pytest.approx(5, abs=0.5)
    assert against.effect == pytest.approx(-5, abs=0.5)
    assert "strongest of 2 others: elu is" in against.summary
    assert alone.p_for < 0.001 < 0.999 < against.p_for


def test_several_data_sets_by_name():
    data = results(["relu", "elu"], data=("wdbc(split=0)", "wdbc(split=1)", "mnist"))
    where = lambda *names: best_over_splits(
        "elu", among=["relu"], where={"data": names}
    )(data)
    assert "mean of mnist (" in where("mnist", "digits").summary
    assert "on 3 splits" not in where("wdbc").summary
    assert "of 2 splits" in where("wdbc").summary
    assert "of 3 splits" in where("wdbc", "mnist").summary


def test_pooled_results_are_means_within_seeds():
    data = results(
        ["relu", "elu"], data=("mnist", *SPLITS[:2]), diverge=[("elu", 3)], epochs=2
    )
    pooled = pool_splits(data)
    assert list(pooled) == list(data)
    assert set(pooled["data"]) == {"mnist", "wdbc(splits=2)"}
    assert len(pooled) == 2 * len(data) / 3
    ours = scores(pooled, "accuracy")["wdbc(splits=2)"]
    assert ours.droplevel([0, 1]).loc["elu"].index.tolist() == [0, 1, 2, *range(4, 10)]
    parts = [scores(data, "accuracy")[name] for name in SPLITS[:2]]
    pd.testing.assert_series_equal(ours, sum(parts) / 2, check_names=False)
    at = lambda table, name: table[
        (table["data"] == name) & (table["seed"] == 1) & (table["split"] == "test")
    ].iloc[0]
    got, first, second = (
        at(pooled, "wdbc(splits=2)"),
        at(data, SPLITS[0]),
        at(data, SPLITS[1]),
    )
    np.testing.assert_allclose(got["dead"], np.mean([first["dead"], second["dead"]], 0))
    np.testing.assert_array_equal(
        got["confusion"], np.add(first["confusion"], second["confusion"])
    )


def test_a_seed_without_all_splits_is_left_out_of_the_mean():
    data = results(["relu"], data=SPLITS[:2], seeds=3)
    partial = data[(data["data"] != SPLITS[1]) | (data["seed"] != 2)]
    assert set(pool_splits(partial)["seed"]) == {0, 1}


def test_single_splits_are_left_alone():
    data = results(["relu", "elu"], data=("wdbc(split=3)", "digits", "my own data"))
    assert pool_splits(data) is data


def test_networks_that_stopped_early_are_pooled_at_their_ends():
    data = results(["relu", "elu"], data=SPLITS[:3], seeds=4, epochs=4)
    data["accuracy"] = np.random.default_rng(0).uniform(size=len(data))
    ends = {0: 4, 1: 2, 2: 3}
    last = data["data"].map(dict(zip(SPLITS, ends.values(), strict=False))).astype(int)
    data = data[data["epoch"] <= last + (data["seed"] == 1)]
    best = data.assign(best_epoch=np.where(data["seed"] == 2, 1.0, np.nan))
    for frame in (data, best):
        pooled = scores(pool_splits(frame), "accuracy").droplevel(["data", "model"])
        each = scores(frame, "accuracy").droplevel("model")
        by_hand = each.groupby(["optimizer", "activation", "seed"]).mean()
        pd.testing.assert_series_equal(
            pooled.sort_index(), by_hand.sort_index(), check_names=False
        )
    curve = pool_splits(data)
    assert (curve.groupby("seed")["epoch"].max() == 4).all()


def test_without_repeated_splits_the_sign_test_over_seeds_stands_beside():
    d = 0.2 + np.random.default_rng(0).normal(0, 0.01, (1, 12))
    alone = best_over_splits("elu", among=["relu"])(frame(d, data=["mnist"]))
    assert alone.sign_p == pytest.approx((2**-12, 1.0))
    both = best_over_splits("elu", among=["relu"])(frame(d.repeat(3, axis=0)))
    assert np.isnan(both.sign_p).all() and both.df > 0
    assert both.error == pytest.approx(100 * combine({"wdbc": d.repeat(3, 0)}).error)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_leaves_no_p_value(value):
    d = 0.2 + np.random.default_rng(0).normal(0, 0.01, (3, 8))
    d[1, 2] = value
    assert verdict(frame(d)) == "not tested"
    found = combine({"wdbc": d})
    assert np.isnan([found.p("greater"), found.p("less"), *found.interval()]).all()
