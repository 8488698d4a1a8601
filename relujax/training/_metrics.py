"""Metrics of all outputs of a split, with a direction: ours by name, and own ones."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from relujax.errors import InputError, first_line
from relujax.parts import Part, Registry
from relujax.specs import Parameters
from relujax.training import _scores


class SplitMetric(NamedTuple):
    """A number for a whole split.

    Attributes:
      name: its spec string, the column of the results.
      higher_is_better: its direction.
      fn: `fn(outputs [n, k], targets [n]) -> scalar`; NaN where it is undefined.
    """

    name: str
    higher_is_better: bool
    fn: Callable[[jax.Array, jax.Array], jax.Array]


class _Metrics(Registry):
    """Metrics, and which way each is better."""

    def __init__(self) -> None:
        super().__init__("metric", given=2)
        self._higher: dict[str, bool] = {}

    def add(
        self,
        name: str,
        factory: Callable,
        parameters: Parameters | None = None,
        *,
        local: bool = False,
        higher_is_better: bool | None = None,
    ) -> None:
        """Add a metric of the user's.

        Args:
          name: its name.
          factory: the function of outputs `[n, k]` and targets `[n]`.
          parameters: its keywords; by default what its signature says.
          local: whether it exists in this process alone.
          higher_is_better: its direction; by default what the function's attribute of
            that name says, and True if it has none.

        Raises:
          InputError: the name is the library's, or the direction is not a bool.
        """
        if not isinstance(higher_is_better, bool | None):
            raise InputError(
                f"Expected True or False for higher_is_better of metric {name!r}, got "
                f"{higher_is_better!r}."
            )
        super().add(name, factory, parameters, local=local)
        self._higher.pop(name, None)
        if higher_is_better is not None:
            self._higher[name] = higher_is_better

    def higher_is_better(self, part: Part) -> bool:
        """The direction of a metric."""
        own = bool(getattr(part.factory, "higher_is_better", True))
        return self._higher.get(part.name, own)


#: The metrics.
METRICS = _Metrics()


def make_metric(part: Part) -> SplitMetric:
    """The metric of a part of `METRICS`."""
    values = {**dict(part.static), **part.numeric}
    return SplitMetric(
        part.text, METRICS.higher_is_better(part), partial(part.factory, **values)
    )


def measured(
    metrics: Sequence[SplitMetric],
    outputs: Any,
    targets: jax.Array,
    *,
    taken: Collection[str] = (),
) -> dict[str, jax.Array]:
    """Each metric by name, a float32 scalar.

    Args:
      metrics: what to measure.
      outputs: `[n, k]`, of every example.
      targets: `[n]`.
      taken: names that other numbers have.

    Raises:
      InputError: a metric raises, or gives something else than one real number.
    """
    found: dict[str, jax.Array] = {}
    for metric in metrics:
        if metric.name in taken or metric.name in found:
            raise InputError(
                f"Expected a name of its own for the metric {metric.name!r}, got that "
                f"of another number: register it under another."
            )
        found[metric.name] = _measured(metric, outputs, targets)
    return found


def _measured(metric: SplitMetric, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    form = f"a metric {metric.name} that takes outputs [n, k] and targets [n]"
    try:
        value = jnp.asarray(metric.fn(outputs, targets))
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"Expected {form} and can be traced by JAX, got {type(error).__name__}: "
            f"{first_line(error)}"
        ) from error
    if value.shape != () or jnp.issubdtype(value.dtype, jnp.complexfloating):
        raise InputError(
            f"Expected {form} and gives one number, got {value.dtype} of shape "
            f"{list(value.shape)}."
        )
    return value.astype(jnp.float32)


def _fit(what: str, values: dict[str, Any]) -> dict[str, Any]:
    """Refuse numbers of classes or bins that are not positive."""
    for name, value in values.items():
        if value < 1:
            raise InputError(
                f"Expected {name!r} of {what} to be at least 1, got {value} instead."
            )
    return values


for _fn in (
    *(_scores.auroc, _scores.average_precision, _scores.top_k),
    *(_scores.balanced_accuracy, _scores.matthews),
    *(_scores.brier, _scores.ece, _scores.mae),
):
    METRICS.ship(_fn.__name__, _fn, fit=_fit)
