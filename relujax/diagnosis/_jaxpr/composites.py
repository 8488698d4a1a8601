"""Which variable a value is an elementwise function of, and which function it is.

`max(z, 0) + a * min(z, 0)` takes four equations and two rectifiers, and is one
activation of `z`. Of every elementwise value the nearest variable is known that all its
paths lead through, its dominator; the values that it has as a function of that one, or
of the dominator's dominator, tell the activation, whatever its spelling.
"""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.axes import fits
from relujax.diagnosis._jaxpr.graph import Graph, floating, stacked, variables
from relujax.diagnosis._jaxpr.internals import Literal
from relujax.diagnosis._jaxpr.pointwise import GRID, SHAPING, NotPointwise
from relujax.diagnosis._jaxpr.values import (
    ELEMENTWISE,
    UNSTACKING,
    applied,
    bends,
    is_product,
    is_whole_at,
    named,
    row_of,
)

# How many dominators are tried as what goes in: `0.5 * (1 + tanh(x / 2))` has four.
_NEAR = 12
# What stands for a slope that the program is given, and what is then learned.
_GIVEN = 0.3
_LEARNED = {"leaky_relu": "prelu", "elu": "elu"}


class Composites:
    """The elementwise functions of one variable in a jaxpr.

    Args:
      graph: the jaxpr.
    """

    def __init__(self, graph: Graph):
        self._graph = graph
        self._above: dict[Any, Any] = {}  # variable to its dominator
        self._depth: dict[Any, int] = {}
        self._bent: dict[Any, bool] = {}  # whether it bends what its dominator holds
        self._values: dict[Any, dict[Any, Any]] = {}
        self._rows: dict[Any, int] = {}  # what lies side by side, to its axis
        self._beside: set[Any] = set()  # what is made of such
        for eqn in graph.eqns:
            if _has_one_output(eqn) and self._is_elementwise(eqn):
                self._place(eqn, eqn.outvars[0])

    def _place(self, eqn: Any, out: Any) -> None:
        given = eqn.invars[::2] if is_whole_at(eqn) else eqn.invars  # no indices
        beside = out in self._rows
        operands = [v for v in variables(given) if self._varies(v, out, beside)]
        if not operands:
            return
        above = operands[0]
        for v in operands[1:]:
            above = self._common(above, v)
        if above is None:
            return
        joined = any(v is not above and self._bends_from(v, above) for v in operands)
        joined |= len(operands) > 1 and eqn.primitive.name in ("mul", "div")
        called = _is_call(eqn)
        self._above[out] = above
        self._depth[out] = self._depth.get(above, 0) + 1
        self._bent[out] = called or bends(eqn) or joined

    def _varies(self, v: Any, out: Any, beside: bool) -> bool:
        """Whether an operand is neither one number nor one number per unit.

        Args:
          v: the operand.
          out: what is made of it.
          beside: whether it is laid beside others, and so smaller than all together.
        """
        is_repeated = v.aval.ndim == out.aval.ndim and v.aval.size < out.aval.size
        is_repeated &= not beside
        if self._graph.scalar(v) is not None or is_repeated:
            return False
        if not out.aval.shape:
            return True
        return not self._is_given(v) or v in self._above

    def _is_given(self, v: Any) -> bool:
        """Whether it is a slope: a number for all units, or one for each."""
        if not v.aval.shape:
            return True
        eqn = self._graph.made_by(v)
        if eqn is None or eqn.primitive.name != "broadcast_in_dim":
            return False
        return eqn.invars[0].aval.size < v.aval.size

    def is_beside(self, out: Any) -> bool:
        """Whether numbers laid side by side, or a whole array set anew, lead to it."""
        return out in self._beside

    def is_made_of_rows(self, eqn: Any) -> bool:
        """Whether an equation takes what lies side by side."""
        return self._axis(eqn) is not None

    def is_choice(self, eqn: Any) -> bool:
        """Whether an equation picks one of what lies side by side, by its values."""
        is_gather = "gather" == eqn.primitive.name
        is_gather |= _jax.call_name(eqn) == "take_along_axis"
        if not is_gather or eqn.invars[0] not in self._rows:
            return False
        above = self._above.get(eqn.invars[0])
        return above is not None and self._graph.depends(eqn.invars[1], above)

    def is_placed(self, v: Any) -> bool:
        """Whether it is known to be an elementwise function of something."""
        return v in self._above

    def is_of_two(self, eqn: Any) -> bool:
        """Whether both operands of an equation are arrays like its output."""
        out = eqn.outvars[0]
        return (
            out.aval.ndim > 1
            and all(
                v.aval.shape == out.aval.shape and self._varies(v, out, False)
                for v in variables(eqn.invars)
            )
            and len(variables(eqn.invars)) == 2
        )

    def _axis(self, eqn: Any) -> int | None:
        """The axis along which what goes into an equation lies side by side."""
        axes = [self._rows[v] for v in variables(eqn.invars) if v in self._rows]
        return axes[0] if axes else None

    def _is_elementwise(self, eqn: Any) -> bool:
        """Whether one entry of the output takes only the entries at its place.

        Of what lies side by side these are several.
        """
        out, axis = eqn.outvars[0], self._axis(eqn)
        if (
            is_whole_at(eqn)
            or is_product(eqn)
            or (set(variables(eqn.invars)) & self._beside)
        ):
            self._beside.add(out)
        if axis is not None:
            return self._is_of_rows(eqn, axis)
        new = _laid_beside(eqn)
        if new is not None:
            self._rows[out] = new
            self._beside.add(out)
            return True
        if is_whole_at(eqn) or is_product(eqn):
            return True
        return self._is_plain(eqn)

    def _is_of_rows(self, eqn: Any, axis: int) -> bool:
        """The same of an equation that takes what lies side by side along an axis."""
        out, name = eqn.outvars[0], eqn.primitive.name
        rank = out.aval.ndim
        if name in UNSTACKING:
            return tuple(eqn.params["axes"]) == (axis,)
        if name in SHAPING:
            given = eqn.invars[0].aval
            if given.shape == out.aval.shape:
                self._rows[out] = axis
            return out.aval.shape in (given.shape, _without(axis, given.shape))
        if row_of(eqn, axis) is None and not _is_call(eqn):
            if name not in ELEMENTWISE or not self._is_plain(eqn):
                return False
        elif _is_call(eqn) and not self._is_known_of_rows(eqn, axis):
            return False
        if rank == max(v.aval.ndim for v in eqn.invars):
            self._rows[out] = axis
        return True

    def _is_known_of_rows(self, eqn: Any, axis: int) -> bool:
        rows = lambda v: np.zeros((v.aval.shape[axis], len(GRID)))
        is_row = lambda v: not isinstance(v, Literal) and v in self._rows
        try:
            with np.errstate(all="ignore"):
                applied(eqn, [rows(v) if is_row(v) else GRID for v in eqn.invars], axis)
        except (NotPointwise, TypeError, ValueError):
            return False
        return True

    def _is_plain(self, eqn: Any) -> bool:
        called = _is_call(eqn)
        name, shape = eqn.primitive.name, eqn.outvars[0].aval.shape
        inner = {v.aval.shape for v in eqn.invars if v.aval.shape}
        if name in SHAPING and eqn.invars[0].aval.size == eqn.outvars[0].aval.size:
            return True
        if called and _is_shaping(eqn):
            return True
        is_known = called or name in ELEMENTWISE
        return is_known and all(fits(each, shape) for each in inner)

    def _common(self, v: Any, w: Any) -> Any:
        """The nearest common dominator, or None."""
        while v is not w:
            if self._depth.get(v, 0) < self._depth.get(w, 0):
                v, w = w, v
            if v not in self._above:
                return None
            v = self._above[v]
        return v

    def dominators(self, v: Any) -> Iterator[Any]:
        """The variables that all paths to `v` lead through, the nearest first."""
        while v in self._above:
            v = self._above[v]
            yield v

    def _bends_from(self, v: Any, above: Any) -> bool:
        while v is not above:
            if self._bent[v]:
                return True
            v = self._above[v]
        return False

    def name(self, out: Any, matched: frozenset[Any]) -> tuple[str, Any] | None:
        """The activation whose output is `out`, and what goes into it.

        Args:
          out: a variable.
          matched: the outputs of activations that are known: a function that leads
            through one is that activation and something more.
        """
        is_bent, is_within, v = False, False, out
        for _, above in zip(range(_NEAR), self.dominators(out), strict=False):
            is_bent |= self._bent[v]
            if is_bent and above.aval.shape == out.aval.shape and floating(above):
                name = self._named(out, above)
                # A SELU is an ELU and a factor; nothing else is worth the name.
                if name is not None and (name == "selu" or not is_within):
                    return name, above
            if is_within or (above in matched and is_bent):
                return None
            is_within |= above in matched
            v = above
        return None

    def unnamed(self, out: Any, matched: frozenset[Any], sure: bool = False) -> Any:
        """Where the elementwise function that ends at `out` begins, if it is bent.

        Args:
          out: a variable.
          sure: whether it must be told by its values.
          matched: the outputs of activations that are known: there one begins at the
            latest.
        """
        begin, is_bent, v = None, False, out
        for above in self.dominators(out):
            is_bent |= self._bent[v]
            begin = v = above
            if above in matched:
                break
        if not is_bent or begin is None or begin.aval.shape != out.aval.shape:
            return None
        try:
            values, _ = self._at_points(out, begin)
        except NotPointwise:
            return None if sure else begin
        return None if _is_line(values) else begin

    def _named(self, out: Any, x: Any) -> str | None:
        try:
            values, given = self._at_points(out, x)
        except NotPointwise:
            return None
        name = named(values, float(jnp.finfo(out.aval.dtype).eps))
        return _LEARNED.get(name or "") if given else name

    def _at_points(self, out: Any, x: Any) -> tuple[np.ndarray, bool]:
        """The values of `out` as a function of `x`; whether it is given a slope."""
        known = self._values.setdefault(x, {x: (GRID, False)})
        with np.errstate(all="ignore"):
            values, given = self._value(out, known, x.aval.size)
        return np.broadcast_to(np.asarray(values, float), GRID.shape), given

    def _value(self, atom: Any, known: dict[Any, Any], size: int) -> tuple[Any, bool]:
        if isinstance(atom, Literal):
            if np.ndim(atom.val):
                raise NotPointwise
            return np.asarray(atom.val)[()], False
        if atom not in known:
            known[atom] = None  # until it is known to be something
            known[atom] = self._computed(atom, known, size)
        if known[atom] is None:
            raise NotPointwise
        return known[atom]

    def _computed(self, v: Any, known: dict[Any, Any], size: int) -> tuple[Any, bool]:
        number = self._graph.scalar(v)
        if number is not None:
            return number, False
        eqn = self._graph.made_by(v)
        is_constant = eqn is not None and not variables(eqn.invars)
        is_given = size > 1 and (self._is_given(v) or v.aval.size < size)
        if v not in self._above and is_given and not is_constant:
            return _GIVEN, True
        if eqn is None or v is not eqn.outvars[0]:
            raise NotPointwise
        if not _has_one_output(eqn) or not self._is_elementwise(eqn):
            raise NotPointwise
        skipped = eqn.invars[1] if is_whole_at(eqn) else None  # of indices no values
        inputs = [
            (None, False) if a is skipped else self._value(a, known, size)
            for a in eqn.invars
        ]
        try:
            value = applied(eqn, [value for value, _ in inputs], self._axis(eqn))
        except (TypeError, ValueError) as error:
            raise NotPointwise from error
        return value, any(given for _, given in inputs)


