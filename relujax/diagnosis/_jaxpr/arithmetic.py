"""What is spelt like a rectifier and is none: clamps, margins, preparations of data."""

from collections.abc import Iterator
from typing import Any

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.graph import Graph, Match, variables
from relujax.diagnosis._jaxpr.values import ELEMENTWISE

_REDUCING = ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod")
_MEANS = ("_mean", "_var", "_std", "_reduce_sum", "_reduce_max", "_reduce_min")


def is_arithmetic(graph: Graph, match: Match) -> bool:
    """Whether arithmetic that looks like an activation is something else.

    That is a spread or distance, computed from sums of squares, that rounding may leave
    below zero; or the margin of a loss.
    """
    return _is_spread(graph, match.pre) or _is_margin(graph, match)


def is_statistic(graph: Graph, v: Any, eqn: Any) -> bool:
    """Whether a function of `v` that ends at `eqn` is part of a spread of the data."""
    starts = [graph.made_by(start) for start, e in _cone(graph, v) if e is None]
    is_mean = bool(starts) and all(map(is_sum, starts))
    return _is_spread(graph, v) or (is_mean and is_square(eqn))


def _cone(graph: Graph, v: Any) -> Iterator[tuple[Any, Any]]:
    """The elementwise equations before `v` with None, and what they start from."""
    pending, seen = [v], set()
    while pending:
        v = pending.pop()
        if v in seen:
            continue
        seen.add(v)
        eqn = graph.made_by(v)
        if eqn is not None and eqn.primitive.name in ELEMENTWISE:
            pending += variables(eqn.invars)
            yield v, eqn
        elif graph.scalar(v) is None:
            yield v, None


def _is_spread(graph: Graph, v: Any) -> bool:
    """Whether it is made of sums over axes alone, some of them of squares."""
    starts = [graph.made_by(v) for v, eqn in _cone(graph, v) if eqn is None]
    if not starts or not all(map(is_sum, starts)):
        return False
    return any(
        _jax.call_name(eqn) in ("_var", "_std")
        or any(is_square(graph.made_by(v)) for v in variables(eqn.invars))
        for eqn in starts
    )


def is_sum(eqn: Any) -> bool:
    """Whether an equation reduces axes: a sum, a mean, a largest entry."""
    return eqn is not None and (
        eqn.primitive.name in _REDUCING or _jax.call_name(eqn) in _MEANS
    )


def is_square(eqn: Any) -> bool:
    """Whether an equation takes the square of something."""
    if eqn is None:
        return False
    name = eqn.primitive.name
    is_product = name == "mul" and eqn.invars[0] is eqn.invars[1]
    return is_product or name == "square" or eqn.params.get("y") == 2


def _is_margin(graph: Graph, match: Match) -> bool:
    """Whether it is `max(c - y * f, 0)`, summed up to one number."""
    steps = list(_cone(graph, match.pre))
    given = {v for v in graph.invars if v.aval.shape == match.pre.aval.shape}
    is_label = lambda eqn: given & set(variables(eqn.invars))
    products = [e for _, e in steps if e is not None and e.primitive.name == "mul"]
    if sum(eqn is None for _, eqn in steps) < 2 or not any(map(is_label, products)):
        return False
    return _ends_in_one_number(graph, match.last)


def _ends_in_one_number(graph: Graph, index: int) -> bool:
    """Whether the output of an equation is only summed up, to one number."""
    pending, seen = [index], set()
    while pending:
        i = pending.pop()
        if i in seen:
            continue
        seen.add(i)
        if i == len(graph.eqns):
            if any(v.aval.shape for v in variables(graph.outvars)):
                return False
            continue
        eqn = graph.eqns[i]
        is_plain = eqn.primitive.name in ELEMENTWISE or is_sum(eqn)
        if i != index and not is_plain:
            return False
        pending += [u for v in eqn.outvars for u in graph.uses.get(v, ())]
    return True
