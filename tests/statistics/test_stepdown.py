import itertools

import numpy as np
import pytest

from relujax.errors import InputError
from relujax.statistics import holm, paired_test, step_down


def by_hand(d):
    """Westfall and Young's algorithm, with Student's t and every sign pattern."""
    n, claims = d.shape
    t = lambda x: abs(x.mean() / (x.std(ddof=1) / np.sqrt(n)))
    observed = np.array([t(d[:, j]) for j in range(claims)])
    order = np.argsort(-observed)
    count = np.zeros(claims)
    patterns = list(itertools.product([1, -1], repeat=n))
    for signs in patterns:
        null = [t(d[:, j] * signs) for j in range(claims)]
        for rank, j in enumerate(order):
            count[rank] += max(null[k] for k in order[rank:]) >= observed[j] - 1e-6
    p = np.empty(claims)
    p[order] = np.maximum.accumulate(count / len(patterns))
    return p


@pytest.mark.parametrize("seed", range(3))
def test_it_is_westfall_and_youngs(seed):
    rng = np.random.default_rng(seed)
    d = rng.normal(1, 1, (7, 1)) + rng.normal(0, 1, (7, 4)) * [0.3, 1, 1, 3]
    assert step_down(d) == pytest.approx(by_hand(d))


def test_one_claim_is_the_sign_flip_test():
    d = np.random.default_rng(2).normal(0.4, 1, (25, 1))
    assert step_down(d)[0] == pytest.approx(paired_test(d[:, 0]), rel=0.1)


def test_copies_of_one_claim_cost_nothing():
    d = np.random.default_rng(0).normal(1, 1, (12, 1))
    many = step_down(d.repeat(20, axis=1) * np.linspace(1, 3, 20))
    assert many == pytest.approx(step_down(d).repeat(20))
    assert holm(many[:1].repeat(20))[0] == pytest.approx(20 * many[0])


def test_p_values_follow_the_size_and_the_sign_does_not_matter():
    d = np.random.default_rng(1).normal(size=(10, 6)) + np.linspace(0, 2, 6)
    p = step_down(d)
    assert (p == step_down(-d)).all() and ((p > 0) & (p <= 1)).all()
    shuffled = [3, 0, 5, 1, 4, 2]
    assert (step_down(d[:, shuffled]) == p[shuffled]).all()


def test_a_false_claim_in_a_family_is_as_rare_as_stated():
    rng = np.random.default_rng(3)
    families = 300
    shared = rng.normal(size=(families, 9, 1)) + rng.normal(size=(families, 9, 10))
    wrong = np.mean([step_down(d).min() <= 0.05 for d in shared])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / families)


def test_no_differences_and_one_seed():
    assert (step_down(np.zeros((8, 2))) == 1).all()
    assert (step_down(np.ones((1, 2))) == 1).all()
    assert step_down(np.ones((8, 0))).size == 0
    p = step_down(np.stack([np.ones(8), np.zeros(8)], axis=1))
    assert p.tolist() == [2**-7, 1.0]


def test_a_table_is_expected():
    with pytest.raises(InputError, match=r"\[seeds, claims\]"):
        step_down([0.1, 0.2])
