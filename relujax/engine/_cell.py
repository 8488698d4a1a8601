"""A cell: one point of an experiment's grid, as strings and numbers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

from relujax import activations
from relujax.data import SOURCES
from relujax.engine._activation import activation_part, activation_text, unchecked
from relujax.engine._checks import check_numbers, keeps_shape
from relujax.engine._skeleton import Skeleton
from relujax.engine._training import HostTraining
from relujax.engine._trainings import TRAININGS
from relujax.errors import InputError, unknown
from relujax.networks import MODELS, make_model
from relujax.parts import Part
from relujax.training import METRICS, OBJECTIVES, OPTIMIZERS, make_metric

# Raised when the same cell would give other numbers or other columns than before:
# results stored by an older version are then left alone and run again.
_FORMAT = 1

# Fields that a cell did not have from the start.
_ADDED = {
    "compute",
    "evaluate_every",
    "tolerances",
    "metrics",
    "patience",
    "training",
}

#: What networks may compute in; parameters, losses and statistics are float32.
COMPUTE = ("float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Data × model × activation × optimiser × schedule: what a seed is repeated for.

    A part is a spec string, an import path such as `"mypackage.nets:ResNet(depth=20)"`,
    or an object; what no import path leads to is named by `relujax.named`. The cell
    keeps the text of it, so that it can be hashed, stored as JSON and read by a person.

    Attributes:
      data: a data set, as for `relujax.load_dataset`; a `Dataset`, or four arrays.
      model: `mlp(hidden=(512, 512), dropout=0.3, initializer='glorot')`, for example,
        or a model of your own; see `relujax.networks.as_model`.
      activation: as for `relujax.get`. In a model of your own that takes no activation,
        it replaces every activation that is found in the program; `own` leaves the
        model as it is, and `{site id or activation name: spec}` replaces some.
      optimizer: `adam(learning_rate=0.001)`, for example; those of the library take
        `schedule='cosine'` or `'linear'`, `warmup=0.1` (of all steps) and `clip=1.0`
        (the largest global norm of the gradient). An own one is an optax transformation
        or a function `f(steps)` that returns one.
      objective: one of `relujax.training.OBJECTIVES`, or a loss of your own:
        `loss(outputs [n, k], targets [n]) -> [n]`.
      metrics: of `relujax.training.METRICS`, or functions of all outputs and targets of
        a split; each is a column of the results.
      batch_size: examples per update.
      epochs: passes over the training part.
      evaluate_every: epochs from one evaluation to the next; it divides `epochs`.
      patience: training ends after so many epochs without a lower loss on the
        validation part; None for all epochs. With a validation part, scores are those
        of the epoch with the lowest loss on it.
      tolerances: each adds a column `small_<tolerance>`, the fraction of the units of
        a layer whose output is smaller on every example (`deep_mlp` only).
      compute: `bfloat16` multiplies and activates in that type; parameters, losses and
        statistics stay float32.
      training: a training of your own instead of data, model, optimiser and objective;
        see `relujax.engine.Training`.

    Raises:
      InputError: a name or a parameter is unknown, or a number out of range.
    """

    data: Any = ""
    model: Any = ""
    activation: Any
    optimizer: Any = "adam"
    objective: Any = "softmax_cross_entropy"
    metrics: Any = ()
    batch_size: int = 128
    epochs: int = 10
    evaluate_every: int = 1
    patience: int | None = None
    tolerances: tuple[float, ...] = ()
    compute: str = "float32"
    training: Any = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Cell":
        """The cell whose fields were stored as JSON, which has no tuples."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
        }
        return cls(**fields)

    def __post_init__(self) -> None:
        self._set("activation", activation_text(self.activation))
        if self.training:
            self._set("training", TRAININGS.text(self.training))
        else:
            self._set_supervised()
        check_numbers(self)
        if self.compute not in COMPUTE:
            raise unknown("type to compute in", str(self.compute), COMPUTE)
        if self.is_stock:
            _check_network(self.parts["model"], self.activation)

    def _set_supervised(self) -> None:
        for name in ("data", "model"):
            if isinstance(getattr(self, name), str) and not getattr(self, name):
                raise InputError(f"Expected a cell with {name}=..., got none.")
        self._set("data", SOURCES.text(self.data))
        self._set("model", MODELS.text(self.model))
        self._set("optimizer", OPTIMIZERS.text(self.optimizer))
        self._set("objective", OBJECTIVES.text(self.objective))
        given = self.metrics if isinstance(self.metrics, tuple | list) else None
        if given is None:
            raise InputError(
                f"Expected a tuple of metrics, such as ('auroc',), got "
                f"{self.metrics!r}."
            )
        self._set("metrics", tuple(METRICS.text(metric) for metric in given))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The parts with all their values, by name."""
        if self.training:
            training = TRAININGS.part(self.training)
            # An ordinary Python function may be given any text.
            host = _is_host(training)
            act = unchecked if host else activation_part
            return {"activation": act(self.activation), "training": training}
        return {
            "activation": activation_part(self.activation),
            "model": MODELS.part(self.model),
            "optimizer": OPTIMIZERS.part(self.optimizer),
            "objective": OBJECTIVES.part(self.objective),
        }

    @property
    def is_stock(self) -> bool:
        """Whether the network is one of the library's, made for any activation."""
        return not self.training and MODELS.is_shipped(self.parts["model"].name)

    @property
    def is_host(self) -> bool:
        """Whether an ordinary Python function trains it; see `relujax.experiment`."""
        return bool(self.training) and _is_host(self.parts["training"])

    @property
    def is_own(self) -> bool:
        """Whether code from outside the library decides its numbers."""
        known = {"model": MODELS, "optimizer": OPTIMIZERS, "objective": OBJECTIVES}
        shipped = [
            registry.is_shipped(self.parts[name].name)
            for name, registry in known.items()
            if name in self.parts
        ]
        metrics = [METRICS.is_shipped(METRICS.part(m).name) for m in self.metrics]
        return bool(self.training) or not all([*shipped, *metrics])

    def directions(self) -> dict[str, bool]:
        """Whether more is better, by metric of the user's choice."""
        chosen = [make_metric(METRICS.part(metric)) for metric in self.metrics]
        return {metric.name: metric.higher_is_better for metric in chosen}

    @property
    def hyperparameters(self) -> dict[str, dict[str, float]]:
        """The traced numbers, by part and name."""
        return {name: dict(part.numeric) for name, part in self.parts.items()}

    @property
    def numbers(self) -> list[str]:
        """The numbers that may be varied, each as `part.name`."""
        found = []
        for name, part in self.parts.items():
            values = {**dict(part.static), **part.numeric}
            found += [
                f"{name}.{key}"
                for key, value in values.items()
                if key in part.floats or isinstance(value, float)
            ]
        return found

    @cached_property
    def skeleton(self) -> Skeleton:
        """What is left without the traced numbers: one compilation each."""
        parts = {name: replace(p, numeric={}) for name, p in self.parts.items()}
        return Skeleton(
            parts=tuple(parts.items()),
            numbers=tuple((n, k) for n, p in self.parts.items() for k in p.numeric),
            metrics=tuple(METRICS.part(metric) for metric in self.metrics),
            stock=self.is_stock,
            batch_size=self.batch_size,
            epochs=self.epochs,
            evaluate_every=self.evaluate_every,
            patience=self.patience,
            tolerances=self.tolerances,
            compute=self.compute,
        )

    def canonical(self) -> "Cell":
        """The same cell with all defaults written out: equal cells have equal text."""
        return replace(self, **self._texts)

    def canonical_fields(self) -> dict[str, Any]:
        """The fields of `canonical()` by name; nothing is checked again for them."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | self._texts

    @property
    def _texts(self) -> dict[str, str]:
        return {name: part.text for name, part in self.parts.items()}

    def digest(self, data_sha256: str, root: int) -> str:
        """Name of the cell's results: a hash of everything that its numbers depend on.

        Args:
          data_sha256: hash of the data that `data` names on this machine.
          root: the root seed.
        """
        context = {"data": data_sha256, "root": root, "format": _FORMAT}
        # What was added later and is left at its default changes no stored result.
        defaults = {f.name: f.default for f in fields(self) if f.name in _ADDED}
        given = self.canonical_fields().items()
        content = {k: v for k, v in given if v != defaults.get(k, MISSING)}
        content["context"] = context
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def with_number(self, axis: str, value: float) -> "Cell":
        """The cell with one of its `numbers` changed."""
        name, _, key = axis.partition(".")
        return replace(self, **{name: self.parts[name].text_with(**{key: value})})


def _is_host(training: Part) -> bool:
    return isinstance(getattr(training.factory, "obj", None), HostTraining)


@lru_cache(maxsize=256)
def _check_model(model: Part) -> None:
    """Refuse numbers that are out of range for a network of the library."""
    relu = activations.get("relu")
    make_model(model, outputs=1, activation=relu, numbers=model.numeric)


def _check_network(model: Part, activation: str) -> None:
    _check_model(model)
    if model.name == "deep_mlp" and not keeps_shape(activation):
        raise InputError(
            f"Expected an activation that keeps the shape in the equal layers of a "
            f"deep_mlp, got {activation!r}."
        )
