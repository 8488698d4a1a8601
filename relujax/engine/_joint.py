"""Cells that differ in their activation only, as one program: compiled once.

On a CPU a network is trained after another, so that the activation can be a traced
choice (`relujax.activations.union`): a grid of eight activations is one program
instead of eight. A step then takes somewhat longer, so it is done where compiling takes
longer than that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from relujax import activations
from relujax.activations import union
from relujax.data import Dataset
from relujax.engine._auto import usual
from relujax.engine._cell import Cell
from relujax.engine._cost import parameters, training_seconds
from relujax.engine._population import Member
from relujax.engine._skeleton import Skeleton
from relujax.errors import InputError
from relujax.parts import Part

# Rough seconds of compiling one more program, and what share of the training a traced
# choice adds, both measured on two cores (`experiments/speed/compile.py`). In a stack
# of equal layers the choice is made once per pass.
_COMPILING = 4.0
_SLOWER = {"mlp": 0.1, "cnn": 0.25, "deep_mlp": 0.02}


@dataclass(frozen=True)
class _Switch:
    """Builds one of several activations by the traced number `which`."""

    parts: tuple[Part, ...]

    def __call__(self, which: Any = 0, **numbers: Any) -> Any:
        made = []
        for i, part in enumerate(self.parts):
            own = {
                name.partition(".")[2]: value
                for name, value in numbers.items()
                if name.startswith(f"{i}.")
            }
            made.append(part.factory(**dict(part.static), **own))
        return union(made, jnp.asarray(which).astype(jnp.int32))


@dataclass(frozen=True)
class Joined:
    """A cell as a member of a program that several activations share.

    To the program it is a cell: a skeleton, and the numbers that are traced.

    Attributes:
      cell: the cell.
      skeleton: that of the shared program.
      which: the place of its activation among those of the program.
      others: a value for every number of the other activations.
    """

    cell: Cell
    skeleton: Skeleton
    which: int
    others: tuple[tuple[str, float], ...]

    is_own = False

    @property
    def epochs(self) -> int:
        """Passes over the training part."""
        return self.cell.epochs

    @property
    def batch_size(self) -> int:
        """Examples per update."""
        return self.cell.batch_size

    @property
    def hyperparameters(self) -> dict[str, dict[str, float]]:
        """The traced numbers, by part and name."""
        known = self.cell.hyperparameters
        own = {f"{self.which}.{k}": v for k, v in known["activation"].items()}
        chosen = {"which": float(self.which), **dict(self.others), **own}
        return {**known, "activation": chosen}


def join(cells: Sequence[Cell]) -> dict[Cell, Joined] | None:
    """The cells as members of one program; None where they cannot share one.

    Args:
      cells: cells of the library's networks.
    """
    acts = list(dict.fromkeys(_without_numbers(c.parts["activation"]) for c in cells))
    if len(acts) < 2 or len({but_activation(cell) for cell in cells}) > 1:
        return None
    firsts = [
        next(c for c in cells if _without_numbers(c.parts["activation"]) == act)
        for act in acts
    ]
    others = tuple(
        (f"{i}.{name}", value)
        for i, cell in enumerate(firsts)
        for name, value in cell.hyperparameters["activation"].items()
    )
    factory = _Switch(tuple(acts))
    if not _fits(factory):
        return None
    name = f"union({', '.join(act.text for act in acts)})"
    part = Part("activation", name, factory, (), {})
    skeleton = _with_activation(cells[0].skeleton, part, [k for k, _ in others])
    return {
        cell: Joined(
            cell,
            skeleton,
            acts.index(_without_numbers(cell.parts["activation"])),
            others,
        )
        for cell in cells
    }


def pays(cells: Sequence[Cell], data: Dataset, networks: Sequence[int]) -> bool:
    """Whether one program for all cells takes less time, compilation included.

    Args:
      cells: one cell for each program that would be compiled.
      data: their data set.
      networks: how many networks of each are missing.
    """
    if jax.default_backend() != "cpu" or usual(cells[0], data).mapping != "map":
        return False
    each = training_seconds(cells[0], data, parameters(cells[0], data))
    slower = _SLOWER.get(cells[0].parts["model"].name, 0.25)
    return (len(cells) - 1) * _COMPILING > slower * each * sum(networks)


def separate(
    chunk: Sequence[Member], frame: pd.DataFrame
) -> tuple[list[Member], pd.DataFrame]:
    """The members of a shared program under their own cells, with their rows.

    A network whose activation is fed no loss has none in its rows.
    """
    cells = [cast(Joined, member.cell).cell for member in chunk]
    fed = np.asarray([_is_fed_loss(cell) for cell in cells])
    signal = frame["signal"].where(fed[frame["member"]])
    members = [
        Member(cell, member.seed) for cell, member in zip(cells, chunk, strict=True)
    ]
    return members, frame.assign(signal=signal)


def _is_fed_loss(cell: Cell) -> bool:
    signal = activations.get(cell.activation).signal
    return signal is not None and signal.name == "loss"


def _without_numbers(part: Part) -> Part:
    return replace(part, numeric={})


def but_activation(cell: Cell) -> Skeleton:
    """The skeleton but for the activation."""
    return _with_activation(
        cell.skeleton, Part("activation", "", _Switch(()), (), {}), []
    )


def _with_activation(skeleton: Skeleton, part: Part, names: list[str]) -> Skeleton:
    numbers = [n for n in skeleton.numbers if n[0] != "activation"]
    chosen = ["which", *names] if names or part.name else []
    return skeleton._replace(
        parts=tuple((k, part if k == "activation" else p) for k, p in skeleton.parts),
        numbers=(*[("activation", name) for name in chosen], *numbers),
    )


def _fits(factory: Callable[..., Any]) -> bool:
    """Whether the activations can share parameters and shapes."""
    x = jax.ShapeDtypeStruct((2, 3, 3, 4), jnp.float32)
    act = factory()
    try:
        jax.eval_shape(lambda x: act.apply(act.init(x.shape, x.dtype), x), x)
    except InputError:
        return False
    return True
