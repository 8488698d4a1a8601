import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from relujax.statistics import equivalence_test, holm, paired_test
from relujax.statistics._paired import least_p

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=8)
lattice = st.lists(st.integers(-3, 3), min_size=20, max_size=24)


def exact(d, alternative):
    """The sign-flip test over all patterns: the sum's distribution by convolution."""
    share = np.ones(1)
    for step in map(abs, d):
        share = np.convolve(share, [0.5, *[0.0] * (2 * step - 1), 0.5] if step else [1])
    sums = np.arange(len(share)) - len(share) // 2
    greater, less = share[sums >= sum(d)].sum(), share[sums <= sum(d)].sum()
    two_sided = min(1.0, 2 * min(greater, less))
    return {"greater": greater, "less": less, "two-sided": two_sided}[alternative]


@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
@given(lattice)
@settings(max_examples=15, deadline=None)
def test_many_seeds_are_tested_by_sign_flips(alternative, d):
    # Single-precision scores of 114 examples: equal differences differ by rounding.
    scores = np.float32(110 + np.array(d)) / np.float32(114)
    differences = scores.astype(float) - float(np.float32(110) / np.float32(114))
    p = paired_test(differences, alternative=alternative)
    expected = exact(d, alternative) if any(d) else 1.0
    assert p == pytest.approx(expected, abs=2 * 4.5 * np.sqrt(0.25 / 1e5))
    assert p >= 1e-5


@pytest.mark.parametrize("n", [2, 5, 10, 19])
@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_few_seeds_are_tested_by_student(n, alternative):
    d = np.random.default_rng(n).normal(0.3, 1, n)
    oracle = stats.ttest_rel(d, np.zeros(n), alternative=alternative).pvalue
    assert paired_test(d, alternative=alternative) == pytest.approx(oracle)
    assert least_p(d) == 0


def test_more_seeds_of_the_same_are_never_weaker_evidence():
    few = np.array([0.01, 0.012, 0.009, 0.011, 0.0105])
    p = [paired_test(np.tile(few, k), alternative="greater") for k in (1, 2, 3)]
    assert p == sorted(p, reverse=True) and p[1] < 2**-10
    # The sign-flip test takes over where its least p-value does no harm.
    assert paired_test(np.tile(few, 4), alternative="greater") <= 2 * least_p([0] * 20)
    assert least_p([0] * 20) * 2 * 50 * 30 <= 0.05


def test_degenerate_differences():
    assert paired_test([0.0] * 5) == 1.0
    assert paired_test([]) == paired_test([0.3]) == 1.0
    # All equal: Student's t would be infinite; five seeds give 1 / 32 and no less.
    assert paired_test([0.1] * 5, alternative="greater") == 1 / 32
    assert paired_test([0.1] * 5, alternative="less") == 1.0
    assert least_p([0.1] * 5) == 1 / 32 and least_p([0.1]) == 1.0


def test_equivalence_needs_both_sides():
    rng = np.random.default_rng(0)
    assert equivalence_test(rng.normal(0, 0.001, 12), margin=0.01) < 0.001
    assert equivalence_test(rng.normal(0.02, 0.001, 12), margin=0.01) > 0.9
    assert equivalence_test(rng.normal(-0.02, 0.001, 12), margin=0.01) > 0.9


@pytest.mark.parametrize("mean", [-0.02, 0.0, 0.004, 0.01])
def test_equivalence_is_schuirmanns_test(mean):
    # The closed form: two t-tests against the ends of the margin, the larger p-value.
    n, margin = 12, 0.01
    d = np.random.default_rng(5).normal(mean, 0.008, n)
    error = d.std(ddof=1) / np.sqrt(n)
    above = stats.t.sf((d.mean() + margin) / error, n - 1)
    below = stats.t.cdf((d.mean() - margin) / error, n - 1)
    assert equivalence_test(d, margin=margin) == pytest.approx(max(above, below))


def test_equivalence_is_what_the_confidence_interval_says():
    # p <= 5 % exactly where the 90 % interval lies within the margin.
    rng = np.random.default_rng(6)
    for _ in range(50):
        d = rng.normal(0.004, 0.01, 8)
        half = stats.t.isf(0.05, 7) * stats.sem(d)
        inside = max(half - d.mean(), half + d.mean()) <= 0.01
        assert (equivalence_test(d, margin=0.01) <= 0.05) == inside


def test_equivalence_of_equal_results():
    assert equivalence_test([0.0] * 10, margin=0.005) == 2**-10


def test_holm_against_a_published_example():
    # Holm's own steps, by hand: 4 x .01, 3 x .0125 raised to it, 2 x .03, 1 x .6.
    assert holm([0.6, 0.01, 0.03, 0.0125]) == pytest.approx([0.6, 0.04, 0.06, 0.04])
    assert holm([]).size == 0


@given(probabilities)
def test_holm_lies_between_the_raw_and_bonferroni(p):
    corrected = holm(p)
    assert (corrected >= np.minimum(p, 1)).all()
    assert (corrected <= np.minimum(1.0, np.array(p) * len(p)) + 1e-15).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(corrected[order]) >= 0).all()
