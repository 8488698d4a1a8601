"""Train a population: the members of cells that share one compiled program."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._checkpoints import Checkpoints, alike, resumed, taken
from relujax.engine._network import Members
from relujax.engine._plan import Plan
from relujax.engine._program import compile_program, put_on_device, shapes_of
from relujax.engine._rows import mark_diverged, to_rows

#: Progress is reported about this often per chunk, or, for a long training, after so
#: many seconds' work for one member, by a rough estimate.
_REPORTS = 20
_SECONDS = 1.0


class Member(NamedTuple):
    """One network of a population."""

    cell: Cell
    seed: int


def train_population(
    members: Sequence[Member],
    data: Dataset | None,
    *,
    root: int,
    plan: Plan,
    sharers: int = 1,
    keep: str | None = None,
    checkpoints: Checkpoints | None = None,
    on_weights: Callable[[Member, Any], None] = lambda _member, _weights: None,
    on_epochs: Callable[[int], None] = lambda _epochs: None,
) -> Iterator[tuple[list[Member], pd.DataFrame]]:
    """Train members, chunk by chunk, with one compiled program.

    Args:
      members: networks whose cells differ in numbers only (`Cell.skeleton`).
      data: their data set; None for a training of the user's own.
      root: the root seed.
      plan: how the members are run.
      sharers: how many populations are trained at the same time, this one included:
        they share the memory.
      keep: "last" or "best": the weights that `on_weights` gets.
      checkpoints: where training goes on, and is stored between evaluations.
      on_weights: called with each trained member and its weights, on the host.
      on_epochs: called with the number of epochs (times members) that have been done.

    Yields:
      The members of each chunk, and their rows: one per member, epoch (from 0, before
      training) and split; `member` is the position in the chunk.
    """
    cell = members[0].cell
    if any(member.cell.skeleton != cell.skeleton for member in members):
        raise ValueError("Expected members whose cells differ in numbers only.")
    epochs = np.arange(0, cell.epochs + 1, cell.skeleton.evaluate_every)
    program = compile_program(cell, data, root=root, plan=plan, keep=keep)
    calls = _calls(epochs, program.cost.seconds)
    arrays = put_on_device(data, plan)
    per_device, per_call = plan.sizes(len(members), program.cost, sharers=sharers)
    found = {}
    if checkpoints is not None:
        state = shapes_of(cell, data, root=root, keep=keep).state
        found = checkpoints.find(members, state, len(calls))
    for chunk in alike(members, found, per_call):
        counts, places = plan.places(len(chunk), per_device)
        batch = batch_of(chunk, places, per_device * plan.devices)
        known = [found.pop(member) for member in chunk if member in found]
        states, measured = program.start(counts, batch), []
        if known:
            states = resumed(states, places, known)
            measured.append(np.stack([checkpoint.history for checkpoint in known]))
        first = known[0].calls if known else 0
        on_epochs(int(np.sum(calls[:first])) * len(chunk))
        for done, call in enumerate(calls[first:], first + 1):
            states, packed = program.advance(counts, states, batch, (arrays, call))
            measured.append(np.asarray(packed)[places])
            on_epochs(int(call.sum()) * len(chunk))
            if checkpoints is not None and done < len(calls) and checkpoints.due():
                history = np.concatenate(measured, axis=1)
                checkpoints.keep(chunk, taken(states, places, history, done))
        history = np.concatenate(measured, axis=1)[:, : len(epochs)]
        if keep is not None:
            kept = jax.device_get(program.weights(states))
            for member, place in zip(chunk, places, strict=True):
                on_weights(member, jax.tree.map(lambda a, i=place: a[i], kept))
        frame = to_rows(epochs, program.unpack(history))
        seeds = np.asarray([member.seed for member in chunk])
        yield chunk, mark_diverged(frame.assign(seed=seeds[frame["member"]]))


def batch_of(chunk: Sequence[Member], places: np.ndarray, size: int) -> Members:
    """The members at their rows; the rows between repeat the first member."""
    filled = [chunk[0]] * size
    for place, member in zip(places, chunk, strict=True):
        filled[place] = member
    numbers = [member.cell.hyperparameters for member in filled]
    return Members(
        np.asarray([member.seed for member in filled], np.int32),
        jax.tree.map(lambda *values: np.asarray(values, np.float32), *numbers),
    )


def _calls(epochs: np.ndarray, seconds: float) -> list[np.ndarray]:
    """How many epochs come before each evaluation, call by call.

    All calls have equally many evaluations; the last may end with some too many. How
    many depends on the cell alone, whoever is in the population: it is compiled in.

    Args:
      epochs: when to evaluate.
      seconds: time of the training of one member.
    """
    between = np.diff(epochs, prepend=0).astype(np.int32)
    soon = int(_SECONDS * len(between) / seconds)
    each = max(1, min(len(between) // _REPORTS, soon))
    calls = -(-len(between) // each)
    padded = np.pad(between, (0, calls * each - len(between)))
    return np.split(padded, calls)
