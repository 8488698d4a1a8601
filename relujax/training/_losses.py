"""Losses: a number for each example, from its outputs and its target.

A loss of one's own is a function of the same form, `loss(outputs [n, k], targets [n])
-> [n]`; its keywords with a float as default become parameters of the objective.
"""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from relujax.errors import InputError, short
from relujax.parts import Registry
from relujax.specs import Parameter, parameters_of


def softmax_cross_entropy(
    logits: jax.Array, y: jax.Array, *, label_smoothing: ArrayLike = 0.0
) -> jax.Array:
    """-∑ₖ qₖ log softmax(logits)ₖ, where q = (1-ε) onehot(y) + ε/k.

    Args:
      logits: `[n, k]`, one per class.
      y: classes `[n]`.
      label_smoothing: ε, in [0, 1) (Szegedy et al., Rethinking the Inception
        Architecture, https://arxiv.org/abs/1512.00567, 2016, section 7).

    Returns:
      `[n]`.
    """
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, y)
    if _is_off(label_smoothing):
        return loss
    e = jnp.asarray(label_smoothing, loss.dtype)
    return (1 - e) * loss - e * jax.nn.log_softmax(logits).mean(-1)


def binary_cross_entropy(
    logits: jax.Array, y: jax.Array, *, label_smoothing: ArrayLike = 0.0
) -> jax.Array:
    """-q log σ(z) - (1-q) log σ(-z), where q = (1-ε) y + ε/2 and z is the one logit.

    Args:
      logits: `[n, 1]`.
      y: classes 0 and 1, `[n]`.
      label_smoothing: ε, in [0, 1).

    Returns:
      `[n]`.
    """
    labels = y.astype(logits.dtype)
    if not _is_off(label_smoothing):
        e = jnp.asarray(label_smoothing, logits.dtype)
        labels = (1 - e) * labels + e / 2
    return optax.sigmoid_binary_cross_entropy(logits[:, 0], labels)


def focal(logits: jax.Array, y: jax.Array, *, gamma: ArrayLike = 2.0) -> jax.Array:
    """-(1-p)^γ log p, where p is the probability of the true class.

    Lin et al., Focal Loss for Dense Object Detection,
    https://arxiv.org/abs/1708.02002, 2017, equation 4. With γ = 0, the cross entropy.

    Args:
      logits: `[n, 1]`, the logit of class 1 of two, or `[n, k]`, one per class.
      y: classes `[n]`.
      gamma: γ ≥ 0; the more, the less the examples count that are easy.

    Returns:
      `[n]`. Value and gradient are finite for every finite logit and γ.
    """
    gamma = jnp.asarray(gamma, logits.dtype)
    if logits.shape[1] == 1:
        z = jnp.where(y > 0, logits[:, 0], -logits[:, 0])
        return jnp.exp(-gamma * jax.nn.softplus(z)) * jax.nn.softplus(-z)
    true = jax.nn.one_hot(y, logits.shape[1], dtype=bool)
    # log(1-p) from the other logits: 1-p itself underflows, its power has no gradient.
    others = jnp.where(true, jnp.finfo(logits.dtype).min, logits)
    normaliser = jax.nn.logsumexp(logits, axis=-1)
    log_other = jax.nn.logsumexp(others, axis=-1) - normaliser
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, y)
    return jnp.exp(gamma * log_other) * loss


def mse(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """(f - y)², where f is the first output, `[n]`."""
    return (outputs[:, 0] - y) ** 2


def mae(outputs: jax.Array, y: jax.Array) -> jax.Array:
    """|f - y|, where f is the first output, `[n]`; the derivative at 0 is 0."""
    return jnp.abs(outputs[:, 0] - y)


def huber(outputs: jax.Array, y: jax.Array, *, delta: ArrayLike = 1.0) -> jax.Array:
    """e²/2 where |e| ≤ δ, else δ(|e| - δ/2), e = f - y with the first output f.

    Huber, Robust Estimation of a Location Parameter,
    https://doi.org/10.1214/aoms/1177703732, 1964.

    Args:
      outputs: `[n, k]`.
      y: `[n]`.
      delta: δ > 0.

    Returns:
      `[n]`.
    """
    e = jnp.abs(outputs[:, 0] - y)
    delta = jnp.asarray(delta, e.dtype)
    inside = jnp.minimum(e, delta)
    return inside**2 / 2 + delta * (e - inside)


#: The objectives: a loss, and what goes with it (see `make_objective`).
OBJECTIVES = Registry("objective", given=2)

_OPTIONS = frozenset({"label_smoothing", "class_weight"})


def _fit(what: str, values: dict[str, Any]) -> dict[str, Any]:
    """Refuse numbers that are out of range."""
    smoothing, gamma = values.get("label_smoothing"), values.get("gamma")
    delta = values.get("delta")
    if isinstance(smoothing, float) and not 0 <= smoothing < 1:
        raise _range("label_smoothing", what, "at least 0 and below 1", smoothing)
    if isinstance(gamma, float) and gamma < 0:
        raise _range("gamma", what, "at least 0", gamma)
    if isinstance(delta, float) and delta <= 0:
        raise _range("delta", what, "above 0", delta)
    given = values.get("class_weight")
    if given is None or given == "balanced":
        return values
    return {**values, "class_weight": _weights(what, given)}


def _range(name: str, what: str, expected: str, got: float) -> InputError:
    return InputError(
        f"Expected {name!r} of {what} to be {expected}, got {got!r} instead."
    )


def _weights(what: str, given: Any) -> tuple[float, ...]:
    """The weights of the classes as floats."""
    if isinstance(given, tuple | list) and given:
        numbers = all(type(w) in (int, float) and 0 <= w < math.inf for w in given)
        if numbers and any(given):
            return tuple(map(float, given))
    raise InputError(
        f"Expected 'class_weight' of {what} to be None, 'balanced', or a weight from 0 "
        f"for each class such as (1.0, 2.0), got {short(given)} instead."
    )


def _is_off(value: ArrayLike) -> bool:
    return isinstance(value, int | float) and value == 0


def _ship(name: str, loss: Any, **more: Parameter) -> None:
    taken: Mapping[str, Parameter] = {
        key: value
        for key, value in parameters_of(loss).items()
        if key not in ("logits", "outputs", "y")
    }
    OBJECTIVES.ship(name, loss, {**taken, **more}, options=_OPTIONS, fit=_fit)


for _loss in (softmax_cross_entropy, binary_cross_entropy, focal):
    _ship(_loss.__name__, _loss, class_weight=Parameter(None, optional=True))
for _loss in (mse, mae, huber):
    _ship(_loss.__name__, _loss)
