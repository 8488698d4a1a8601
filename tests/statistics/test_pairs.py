import numpy as np
import pandas as pd
import pytest
from frames import results
from scipy import stats

from relujax.errors import InputError
from relujax.statistics import (
    compare,
    differences,
    holm,
    paired_comparisons,
    required_seeds,
    sign_test,
    smallest_effect,
    step_down,
)

BY = dict(group="method", unit="run", metric="score")


def table(runs=12, key=1, **means):
    """Scores of methods with the given means, in no order."""
    rng = np.random.default_rng(key)
    difficulty = rng.normal(0, 3, runs)
    rows = [
        {"method": name, "run": run, "score": mean + difficulty[run] + rng.normal()}
        for name, mean in means.items()
        for run in range(runs)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=key)


def test_any_table_is_compared_pair_by_pair_within_units():
    frame = table(a=0.0, b=5.0, c=0.0)
    found = compare(frame, **BY).set_index(["a", "b"])
    wide = frame.pivot(index="run", columns="method", values="score")
    raw, expected = [], {"ab": "contradicted", "bc": "supported", "ac": "undecided"}
    expected |= {"ba": "supported", "cb": "contradicted", "ca": "undecided"}
    for a, b in found.index:
        row, d = found.loc[(a, b)], wide[a] - wide[b]
        raw.append(stats.ttest_rel(wide[a], wide[b]).pvalue)
        interval = stats.t.interval(0.95, 11, d.mean(), stats.sem(d))
        assert row["effect"] == pytest.approx(d.mean()) and row["n"] == 12
        assert (row["low"], row["high"]) == pytest.approx(interval)
        assert row["verdict"] == expected[a + b]
    assert found["p"].tolist() == pytest.approx(holm(raw))
    assert (found["test"] == "paired t").all() and (found["estimand"] == "mean").all()


def test_undecided_pairs_say_what_so_many_units_could_show():
    frame = table(a=0.0, b=5.0, c=0.0)
    row = compare(frame, **BY).set_index(["a", "b"])
    (row,) = [r for pair, r in row.iterrows() if set(pair) == {"a", "c"}]
    wide = frame.pivot(index="run", columns="method", values="score")
    # Two of three pairs are decided: what is left is tested at the whole level.
    error = stats.sem(wide["a"] - wide["c"])
    assert row["smallest_effect"] == pytest.approx(smallest_effect(error, 11))
    assert row["verdict"] == "undecided" and not row["fragile"] and row["note"] == ""


def test_verdicts_on_means_are_fragile_for_want_of_units():
    few, many = (compare(table(n, key=3, a=0.0, b=5.0), **BY).iloc[0] for n in (12, 60))
    assert few["fragile"] and "44 would" in few["note"]
    assert "the median seed decides likewise" in few["note"]
    assert not many["fragile"] and many["verdict"] == few["verdict"] != "undecided"


def test_verdicts_on_means_are_fragile_where_differences_are_skewed():
    frame = table(60, a=0.0, b=9.0)
    frame.loc[(frame["method"] == "b") & (frame["run"] == 7), "score"] -= 30
    row = compare(frame, **BY).iloc[0]
    assert row["fragile"] and "skewed" in row["note"]
    assert row["verdict"] == row["median_verdict"] != "undecided"


def test_medians_are_compared_by_signs():
    frame = table(a=0.0, b=5.0)
    row = compare(frame, **BY, estimand="median").iloc[0]
    wide = frame.pivot(index="run", columns="method", values="score")
    d = wide[row["a"]] - wide[row["b"]]
    assert row["effect"] == d.median() and row["low"] == d.sort_values().iloc[2]
    assert row["p"] == pytest.approx(sign_test(d)) == 2 * 2**-12
    assert row["verdict"] == row["median_verdict"] != "undecided"
    assert not row["fragile"] and row["test"] == "sign test"
    few = compare(table(5, a=0.0, b=50.0), **BY, estimand="median").iloc[0]
    assert few["verdict"] == "undecided" and few["smallest_effect"] == np.inf


