"""Objectives: the loss, and the statistics of predictions that go with it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from relujax.errors import unknown

#: Sums over examples; they add up over the batches of a split.
Sums = Mapping[str, jax.Array]


class Objective(NamedTuple):
    """A loss and its metrics.

    Attributes:
      outputs: `outputs(classes) -> int`, the size of the network's output layer.
      loss: `loss(logits [n, outputs], y [n]) -> [n]`, per example.
      sums: `sums(logits, y, mask [n], classes) -> Sums`, over the unmasked examples.
      metrics: `metrics(sums, y [n]) -> dict` of scalars (and `confusion`).
    """

    outputs: Callable[[int | None], int]
    loss: Callable[[jax.Array, jax.Array], jax.Array]
    sums: Callable[..., Sums]
    metrics: Callable[[Sums, jax.Array], dict[str, jax.Array]]


def confusion_matrix(
    y: jax.Array, predicted: jax.Array, mask: jax.Array, classes: int
) -> jax.Array:
    """Counts `[classes, classes]`: row = true class, column = predicted class."""
    cell = y.astype(jnp.int32) * classes + predicted.astype(jnp.int32)
    counts = (
        jnp.zeros(classes * classes, jnp.int32).at[cell].add(mask.astype(jnp.int32))
    )
    return counts.reshape(classes, classes)


def classification_metrics(confusion: jax.Array) -> dict[str, jax.Array]:
    """Accuracy, and precision, recall and F1 as macro and as weighted averages.

    A class without predicted (or true) examples has precision (recall) 0, as in
    scikit-learn with `zero_division=0`.

    Args:
      confusion: counts, shape `[classes, classes]`, row = true class.

    Returns:
      Scalars by name.
    """
    # Ratios of counts: the noise of float32 would show up in ties between seeds.
    hits = jnp.diagonal(confusion).astype(jnp.float32)
    support = confusion.sum(1).astype(jnp.float32)
    predicted = confusion.sum(0).astype(jnp.float32)
    precision = _ratio(hits, predicted)
    recall = _ratio(hits, support)
    f1 = _ratio(2 * hits, support + predicted)
    total = support.sum()
    # A class that neither occurs nor is predicted is no class of this problem.
    present = (support + predicted > 0).astype(jnp.float32)
    result = {"accuracy": hits.sum() / total}
    for name, per_class in (("precision", precision), ("recall", recall), ("f1", f1)):
        result[f"{name}_macro"] = _ratio((per_class * present).sum(), present.sum())
        result[f"{name}_weighted"] = (per_class * support).sum() / total
    return result


def _ratio(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
    return numerator / jnp.where(denominator == 0, 1.0, denominator)


def _classify(loss, predict, outputs) -> Objective:
    def sums(logits, y, mask, classes):
        return {
            "loss": (loss(logits, y) * mask).sum(),
            "confusion": confusion_matrix(y, predict(logits), mask, classes),
        }

    def metrics(sums, y):
        confusion = sums["confusion"]
        scores = classification_metrics(confusion)
        loss = sums["loss"] / len(y)
        return {"loss": loss, **scores, "confusion": confusion.reshape(-1)}

    return Objective(outputs, loss, sums, metrics)


def _binary_loss(logits, y):
    return optax.sigmoid_binary_cross_entropy(logits[:, 0], y.astype(logits.dtype))


def _squared_error(outputs, y):
    return (outputs[:, 0] - y) ** 2


def _squared_error_sums(outputs, y, mask, classes):
    del classes
    return {"loss": (_squared_error(outputs, y) * mask).sum()}


def _regression_metrics(sums, y):
    mse = sums["loss"] / len(y)
    return {"loss": mse, "mse": mse, "r2": 1 - mse / y.var()}


_OBJECTIVES = {
    "softmax_cross_entropy": _classify(
        optax.softmax_cross_entropy_with_integer_labels,
        lambda logits: logits.argmax(-1),
        lambda classes: classes,
    ),
    "binary_cross_entropy": _classify(
        _binary_loss, lambda logits: logits[:, 0] > 0, lambda _classes: 1
    ),
    "mse": Objective(
        lambda _classes: 1, _squared_error, _squared_error_sums, _regression_metrics
    ),
}

#: The names of the objectives.
OBJECTIVES = tuple(_OBJECTIVES)


def objective(name: str) -> Objective:
    """The objective of that name: one of `OBJECTIVES`."""
    if name not in _OBJECTIVES:
        raise unknown("objective", name, OBJECTIVES)
    return _OBJECTIVES[name]
