"""A training of the user's own: `init`, `step` and `evaluate` instead of a network.

    @relujax.register("dqn", kind="training")
    def dqn(activation, *, gamma=0.99):
        ...
        return Training(init, step, evaluate, steps=200)

A cell of it is mapped over seeds, stored, resumed and compared like any other.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from relujax.parts import Registry


class Training(NamedTuple):
    """What a seed is trained by: three pure functions, traced once.

    Attributes:
      init: `init(key) -> state`, any tree of arrays.
      step: `step(key, state) -> state`, one update.
      evaluate: `evaluate(key, state) -> {name: scalar}`, the columns of the results.
      steps: updates per epoch.
      higher_is_better: the direction of each metric; those that are not named count as
        better when they are higher, but `loss`.
    """

    init: Callable[[Any], Any]
    step: Callable[[Any, Any], Any]
    evaluate: Callable[[Any, Any], Mapping[str, Any]]
    steps: int = 1
    higher_is_better: Mapping[str, bool] = {}


class HostTraining(NamedTuple):
    """An ordinary Python function that trains one network; see `relujax.experiment`.

    Attributes:
      train: `train(activation, seed)` returns or yields rows.
      metric: the value that the last row must have; any will do if it is empty.
      bounds: the least and the largest value of some names.
    """

    train: Callable[..., Any]
    metric: str = ""
    bounds: Mapping[str, tuple[float, float]] = MappingProxyType({})


#: Trainings by name; a factory takes the activation and numbers of its own.
TRAININGS = Registry(
    "training",
    given=("activation",),
    accepts=lambda obj: isinstance(obj, Training | HostTraining),
)