def test_pairs_that_share_units_may_be_corrected_together():
    frame = table(10, a=0.0, b=1.0, c=1.2, d=0.9)
    found = compare(frame, **BY, correction="step-down")
    wide = frame.pivot(index="run", columns="method", values="score")
    pairs = zip(found["a"], found["b"], strict=True)
    d = np.stack([wide[a] - wide[b] for a, b in pairs], axis=1)
    assert found["p"].tolist() == pytest.approx(step_down(d))


def test_results_of_this_package_are_read_at_the_end_of_training():
    frame = results(data=("wdbc", "digits"), accuracy={"elu": 0.8})
    found = compare(frame).set_index(["a", "b"])
    assert list(found.index) == [("relu", "elu"), ("relu", "arelu"), ("elu", "arelu")]
    d = differences(frame, "accuracy", "relu", "elu")
    assert found["effect"].iloc[0] == pytest.approx(d.mean())
    assert found["verdict"].tolist() == ["supported", "undecided", "contradicted"]
    loss = compare(frame, metric="loss")["effect"].iloc[0]
    assert loss == pytest.approx(differences(frame, "loss", "relu", "elu").mean())


def test_the_table_against_a_baseline_says_the_same():
    frame = results(["relu", "elu"], accuracy={"elu": 0.8})
    pair = compare(frame).iloc[0]
    row = paired_comparisons(frame, "accuracy", "relu").iloc[0]
    assert row["p_holm"] == pair["p"] and row["fragile"] == pair["fragile"]
    assert row["smallest_effect"] == pytest.approx(pair["smallest_effect"])


def test_units_that_only_one_group_has_do_not_count():
    frame = table(8, a=0.0, b=5.0, c=1.0)
    frame = frame[(frame["method"] != "b") | (frame["run"] < 5)]
    frame = frame[(frame["method"] != "c") | (frame["run"] >= 5)]
    found = compare(frame, **BY)
    n = {frozenset((r["a"], r["b"])): r["n"] for _, r in found.iterrows()}
    assert n == {frozenset("ab"): 5, frozenset("ac"): 3, frozenset("bc"): 0}
    none = found[found["n"] == 0].iloc[0]
    assert none["verdict"] == none["median_verdict"] == "not tested"
    assert np.isnan([none["p"], none["effect"], none["smallest_effect"]]).all()
    # The others are corrected as two, not three.
    assert found["p"].min() <= 2 * 0.05


def test_a_pilot_says_how_many_seeds_it_takes():
    frame = table(6, a=0.0, b=0.0, c=0.0)
    found = required_seeds(frame, 1.0, **BY)
    wide = frame.pivot(index="run", columns="method", values="score")
    for _, row in found.iterrows():
        spread = (wide[row["a"]] - wide[row["b"]]).std()
        assert row["spread"] == pytest.approx(spread) and row["n"] == 6
        level = 0.05 / 3
        reach = [
            smallest_effect(spread / np.sqrt(n), n - 1, alpha=level)
            for n in (row["seeds"] - 1, row["seeds"])
        ]
        assert reach[1] <= 1.0 < reach[0]
    assert (required_seeds(frame, 2.0, **BY)["seeds"] < found["seeds"]).all()
    assert len(required_seeds(results(), 0.01)) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "metod"}, "Did you mean 'method'"),
        ({"unit": "seed"}, "Unknown column 'seed'"),
        ({"metric": "scor"}, "Did you mean 'score'"),
        ({"metric": None}, "Expected the name of a column"),
        ({"metric": "method"}, "Expected numbers in 'method'"),
        ({"correction": "bonferroni"}, "Unknown correction"),
        ({"estimand": "mode"}, "Unknown estimand"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(InputError, match=message):
        compare(table(a=0.0, b=1.0), **BY | change)


def test_bad_tables():
    frame = table(a=0.0, b=1.0)
    with pytest.raises(InputError, match="Expected one value per method and run"):
        compare(pd.concat([frame, frame.iloc[:1]]), **BY)
    with pytest.raises(InputError, match="Expected two groups or more"):
        compare(frame[frame["method"] == "a"], **BY)
    one_each = frame[(frame["method"] == "a") == (frame["run"] < 3)]
    with pytest.raises(InputError, match="Expected two values of 'run' or more"):
        required_seeds(one_each, 1.0, **BY)
