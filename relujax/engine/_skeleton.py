"""What a compiled program depends on: a cell without its traced numbers."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from relujax import activations, networks
from relujax.activations import Union
from relujax.data import Dataset
from relujax.engine._activation import OWN, excluded, is_replacement, replacements
from relujax.engine._checks import keeps_shape
from relujax.engine._surgery import look_at, replaced, watched
from relujax.networks import Model, make_model, needs_stand_in, takes_activation
from relujax.parts import Part
from relujax.training import (
    Objective,
    make_metric,
    make_objective,
    make_optimizer,
    purpose_of,
)

# An activation that nobody has in a network, in the place of another one.
_STAND_IN = "sym_msaf"

Numbers = Mapping[str, Mapping[str, Any]]


class Facts(NamedTuple):
    """What a network and its objective must know of the data.

    Attributes:
      shape: of one example, as the network gets it.
      classes: number of classes; None for regression.
      examples: training examples, which tell how many steps a schedule spans.
      counts: training examples by class, where the objective weighs classes.
    """

    shape: tuple[int, ...]
    classes: int | None
    examples: int
    counts: tuple[int, ...] | None = None


class Skeleton(NamedTuple):
    """What is left of a cell without its traced numbers: one compilation each.

    Attributes:
      parts: name to part, without traced numbers.
      numbers: (part, name) of every traced number.
      metrics: the metrics of the user's choice.
      stock: whether the network is one of the library's.
    """

    parts: tuple[tuple[str, Part], ...]
    numbers: tuple[tuple[str, str], ...]
    metrics: tuple[Part, ...]
    stock: bool
    batch_size: int
    epochs: int
    evaluate_every: int
    patience: int | None
    tolerances: tuple[float, ...]
    compute: str

    @property
    def text(self) -> str:
        """The same in any process, unlike the hash of the functions in it."""
        parts = [(name, part.text) for name, part in self.parts]
        metrics = [part.text for part in self.metrics]
        return repr((parts, metrics, self._replace(parts=(), metrics=())))

    def part(self, name: str) -> Part:
        """One of the parts."""
        return dict(self.parts)[name]

    def facts(self, data: Dataset) -> Facts:
        """What a program must know of the data, and no more."""
        weighed = ("class_weight", "balanced") in self.part("objective").static
        counts = None
        if weighed and data.classes is not None:
            found = [int((data.y_train == k).sum()) for k in range(data.classes)]
            counts = tuple(found)
        return Facts(data.shape, data.classes, len(data.x_train), counts)

    def initial(self) -> "Skeleton":
        """What the initial state depends on: no activation that learns nothing.

        One that changes the shape (`crelu`) decides what the next layer looks like.
        """
        rest = self._replace(
            batch_size=1, epochs=1, evaluate_every=1, patience=None, tolerances=()
        )
        part = self.part("activation")
        if not self.stock:
            return rest
        act: Any = part.factory(**dict(part.static))
        if act.init((1, 1), jnp.float32) or act.signal is not None:
            return rest
        if not isinstance(act, Union) and not keeps_shape(str(act)):
            return rest
        relu = Part("activation", "relu", _relu, (), {})
        return rest._replace(
            parts=tuple((n, relu if n == "activation" else p) for n, p in self.parts),
            numbers=tuple(n for n in self.numbers if n[0] != "activation"),
        )

    def numbers_in(self, given: Numbers) -> dict[str, dict]:
        """Those of the given numbers that are traced."""
        return {
            name: {k: v for k, v in given[name].items() if (name, k) in self.numbers}
            for name, _ in self.parts
        }

    def build(
        self, numbers: Numbers, facts: Facts
    ) -> tuple[Model, optax.GradientTransformation, Objective]:
        """The network, the optimiser and the objective.

        Args:
          numbers: the traced numbers, as `Cell.hyperparameters`.
          facts: what is known of the data.
        """
        objective = self.objective_of(numbers, facts)
        model = self.network(numbers, facts)
        if not (self.stock or self._replaces()):
            model = watched(model)
        if self.compute == "bfloat16":
            model = networks.in_bfloat16(model)
        steps = self.epochs * -(-facts.examples // self.batch_size)
        optimizer = make_optimizer(
            self.part("optimizer"), numbers["optimizer"], steps=steps
        )
        return model, optimizer, objective

    def objective_of(self, numbers: Numbers, facts: Facts) -> Objective:
        """The objective alone."""
        outputs = None if self.stock else self.seen(facts).shape[-1]
        return make_objective(
            self.part("objective"),
            numbers["objective"],
            classes=facts.classes,
            class_counts=facts.counts,
            outputs=outputs,
        )

    def gives_activation(self) -> bool:
        """Whether the network is made with the activation, not changed afterwards."""
        part, act = self.part("model"), self.part("activation")
        if self.stock:
            return True
        left = act.name == OWN or is_replacement(act)
        return takes_activation(part) and not left

    def seen(self, facts: Facts) -> "Seen":
        """What a user's network has, before anything is replaced in it."""
        return see(self.part("model"), self.wanted_outputs(facts), facts.shape)

    def wanted_outputs(self, facts: Facts) -> int:
        """The outputs that the objective asks for."""
        return purpose_of(self.part("objective")).outputs(facts.classes)

    def chosen_metrics(self) -> list[Any]:
        """The metrics of the user's choice, as `make_run` takes them."""
        return [make_metric(part) for part in self.metrics]

    def _replaces(self) -> bool:
        return self.part("activation").name != OWN and not self.gives_activation()

    def network(self, numbers: Numbers, facts: Facts) -> Model:
        """The network with the activation of the cell, unwatched."""
        outputs = self.wanted_outputs(facts)
        part, act = self.part("model"), self.part("activation")
        if self.gives_activation():
            chosen: Any = act.factory(**dict(act.static), **numbers["activation"])
            given = {"outputs": outputs, "numbers": numbers["model"]}
            if not needs_stand_in(part, chosen):
                return make_model(part, activation=chosen, **given)
            # What learns or draws noise is no function of x: it replaces one.
            stand_in = activations.get(_STAND_IN)
            model = make_model(part, activation=stand_in, **given)
            return replaced(model, {_STAND_IN: chosen})
        model = own_network(part, outputs, numbers["model"])
        if act.name == OWN:
            return model
        if is_replacement(act):
            return replaced(model, replacements(act), exclude=excluded(act))
        chosen: Any = act.factory(**dict(act.static), **numbers["activation"])
        seen = self.seen(facts)
        return replaced(
            model,
            {name: chosen for name in seen.names},
            {name: chosen for name in seen.evaluation},
        )


def own_network(part: Part, outputs: int | None, numbers: Mapping[str, Any]) -> Model:
    """A user's network with the activations that its code has."""
    return make_model(part, outputs=outputs, activation=None, numbers=numbers)


class Seen(NamedTuple):
    """What a user's network has.

    Attributes:
      names: the names of its activations in training, in program order.
      evaluation: those in evaluation.
      shape: of its output for two examples.
    """

    names: tuple[str, ...]
    evaluation: tuple[str, ...]
    shape: tuple[int, ...]


@lru_cache(maxsize=256)
def see(part: Part, outputs: int | None, shape: tuple[int, ...]) -> Seen:
    """Look at a user's network for examples of a shape."""
    model = own_network(part, outputs, part.numeric)
    # Two examples: one is easily taken for none.
    x = jax.ShapeDtypeStruct((2, *shape), jnp.float32)
    look = look_at(model, x)
    names = lambda sites: tuple(dict.fromkeys(site.activation for site in sites))
    return Seen(names(look.training), names(look.evaluation), look.shape)


def _relu(**values: Any) -> Any:
    return activations.get("relu", **values)
