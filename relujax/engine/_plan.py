"""How the members of a population are run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np
import psutil
from jax.sharding import AxisType, PartitionSpec

from relujax.errors import InputError

#: Members per device and call under `map`: one is as fast as many, so little is lost.
_ROWS = 16


@dataclass(frozen=True)
class Plan:
    """How the leading axis of members is mapped inside the compiled program.

    Attributes:
      mapping: `vmap` runs the members of a chunk side by side, `map` one after the
        other; `map` with `chunk=1` is a loop on the host. On one kind of device, and
        as many of them, `map` gives a member bitwise the same numbers whatever else is
        in the population and however it is cut into chunks. Programs for one device
        and for several differ in the last bits of float32, as `vmap` does from `map`.
      chunk: members per call; results are stored after each chunk. None: all that the
        memory holds (`vmap`), or a few (`map`).
      devices: local devices over which a chunk is spread.
    """

    mapping: Literal["vmap", "map"]
    chunk: int | None = None
    devices: int = 1

    def __post_init__(self) -> None:
        if self.mapping not in ("vmap", "map"):
            raise InputError(
                f"Expected the mapping of a plan to be 'vmap' or 'map', got "
                f"{self.mapping!r} instead."
            )
        if self.chunk is not None and self.chunk < 1:
            raise InputError(f"Expected a chunk of at least 1, got {self.chunk}.")
        if not 1 <= self.devices <= jax.local_device_count():
            raise InputError(
                f"Expected 1 to {jax.local_device_count()} devices (what this process "
                f"has), got {self.devices} instead."
            )

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
        mesh = jax.make_mesh((self.devices,), ("members",), (AxisType.Auto,))
        rows, whole = PartitionSpec("members"), PartitionSpec()
        # No member talks to another: every device runs its own program.
        return jax.shard_map(
            local,
            mesh=mesh,
            in_specs=(rows, rows, whole),
            out_specs=rows,
            check_vma=False,
        )(counts, members, shared)

    def sizes(self, members: int, *, member_bytes: int) -> tuple[int, int]:
        """How a population is cut: rows per device, and members per call.

        Args:
          members: size of the population.
          member_bytes: memory that one more member of a `vmap` needs.
        """
        if self.mapping == "map":
            # Always as many rows, so that one program serves every population.
            most = _ROWS * self.devices
            return _ROWS, min(self.chunk or most, most)
        fitting = max(1, _memory() // member_bytes) * self.devices
        chunk = min(self.chunk or fitting, members)
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
    row = lambda i: jax.tree.map(lambda leaf: leaf[i], xs)
    shapes = jax.eval_shape(fn, row(0))
    out = jax.tree.map(lambda s: jax.numpy.zeros((rows, *s.shape), s.dtype), shapes)

    def body(i, out):
        return jax.tree.map(lambda o, y: o.at[i].set(y), out, fn(row(i)))

    return jax.lax.fori_loop(0, count, body, out)


def _memory() -> int:
    """Bytes that a chunk may use on one device: half of what there is."""
    limits = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in limits:
        return limits["bytes_limit"] // 2
    return psutil.virtual_memory().available // 2
