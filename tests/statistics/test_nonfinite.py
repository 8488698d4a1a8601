"""A number that is none leaves no p-value that means anything."""

import itertools

import numpy as np
import pandas as pd
import pytest
from frames import results

from relujax import statistics
from relujax.errors import InputError

BAD = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize(
    ("n", "value", "alternative"),
    [*itertools.product([2, 10, 19, 20, 30], BAD, ["two-sided", "greater", "less"])],
)
def test_no_test_has_a_p_value(n, value, alternative):
    d = np.random.default_rng(0).normal(1, 0.1, n)
    d[1] = value
    for test in (statistics.paired_test, statistics.sign_test):
        assert np.isnan(test(d, alternative=alternative))
    assert np.isnan(statistics.tails(d)).all()
    assert np.isnan(statistics.equivalence_test(d, margin=5.0))


@pytest.mark.parametrize("value", BAD)
def test_no_estimate_has_an_interval(value):
    for n in (1, 5, 30):
        x = np.ones(n)
        x[0] = value
        for interval in (statistics.mean_interval, statistics.median_interval):
            assert np.isnan(interval(x)[:3]).all()
        assert np.isnan([statistics.iqm(x), statistics.effect_size(x)]).all()
        band = np.stack(statistics.mean_band(np.stack([x, np.ones(n)], axis=1)))
        assert np.isnan(band[:, 0]).all() and (n == 1 or (band[:, 1] == 1).all())
    assert np.isnan(statistics.equivalence_test([0.1] * 9, margin=value))
    assert np.isnan(statistics.smallest_effect(value, 9))


def test_holm_corrects_the_others_among_themselves():
    p = [0.01, np.nan, 0.04, np.inf, -0.1, 1.5]
    corrected = statistics.holm(p)
    assert corrected[[0, 2]] == pytest.approx(statistics.holm([0.01, 0.04]))
    assert np.isnan(corrected[[1, 3, 4, 5]]).all()


def test_step_down_corrects_the_others_among_themselves():
    d = np.random.default_rng(0).normal(1, 1, (8, 3))
    spoilt = np.insert(d, 1, [np.inf, *d[1:, 0]], axis=1)
    p = statistics.step_down(spoilt)
    assert np.isnan(p[1]) and (p[[0, 2, 3]] == statistics.step_down(d)).all()


@pytest.mark.parametrize("value", BAD)
def test_results_with_such_a_value_show_nothing(value):
    frame = results(["relu", "elu", "gelu"], accuracy={"relu": 0.6}, seeds=20)
    last = frame["epoch"] == frame["epoch"].max()
    one = (frame["activation"] == "elu") & (frame["seed"] == 3) & last
    frame.loc[one & (frame["split"] == "test"), "accuracy"] = value
    table = statistics.paired_comparisons(frame, "accuracy", "relu")
    table = table.set_index("activation")
    assert np.isnan(table.loc["elu", ["p", "p_holm", "difference"]].astype(float)).all()
    assert table.loc["gelu", "p_holm"] == table.loc["gelu", "p"] < 0.001
    assert not table["fragile"]["elu"]
    text = statistics.conclusion(frame, "accuracy", "relu")
    assert " elu (" not in text and "not finite: elu." in text
    assert np.isnan(statistics.summary(frame)["accuracy"][1])
    with pytest.raises(InputError, match="Expected finite values of 'accuracy'"):
        statistics.compare(frame)


@pytest.mark.parametrize("value", BAD)
def test_any_table_with_such_a_value_is_refused(value):
    score = [1.0, 2.0, value, 2.0, 3.0, 4.0]
    frame = pd.DataFrame({"net": list("aaabbb"), "run": [0, 1, 2] * 2, "score": score})
    for of in (
        lambda **by: statistics.compare(frame, **by),
        lambda **by: statistics.required_seeds(frame, 0.5, **by),
    ):
        with pytest.raises(InputError, match="for a, run 2"):
            of(group="net", unit="run", metric="score")
