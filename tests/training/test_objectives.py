"""Metrics against scikit-learn, losses against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as sk

from relujax import InputError
from relujax.training import (
    classification_metrics,
    confusion_matrix,
    objective,
)


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("never_predicted", [False, True])
def test_classification_metrics_equal_scikit_learn(classes, never_predicted):
    rng = np.random.default_rng(classes)
    y = rng.integers(0, classes, 200)
    predicted = np.where(rng.random(200) < 0.6, y, rng.integers(0, classes, 200))
    if never_predicted:
        predicted[predicted == classes - 1] = 0
    confusion = confusion_matrix(
        jnp.asarray(y), jnp.asarray(predicted), jnp.ones(200), classes
    )
    np.testing.assert_array_equal(confusion, sk.confusion_matrix(y, predicted))
    got = classification_metrics(confusion)
    np.testing.assert_allclose(got["accuracy"], sk.accuracy_score(y, predicted), 1e-6)
    for average in ("macro", "weighted"):
        expected = sk.precision_recall_fscore_support(
            y, predicted, average=average, zero_division=0
        )
        for name, value in zip(
            ("precision", "recall", "f1"), expected[:3], strict=True
        ):
            np.testing.assert_allclose(
                got[f"{name}_{average}"], value, rtol=1e-6, err_msg=f"{name} {average}"
            )


def test_masked_examples_do_not_count():
    y = jnp.array([0, 1, 1])
    counts = confusion_matrix(y, jnp.array([0, 1, 0]), jnp.array([1.0, 1.0, 0.0]), 2)
    np.testing.assert_array_equal(counts, [[1, 0], [0, 1]])


def test_binary_cross_entropy_is_the_log_loss():
    chosen = objective("binary_cross_entropy")
    logits = jnp.array([[2.0], [-1.0], [0.5]])
    y = jnp.array([1, 0, 0])
    expected = sk.log_loss(y, jax.nn.sigmoid(logits[:, 0]))
    np.testing.assert_allclose(chosen.loss(logits, y).mean(), expected, rtol=1e-6)
    assert chosen.outputs(2) == 1


def test_softmax_cross_entropy_is_the_log_loss():
    chosen = objective("softmax_cross_entropy")
    logits = jax.random.normal(jax.random.key(0), (50, 4))
    y = jax.random.randint(jax.random.key(1), (50,), 0, 4)
    expected = sk.log_loss(y, jax.nn.softmax(logits), labels=range(4))
    np.testing.assert_allclose(chosen.loss(logits, y).mean(), expected, rtol=1e-5)
    assert chosen.outputs(4) == 4


def test_regression_metrics_equal_scikit_learn():
    chosen = objective("mse")
    outputs = jax.random.normal(jax.random.key(0), (40, 1))
    y = 100 + jax.random.normal(jax.random.key(1), (40,))
    sums = chosen.sums(outputs, y, jnp.ones(40), None)
    got = chosen.metrics(sums, y)
    np.testing.assert_allclose(
        got["mse"],
        sk.mean_squared_error(np.asarray(y), np.asarray(outputs[:, 0])),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        got["r2"], sk.r2_score(np.asarray(y), np.asarray(outputs[:, 0])), rtol=1e-4
    )


def test_unknown_objective_offers_the_nearest():
    with pytest.raises(InputError, match="'binary_cross_entropy'"):
        objective("binary_crossentropy")