def _is_call(eqn: Any) -> bool:
    return _jax.kind(eqn)[0] in ("call", "custom", "checkpoint")


def _is_shaping(eqn: Any) -> bool:
    """Whether a call does nothing to numbers but to say where they stand."""
    jaxpr, _ = _jax.open_jaxpr(eqn.params[_jax.kind(eqn)[1]])
    return all(
        inner.primitive.name in SHAPING
        and inner.invars[0].aval.size == inner.outvars[0].aval.size
        for inner in jaxpr.eqns
    )


def _has_one_output(eqn: Any) -> bool:
    """Whether it has one, or the numbers that `top_k` gives with their places."""
    return len(eqn.outvars) == 1 or eqn.primitive.name == "top_k"


def _laid_beside(eqn: Any) -> int | None:
    """The axis along which an equation, or a call of it, lays numbers side by side."""
    if _is_call(eqn):
        jaxpr, _ = _jax.open_jaxpr(eqn.params[_jax.kind(eqn)[1]])
        last = jaxpr.eqns[-1] if jaxpr.eqns else None
        is_it = last is not None and jaxpr.outvars == last.outvars
        plain = all(not e.invars or floating(e.outvars[0]) for e in jaxpr.eqns)
        return _laid_beside(last) if is_it and plain and len(jaxpr.eqns) < 3 else None
    arrays = [v for v in eqn.invars if v.aval.shape]
    return stacked(eqn) if len({v.aval.size for v in arrays}) == 1 else None


def _without(axis: int, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """A shape without an axis of one entry."""
    return None if shape[axis] != 1 else (*shape[:axis], *shape[axis + 1 :])


def _is_line(values: np.ndarray) -> bool:
    """Whether a function with these values at the points of `GRID` is affine."""
    seen = np.isfinite(values)
    x, y = GRID[seen], values[seen]
    if len(x) < 3:
        return False
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    error = np.abs(y[0] + slope * (x - x[0]) - y)
    return bool(np.all(error <= 1e-6 * (1 + np.abs(y))))
