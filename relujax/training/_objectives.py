"""Objectives: the loss, and the statistics of predictions that go with it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from relujax.errors import InputError, first_line
from relujax.parts import Part
from relujax.training import _losses
from relujax.training._losses import OBJECTIVES

#: Sums over examples; they add up over the batches of a split.
Sums = Mapping[str, jax.Array]

Loss = Callable[[jax.Array, jax.Array], jax.Array]


class Objective(NamedTuple):
    """A loss and its metrics.

    Attributes:
      outputs: `outputs(classes) -> int`, the size of the network's output layer.
      loss: `loss(logits [n, outputs], y [n]) -> [n]`, per example.
      sums: `sums(logits, y, mask [n], classes) -> Sums`, over the unmasked examples.
      metrics: `metrics(sums, y [n]) -> dict` of scalars (and `confusion`).
      task: the targets that it takes: "classification", "regression" or "any".
      classes: how many classes it is for; None for any number of them.
    """

    outputs: Callable[[int | None], Any]
    loss: Loss
    sums: Callable[..., Sums]
    metrics: Callable[[Sums, jax.Array], dict[str, jax.Array]]
    task: str = "any"
    classes: int | None = None


class Purpose(NamedTuple):
    """What a loss is for.

    Attributes:
      task: the targets that it takes: "classification", "regression" or "any".
      outputs: `outputs(classes) -> int`, the outputs that it asks for.
      classes: how many classes it is for; None for any number of them.
      any_outputs: whether it also takes more outputs, or one logit for two classes.
    """

    task: str
    outputs: Callable[[int | None], Any]
    classes: int | None = None
    any_outputs: bool = False

    def takes(self, outputs: int, classes: int | None) -> bool:
        """Whether a network with so many outputs can be trained on so many classes."""
        expected = self.outputs(classes)
        if not self.any_outputs:
            return outputs == expected
        single = outputs == 1 and classes in (None, 2)
        return single or outputs >= (expected or 1)


_OF_REGRESSION = Purpose("regression", lambda _: 1)

_PURPOSES = {
    "softmax_cross_entropy": Purpose("classification", lambda classes: classes),
    "binary_cross_entropy": Purpose("classification", lambda _: 1, classes=2),
    "focal": Purpose("classification", lambda classes: classes, any_outputs=True),
    **dict.fromkeys(("mse", "mae", "huber"), _OF_REGRESSION),
}

_OWN = Purpose("any", lambda classes: classes or 1, any_outputs=True)


def purpose_of(part: Part) -> Purpose:
    """What the loss of a part of `OBJECTIVES` is for.

    >>> purpose_of(OBJECTIVES.part("huber")).task
    'regression'
    """
    return _PURPOSES.get(part.name, _OWN)


def make_objective(
    part: Part,
    numbers: Mapping[str, ArrayLike],
    *,
    classes: int | None,
    class_counts: tuple[int, ...] | None = None,
    outputs: int | None = None,
) -> Objective:
    """The objective of a part of `OBJECTIVES`.

    The metrics are those of the task: with classes, the confusion matrix and what
    follows from it, the prediction being the largest of the logits (of the first
    `classes` outputs), or the sign of a single one; without, `mse` and `r2` of the
    first output.

    A weight of a class multiplies the loss of its examples; the mean is still over the
    number of examples, as Keras has it. `balanced` are n / (classes · count), as
    scikit-learn has it.

    Args:
      part: the loss and its static values.
      numbers: its traced numbers, as `part.numeric`; they may be tracers.
      classes: number of classes of the data; None for regression.
      class_counts: training examples of each class, for `class_weight='balanced'`.
      outputs: outputs of the network; by default what the objective asks for.

    Raises:
      InputError: the loss is of another form than `loss(outputs [n, k], targets [n]) ->
        [n]`, or the weights or the outputs do not fit the classes.
    """
    purpose = purpose_of(part)
    values = {**dict(part.static), **numbers}
    weight = values.pop("class_weight", None) if purpose is not _OWN else None
    loss = partial(part.factory, **values) if values else part.factory
    size = _check_outputs(part.name, purpose, classes, outputs)
    if weight is not None:
        loss = _weighted(loss, _class_weights(weight, classes, class_counts))
    if purpose is _OWN:
        loss = _checked(part.name, loss, size, classes)
    wanted = purpose.outputs if outputs is None else lambda _: outputs
    fixed = {"task": purpose.task, "classes": purpose.classes}
    if purpose.task == "regression" or (purpose is _OWN and classes is None):
        sums = _squared_error_sums if part.name == "mse" else _regression_sums(loss)
        return Objective(wanted, loss, sums, _regression_metrics, **fixed)
    return _classify(loss, wanted, **fixed)


def objective(text: str, classes: int | None = None) -> Objective:
    """The objective that a text names, with the numbers in it.

    >>> objective("mse").task
    'regression'
    """
    part = OBJECTIVES.part(text)
    return make_objective(part, part.numeric, classes=classes)


def _check_outputs(
    name: str, purpose: Purpose, classes: int | None, outputs: int | None
) -> int | None:
    """How many outputs there are; they must be what the objective can use."""
    expected = purpose.outputs(classes)
    if outputs is None:
        return expected
    if not purpose.takes(outputs, classes):
        raise InputError(
            f"Expected outputs of shape (batch, {expected}) for {name}"
            f"{f' of {classes} classes' if classes else ''}, got a network of "
            f"(batch, {outputs})."
        )
    return outputs


def _class_weights(
    given: str | tuple[float, ...],
    classes: int | None,
    counts: tuple[int, ...] | None,
) -> tuple[float, ...]:
    if isinstance(given, tuple):
        if classes is not None and len(given) != classes:
            raise InputError(
                f"Expected a class_weight for each of the {classes} classes, got "
                f"{len(given)}: {given}."
            )
        return given
    if counts is None:
        raise InputError(
            "Expected the counts of the classes for class_weight='balanced', got none: "
            "give the weights as a tuple."
        )
    if 0 in counts:
        raise InputError(
            f"Expected training examples of every class for class_weight='balanced', "
            f"got none of class {counts.index(0)}: give the weights as a tuple."
        )
    return tuple(sum(counts) / (len(counts) * count) for count in counts)


def _weighted(loss: Loss, weights: tuple[float, ...]) -> Loss:
    table = np.asarray(weights, np.float32)

    def weighted(logits, y):
        losses = loss(logits, y)
        return losses * jnp.asarray(table, losses.dtype)[y.astype(jnp.int32)]

    return weighted


def _checked(name: str, loss: Loss, outputs: int | None, classes: int | None) -> Loss:
    """A loss of the user's, tried on a few examples: it must give a number for each."""
    k = outputs or 1
    n = 5 if k != 5 else 7
    y = jax.ShapeDtypeStruct((n,), jnp.float32 if classes is None else jnp.int32)
    form = f"a loss {name}(outputs [n, {k}], targets [n]) -> [n]"
    try:
        got = jax.eval_shape(loss, jax.ShapeDtypeStruct((n, k), jnp.float32), y)
    except Exception as error:
        raise InputError(
            f"Expected {form}, got {type(error).__name__}: {first_line(error)}"
        ) from error
    if getattr(got, "shape", None) != (n,):
        raise InputError(
            f"Expected a loss per example from {name}, shape [n], got "
            f"{_shape_text(got, n)}: leave out the mean over the examples, and sum "
            f"over whatever else there is."
        )
    if not jnp.issubdtype(got.dtype, jnp.floating):
        raise InputError(f"Expected floating losses from {name}, got {got.dtype}.")
    return lambda outputs, y: _at_least_float32(loss(outputs, y))


