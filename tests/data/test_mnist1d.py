"""MNIST-1D: its shape, its noise, and how hard it is."""

import numpy as np
import pytest

import relujax
from relujax.data._mnist1d import _sampled, _templates


def test_shape_and_classes():
    data = relujax.load_dataset("mnist1d")
    assert (data.x_train.shape, data.x_test.shape) == ((4000, 40), (1000, 40))
    both = np.concatenate([data.y_train, data.y_test])
    np.testing.assert_array_equal(np.bincount(both), np.full(10, 500))
    assert abs(data.x_train.mean()) < 1e-6 and abs(data.x_train.std() - 1) < 1e-5


def test_seeds_are_other_draws():
    one, again, other = (
        relujax.load_dataset(f"mnist1d(n=100, seed={seed})") for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.x_train, again.x_train)
    assert not np.array_equal(one.x_train, other.x_train)


def test_templates_start_and_end_at_zero_with_one_variance():
    x = _templates()
    assert x.shape == (10, 12)
    np.testing.assert_allclose(x[:, [0, -1]], 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=1), 1 / 6)


def test_samples_lie_on_straight_lines():
    line = np.linspace(3.0, 5.0, 72)[None]
    np.testing.assert_allclose(_sampled(line, 40)[0], np.linspace(3.0, 5.0, 40))


def test_it_is_as_hard_for_a_linear_classifier_as_the_paper_says():
    from sklearn.linear_model import LogisticRegression

    data = relujax.load_dataset("mnist1d")
    fitted = LogisticRegression(max_iter=1000).fit(data.x_train, data.y_train)
    # Table 1: 32 %. The standard error of 1,000 test examples is 1.5 points.
    assert 0.26 < fitted.score(data.x_test, data.y_test) < 0.38


@pytest.mark.parametrize("n", [99, 101, 90, 10**7])
def test_sizes_that_make_no_classes(n):
    with pytest.raises(relujax.InputError, match="a multiple of ten"):
        relujax.load_dataset(f"mnist1d(n={n})")
