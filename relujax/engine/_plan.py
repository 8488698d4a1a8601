"""How the members of a population are run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax


@dataclass(frozen=True)
class Plan:
    """How the leading axis of members is mapped inside the compiled program.

    Attributes:
      mapping: `vmap` runs the members side by side, `map` one after the other. On one
        device `map` gives bitwise the same numbers whatever else is in the population.
    """

    mapping: Literal["vmap", "map"]

    def map(self, fn: Callable[[Any], Any], members: Any) -> Any:
        """`fn` over the leading axis of every leaf of `members`."""
        if self.mapping == "vmap":
            return jax.vmap(fn)(members)
        return jax.lax.map(fn, members)


def auto() -> Plan:
    """The plan for this backend.

    A CPU multiplies the matrices of one network after another faster than those of all
    networks as one batched product; an accelerator needs the whole population at once.
    """
    return Plan("map" if jax.default_backend() == "cpu" else "vmap")
