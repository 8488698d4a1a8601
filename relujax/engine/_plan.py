"""How the members of a population are run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, PartitionSpec

from relujax.engine._allocation import memory
from relujax.engine._cost import Cost
from relujax.errors import InputError

#: Members per device and call under `map`: one is as fast as many, so little is lost.
_ROWS = 16

#: Results are stored after so many seconds of work, by a rough estimate, or earlier.
_SECONDS = 600.0

#: But a `vmap` has as many members on a device: with fewer, it would be no `vmap`.
_SIDE_BY_SIDE = 16

Mapping = Literal["vmap", "map"]


@dataclass(frozen=True)
class Plan:
    """How the leading axis of members is mapped inside the compiled program.

    Attributes:
      mapping: `vmap` runs the members of a chunk side by side, `map` one after the
        other; `map` with `chunk=1` is a loop on the host. On one kind of device, and
        as many of them, `map` gives a member bitwise the same numbers whatever else is
        in the population and however it is cut into chunks. Programs for one device
        and for several differ in the last bits of float32, as `vmap` does from `map`.
      chunk: members per call; results are stored after each chunk. None: a few minutes'
        work, by a rough estimate, of those that the memory holds; under `map` at most
        16 per device.
      devices: local devices over which a chunk is spread.

    Raises:
      InputError: there is no such mapping, or a number is none or out of range.
    """

    mapping: Mapping
    chunk: int | None = None
    devices: int = 1

    def __post_init__(self) -> None:
        if self.mapping not in ("vmap", "map"):
            raise InputError(
                f"Expected the mapping of a plan to be 'vmap' or 'map', got "
                f"{self.mapping!r} instead."
            )
        if self.chunk is not None and (type(self.chunk) is not int or self.chunk < 1):
            raise InputError(
                f"Expected a chunk of at least 1 member, got {self.chunk!r}."
            )
        most = jax.local_device_count()
        if type(self.devices) is not int or not 1 <= self.devices <= most:
            raise InputError(
                f"Expected 1 to {most} devices (what this process has), got "
                f"{self.devices!r} instead."
            )

    @property
    def mesh(self) -> Mesh:
        """The local devices of the plan, along an axis `members`."""
        devices = jax.local_devices()[: self.devices]
        kinds = (AxisType.Auto,)
        return jax.make_mesh((self.devices,), ("members",), kinds, devices=devices)

    def map(self, fn: Callable[..., Any], counts: jax.Array, members: Any, shared: Any):
        """`fn(*member, shared)` over the leading axis of every leaf of `members`.

        Args:
          fn: what is done for one member.
          counts: how many members each device has, `[devices]`; what lies beyond is
            padding, whose results mean nothing.
          members: a tuple of trees whose leaves are `[devices * rows, ...]`.
          shared: the same for all members.
        """

        def local(counts, members, shared):
            one = lambda member: fn(*member, shared)
            if self.mapping == "vmap":
                return jax.vmap(one)(members)
            return _map(one, counts[0], members)

        if self.devices == 1:
            return local(counts, members, shared)
        rows, whole = PartitionSpec("members"), PartitionSpec()
        # No member talks to another: every device runs its own program.
        return jax.shard_map(
            local,
            mesh=self.mesh,
            in_specs=(rows, rows, whole),
            out_specs=rows,
            check_vma=False,
        )(counts, members, shared)

    def sizes(self, members: int, cost: Cost, *, sharers: int = 1) -> tuple[int, int]:
        """How a population is cut: rows per device, and members per call.

        Args:
          members: size of the population.
          cost: what one of them needs.
          sharers: how many populations share the memory of a device.

        Raises:
          InputError: the memory of a device cannot hold one member.
        """
        _check_size(cost)
        most = _memory() // sharers
        if self.mapping == "map":
            # As many rows whatever the population, so that one program serves all.
            if self.chunk is not None:
                return -(-self.chunk // self.devices), self.chunk
            rows = _within((most - cost.running) // cost.state, _ROWS)
            return rows, self.devices * _within(_SECONDS / cost.seconds, rows)
        fitting = _within(most // (cost.state + cost.running), members)
        soon = max(_SIDE_BY_SIDE, int(_SECONDS / cost.seconds))
        chunk = min(self.chunk or self.devices * min(fitting, soon), members)
        calls = -(-members // chunk)
        # Equally many in each call: what a chunk lacks would be padding, which costs.
        chunk = -(-members // calls)
        return -(-chunk // self.devices), chunk

    def places(self, members: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Spread members over the devices, as evenly as possible.

        Returns:
          The count of each device `[devices]`, and the row of each member `[members]`
          among all `devices * rows`.
        """
        counts = np.full(self.devices, members // self.devices, np.int32)
        counts[: members % self.devices] += 1
        places = [device * rows + np.arange(n) for device, n in enumerate(counts)]
        return counts, np.concatenate(places)


def _map(fn: Callable[[Any], Any], count: jax.Array, xs: Any) -> Any:
    """`jax.lax.map` over the first `count` rows; the others come out as zeros.

    The trip count is traced. With a static one, XLA would compile a population of one
    differently from a population of two, and their roundings would differ.
    """
    rows = len(jax.tree.leaves(xs)[0])
    fn = jax.jit(fn)  # Traced once, though called twice.
    # What indexing is made of, without its care for other kinds of indices.
    pick = partial(jax.lax.dynamic_index_in_dim, keepdims=False)
    row = lambda i: jax.tree.map(lambda leaf: pick(leaf, i), xs)
    shapes = jax.eval_shape(fn, row(0))
    out = jax.tree.map(lambda s: jax.numpy.zeros((rows, *s.shape), s.dtype), shapes)

    def body(i, out):
        put = lambda o, y: jax.lax.dynamic_update_index_in_dim(o, y, i, 0)
        return jax.tree.map(put, out, fn(row(i)))

    return jax.lax.fori_loop(0, count, body, out)


def _check_size(cost: Cost) -> None:
    """Refuse a member whose state and gradient are more than a device can hold."""
    least, most = cost.state // 3, _whole_memory()
    if least > most:
        raise InputError(
            f"Expected networks that fit into {most / 1e9:.3g} GB of memory, got one "
            f"whose weights, optimizer state and gradient take {least / 1e9:.3g} "
            f"GB: make it smaller."
        )


def _within(number: float, most: int) -> int:
    return max(1, min(int(number), most))


def as_plan(
    given: Plan | str | None, *, chunk: int | None = None, devices: int | None = None
) -> Plan | None:
    """The plan that a user names; None is the one that `choose` takes.

    Args:
      given: a `Plan`; `vmap` or `map`, on all local devices; `auto` or None.
      chunk: members per call, where `given` names a mapping.
      devices: how many devices, likewise.

    Raises:
      InputError: it is none of these.
    """
    if isinstance(given, Plan):
        return given
    if given in ("vmap", "map"):
        count = jax.local_device_count() if devices is None else devices
        return Plan(cast(Mapping, given), chunk, count)
    if given not in ("auto", None):
        raise InputError(
            f"Expected 'auto', 'vmap', 'map' or a relujax.engine.Plan as the plan, got "
            f"{given!r}."
        )
    if chunk is not None or devices is not None:
        raise InputError(
            "Expected the plan 'vmap' or 'map' with a chunk or a number of devices, "
            "got 'auto', which chooses them."
        )
    return None


def _memory() -> int:
    """Bytes that a chunk may use on one device: half of what there is."""
    # The devices that a CPU is divided into share one memory.
    sharers = 1 if _limit() is not None else jax.local_device_count()
    return _whole_memory() // (2 * sharers)


def _whole_memory() -> int:
    """Bytes of a device's memory, which the devices of a CPU share."""
    limit = _limit()
    return memory() if limit is None else limit


def _limit() -> int | None:
    """Bytes that a device with memory of its own has."""
    return (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
