"""A cell whose network is a user's own function, not a spec string."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import optax

from relujax.engine._cell import Spec, optimizer_spec
from relujax.engine._checks import check_schedule
from relujax.errors import InputError
from relujax.models import Model
from relujax.training import Objective, make_optimizer, objective


class OwnSkeleton(NamedTuple):
    """What a compiled program depends on: an `OwnCell` without its traced numbers.

    Functions are compared by identity, so no two models share a program.
    """

    model: Model
    optimizer: optax.GradientTransformation | tuple[str, tuple[tuple[str, Any], ...]]
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
        self,
        numbers: Mapping[str, Mapping[str, Any]],
        classes: int | None,
        examples: int,
    ) -> tuple[Model, optax.GradientTransformation, Objective]:
        """The network, the optimiser and the objective; see `Skeleton.build`."""
        del classes  # The network has the outputs that it has.
        optimizer = self.optimizer
        if not isinstance(optimizer, optax.GradientTransformation):
            name, static = optimizer
            steps = self.epochs * -(-examples // self.batch_size)
            given = {**dict(static), **numbers["optimizer"]}
            optimizer = make_optimizer(name, steps=steps, **given)
        return self.model, optimizer, objective(self.objective)


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnCell:
    """Model × optimiser × schedule, as `Cell`, for a model that has no name.

    Attributes:
      model: the network, its activations included.
      optimizer: `adam(learning_rate=0.001)`, for example, or any optax transformation.
      objective: one of `relujax.training.OBJECTIVES`.
      batch_size: examples per update.
      epochs: passes over the training part.

    Raises:
      InputError: a name or a parameter is unknown, or a number out of range.
    """

    model: Model
    optimizer: str | optax.GradientTransformation
    objective: str
    batch_size: int
    epochs: int

    def __post_init__(self) -> None:
        check_schedule(self)
        _ = self.optimizer_spec

    @cached_property
    def optimizer_spec(self) -> Spec:
        """The parsed spec of the optimiser, defaults included; `own` if it has none."""
        if isinstance(self.optimizer, str):
            return optimizer_spec(self.optimizer)
        if isinstance(self.optimizer, optax.GradientTransformation):
            return Spec("own", (), {})
        raise InputError(
            f"Expected an optimizer such as 'adam(learning_rate=0.001)' or an optax "
            f"transformation, got {type(self.optimizer).__name__}."
        )

    @property
    def hyperparameters(self) -> dict[str, dict[str, float]]:
        """The traced numbers, by part and name."""
        return {"optimizer": dict(self.optimizer_spec.numeric)}

    @property
    def skeleton(self) -> OwnSkeleton:
        """What is left without the traced numbers: one compilation each."""
        spec, given = self.optimizer_spec, self.optimizer
        return OwnSkeleton(
            self.model,
            (spec.name, spec.static) if isinstance(given, str) else given,
            self.objective,
            self.batch_size,
            self.epochs,
        )
