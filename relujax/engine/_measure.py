"""How long a step of a plan takes here, from a few steps on a part of the data."""

import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._own import OwnCell
from relujax.engine._plan import Plan
from relujax.engine._population import Member, batch_of
from relujax.engine._program import compile_program, put_on_device

# Batches in the part of the data, and networks per device of a `vmap`.
_BATCHES = 4
_SIDE_BY_SIDE = 16

# A call is measured so many times, and each time lasts about so long.
_REPEATS = 3
_SECONDS = 0.05


def seconds_per_step(
    cell: Cell | OwnCell, data: Dataset, plan: Plan, networks: int
) -> float:
    """The time of one update of one network of a population, once it is compiled.

    Evaluations come on top, but are few: what is compared here are plans.

    Args:
      cell: what is trained.
      data: its data set; a few batches of it are used.
      plan: how the networks are run.
      networks: size of the whole population: more are not run side by side.

    Returns:
      Seconds: the fastest of a few repeats, for what else the machine does only adds.
    """
    part = sample(data, cell.batch_size)
    steps = -(-len(part.x_train) // cell.batch_size)
    program = compile_program(cell, part, root=0, plan=plan)
    per_device, fitting = plan.sizes(networks, member_bytes=program.member_bytes)
    if plan.mapping == "vmap":
        per_device = min(per_device, _SIDE_BY_SIDE)
    each = 1 if plan.mapping == "map" else per_device
    size = min(each * plan.devices, fitting)
    counts, places = plan.places(size, per_device)
    members = [Member(cell, seed) for seed in range(size)]
    batch = batch_of(members, places, per_device * plan.devices)
    arrays, states = put_on_device(part), program.start(counts, batch)

    def run(epochs: int) -> float:
        nonlocal states
        start = time.perf_counter()
        call = (arrays, np.asarray([epochs], np.int32))
        states, packed = program.advance(counts, states, batch, call)
        jax.block_until_ready(packed)
        return time.perf_counter() - start

    run(1)
    epochs = max(1, round(_SECONDS / run(1)))
    fastest = min(run(epochs) for _ in range(_REPEATS))
    return fastest / (epochs * steps * size)


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


def gemm_peak(size: int = 2048, repeats: int = 5) -> float:
    """Floating-point operations per second of a float32 matrix product."""
    a = jnp.ones((size, size))
    product = jax.jit(jnp.matmul)
    jax.block_until_ready(product(a, a))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(product(a, a))
        times.append(time.perf_counter() - start)
    return 2 * size**3 / min(times)
