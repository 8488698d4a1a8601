"""Checkpoints: the training state of a network between two of its evaluations.

    <cell>/checkpoint-<seed>-<calls>.safetensors, and its record

A killed run goes on inside a network: under `map` with the same numbers to the bit.
Each network has checkpoints of its own, so that it may go on in any company. What
would make other numbers (another program, version, mapping, kind of device or number of
threads) starts from the beginning. Once the rows of a network are stored, its
checkpoint is removed.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from relujax.engine._folder import CellFolder
from relujax.engine._plan import Plan
from relujax.engine._provenance import provenance
from relujax.extras import needs

if TYPE_CHECKING:
    from relujax.engine._population import Member

Tree = Any

_NAME = "checkpoint-{}-{}.safetensors"
_OF = re.compile(r"checkpoint-(\d+)-(\d+)\.safetensors")
_HISTORY = "history"


class Checkpoint(NamedTuple):
    """How far a network is.

    Attributes:
      calls: how many calls of its program are done.
      history: what they have measured, `[evaluations, size]`.
      leaves: the leaves of its training state, in order.
    """

    calls: int
    history: np.ndarray
    leaves: list[np.ndarray]


class Checkpoints:
    """The checkpoints of a population.

    Args:
      folders: each cell to its folder.
      about: `about(cell)`, what has to be the same where training goes on, as JSON.
      minutes: from one checkpoint to the next; None to use those that are there, and
        make none.
    """

    def __init__(
        self,
        folders: Mapping[Any, CellFolder],
        about: Callable[[Any], Mapping[str, Any]],
        minutes: float | None,
    ) -> None:
        self._folders, self._about, self._minutes = folders, about, minutes
        self._last, self._form = time.monotonic(), ""

    def find(
        self, members: Sequence["Member"], state: Tree, calls: int
    ) -> dict["Member", Checkpoint]:
        """The latest checkpoint of each member that has one.

        Args:
          members: the population.
          state: the shapes of the training state of one.
          calls: of the program in the whole training.
        """
        self._form = _form(state, calls)
        found = {}
        names = {cell: _by_seed(folder) for cell, folder in self._folders.items()}
        for member in members:
            for done, name in sorted(names[member.cell].get(member.seed, ()))[::-1]:
                kept = self._folders[member.cell].get_file(name)
                if kept is not None and kept[1] == self._record(member):
                    found[member] = _opened(done, kept[0], state)
                    break
        return found

    def due(self) -> bool:
        """Whether it is time for one; then the time until the next begins."""
        now = time.monotonic()
        if self._minutes is None or now - self._last < 60 * self._minutes:
            return False
        self._last = now
        return True

    def keep(self, members: Iterable["Member"], reached: Iterable[Checkpoint]) -> None:
        """Store how far members are; what was stored before is removed afterwards."""
        needs("checkpoints", "safetensors")
        from safetensors.numpy import save

        for member, checkpoint in zip(members, reached, strict=True):
            arrays = {str(k): _plain(leaf) for k, leaf in enumerate(checkpoint.leaves)}
            arrays[_HISTORY] = _plain(checkpoint.history)
            folder = self._folders[member.cell]
            name = _NAME.format(member.seed, checkpoint.calls)
            folder.put_file(name, save(arrays), self._record(member))
            for calls, other in _by_seed(folder).get(member.seed, ()):
                if calls != checkpoint.calls:
                    folder.forget(other)

    def _record(self, member: "Member") -> dict[str, Any]:
        return {**self._about(member.cell), "form": self._form}


def _form(state: Tree, calls: int) -> str:
    """A hash of what a checkpoint consists of, and of how training is cut."""
    shapes = [f"{leaf.dtype}{leaf.shape}" for leaf in jax.tree.leaves(state)]
    return hashlib.sha256(f"{calls} {shapes}".encode()).hexdigest()[:16]


def same_numbers(plan: Plan) -> dict[str, Any]:
    """What has to be the same in another process for it to get the same numbers."""
    made = provenance()
    kept = ("versions", "backend", "device_kind", "threads")
    return {
        "mapping": plan.mapping,
        "devices": plan.devices,
        **{name: made[name] for name in kept},
    }


def forget_checkpoints(folder: CellFolder, seeds: Iterable[int]) -> None:
    """Remove the checkpoints of networks whose rows are stored."""
    names = _by_seed(folder)
    for seed in seeds:
        for _, name in names.get(seed, ()):
            folder.forget(name)


def alike(
    members: Sequence["Member"], found: Mapping["Member", Checkpoint], most: int
) -> Iterator[list["Member"]]:
    """The members in chunks of at most `most`, each of members that are equally far."""
    groups: dict[int, list[Member]] = {}
    for member in members:
        calls = found[member].calls if member in found else 0
        groups.setdefault(calls, []).append(member)
    # Those that are furthest first: what they have cost is safe soonest.
    for calls in sorted(groups, reverse=True):
        group = groups[calls]
        yield from (group[i : i + most] for i in range(0, len(group), most))


def taken(
    states: Tree, places: Any, history: np.ndarray, calls: int
) -> Iterator[Checkpoint]:
    """How far each member of a chunk is.

    Args:
      states: the training states, every leaf `[rows, ...]`.
      places: the row of each member.
      history: what was measured, `[members, evaluations, size]`.
      calls: how many calls of the program are done.
    """
    leaves = [np.asarray(_bits(leaf)) for leaf in jax.tree.leaves(states)]
    for measured, place in zip(history, places, strict=True):
        yield Checkpoint(calls, measured, [leaf[place] for leaf in leaves])


def resumed(states: Tree, places: Any, found: Sequence[Checkpoint]) -> Tree:
    """The training states with the rows of members as their checkpoints have them."""
    leaves, tree = jax.tree.flatten(states)
    return tree.unflatten(
        _with_rows(leaf, places, [checkpoint.leaves[k] for checkpoint in found])
        for k, leaf in enumerate(leaves)
    )


def _with_rows(leaf: jax.Array, places: Any, rows: Sequence[np.ndarray]) -> jax.Array:
    bits = _bits(leaf)
    whole = np.array(bits)
    whole[places] = rows
    # As it lay on the devices before, so that the compiled program takes it.
    one = len(bits.sharding.device_set) == 1
    put = jax.numpy.asarray(whole) if one else jax.device_put(whole, bits.sharding)
    if bits is leaf:
        return put
    return jax.random.wrap_key_data(put, impl=jax.random.key_impl(leaf))


def _opened(calls: int, content: bytes, state: Tree) -> Checkpoint:
    from safetensors.numpy import load

    arrays = load(content)
    shapes = [jax.eval_shape(_bits, leaf) for leaf in jax.tree.leaves(state)]
    leaves = [
        arrays[str(k)].view(shape.dtype).reshape(shape.shape)
        for k, shape in enumerate(shapes)
    ]
    return Checkpoint(calls, arrays[_HISTORY], leaves)


def _by_seed(folder: CellFolder) -> dict[int, list[tuple[int, str]]]:
    """Seed to the checkpoints of it: (calls, name)."""
    found: dict[int, list[tuple[int, str]]] = {}
    for name in folder.kept("checkpoint-"):
        if match := _OF.fullmatch(name):
            seed, calls = map(int, match.groups())
            found.setdefault(seed, []).append((calls, name))
    return found


def _bits(leaf: Any) -> Any:
    """An array; random keys as their bits."""
    if jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.key_data(leaf)
    return leaf


def _plain(array: np.ndarray) -> np.ndarray:
    """An array of a type that safetensors has for NumPy: bfloat16 as its bits."""
    array = np.array(array, order="C")
    return array.view(f"u{array.dtype.itemsize}") if array.dtype.kind == "V" else array
