"""One jaxpr as a graph: what makes a value, what uses it, which values are numbers."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.internals import Literal, Var
from relujax.diagnosis._jaxpr.pointwise import SHAPING, NotPointwise, evaluate

# How many equations of numbers are followed to one: sqrt(2 / pi), not a schedule.
_DEPTH = 8


class Match(NamedTuple):
    """An activation inside one jaxpr.

    Attributes:
      name: canonical name.
      pre: the variable that goes in.
      last: index of the equation that gives the output.
      body: indices of the equations between the two, in order, `last` included.
      hidden: those of `body` that nothing else uses.
      known: the numbers that go in beside `pre`; None where something else does.
      beside: the variables that go in beside `pre`.
      spelt: whether it is told by its arithmetic alone, and not by a name.
    """

    name: str
    pre: Any
    last: int
    body: tuple[int, ...]
    hidden: frozenset[int]
    known: Mapping[Any, float] | None
    beside: tuple[Any, ...] = ()
    spelt: bool = False


class Graph:
    """Producers, uses and known numbers of one jaxpr.

    Args:
      part: a jaxpr, open or closed.
      known: what is known of its variables from outside.
    """

    def __init__(self, part: Any, known: Mapping[Any, float]):
        jaxpr, consts = _jax.open_jaxpr(part)
        self.eqns, self.invars, self.outvars = jaxpr.eqns, jaxpr.invars, jaxpr.outvars
        held = zip(jaxpr.constvars, map(number, consts), strict=False)
        self.numbers: dict[Any, float | None] = {**dict(held), **known}
        self.producer = {v: i for i, e in enumerate(self.eqns) for v in e.outvars}
        self.uses: dict[Any, list[int]] = {}
        for i, eqn in enumerate(self.eqns):
            for v in variables(eqn.invars):
                self.uses.setdefault(v, []).append(i)
        for v in variables(self.outvars):
            self.uses.setdefault(v, []).append(len(self.eqns))

    def made_by(self, atom: Any) -> Any:
        """The equation that makes `atom`, or None."""
        if isinstance(atom, Var) and (index := self.producer.get(atom)) is not None:
            return self.eqns[index]
        return None

    def live(self) -> set[int]:
        """The equations that lead to an output."""
        needed, found = set(variables(self.outvars)), set()
        for index in range(len(self.eqns) - 1, -1, -1):
            eqn = self.eqns[index]
            if needed & set(eqn.outvars) or eqn.effects:
                found.add(index)
                needed |= set(variables(eqn.invars))
        return found

    def scalar(self, atom: Any, depth: int = _DEPTH) -> float | None:
        """The one number that `atom` holds everywhere, where that is known."""
        if isinstance(atom, Literal):
            return number(atom.val)
        if atom not in self.numbers:
            self.numbers[atom] = self._computed(atom, depth)
        return self.numbers[atom]

    def _computed(self, atom: Any, depth: int) -> float | None:
        eqn = self.made_by(atom)
        if eqn is None or not depth:
            return None
        if eqn.primitive.name in (*SHAPING, "convert_element_type", "copy"):
            return self.scalar(eqn.invars[0], depth - 1)
        if atom.aval.shape or not floating(atom):
            return None
        inputs = {v: self.scalar(v, depth - 1) for v in variables(eqn.invars)}
        if None in inputs.values():
            return None
        try:
            return number(evaluate([eqn], inputs, [atom])[0])
        except NotPointwise:
            return None

    def depends(self, atom: Any, x: Any) -> bool:
        """Whether `atom` is computed from `x`."""
        start, pending, seen = self.producer.get(x, -1), variables([atom]), set()
        while pending:
            v = pending.pop()
            if v is x:
                return True
            if v not in seen and self.producer.get(v, -1) > start:
                seen.add(v)
                pending += variables(self.made_by(v).invars)
        return False

    def inside(self, eqn: Any, part: Any) -> dict[Any, float]:
        """What is known of the variables of a jaxpr that `eqn` holds."""
        invars = _jax.open_jaxpr(part)[0].invars
        known = zip(invars, map(self.scalar, _jax.passed(eqn)), strict=False)
        return {v: c for v, c in known if c is not None}

    def finish(
        self, name: str, pre: Any, last: int, told: bool = False
    ) -> Match | None:
        """The match with its body: what depends on `pre` and leads to `last`.

        Args:
          name: canonical name.
          pre: the variable that goes in.
          last: index of the equation that gives the output.
          told: whether it is known that one entry makes one entry.
        """
        downstream, reached = [], {pre}
        start = self.producer.get(pre, -1) + 1
        for i in range(start, last + 1):
            if reached & set(variables(self.eqns[i].invars)):
                downstream.append(i)
                reached |= set(self.eqns[i].outvars)
        body, needed = [last], set(variables(self.eqns[last].invars))
        for i in reversed(downstream):
            if i != last and needed & set(self.eqns[i].outvars):
                body.append(i)
                needed |= set(variables(self.eqns[i].invars))
        made = {v for i in body for v in self.eqns[i].outvars}
        # A CReLU has two outputs for each input, and a stack has several in between.
        longer = {last} if name == "crelu" else set()
        same = [v for i in body if i not in longer for v in self.eqns[i].outvars]
        if not told and {v.aval.size for v in same} - {pre.aval.size}:
            return None
        hidden: set[int] = set()
        for i in sorted(body, reverse=True):
            users = {u for v in self.eqns[i].outvars for u in self.uses.get(v, ())}
            if i != last and users <= hidden | {last}:
                hidden.add(i)
        beside = {v: self.scalar(v) for v in needed - made - {pre}}
        known = {v: c for v, c in beside.items() if c is not None}
        return Match(
            name,
            pre,
            last,
            tuple(sorted(body)),
            frozenset(hidden),
            known if len(known) == len(beside) else None,
            tuple(beside),
        )


def stacked(eqn: Any) -> int | None:
    """The axis along which an equation lays arrays of one shape side by side."""
    if eqn.primitive.name == "stack":
        return eqn.params["axis"]
    if eqn.primitive.name == "concatenate":
        axis = eqn.params["dimension"]
        return axis if all(v.aval.shape[axis] == 1 for v in eqn.invars) else None
    if eqn.primitive.name == "pad":
        config = eqn.params["padding_config"]
        wider = [axis for axis, (low, high, _) in enumerate(config) if low or high]
        if len(wider) == 1 and eqn.invars[0].aval.shape[wider[0]] == 1:
            return wider[0] if min(config[wider[0]]) >= 0 else None
    return None


def variables(atoms: Iterable[Any]) -> list[Any]:
    """The atoms that are no literals."""
    return [v for v in atoms if isinstance(v, Var)]


def floating(v: Any) -> bool:
    """Whether a variable holds floating-point numbers."""
    return jnp.issubdtype(getattr(v.aval, "dtype", np.int32), jnp.floating)


def alike(v: Any, w: Any) -> bool:
    """Same shape and same floating dtype."""
    return floating(v) and v.aval.shape == w.aval.shape and v.aval.dtype == w.aval.dtype


def number(value: Any) -> float | None:
    """`value` as a float when it is one known number, else None."""
    if isinstance(value, _jax.Tracer) or np.ndim(value) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
