import numpy as np
import pytest
from scipy import stats

from relujax.errors import InputError
from relujax.statistics import (
    paired_test,
    seeds_for,
    sign_test,
    smallest_effect,
    smallest_median,
)


@pytest.mark.parametrize(("effect", "seeds"), [(0.5, 34), (0.8, 15), (1.0, 10)])
def test_seeds_are_those_of_the_tables(effect, seeds):
    # G*Power 3.1, paired t, two-sided at 5 %, power 0.8.
    assert seeds_for(effect, 1.0) == seeds_for(-3 * effect, 3.0) == seeds


@pytest.mark.parametrize("n", [5, 12])
def test_the_smallest_effect_is_found_four_times_in_five(n):
    # With one claim of ten; the error is known here, and estimated where it is used.
    d = np.random.default_rng(n).normal(size=(4000, n))
    d += smallest_effect(1 / np.sqrt(n), n - 1, alpha=0.005)
    p = stats.ttest_1samp(d, 0, axis=1, alternative="greater").pvalue
    assert (p <= 0.0025).mean() == pytest.approx(0.8, abs=0.02)


def test_the_smallest_effect_of_a_sign_test():
    effect = smallest_median(1.0, 15)
    d = np.random.default_rng(0).normal(effect, 1, (1500, 15))
    found = [sign_test(x) <= 0.05 for x in d]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)
    assert smallest_median(1.0, 15) > smallest_effect(1 / np.sqrt(15), 14)


def test_what_no_size_shows_and_what_is_not_known():
    assert smallest_median(1.0, 5) == np.inf
    assert np.isnan([smallest_effect(0.0, 9), smallest_effect(1.0, 0)]).all()
    assert np.isnan([smallest_median(0.0, 9), smallest_median(1.0, 1)]).all()


def test_differences_that_do_not_vary_need_what_their_test_needs():
    n = seeds_for(0.01, 0.0)
    p = [paired_test([0.01] * k) for k in (n - 1, n)]
    assert p[1] <= 0.05 < p[0]


@pytest.mark.parametrize(
    "bad",
    [
        lambda: seeds_for(0.0, 1.0),
        lambda: seeds_for(np.nan, 1.0),
        lambda: seeds_for(1.0, np.inf),
        lambda: seeds_for(1.0, 1.0, alpha=5),
        lambda: smallest_effect(1.0, 9, power=0.01),
        lambda: smallest_median(1.0, 9, alpha=0.0),
    ],
)
def test_bad_input(bad):
    with pytest.raises(InputError, match="Expected"):
        bad()
