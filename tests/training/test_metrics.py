"""Metrics of all outputs of a split, against scikit-learn; a user's own."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from relujax import InputError, parts
from relujax.networks import MLP, from_linen
from relujax.training import (
    METRICS,
    Split,
    SplitMetric,
    make_metric,
    make_run,
    objective,
    streams,
)

N = 157


def of(given) -> SplitMetric:
    return make_metric(METRICS.part(given))


def value(given, outputs, y):
    return float(jax.jit(of(given).fn)(outputs, y))


def example(classes, ties=False, seed=0):
    """Outputs `[n, classes]`, in steps of a quarter where there shall be ties."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(N, classes)).astype(np.float32)
    y = rng.integers(0, max(classes, 2), N).astype(np.int32)
    # Better than chance.
    outputs[np.arange(N), np.minimum(y, classes - 1)] += 1.0 if classes > 1 else 0.0
    return (np.round(outputs * 4) / 4 if ties else outputs), y


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("auroc", sk.roc_auc_score),
        ("average_precision", sk.average_precision_score),
    ],
)
def test_ranking_metrics_equal_scikit_learn(name, oracle, ties):
    one, y = example(1, ties)
    np.testing.assert_allclose(value(name, one, y), oracle(y, one[:, 0]), rtol=1e-6)
    two, y = example(2, ties)
    want = oracle(y, two[:, 1] - two[:, 0])
    np.testing.assert_allclose(value(name, two, y), want, rtol=1e-6)
    four, y = example(4, ties)
    p = np.asarray(jax.nn.softmax(four))
    want = oracle(label_binarize(y, classes=range(4)), p, average="macro")
    np.testing.assert_allclose(value(name, four, y), want, rtol=1e-6)


@pytest.mark.parametrize("name", ["auroc", "average_precision"])
def test_ranking_needs_every_class(name):
    one, _ = example(1)
    assert np.isnan(value(name, one, np.zeros(N, np.int32)))
    four, y = example(4)
    assert np.isnan(value(name, four, np.minimum(y, 2)))
    if name == "auroc":
        assert np.isnan(value(name, one, np.ones(N, np.int32)))


def test_equal_scores_are_worth_half():
    y = np.array([0, 1, 0, 1], np.int32)
    assert value("auroc", np.zeros((4, 1), np.float32), y) == 0.5
    assert value("average_precision", np.zeros((4, 1), np.float32), y) == 0.5


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_scores_of_predictions_equal_scikit_learn(classes):
    outputs, y = example(classes)
    predicted = outputs[:, 0] > 0 if classes == 1 else outputs.argmax(1)
    for name, oracle in (
        ("balanced_accuracy", sk.balanced_accuracy_score),
        ("matthews", sk.matthews_corrcoef),
    ):
        want = oracle(y, predicted.astype(int))
        np.testing.assert_allclose(value(name, outputs, y), want, rtol=1e-5)
    always = np.zeros_like(outputs)
    assert value("matthews", always, y) == 0.0
    # A class without examples has no recall.
    some = y > 0
    want = np.mean(
        [predicted[y == k].astype(int).__eq__(k).mean() for k in set(y[some])]
    )
    got = value("balanced_accuracy", outputs[some], y[some])
    np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("k", [1, 3])
def test_top_k_equals_scikit_learn(k):
    outputs, y = example(6)
    want = sk.top_k_accuracy_score(y, outputs, k=k, labels=range(6))
    np.testing.assert_allclose(value(f"top_k(k={k})", outputs, y), want, rtol=1e-6)


def test_of_equal_logits_the_first_comes_first():
    y = np.arange(4, dtype=np.int32)
    assert value("top_k(k=2)", np.zeros((4, 4), np.float32), y) == 0.5


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_calibration(classes):
    outputs, y = example(classes)
    if classes == 1:
        p = np.asarray(jax.nn.sigmoid(np.hstack([-outputs, outputs])))
    else:
        p = np.asarray(jax.nn.softmax(outputs))
    onehot = np.eye(p.shape[1])[y]
    want = ((p - onehot) ** 2).sum(1).mean()
    if classes < 3:
        want = sk.brier_score_loss(y, p[:, 1])
    np.testing.assert_allclose(value("brier", outputs, y), want, rtol=1e-5)
    # The sum of the definition, bin by bin.
    confidence, right = p.max(1), p.argmax(1) == y
    edges, want = np.linspace(0, 1, 8), 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            want += inside.mean() * abs(gap)
    np.testing.assert_allclose(value("ece(bins=7)", outputs, y), want, rtol=1e-4)


def test_mean_absolute_error():
    outputs, _ = example(1)
    y = np.linspace(-1, 1, N, dtype=np.float32)
    want = sk.mean_absolute_error(y, outputs[:, 0])
    np.testing.assert_allclose(value("mae", outputs, y), want, rtol=1e-6)