def _shape_text(got: Any, n: int) -> str:
    shape = getattr(got, "shape", None)
    if shape is None:
        return "no array"
    if shape == ():
        return "a scalar"
    return f"the shape [{', '.join('n' if d == n else str(d) for d in shape)}]"


def _at_least_float32(x: jax.Array) -> jax.Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


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


def _classify(loss: Loss, outputs: Callable, **fixed: Any) -> Objective:
    def sums(logits, y, mask, classes):
        _check_logits(logits, classes)
        return {
            "loss": _sum(loss(logits, y), mask),
            "confusion": confusion_matrix(y, predicted(logits, classes), mask, classes),
        }

    def metrics(sums, y):
        confusion = sums["confusion"]
        scores = classification_metrics(confusion)
        loss = sums["loss"] / len(y)
        return {"loss": loss, **scores, "confusion": confusion.reshape(-1)}

    return Objective(outputs, loss, sums, metrics, **fixed)


def _check_logits(logits: jax.Array, classes: int) -> None:
    if logits.ndim == 2 and (
        logits.shape[1] >= classes or (logits.shape[1] == 1 and classes == 2)
    ):
        return
    raise InputError(
        f"Expected a logit per class, shape [n, {classes}], or for two classes one "
        f"logit, got outputs of shape {list(logits.shape)}."
    )


def predicted(logits: jax.Array, classes: int) -> jax.Array:
    """The predicted classes `[n]`: the largest logit, or the sign of a single one."""
    outputs = logits.shape[1]
    if outputs == 1 and classes == 2:
        return logits[:, 0] > 0
    return (logits[:, :classes] if outputs > classes else logits).argmax(-1)


def _sum(losses: jax.Array, mask: jax.Array) -> jax.Array:
    return (losses * mask.astype(losses.dtype)).sum()


def _squared_error_sums(outputs, y, mask, classes):
    del classes
    return {"loss": _sum(_losses.mse(outputs, y), mask)}


def _regression_sums(loss: Loss) -> Callable[..., Sums]:
    def sums(outputs, y, mask, classes):
        squared = _squared_error_sums(outputs, y, mask, classes)["loss"]
        return {"loss": _sum(loss(outputs, y), mask), "squared_error": squared}

    return sums


def _regression_metrics(sums, y):
    mse = sums.get("squared_error", sums["loss"]) / len(y)
    return {"loss": sums["loss"] / len(y), "mse": mse, "r2": 1 - mse / y.var()}
