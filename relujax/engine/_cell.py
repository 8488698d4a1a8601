"""A cell: one point of an experiment's grid, as strings and numbers."""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from relujax import activations, models, specs
from relujax.deep import deep_mlp
from relujax.engine._checks import check_evaluation, check_schedule, keeps_shape
from relujax.errors import InputError, unknown
from relujax.models import Model
from relujax.training import (
    OPTIONS,
    Objective,
    check_optimizer,
    make_optimizer,
    objective,
    optimizer_defaults,
)

_MODELS = {"mlp": models.MLP, "cnn": models.CNN, "deep_mlp": deep_mlp}

# Raised when the same cell would give other numbers or other columns than before:
# results stored by an older version are then left alone and run again.
_FORMAT = 1

# Fields that a cell did not have from the start.
_ADDED = {"compute", "evaluate_every", "tolerances"}

#: What networks may compute in; parameters, losses and statistics are float32.
COMPUTE = ("float32", "bfloat16")

# Numbers whose default is None: traced once they are given.
_FLOATS = {"clip", "dropout", "momentum"}

# Attributes of the Linen modules that no spec string of a model may set.
_SET_BY_ENGINE = {"outputs", "activation", "name", "parent"}


class Spec(NamedTuple):
    """A parsed spec with all its defaults, split into what compiles and what is traced.

    Attributes:
      name: what the spec string names.
      static: ints, strings, switches: part of the compiled program.
      numeric: floats: arguments of the compiled program, so that another value of σ or
        of the learning rate compiles nothing.
    """

    name: str
    static: tuple[tuple[str, Any], ...]
    numeric: Mapping[str, float]

    @property
    def text(self) -> str:
        """The canonical spec string, defaults included."""
        return specs.unparse(self.name, dict(self.static) | dict(self.numeric))


def _spec(name: str, values: Mapping[str, Any]) -> Spec:
    static = {k: v for k, v in values.items() if not isinstance(v, float)}
    numeric = {k: v for k, v in values.items() if isinstance(v, float)}
    return Spec(name, tuple(sorted(static.items())), numeric)


def model_defaults(name: str) -> Mapping[str, Any]:
    """Parameter to default of a model's spec string."""
    if name not in _MODELS:
        raise unknown("model", name, _MODELS)
    parameters = inspect.signature(_MODELS[name]).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in _SET_BY_ENGINE}


def make_model(name: str, *, outputs: int, activation: Any, **values: Any):
    """The `Model` of a spec; numeric values may be traced."""
    network = _MODELS[name](outputs=outputs, activation=activation, **values)
    return network if isinstance(network, Model) else models.from_linen(network)


def _filled(kind: str, text: str, defaults_of: Callable) -> Spec:
    """Parse `text` and fill in the defaults of what it names."""
    name, values = specs.parse(text)
    return _spec(name, specs.fill(f"{kind} {name}", defaults_of(name), values))


def optimizer_spec(text: str) -> Spec:
    """The parsed spec string of an optimiser.

    An option that is left at its default is left out: the text of the specs that have
    none, and with it the name of stored results, stays what it was.
    """
    name, values = specs.parse(text)
    known = optimizer_defaults(name)
    filled = specs.fill(f"optimizer {name}", known, values)
    check_optimizer(name, filled)
    given = {
        key: float(value) if key in _FLOATS and value is not None else value
        for key, value in filled.items()
        if key not in OPTIONS or value != OPTIONS[key]
    }
    return _spec(name, given)


