"""What one network needs, roughly, from shapes alone: memory and time."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._skeleton import Facts, Skeleton
from relujax.training import examples_at_once

Tree = Any

# Rough speed of small products, and the least time of an update, by backend.
_FLOPS = {"cpu": 2e10}
_OVERHEAD = 5e-5

#: Seconds that a training of the user's own is taken to last: stored often.
UNKNOWN_SECONDS = 120.0


class Cost(NamedTuple):
    """Rough upper estimates for one member of a population.

    Attributes:
      state: bytes of its training state, with the copies that are made of it.
      running: bytes that it needs besides while it is trained or evaluated.
      seconds: time of its whole training, alone.
    """

    state: int
    running: int
    seconds: float


def parameters(cell: Cell, data: Dataset) -> Tree:
    """The shapes of the parameters of a cell's network."""
    skeleton = cell.skeleton
    return _parameters(skeleton, skeleton.facts(data))


@lru_cache(maxsize=256)
def _parameters(skeleton: Skeleton, facts: Facts) -> Tree:
    """By the skeleton: no shape depends on a traced number."""
    number = jax.ShapeDtypeStruct((), jnp.float32)
    numbers: dict[str, dict] = {name: {} for name, _ in skeleton.parts}
    for part, name in skeleton.numbers:
        numbers[part][name] = number
    # Two examples: one is easily taken for none.
    x = jax.ShapeDtypeStruct((2, *facts.shape), jnp.float32)

    def init(numbers, x):
        model, _, _ = skeleton.build(numbers, facts)
        return model.init(jax.random.key(0), x)[0]

    return jax.eval_shape(init, numbers, x)


def batch_examples(cell: Cell, data: Dataset) -> int:
    """Examples of the larger batch, of those for training and for evaluation."""
    most = max(examples_at_once(data.x_train), cell.batch_size)
    return min(most, len(data.x_train))


def cost_of(cell: Cell, data: Dataset | None, shapes: Any) -> Cost:
    """The cost of a member, by the shapes of what it consists of.

    The state is held with its gradient, update and a temporary copy; a batch of inputs
    is gathered, and what every layer makes of it lives with some temporaries. A
    convolution has a patch of its inputs at every position besides. Nothing is known
    of a training of the user's own but its state.

    Args:
      cell: what is trained.
      data: its data set, or None.
      shapes: the `Shapes` of a member.
    """
    leaves = jax.tree.leaves(shapes.state)
    held = sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)
    if data is None:
        return Cost(4 * held, 16 * held, UNKNOWN_SECONDS)
    params = shapes.state.train.params
    examples = batch_examples(cell, data)
    patches = _positions(data) * sum(
        math.prod(weights.shape[:-1])
        for weights in jax.tree.leaves(params)
        if weights.ndim == 4
    )
    made = sum(leaf.size for leaf in jax.tree.leaves(shapes.values))
    made += examples * (patches + math.prod(data.shape))
    return Cost(4 * held, 16 * made, training_seconds(cell, data, params))


def training_seconds(
    cell: Cell, data: Dataset, params: Tree, *, backend: str | None = None
) -> float:
    """Roughly the seconds that one network takes, evaluation (a third) included.

    Args:
      cell: what is trained.
      data: its data set.
      params: the shapes of its parameters.
      backend: where; by default that of this process.
    """
    flops = 4 / 3 * update_flops(cell, data, params)
    step = flops / _FLOPS.get(backend or jax.default_backend(), 5e12) + _OVERHEAD
    return cell.epochs * -(-len(data.x_train) // _examples(cell, data)) * step


def update_flops(cell: Cell, data: Dataset, params: Tree) -> float:
    """Roughly the floating-point operations of an update.

    A weight is used once per example, that of a convolution at every position; backward
    takes twice as long as forward.
    """
    uses = sum(
        weights.size * (_positions(data) if weights.ndim == 4 else 1)
        for weights in jax.tree.leaves(params)
    )
    return 3 * 2 * _examples(cell, data) * uses


def _examples(cell: Cell, data: Dataset) -> int:
    return min(cell.batch_size, len(data.x_train))


def _positions(data: Dataset) -> int:
    return math.prod(data.shape[:-1])
