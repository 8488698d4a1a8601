"""How the members of a population are run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import jax
import numpy as np
from jax.sharding import PartitionSpec

from relujax.errors import InputError

T = TypeVar("T")

#: Members per call where one is as fast as many: small, so that little is lost.
_SEQUENTIAL_CHUNK = 16


@dataclass(frozen=True)
class Plan:
    """How the leading axis of members is mapped inside the compiled program.

    Attributes:
      mapping: `vmap` runs the members of a chunk side by side, `map` one after the
        other, `loop` one per call of the program. On one kind of device `map` and
        `loop` give a member bitwise the same numbers whatever else is in the
        population.
      chunk: members per call; results are stored after each chunk. None: all that the
        memory holds (`vmap`), or a few (`map`).
      devices: local devices over which a chunk is spread.
    """

    mapping: Literal["vmap", "map", "loop"]
    chunk: int | None = None
    devices: int = 1

    def __post_init__(self) -> None:
        if self.mapping not in ("vmap", "map", "loop"):
            raise InputError(
                f"Expected the mapping of a plan to be 'vmap', 'map' or 'loop', got "
                f"{self.mapping!r} instead."
            )
        if self.chunk is not None and self.chunk < 1:
            raise InputError(f"Expected a chunk of at least 1, got {self.chunk}.")
        if not 1 <= self.devices <= jax.local_device_count():
            raise InputError(
                f"Expected 1 to {jax.local_device_count()} devices (what this process "
                f"has), got {self.devices} instead."
            )

    def map(self, fn: Callable[..., Any], members: Any, shared: Any) -> Any:
        """`fn(*member, shared)` over the leading axis of every leaf of `members`.

        Args:
          fn: what is done for one member.
          members: a tuple of trees whose leaves are `[members, ...]`.
          shared: the same for all members.
        """

        def local(members, shared):
            one = lambda member: fn(*member, shared)
            if self.mapping == "vmap":
                return jax.vmap(one)(members)
            return jax.lax.map(one, members)

        if self.devices == 1:
            return local(members, shared)
        mesh = jax.make_mesh((self.devices,), ("members",))
        rows, whole = PartitionSpec("members"), PartitionSpec()
        # No member talks to another: every device runs its own program.
        return jax.shard_map(
            local, mesh=mesh, in_specs=(rows, whole), out_specs=rows, check_vma=False
        )(members, shared)

    def chunks(self, members: Sequence[T], *, member_bytes: int) -> Iterator[list[T]]:
        """`members` in the order given, cut into what one call takes.

        Args:
          members: any list.
          member_bytes: memory that one more member of a `vmap` needs.
        """
        size = self._chunk_size(member_bytes)
        for first in range(0, len(members), size):
            yield list(members[first : first + size])

    def padded(self, n: int) -> np.ndarray:
        """Positions `[m]` of `n` members, padded to a multiple of the devices.

        The padding repeats the last member; its results are dropped.
        """
        size = -(-n // self.devices) * self.devices
        return np.minimum(np.arange(size), n - 1)

    def _chunk_size(self, member_bytes: int) -> int:
        if self.mapping == "loop":
            return self.devices
        if self.chunk is not None:
            return self.chunk
        if self.mapping == "map":
            return _SEQUENTIAL_CHUNK * self.devices
        return max(1, _memory() // member_bytes) * self.devices


def auto() -> Plan:
    """The plan for this backend.

    A CPU multiplies the matrices of one network after another faster than those of all
    networks as one batched product; an accelerator needs the whole population at once.
    """
    devices = jax.local_device_count()
    mapping = "map" if jax.default_backend() == "cpu" else "vmap"
    return Plan(mapping, devices=devices)


def _memory() -> int:
    """Bytes that a chunk may use on one device: half of what there is."""
    limits = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in limits:
        return limits["bytes_limit"] // 2
    import psutil

    return psutil.virtual_memory().available // 2
