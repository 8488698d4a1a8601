"""The metrics that come with the library: functions of all outputs and targets.

Outputs are `[n, k]`: for classes, a logit for each, or for two classes the one logit of
class 1; else the first is the prediction. Targets are `[n]`: classes, or numbers.
"""

import jax
import jax.numpy as jnp

from relujax.errors import InputError
from relujax.training._objectives import confusion_matrix, predicted


def auroc(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """The area under the ROC curve, P(score⁺ > score⁻) + P(score⁺ = score⁻)/2.

    The score of two classes is the logit (or the difference of the logits); for more it
    is the mean over the classes, each against the rest, by softmax probabilities. NaN
    where a class has no example.
    """
    return _one_against_rest(_auroc, "auroc", outputs, y)


def average_precision(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """∑ᵢ (recallᵢ - recallᵢ₋₁) precisionᵢ over the thresholds, the highest first.

    Scores as for `auroc`. NaN where a class has no example.
    """
    return _one_against_rest(_average_precision, "average_precision", outputs, y)


def top_k(outputs: jax.Array, y: jax.Array, *, k: int = 5) -> jax.Array:
    """The fraction of examples whose class is among those of the `k` largest logits.

    Of equal logits the first comes first. `k` must be below the number of logits.
    """
    _check_classes("top_k", y)
    classes = outputs.shape[1]
    if k >= classes:
        raise InputError(
            f"Expected k of the metric top_k to be below the {classes} outputs of the "
            f"network, got {k}."
        )
    index = y.astype(jnp.int32)[:, None]
    true = jnp.take_along_axis(outputs, index, axis=1)
    earlier = jnp.arange(classes, dtype=jnp.int32)[None] < index
    before = ((outputs > true) | ((outputs == true) & earlier)).sum(1)
    return _or_nan((before < k).mean(dtype=jnp.float32), outputs)


def balanced_accuracy(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """The mean recall of the classes that have examples."""
    counts = _confusion("balanced_accuracy", outputs, y)
    support = counts.sum(1)
    recall = jnp.diagonal(counts) / jnp.maximum(support, 1)
    return recall.sum() / (support > 0).sum(dtype=jnp.float32)


def matthews(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """Matthews' correlation of predicted and true classes, Gorodkin's for several.

    0 where either is the same for all examples, as in scikit-learn.
    """
    # Fractions: products of counts leave the whole numbers of float32.
    p = _confusion("matthews", outputs, y) / len(y)
    true, guessed = p.sum(1), p.sum(0)
    covariance = jnp.trace(p) - (true * guessed).sum()
    spread = (1 - (true**2).sum()) * (1 - (guessed**2).sum())
    single = ((true > 0).sum() == 1) | ((guessed > 0).sum() == 1)
    return jnp.where(single, 0.0, covariance / jnp.sqrt(jnp.where(single, 1.0, spread)))


def brier(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """The mean of (p - y)², p the probability of class 1.

    For more than two classes, the mean of ∑ₖ (pₖ - [y = k])².
    """
    _check_classes("brier", y)
    p = _probabilities(outputs)
    squared = (p - jax.nn.one_hot(y, p.shape[1], dtype=p.dtype)) ** 2
    return (squared[:, 1] if p.shape[1] == 2 else squared.sum(1)).mean()


def ece(outputs: jax.Array, y: jax.Array, *, bins: int = 15) -> jax.Array:
    """The expected calibration error, ∑_b (n_b/n) |accuracy_b - confidence_b|.

    The confidence, the largest probability, falls into one of `bins` intervals of equal
    width, closed at the upper end (Guo et al., On Calibration of Modern Neural
    Networks, https://arxiv.org/abs/1706.04599, 2017, equation 3).
    """
    _check_classes("ece", y)
    p = _probabilities(outputs)
    confidence = p.max(1)
    right = (predicted(outputs, p.shape[1]).astype(y.dtype) == y).astype(p.dtype)
    place = jnp.clip(jnp.ceil(confidence * bins).astype(jnp.int32) - 1, 0, bins - 1)
    gaps = jnp.zeros(bins, p.dtype).at[place].add(right - confidence)
    return _or_nan(jnp.abs(gaps).sum() / len(y), outputs)


def mae(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """The mean of |f - y|, f the first output."""
    if not jnp.issubdtype(y.dtype, jnp.floating):
        raise InputError(
            "Expected numbers as targets for the metric mae, got classes: take a "
            "metric such as balanced_accuracy."
        )
    return jnp.abs(outputs[:, 0] - y).mean()


for _lower in (brier, ece, mae):
    _lower.higher_is_better = False  # pyright: ignore[reportFunctionMemberAccess]


def _check_classes(name: str, y: jax.Array) -> None:
    if jnp.issubdtype(y.dtype, jnp.floating):
        raise InputError(
            f"Expected classes as targets for the metric {name}, got numbers: take a "
            f"metric such as mae."
        )


def _confusion(name: str, outputs: jax.Array, y: jax.Array) -> jax.Array:
    """Counts as float32; NaN for a network that has diverged."""
    _check_classes(name, y)
    classes = max(outputs.shape[1], 2)
    mask = jnp.ones(len(y), jnp.int32)
    counts = confusion_matrix(y, predicted(outputs, classes), mask, classes)
    return _or_nan(counts.astype(jnp.float32), outputs)


def _probabilities(outputs: jax.Array) -> jax.Array:
    """`[n, classes]` from logits, also from a single one."""
    outputs = outputs.astype(jnp.promote_types(outputs.dtype, jnp.float32))
    if outputs.shape[1] == 1:
        outputs = jnp.concatenate([-outputs, outputs], axis=1)
        return jax.nn.sigmoid(outputs)
    return jax.nn.softmax(outputs)


def _one_against_rest(score, name: str, outputs: jax.Array, y: jax.Array) -> jax.Array:
    _check_classes(name, y)
    classes = outputs.shape[1]
    if classes <= 2:
        z = outputs[:, 0] if classes == 1 else outputs[:, 1] - outputs[:, 0]
        return _or_nan(score(z, y > 0), outputs)
    p = _probabilities(outputs)
    one = lambda k: score(p[:, k], y == k)
    return _or_nan(jax.lax.map(one, jnp.arange(classes)).mean(), outputs)


def _or_nan(value: jax.Array, outputs: jax.Array) -> jax.Array:
    """The value, NaN where an output is."""
    return jnp.where(jnp.isnan(outputs).any(), jnp.nan, value)


def _auroc(z: jax.Array, positive: jax.Array) -> jax.Array:
    """From the negatives below and beside each positive."""
    z, positive, start, end = _sorted(z, positive)
    negatives = _counted(~positive)
    below = negatives[start].astype(jnp.float32)
    beside = negatives[end].astype(jnp.float32) - below
    total = negatives[-1].astype(jnp.float32)
    # Divided first: whole numbers this large are not exact in float32.
    share = jnp.where(positive, (below + beside / 2) / jnp.maximum(total, 1), 0)
    count = positive.sum(dtype=jnp.float32)
    defined = (total > 0) & (count > 0)
    return jnp.where(defined, share.sum() / jnp.maximum(count, 1), jnp.nan)


def _average_precision(z: jax.Array, positive: jax.Array) -> jax.Array:
    """The mean over the positives of the precision at their own score."""
    z, positive, start, _ = _sorted(z, positive)
    count = positive.sum(dtype=jnp.int32)
    hits = (count - _counted(positive)[start]).astype(jnp.float32)
    chosen = (len(z) - start).astype(jnp.float32)
    precision = jnp.where(positive, hits / chosen, 0).sum()
    total = count.astype(jnp.float32)
    return jnp.where(count > 0, precision / jnp.maximum(total, 1), jnp.nan)


def _sorted(
    z: jax.Array, positive: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """In rising order; and where the scores equal to each start and end."""
    order = jnp.argsort(z)
    z = z[order]
    start, end = (
        jnp.searchsorted(z, z, side=side, method="sort") for side in ("left", "right")
    )
    return z, positive[order], start, end


def _counted(mask: jax.Array) -> jax.Array:
    """How many are true before each place, and in all: `[n + 1]`."""
    counts = jnp.cumsum(mask, dtype=jnp.int32)
    return jnp.concatenate([jnp.zeros(1, jnp.int32), counts])
