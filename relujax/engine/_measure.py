"""How long a step of a plan takes here, from a few steps on a part of the data."""

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._plan import Plan
from relujax.engine._population import Member, batch_of
from relujax.engine._program import compile_program, put_on_device

# Batches in the part of the data, and networks per device of a `vmap`.
_BATCHES = 4
_SIDE_BY_SIDE = 16

# Every plan has so many turns, each of about so many seconds.
_TURNS = 5
_SECONDS = 0.05

# How a plan fails that needs more than there is.
_FAILURES = (jax.errors.JaxRuntimeError, MemoryError)


def seconds_per_step(
    cell: Cell, data: Dataset, plans: Sequence[Plan], networks: int
) -> dict[Plan, float]:
    """The time of one update of one network of a population, once it is compiled.

    The plans take turns, so that what else the machine does disturbs them alike.

    Args:
      cell: what is trained.
      data: its data set; a few batches of it are used.
      plans: how the networks are run.
      networks: size of the whole population: more are not run side by side.

    Returns:
      Plan to seconds: of the fastest of a few turns, for a disturbance only adds. A
      plan that fails, for want of memory say, is left out.
    """
    part = sample(data, cell.batch_size)
    watches: dict[Plan, _Stopwatch] = {}
    for plan in plans:
        with contextlib.suppress(*_FAILURES):
            watches[plan] = _Stopwatch(cell, part, plan, networks)
    for _ in range(_TURNS):
        for plan, watch in tuple(watches.items()):
            try:
                watch.turn()
            except _FAILURES:
                del watches[plan]
    return {plan: watch.seconds for plan, watch in watches.items()}


class _Stopwatch:
    """Times calls with and without training: what they share is no time of an update.

    A call of `map` moves the states of all its rows, whoever is in them; in a whole
    training, that is little.
    """

    def __init__(self, cell: Cell, part: Dataset, plan: Plan, networks: int) -> None:
        program = compile_program(cell, part, root=0, plan=plan)
        rows, fitting = plan.sizes(networks, program.cost)
        if plan.mapping == "vmap":
            rows = min(rows, _SIDE_BY_SIDE)
        each = 1 if plan.mapping == "map" else rows
        size = min(each * plan.devices, fitting)
        self._counts, places = plan.places(size, rows)
        members = [Member(cell, seed) for seed in range(size)]
        self._batch = batch_of(members, places, rows * plan.devices)
        self._data, self._program = put_on_device(part, plan), program
        self._states = program.start(self._counts, self._batch)
        self._updates = size * -(-len(part.x_train) // cell.batch_size)
        self._run(1)  # Which compiles.
        epoch = max(self._run(2) - self._run(0), 1e-4) / 2
        self._epochs = max(1, round(_SECONDS / epoch))
        self._without = self._training = math.inf

    def turn(self) -> None:
        """Time both calls once more."""
        self._without = min(self._without, self._run(0))
        self._training = min(self._training, self._run(self._epochs))

    @property
    def seconds(self) -> float:
        """Of one update of one network, by the fastest calls."""
        spent = max(self._training - self._without, 1e-9)
        return spent / (self._epochs * self._updates)

    def _run(self, epochs: int) -> float:
        call = (self._data, np.asarray([epochs], np.int32))
        start = time.perf_counter()
        self._states, packed = self._program.advance(
            self._counts, self._states, self._batch, call
        )
        jax.block_until_ready(packed)
        return time.perf_counter() - start


def sample(data: Dataset, batch_size: int) -> Dataset:
    """The first few batches of the training part, and as large a share of the test."""
    n = min(len(data.x_train), _BATCHES * batch_size)
    m = max(1, len(data.x_test) * n // len(data.x_train))
    return replace(
        data,
        x_train=data.x_train[:n],
        y_train=data.y_train[:n],
        x_test=data.x_test[:m],
        y_test=data.y_test[:m],
    )


def gemm_peak() -> float:
    """Floating-point operations per second of float32 products, of the better size."""
    return max(map(_gemm, (1024, 2048)))


def _gemm(size: int, repeats: int = 10) -> float:
    a = jnp.ones((size, size))
    product = jax.jit(jnp.matmul)
    jax.block_until_ready(product(a, a))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(product(a, a))
        times.append(time.perf_counter() - start)
    return 2 * size**3 / min(times)
