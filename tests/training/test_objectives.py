"""Metrics against scikit-learn, losses against closed forms and other libraries."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sklearn import metrics as sk
from sklearn.utils.class_weight import compute_class_weight

from relujax import InputError, parts
from relujax.training import (
    OBJECTIVES,
    classification_metrics,
    confusion_matrix,
    make_objective,
    objective,
)

LOGITS = 3 * jax.random.normal(jax.random.key(0), (50, 4))
CLASSES = jax.random.randint(jax.random.key(1), (50,), 0, 4)
Z = LOGITS[:, :1]
BINARY = jnp.int32(CLASSES > 1)
TARGETS = jax.random.normal(jax.random.key(2), (50,))


def of(text, classes=None, **more):
    part = OBJECTIVES.part(text)
    return make_objective(part, part.numeric, classes=classes, **more)


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
    expected = sk.log_loss(BINARY, jax.nn.sigmoid(Z[:, 0]))
    np.testing.assert_allclose(chosen.loss(Z, BINARY).mean(), expected, rtol=1e-5)
    assert chosen.outputs(2) == 1
    assert (chosen.task, chosen.classes) == ("classification", 2)


def test_softmax_cross_entropy_is_the_log_loss():
    chosen = objective("softmax_cross_entropy")
    expected = sk.log_loss(CLASSES, jax.nn.softmax(LOGITS), labels=range(4))
    np.testing.assert_allclose(chosen.loss(LOGITS, CLASSES).mean(), expected, rtol=1e-5)
    assert chosen.outputs(4) == 4
    assert (chosen.task, chosen.classes) == ("classification", None)


def test_label_smoothing_is_optax_s():
    got = of("softmax_cross_entropy(label_smoothing=0.1)", 4).loss(LOGITS, CLASSES)
    smooth = optax.smooth_labels(jax.nn.one_hot(CLASSES, 4), 0.1)
    np.testing.assert_allclose(
        got, optax.softmax_cross_entropy(LOGITS, smooth), rtol=1e-5
    )
    got = of("binary_cross_entropy(label_smoothing=0.1)", 2).loss(Z, BINARY)
    want = optax.sigmoid_binary_cross_entropy(Z[:, 0], 0.05 + 0.9 * BINARY)
    np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_is_that_of_the_paper(gamma):
    chosen = of(f"focal(gamma={gamma})", 2)
    want = optax.sigmoid_focal_loss(Z[:, 0], BINARY.astype(jnp.float32), gamma=gamma)
    np.testing.assert_allclose(chosen.loss(Z, BINARY), want, rtol=1e-4)
    # A logit per class: of two classes, the same number.
    two = jnp.concatenate([jnp.zeros_like(Z), Z], axis=1)
    np.testing.assert_allclose(chosen.loss(two, BINARY), want, rtol=1e-4)
    odds = np.exp(np.asarray(LOGITS, np.float64))
    p = odds[np.arange(50), CLASSES] / odds.sum(1)
    np.testing.assert_allclose(
        of(f"focal(gamma={gamma})", 4).loss(LOGITS, CLASSES),
        -((1 - p) ** gamma) * np.log(p),
        rtol=1e-4,
        atol=1e-6,
    )


def test_focal_loss_has_a_gradient_where_an_example_is_certain():
    part = OBJECTIVES.part("focal")

    @jax.jit
    @jax.value_and_grad
    def loss(logits, gamma):
        chosen = make_objective(part, {"gamma": gamma}, classes=3)
        return chosen.loss(logits, jnp.array([0, 0])).sum()

    for gamma in (0.0, 0.3, 1.0, 2.0):
        for scale in (1.0, 1e3, 1e30):
            one = np.array([[-scale], [scale]], np.float32)
            many = np.array([[scale, 0, -scale], [0, -scale, scale]], np.float32)
            for logits in (one, many):
                value, slope = loss(logits, gamma)
                assert np.isfinite(value) and np.isfinite(slope).all()


def test_huber_and_mae_are_optax_s():
    got = of("huber(delta=0.7)").loss(Z, TARGETS)
    want = optax.huber_loss(Z[:, 0], TARGETS, delta=0.7)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    got = of("mae")
    np.testing.assert_allclose(
        got.loss(Z, TARGETS).mean(), sk.mean_absolute_error(TARGETS, Z[:, 0]), rtol=1e-6
    )
    sums = got.sums(Z, TARGETS, jnp.ones(50), None)
    scores = got.metrics(sums, TARGETS)
    mse = sk.mean_squared_error(np.asarray(TARGETS), np.asarray(Z[:, 0]))
    np.testing.assert_allclose(scores["mse"], mse, rtol=1e-5)
    assert float(scores["loss"]) != float(scores["mse"])


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


def test_balanced_class_weights_are_scikit_learn_s():
    counts = np.bincount(CLASSES, minlength=4)
    plain = of("softmax_cross_entropy", 4).loss(LOGITS, CLASSES)
    text = "softmax_cross_entropy(class_weight='balanced')"
    got = of(text, 4, class_counts=tuple(map(int, counts))).loss(LOGITS, CLASSES)
    weights = compute_class_weight(
        "balanced", classes=np.arange(4), y=np.asarray(CLASSES)
    )
    np.testing.assert_allclose(got, plain * weights[CLASSES], rtol=1e-5)
    # Every class counts the same.
    np.testing.assert_allclose(weights * counts, counts.sum() / 4)


def test_class_weights_multiply_the_losses_of_their_class():
    plain = of("focal", 2).loss(Z, BINARY)
    got = of("focal(class_weight=(1, 3))", 2, outputs=1).loss(Z, BINARY)
    np.testing.assert_allclose(got, plain * jnp.where(BINARY == 1, 3, 1), rtol=1e-6)
    part = OBJECTIVES.part("focal(class_weight=[1, 3])")
    assert part.text == "focal(class_weight=(1.0, 3.0), gamma=2.0)"


def test_what_is_left_at_its_default_is_left_out_of_the_text():
    for name in ("softmax_cross_entropy", "binary_cross_entropy", "mse", "mae"):
        assert OBJECTIVES.part(name).text == name
    text = "softmax_cross_entropy(label_smoothing=0, class_weight=None)"
    assert OBJECTIVES.part(text) == OBJECTIVES.part("softmax_cross_entropy")
    smooth = OBJECTIVES.part("softmax_cross_entropy(label_smoothing=0.1)")
    assert dict(smooth.numeric) == {"label_smoothing": 0.1} and smooth.static == ()


def test_numbers_of_a_loss_may_be_traced():
    part = OBJECTIVES.part("focal")

    @jax.jit
    def loss(gamma):
        chosen = make_objective(part, {"gamma": gamma}, classes=4)
        return chosen.loss(LOGITS, CLASSES)

    np.testing.assert_allclose(
        loss(0.7), of("focal(gamma=0.7)", 4).loss(LOGITS, CLASSES), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("binary_crossentropy", "'binary_cross_entropy'"),
        ("softmax_cross_entropy(label_smoothing=1)", "at least 0 and below 1"),
        ("focal(gamma=-1)", "'gamma' of objective focal to be at least 0"),
        ("huber(delta=0)", "'delta' of objective huber to be above 0"),
        ("mse(delta=1)", "no parameter for objective mse"),
        ("focal(class_weight=(1, -1))", "a weight from 0 for each class"),
        ("focal(class_weight=(0, 0))", "a weight from 0 for each class"),
        ("focal(class_weight='even')", "None, 'balanced', or"),
        ("focal(class_weight=2.0)", "None, 'balanced', or"),
        ("focal(gamma=True)", "finite number for 'gamma'"),
        (parts.named("mine", 3), "a function as the objective, got 3"),
    ],
)
def test_bad_objectives_are_refused_with_one_sentence(text, message):
    with pytest.raises(InputError, match=message):
        OBJECTIVES.part(text)


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("focal(class_weight=(1, 2))", {}, "each of the 3 classes, got 2"),
        ("focal(class_weight='balanced')", {}, "counts of the classes"),
        (
            "focal(class_weight='balanced')",
            {"class_counts": (4, 0, 2)},
            "got none of class 1",
        ),
        (
            "softmax_cross_entropy",
            {"outputs": 5},
            r"of \(batch, 5\)",
        ),
        ("binary_cross_entropy", {"outputs": 2}, r"shape \(batch, 1\)"),
        ("focal", {"outputs": 2}, r"\(batch, 3\) for focal of 3 classes"),
    ],
)
def test_what_does_not_fit_the_classes_is_refused(text, given, message):
    with pytest.raises(InputError, match=message):
        of(text, 3, **given)


def tempered(outputs, targets, *, temperature=2.0):
    """A loss of one's own."""
    return optax.softmax_cross_entropy_with_integer_labels(
        outputs / temperature, targets
    )


