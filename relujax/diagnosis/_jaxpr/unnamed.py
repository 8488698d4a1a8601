"""Elementwise functions that bend and are no activation that is known."""

from typing import Any

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.arithmetic import is_square, is_statistic, is_sum
from relujax.diagnosis._jaxpr.composites import Composites
from relujax.diagnosis._jaxpr.graph import Graph, floating
from relujax.diagnosis._jaxpr.origin import (
    LIBRARIES,
    NAMES,
    OPERATORS,
    in_jax,
    in_library,
)
from relujax.diagnosis._jaxpr.values import bends, is_hidden, is_overwritten

_REDUCING = frozenset("reduce_sum reduce_max reduce_min reduce_prod".split())


def unnamed_functions(
    graph: Graph, composites: Composites, inside: set[int], matched: frozenset[Any]
) -> dict[int, Any]:
    """Elementwise functions that bend and are no activation that is known.

    Left out is what normalises (its entries are summed over the units, or compared with
    each other) and what JAX and other libraries compute.
    """
    last: dict[Any, int] = {}
    normalising: set[Any] = set()
    live = graph.live()
    for index, eqn in enumerate(graph.eqns):
        out = eqn.outvars[0] if len(eqn.outvars) == 1 else None
        if index in inside or index not in live or out is None or not _has_units(out):
            continue
        begin = _begin(eqn, out, composites, matched)
        if begin is not None and begin not in matched:
            last[begin] = index
            users = [
                graph.eqns[u] for u in graph.uses.get(out, ()) if u < len(graph.eqns)
            ]
            if is_statistic(graph, begin, eqn) or any(
                _sums_units(user) or _sums(user, eqn) for user in users
            ):
                normalising.add(begin)
    return {
        index: begin
        for begin, index in last.items()
        if begin not in normalising
        and not in_library(graph.eqns[index], LIBRARIES)
        and (_is_users(graph.eqns[index], composites) or not in_jax(graph.eqns[index]))
    }


def _is_users(eqn: Any, composites: Composites) -> bool:
    """Whether an equation counts whichever function of JAX made it."""
    named = is_hidden(eqn) or is_overwritten(eqn) or _is_theirs(eqn)
    return named or composites.is_beside(eqn.outvars[0])


def _is_theirs(eqn: Any) -> bool:
    """Whether it calls what JAX made, and is no name of an activation."""
    kind, param = _jax.kind(eqn)
    called = _jax.call_name(eqn)
    if kind != "call" or called in NAMES or called in OPERATORS:
        return False
    made = _jax.open_jaxpr(eqn.params[param])[0].eqns
    return bool(made) and all(map(in_jax, made))


def _begin(eqn: Any, out: Any, composites: Composites, matched: frozenset[Any]) -> Any:
    """What goes into the elementwise function that ends at an equation, if one does."""
    called = _jax.call_name(eqn)
    if called == "_piecewise":
        return eqn.invars[0]
    if is_hidden(eqn) or is_overwritten(eqn) or composites.is_choice(eqn):
        return eqn.invars[0]
    if eqn.primitive.name in ("max", "min"):
        if not composites.is_placed(out) and composites.is_of_two(eqn):
            return eqn.invars[0]
    if not bends(eqn) and not is_square(eqn) and not composites.is_beside(out):
        return None
    if _jax.kind(eqn)[0] == "sealed" or called in OPERATORS:
        return composites.unnamed(out, matched)
    # Whatever else a call holds is looked at on its own, but for what JAX made.
    theirs = _is_theirs(eqn)
    return composites.unnamed(out, matched, sure=True) if theirs else None


def _has_units(v: Any) -> bool:
    return floating(v) and bool(v.aval.shape) and v.aval.shape[-1] > 1


def _sums_units(eqn: Any) -> bool:
    """Whether an equation reduces the last axis."""
    axes = eqn.params.get("axes", ())
    return eqn.primitive.name in _REDUCING and eqn.invars[0].aval.ndim - 1 in axes


def _sums(eqn: Any, terms: Any) -> bool:
    """Whether an equation sums up, over whatever axes, what only sums are made of."""
    return is_sum(eqn) and (is_square(terms) or terms.primitive.name == "exp")
