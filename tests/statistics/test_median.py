import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from relujax.errors import InputError
from relujax.statistics import (
    median_interval,
    seeds_for_signs,
    sign_tails,
    sign_test,
    skewed,
)


@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
@pytest.mark.parametrize("n", [1, 5, 12, 40])
def test_signs_are_tested_by_the_binomial_test(n, alternative):
    d = np.random.default_rng(n).normal(0.5, 1, n)
    oracle = stats.binomtest(int((d > 0).sum()), n, alternative=alternative).pvalue
    assert sign_test(d, alternative=alternative) == pytest.approx(oracle)


def test_equal_seeds_are_not_better():
    assert sign_test([0.1] * 5 + [0.0] * 5, alternative="greater") == pytest.approx(
        stats.binomtest(5, 10, alternative="greater").pvalue
    )
    assert sign_test([0.0] * 30) == 1.0 and sign_test([]) == 1.0
    # Scores in single precision: 0.02 more, up to rounding, is not more than 0.02.
    d = np.float32(0.97) - np.float32(0.95) - 0.02 + np.array([0.0, 0.1, 0.1, 0.1])
    assert sign_test(d, alternative="greater") == pytest.approx(5 / 16)


def test_many_rows_at_once():
    d = np.random.default_rng(0).normal(size=(3, 4, 9))
    each = [[sign_test(x, alternative="less") for x in rows] for rows in d]
    assert sign_tails(d)[..., 1] == pytest.approx(np.array(each))


@pytest.mark.parametrize("tests", [1, 2, 30, 500])
def test_so_many_seeds_and_no_fewer_can_decide(tests):
    n = seeds_for_signs(tests)
    p = [tests * sign_test(np.ones(k)) for k in (n - 1, n)]
    assert p[1] <= 0.05 < p[0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_median_interval_is_scipys(values):
    found = median_interval(values)
    assert found.value == np.median(values) and found.n == len(values)
    oracle = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    np.testing.assert_array_equal(found[1:3], oracle)


def test_a_confidence_is_a_share():
    with pytest.raises(InputError, match="between 0 and 1"):
        median_interval([1.0, 2.0], confidence=95)


def test_skewness_is_beyond_its_error_in_one_normal_sample_of_twenty():
    rng = np.random.default_rng(0)
    for n in (10, 30):
        d = rng.normal(3, 2, (4000, n))
        error = np.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
        oracle = np.abs(stats.skew(d, axis=1)) > 1.959964 * error
        assert (skewed(d) == oracle).all()
        assert 0.035 < skewed(d).mean() < 0.065
    assert skewed(rng.lognormal(size=(400, 30))).mean() > 0.95


def test_without_spread_nothing_is_skewed():
    assert not skewed([0.1] * 9) and not skewed([1.0, 2.0])
    assert not skewed(np.float32(0.97) - np.array([0.95] * 8 + [0.95000001]))
