"""The synthetic families against their definitions."""

import numpy as np
import pytest

import relujax

FORMULAS = {
    "linear": lambda x: x,
    "quadratic": lambda x: x**2,
    "exponential": np.exp,
    "sinusoidal": np.sin,
}
CLASSES = ("two_class", "two_class_linear")


def _sample(curve, n=500, d=2, seed=0):
    data = relujax.load_dataset(
        f"synthetic(curve={curve!r}, n={n}, d={d}, seed={seed})"
    )
    x = np.concatenate([data.x_train, data.x_test]).astype(np.float64)
    return data, x, np.concatenate([data.y_train, data.y_test])


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("curve", FORMULAS)
def test_targets_are_the_curve_plus_noise_of_variance_001(curve, d):
    data, x, y = _sample(curve, n=4000, d=d)
    noise = y - FORMULAS[curve](x).sum(axis=1)
    assert abs(noise.mean()) < 4 * 0.1 / np.sqrt(4000)
    # The variance of n normal draws has standard deviation sqrt(2 / n) times itself.
    assert abs(noise.var() - 0.01) < 4 * 0.01 * np.sqrt(2 / 4000)
    assert data.task == "regression"
    assert data.classes is None
    assert data.y_train.dtype == data.x_train.dtype == np.float32


def test_inputs_are_standard_normal():
    _, x, _ = _sample("linear", n=20_000, d=3)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=4 / np.sqrt(20_000))
    np.testing.assert_allclose(np.cov(x.T), np.eye(3), atol=4 * np.sqrt(2 / 20_000))


@pytest.mark.parametrize("d", [2, 3, 6])
@pytest.mark.parametrize("curve", CLASSES)
def test_classes_are_balanced_and_follow_their_boundary(curve, d):
    data, x, y = _sample(curve, n=4000, d=d)
    assert abs(y.mean() - 0.5) < 4 * 0.5 / np.sqrt(4000)
    assert (data.task, data.classes) == ("classification", 2)
    assert data.y_train.dtype == np.int32
    score = (x if curve == "two_class_linear" else x**2).sum(axis=1)
    # Only noise puts a point on the other side of the boundary.
    assert np.mean(y[np.argsort(score)][:1500]) == 0
    assert np.mean(y[np.argsort(score)][-1500:]) == 1


@pytest.mark.parametrize(("n", "parts"), [(100, (80, 20)), (500, (400, 100))])
def test_a_fifth_is_for_testing(n, parts):
    data, _, _ = _sample("quadratic", n=n)
    assert (len(data.x_train), len(data.x_test)) == parts
    assert parts == (data.provenance.n_train, data.provenance.n_test)


def test_the_seed_alone_decides():
    first, _, _ = _sample("quadratic", seed=3)
    again, x, y = _sample("quadratic", seed=3)
    _, x_other, y_other = _sample("linear", seed=3)
    other, _, _ = _sample("quadratic", seed=4)
    assert first.provenance.sha256 == again.provenance.sha256
    assert first.provenance.sha256 != other.provenance.sha256
    np.testing.assert_array_equal(x, x_other)
    noise = y - (x**2).sum(axis=1)
    np.testing.assert_allclose(noise, y_other - x_other.sum(axis=1), atol=1e-5)


def test_defaults_are_in_the_name():
    name = relujax.load_dataset("synthetic(curve='linear')").name
    assert name == "synthetic(curve='linear', n=500, d=2, seed=0, columns=0)"


def test_columns_of_zeros_give_samples_one_shape():
    plain = relujax.load_dataset("synthetic(curve='linear', n=100, d=2)")
    padded = relujax.load_dataset("synthetic(curve='linear', n=100, d=2, columns=5)")
    assert padded.x_train.shape == (80, 5) and not padded.x_train[:, 2:].any()
    np.testing.assert_array_equal(padded.x_train[:, :2], plain.x_train)
    np.testing.assert_array_equal(padded.y_test, plain.y_test)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("d=3, columns=2", "at least d=3 for 'columns'"),
        ("curve='quadratc'", "Unknown curve 'quadratc'. Did you mean 'quadratic'"),
        ("curve=3", "Expected a string for 'curve' of data set synthetic, got 3"),
        ("n=5", "integer from 10 for 'n'"),
        ("d=0", "integer from 1 for 'd'"),
        ("seed=-3", "for 'seed', got -3"),
        ("n=1000000000000", "at most 67,108,864 numbers"),
        ("d=1000000000000", "at most 67,108,864 numbers"),
        ("columns=1000000000000", "at most 67,108,864 numbers"),
        ("test=1.0", "share of the examples for 'test'"),
        ("validation=-1", "share of the examples for 'validation'"),
        ("m=3", "Unknown parameter of data set synthetic: 'm'"),
    ],
)
def test_bad_values_are_one_sentence(values, message):
    with pytest.raises(relujax.InputError, match=message):
        relujax.load_dataset(f"synthetic({values})")


@pytest.mark.parametrize("curve", ["linear", "two_class"])
def test_parts_of_a_sample(curve):
    spec = f"synthetic(curve={curve!r}, n=100"
    plain = relujax.load_dataset(f"{spec})")
    data = relujax.load_dataset(f"{spec}, test=0.3, validation=0.1)")
    assert [len(x) for _, x, _ in data.parts()] == [63, 7, 30]
    assert data.provenance.sha256 == plain.provenance.sha256
    np.testing.assert_array_equal(data.x_test[-20:], plain.x_test)
    rows = np.concatenate([x for _, x, _ in data.parts()])
    every = np.concatenate([x for _, x, _ in plain.parts()])
    np.testing.assert_array_equal(np.sort(rows[:, 0]), np.sort(every[:, 0]))
