import numpy as np
import pytest
from scipy import stats

from relujax.errors import InputError
from relujax.statistics import holm, stopping_levels


@pytest.mark.parametrize(
    ("rule", "published"),
    [
        # Boundaries of five equal looks at 5 %, two-sided: Lan and DeMets' functions as
        # in the R package ldbounds (Reboussin et al. 2000).
        ("obrien-fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)
def test_boundaries_are_the_published_ones(rule, published):
    levels = stopping_levels([4, 8, 12, 16, 20], rule=rule)
    assert stats.norm.isf(levels / 2) == pytest.approx(published, abs=2e-4)


def test_a_fixed_number_of_seeds_is_one_look():
    assert stopping_levels([20]) == pytest.approx([0.05])
    assert stopping_levels([20], claims=30, alpha=0.01) == pytest.approx([0.01])


@pytest.mark.parametrize("rule", ["obrien-fleming", "pocock"])
@pytest.mark.parametrize("claims", [1, 20])
def test_all_looks_together_keep_the_level(rule, claims):
    looks, studies = [5, 10, 20], 3000
    rng = np.random.default_rng(claims)
    d = rng.normal(size=(studies, claims, looks[-1]))
    levels = stopping_levels(looks, rule=rule, claims=claims)
    any_look, naive = np.zeros((2, studies), bool)
    for n, level in zip(looks, levels, strict=True):
        p = stats.ttest_1samp(d[..., :n], 0, axis=-1).pvalue
        any_look |= holm(p).min(axis=1) <= level
        naive |= holm(p).min(axis=1) <= 0.05
    assert any_look.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)
    assert naive.mean() > 0.09


def test_what_is_not_spent_early_is_left_for_the_end():
    levels = stopping_levels([5, 10, 20], claims=30)
    assert levels[0] < 1e-6 and 0.0499 < levels[-1] < 0.05
    even = stopping_levels([5, 10, 20], rule="pocock")
    assert np.ptp(even) < 0.01


@pytest.mark.parametrize(
    ("looks", "more"),
    [([], {}), ([10, 5], {}), ([0, 5], {}), ([5, 5], {}), ([5], {"rule": "peto"}),
     ([5], {"alpha": 5}), ([5], {"claims": 0})],
)  # fmt: skip
def test_bad_input(looks, more):
    with pytest.raises(InputError, match="Expected"):
        stopping_levels(looks, **more)