class Skeleton(NamedTuple):
    """What a compiled program depends on: a cell without its traced numbers.

    Attributes:
      parts: (part, name, static values) of the activation, the model, the optimiser.
      numbers: (part, name) of every traced number.
    """

    parts: tuple[tuple[str, str, tuple[tuple[str, Any], ...]], ...]
    numbers: tuple[tuple[str, str], ...]
    objective: str
    batch_size: int
    epochs: int
    evaluate_every: int
    tolerances: tuple[float, ...]
    compute: str

    def initial(self) -> "Skeleton":
        """What the initial state depends on: no activation that learns nothing.

        One that changes the shape (`crelu`) decides what the next layer looks like.
        """
        rest = self._replace(batch_size=1, epochs=1, evaluate_every=1, tolerances=())
        _, name, static = next(p for p in self.parts if p[0] == "activation")
        act = activations.get(name, **dict(static))
        if act.init((1, 1), jnp.float32) or act.signal is not None:
            return rest
        if not keeps_shape(str(act)):
            return rest
        return rest._replace(
            parts=(("activation", "relu", ()), *self.parts[1:]),
            numbers=tuple(n for n in self.numbers if n[0] != "activation"),
        )

    def numbers_in(self, given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict]:
        """Those of the given numbers that are traced."""
        return {
            part: {k: v for k, v in given[part].items() if (part, k) in self.numbers}
            for part, _, _ in self.parts
        }

    def build(
        self,
        numbers: Mapping[str, Mapping[str, Any]],
        classes: int | None,
        examples: int,
    ) -> tuple[Model, optax.GradientTransformation, Objective]:
        """The network, the optimiser and the objective.

        Args:
          numbers: the traced numbers, as `Cell.hyperparameters`.
          classes: number of classes of the data; None for regression.
          examples: training examples, which tell how many steps a schedule spans.
        """
        parts = {
            part: {**dict(static), **numbers[part]} for part, _, static in self.parts
        }
        names = {part: name for part, name, _ in self.parts}
        chosen = objective(self.objective)
        model = make_model(
            names["model"],
            outputs=chosen.outputs(classes),
            activation=activations.get(names["activation"], **parts["activation"]),
            **parts["model"],
        )
        if self.compute == "bfloat16":
            model = models.in_bfloat16(model)
        steps = self.epochs * -(-examples // self.batch_size)
        optimizer = make_optimizer(
            names["optimizer"], steps=steps, **parts["optimizer"]
        )
        return model, optimizer, chosen


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Data × model × activation × optimiser × schedule: what a seed is repeated for.

    Everything is a spec string or a number, so that a cell can be hashed, stored as
    JSON and read by a person.

    Attributes:
      data: a data set, as for `relujax.load_dataset`.
      model: `mlp(hidden=(512, 512), dropout=0.3, initializer='glorot')`, for example.
      activation: as for `relujax.get`.
      optimizer: `adam(learning_rate=0.001)`, for example; every optimiser also takes
        `schedule='cosine'` or `'linear'`, `warmup=0.1` (of all steps) and `clip=1.0`
        (the largest global norm of the gradient).
      objective: one of `relujax.training.OBJECTIVES`.
      batch_size: examples per update.
      epochs: passes over the training part.
      evaluate_every: epochs from one evaluation to the next; it divides `epochs`.
      tolerances: each adds a column `small_<tolerance>`, the fraction of the units of
        a layer whose output is smaller on every example (`deep_mlp` only).
      compute: `bfloat16` multiplies and activates in that type; parameters, losses and
        statistics stay float32.

    Raises:
      InputError: a name or a parameter is unknown, or a number out of range.
    """

    data: str
    model: str
    activation: str
    optimizer: str = "adam"
    objective: str = "softmax_cross_entropy"
    batch_size: int = 128
    epochs: int = 10
    evaluate_every: int = 1
    tolerances: tuple[float, ...] = ()
    compute: str = "float32"

    def __post_init__(self) -> None:
        check_schedule(self)
        check_evaluation(self)
        if self.compute not in COMPUTE:
            raise unknown("type to compute in", str(self.compute), COMPUTE)
        model = self.parts["model"]
        if model.name == "deep_mlp" and not keeps_shape(self.activation):
            raise InputError(
                f"Expected an activation that keeps the shape in the equal layers of a "
                f"deep_mlp, got {self.activation!r}."
            )
        make_model(
            model.name,
            outputs=1,
            activation="relu",
            **dict(model.static),
            **model.numeric,
        )

    @cached_property
    def parts(self) -> dict[str, Spec]:
        """The parsed specs of the activation, the model and the optimiser."""
        act = activations.get(self.activation)
        return {
            "activation": _spec(act.id, act.hyperparameters),
            "model": _filled("model", self.model, model_defaults),
            "optimizer": optimizer_spec(self.optimizer),
        }

    @property
    def hyperparameters(self) -> dict[str, dict[str, float]]:
        """The traced numbers, by part and name."""
        return {part: dict(spec.numeric) for part, spec in self.parts.items()}

    @property
    def numbers(self) -> list[str]:
        """The numbers that may be varied, each as `part.name`."""
        known = {
            "activation": {},
            "model": model_defaults(self.parts["model"].name),
            "optimizer": optimizer_defaults(self.parts["optimizer"].name),
        }
        return [
            f"{part}.{name}"
            for part, spec in self.parts.items()
            for name, value in {**known[part], **spec.numeric}.items()
            if isinstance(value, float) or name in _FLOATS
        ]

    @property
    def skeleton(self) -> Skeleton:
        """What is left without the traced numbers: one compilation each."""
        parts = self.parts.items()
        return Skeleton(
            tuple((part, spec.name, spec.static) for part, spec in parts),
            tuple((part, name) for part, spec in parts for name in spec.numeric),
            self.objective,
            self.batch_size,
            self.epochs,
            self.evaluate_every,
            self.tolerances,
            self.compute,
        )

    def canonical(self) -> "Cell":
        """The same cell with all defaults written out: equal cells have equal text."""
        return replace(self, **{part: spec.text for part, spec in self.parts.items()})

    def digest(self, data_sha256: str, root: int) -> str:
        """Name of the cell's results: a hash of everything that its numbers depend on.

        Args:
          data_sha256: hash of the data that `data` names on this machine.
          root: the root seed.
        """
        context = {"data": data_sha256, "root": root, "format": _FORMAT}
        # What was added later and is left at its default changes no stored result.
        defaults = {f.name: f.default for f in fields(self) if f.name in _ADDED}
        given = asdict(self.canonical()).items()
        content = {k: v for k, v in given if v != defaults.get(k, MISSING)}
        content["context"] = context
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