def cubed(outputs, targets):
    return jnp.abs(outputs[:, 0] - targets) ** 3


def test_an_own_loss_has_the_metrics_of_classification():
    part = OBJECTIVES.part(tempered)
    assert part.text == f"{__name__}:tempered"
    assert part.values == {"temperature": 2.0}
    chosen = of(f"{__name__}:tempered(temperature=4)", 4)
    ours = objective("softmax_cross_entropy")
    np.testing.assert_array_equal(
        chosen.loss(LOGITS, CLASSES), ours.loss(LOGITS / 4, CLASSES)
    )
    assert (chosen.task, chosen.classes, chosen.outputs(4)) == ("any", None, 4)
    got = chosen.metrics(chosen.sums(LOGITS, CLASSES, jnp.ones(50), 4), CLASSES)
    want = ours.metrics(ours.sums(LOGITS, CLASSES, jnp.ones(50), 4), CLASSES)
    assert list(got) == list(want)
    assert got["accuracy"] == want["accuracy"] and got["loss"] != want["loss"]


def test_an_own_loss_has_the_metrics_of_regression():
    part = OBJECTIVES.part(parts.named("cubed", cubed))
    assert part.text == "cubed" and part.local
    chosen = make_objective(part, {}, classes=None)
    assert chosen.outputs(None) == 1
    got = chosen.metrics(chosen.sums(Z, TARGETS, jnp.ones(50), None), TARGETS)
    want = of("mse")
    want = want.metrics(want.sums(Z, TARGETS, jnp.ones(50), None), TARGETS)
    assert got["mse"] == want["mse"] and got["r2"] == want["r2"]
    np.testing.assert_allclose(got["loss"], cubed(Z, TARGETS).mean(), rtol=1e-6)