@pytest.mark.parametrize("name", ["auroc", "balanced_accuracy", "ece", "brier"])
def test_a_network_that_has_diverged_has_no_score(name):
    outputs, y = example(4)
    outputs[3, 2] = np.nan
    assert np.isnan(value(name, outputs, y))


def test_directions():
    lower = {name for name in METRICS if not of(name).higher_is_better}
    assert lower == {"brier", "ece", "mae"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("auc", "Unknown metric 'auc'"),
        ("auroc(k=1)", "no parameter for metric auroc"),
        ("top_k(k=0)", "'k' of metric top_k to be at least 1"),
        ("ece(bins=2.5)", "whole number for 'bins'"),
        (parts.named("mine", 3), "a function as the metric, got 3"),
    ],
)
def test_bad_metrics_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        METRICS.part(given)


def test_metrics_of_the_wrong_targets_are_refused():
    outputs, y = example(4)
    with pytest.raises(InputError, match="numbers as targets for the metric mae"):
        value("mae", outputs, y)
    with pytest.raises(InputError, match="classes as targets for the metric auroc"):
        value("auroc", outputs, y.astype(np.float32))
    with pytest.raises(InputError, match="below the 4 outputs"):
        value("top_k", outputs, y)


def first_output(outputs, targets, *, power=1.0):
    """A metric of one's own: a mean over the outputs."""
    del targets
    return (outputs[:, 0] ** power).mean()


def test_own_metrics_have_a_direction():
    assert of(first_output).name == f"{__name__}:first_output"
    assert of(first_output).higher_is_better

    def worst(outputs, targets):
        return jnp.abs(outputs[:, 0] - targets).max()

    METRICS.add("worst_of_mine", worst, higher_is_better=False)
    assert not of("worst_of_mine").higher_is_better
    assert not of(worst).higher_is_better
    METRICS.add("worst_of_mine", worst)
    assert of("worst_of_mine").higher_is_better
    worst.higher_is_better = False
    assert not of(parts.named("lowest", worst)).higher_is_better
    with pytest.raises(InputError, match="True or False for higher_is_better"):
        METRICS.add("worst_of_mine", worst, higher_is_better="no")  # pyright: ignore
    with pytest.raises(InputError, match="one of the library's"):
        METRICS.add("auroc", worst)


@pytest.fixture(scope="module")
def split():
    x = jax.random.normal(jax.random.key(7), (37, 5))
    return Split(x, (x[:, 0] > 0.2).astype(jnp.int32))


def run_with(*metrics, eval_batch=1024):
    return make_run(
        from_linen(MLP(1, "relu", hidden=(4,))),
        optax.sgd(0.1),
        objective("binary_cross_entropy"),
        classes=2,
        transform=lambda x: x,
        eval_batch=eval_batch,
        metrics=[of(metric) for metric in metrics],
    )


def test_evaluation_measures_every_example_once(split):
    def count(outputs, targets):
        return outputs.shape[0] + 0 * targets.sum()

    mine = parts.named("how_many", count)
    state = run_with().init(streams(0, 0), split.x)
    plain, _ = jax.jit(run_with().evaluate)(state, split)
    net = MLP(1, "relu", hidden=(4,))
    logits = net.apply({"params": state.params}, split.x)
    want = sk.roc_auc_score(split.y, np.asarray(logits)[:, 0])
    for size in (10, 37):
        run = run_with("auroc", mine, "brier", eval_batch=size)
        got, _ = jax.jit(run.evaluate)(state, split)
        assert set(got) == {*plain, "auroc", "how_many", "brier"}
        assert got["how_many"] == 37 and got["how_many"].dtype == jnp.float32
        np.testing.assert_allclose(got["auroc"], want, rtol=1e-6)
        if size == 37:
            for name in plain:
                np.testing.assert_array_equal(got[name], plain[name])


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (lambda f, y: f[:, 0], r"gives one number, got float32 of shape \[37\]"),
        (lambda f, y: float(f.sum()), "can be traced by JAX, got Concretization"),
        (lambda f: f.sum(), "can be traced by JAX, got TypeError"),
    ],
)
def test_metrics_of_another_form_are_refused(metric, message, split):
    run = run_with(parts.named("mine", metric))
    state = run.init(streams(0, 0), split.x)
    with pytest.raises(InputError, match=message):
        jax.eval_shape(run.evaluate, state, split)


def test_a_metric_has_a_name_of_its_own(split):
    run = run_with(parts.named("accuracy", lambda f, y: f.sum()))
    state = run.init(streams(0, 0), split.x)
    with pytest.raises(InputError, match="name of its own for the metric 'accuracy'"):
        jax.eval_shape(run.evaluate, state, split)
