"""A cell whose network is a user's own function, not a spec string."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import optax

from relujax.engine._cell import Spec, check_schedule, optimizer_spec
from relujax.models import Model
from relujax.training import Objective, make_optimizer, objective


class OwnSkeleton(NamedTuple):
    """What a compiled program depends on: an `OwnCell` without its traced numbers.

    Functions are compared by identity, so no two models share a program.
    """

    model: Model
    optimizer: tuple[str, tuple[tuple[str, Any], ...]]
    objective: str
    batch_size: int
    epochs: int
    evaluate_every: int = 1
    tolerances: tuple[float, ...] = ()

    def initial(self) -> "OwnSkeleton":
        """What the initial state depends on."""
        return self._replace(batch_size=1, epochs=1)

    def numbers_in(self, given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict]:
        """Those of the given numbers that are traced: all."""
        return {part: dict(numbers) for part, numbers in given.items()}

    def build(
        self, numbers: Mapping[str, Mapping[str, Any]], classes: int | None
    ) -> tuple[Model, optax.GradientTransformation, Objective]:
        """The network, the optimiser and the objective; see `Skeleton.build`."""
        del classes  # The network has the outputs that it has.
        name, static = self.optimizer
        optimizer = make_optimizer(name, **dict(static), **numbers["optimizer"])
        return self.model, optimizer, objective(self.objective)


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnCell:
    """Model × optimiser × schedule, as `Cell`, for a model that has no name.

    Attributes:
      model: the network, its activations included.
      optimizer: `adam(learning_rate=0.001)`, for example.
      objective: one of `relujax.training.OBJECTIVES`.
      batch_size: examples per update.
      epochs: passes over the training part.

    Raises:
      InputError: a name or a parameter is unknown, or a number out of range.
    """

    model: Model
    optimizer: str
    objective: str
    batch_size: int
    epochs: int

    def __post_init__(self) -> None:
        check_schedule(self)
        _ = self.optimizer_spec

    @cached_property
    def optimizer_spec(self) -> Spec:
        """The parsed spec of the optimiser, defaults included."""
        return optimizer_spec(self.optimizer)

    @property
    def hyperparameters(self) -> dict[str, dict[str, float]]:
        """The traced numbers, by part and name."""
        return {"optimizer": dict(self.optimizer_spec.numeric)}

    @property
    def skeleton(self) -> OwnSkeleton:
        """What is left without the traced numbers: one compilation each."""
        spec = self.optimizer_spec
        return OwnSkeleton(
            self.model,
            (spec.name, spec.static),
            self.objective,
            self.batch_size,
            self.epochs,
        )