def test_an_own_loss_of_one_logit_predicts_by_its_sign():
    def hinge(outputs, targets):
        return jax.nn.relu(1 - outputs[:, 0] * (2 * targets - 1))

    part = OBJECTIVES.part(parts.named("hinge", hinge))
    chosen = make_objective(part, {}, classes=2, outputs=1)
    got = chosen.metrics(chosen.sums(Z, BINARY, jnp.ones(50), 2), BINARY)
    np.testing.assert_allclose(
        got["accuracy"], sk.accuracy_score(BINARY, Z[:, 0] > 0), rtol=1e-6
    )
    with pytest.raises(InputError, match=r"shape \[n, 3\].* got outputs of shape"):
        chosen.sums(Z, BINARY, jnp.ones(50), 3)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda f, y: ((f[:, 0] - y) ** 2).mean(), "a loss per example .* a scalar"),
        (lambda f, y: f - 1.0, r"got the shape \[n, 1\]"),
        (lambda f, y: f[:, 0] > 0, "floating losses from mine, got bool"),
        (lambda f: f[:, 0], r"loss mine\(outputs \[n, 1\].* got TypeError"),
        (lambda f, y: None, "got no array"),
        (lambda f, y: f[:, 0] if f.sum() > 0 else y, "got TracerBool"),
    ],
)
def test_an_own_loss_of_another_form_is_refused(loss, message):
    part = OBJECTIVES.part(parts.named("mine", loss))
    with pytest.raises(InputError, match=message):
        make_objective(part, {}, classes=None)


@pytest.mark.parametrize(
    "text",
    [
        "softmax_cross_entropy",
        "softmax_cross_entropy(label_smoothing=0.1, class_weight=(1, 2))",
        "binary_cross_entropy(label_smoothing=0.1, class_weight=(1, 2))",
        "focal",
        "mse",
        "mae",
    ],
)
def test_losses_keep_types_where_promotion_is_strict(text):
    chosen = of(text, None if text in ("mse", "mae") else 2)
    k = chosen.outputs(2)
    logits = jax.ShapeDtypeStruct((5, k), jnp.float32)
    y = jax.ShapeDtypeStruct(
        (5,), jnp.float32 if chosen.task != "classification" else int
    )
    mask = jax.ShapeDtypeStruct((5,), jnp.float32)
    with jax.numpy_dtype_promotion("strict"):
        loss, slope = jax.eval_shape(
            lambda z, y: (
                chosen.loss(z, y),
                jax.grad(lambda z: chosen.loss(z, y).sum())(z),
            ),
            logits,
            y,
        )
        sums = jax.eval_shape(lambda z, y, m: chosen.sums(z, y, m, 2), logits, y, mask)
        jax.eval_shape(chosen.metrics, sums, y)
    assert loss.dtype == slope.dtype == jnp.float32
