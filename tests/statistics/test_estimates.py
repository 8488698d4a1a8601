import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from relujax.statistics import effect_size, iqm, mean_interval

numbers = st.floats(-1e3, 1e3)


def test_interval_is_scipys_at_the_expanded_level():
    x = np.random.default_rng(3).normal(size=24)
    t = stats.t.isf(0.025, 23)
    level = 1 - 2 * stats.norm.sf(np.sqrt(24 / 23) * t)
    oracle = stats.bootstrap(
        (x,), np.mean, confidence_level=level, method="percentile", rng=5
    ).confidence_interval
    estimate = mean_interval(x)
    assert estimate.value == pytest.approx(x.mean())
    assert estimate[1:3] == pytest.approx(tuple(oracle), abs=0.03)


def test_few_values_have_students_interval():
    x = np.array([0.97, 0.98, 0.96, 0.99, 0.97])
    oracle = stats.ttest_1samp(x, 0).confidence_interval()
    assert mean_interval(x)[1:3] == pytest.approx(tuple(oracle))


@pytest.mark.parametrize("n", [2, 5, 10, 30])
def test_equal_values_have_a_zero_width_interval(n):
    estimate = mean_interval([1 - 3 / 114] * n)
    assert estimate.low == estimate.high == estimate.value == 1 - 3 / 114


def test_one_value_and_none_have_no_interval():
    assert np.isnan(mean_interval([0.5])[1:3]).all()
    assert np.isnan(mean_interval([])[:3]).all()
    assert mean_interval([]).n == 0


def test_bounds_cut_the_interval():
    assert mean_interval([0.98, 0.99, 1.0], bounds=(0, 1)).high == 1.0


@given(st.lists(numbers, min_size=20, max_size=24))
def test_interval_holds_the_mean_and_stays_in_range(values):
    e = mean_interval(values)
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert min(values) <= e.low <= e.value + slack
    assert e.value - slack <= e.high <= max(values)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_coverage_on_a_lattice(n):
    # Accuracies of a test set of 114 examples, as of WDBC.
    rng = np.random.default_rng(0)
    draws = rng.binomial(114, 0.97, size=(400, n)) / 114
    inside = [e.low <= 0.97 <= e.high for e in map(mean_interval, draws)]
    assert np.mean(inside) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400)


def test_iqm_is_the_mean_of_the_middle_half():
    assert iqm([9, 1, 2, 3, 4, 5, 6, -7]) == np.mean([2, 3, 4, 5])


def test_effect_size_is_mean_over_deviation():
    d = np.array([0.3, -0.1, 0.2, 0.4])
    assert effect_size(d) == pytest.approx(d.mean() / np.std(d, ddof=1))
    assert effect_size([0.0] * 4) == 0.0
    assert effect_size([-0.1] * 3) == -np.inf
    assert np.isnan(effect_size([0.1]))
