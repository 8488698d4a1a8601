"""Where the activations of a traced function are: the plan of every surgery."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.flow import WEIGHTS, is_weight, origins
from relujax.diagnosis._jaxpr.graph import Graph, Match
from relujax.diagnosis._jaxpr.origin import closed, is_gated, source
from relujax.diagnosis._jaxpr.patterns import match
from relujax.diagnosis._jaxpr.plan import Atlas, Site, Traced, matches_of


def trace(fn: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Traced:
    """Trace `fn` once: arrays become inputs, everything else is passed on as it is."""
    leaves, tree = jax.tree.flatten((args, dict(kwargs)))
    where = [i for i, leaf in enumerate(leaves) if _is_array(leaf)]
    result = []

    def flat(*arrays):
        filled = list(leaves)
        for i, array in zip(where, arrays, strict=True):
            filled[i] = array
        args, kwargs = jax.tree.unflatten(tree, filled)
        values, structure = jax.tree.flatten(fn(*args, **kwargs))
        result.append(structure)
        return values

    inputs = [leaves[i] for i in where]
    program = jax.make_jaxpr(flat)(*inputs)
    planned = lambda skipped: Traced(
        _Planner(skipped).plan(program, {}, _Position()),
        inputs,
        lambda values: jax.tree.unflatten(result[-1], values),
    )
    traced = planned(frozenset())
    skipped = _preparations(traced)
    return planned(skipped) if skipped else traced


def _preparations(traced: Traced) -> frozenset[str]:
    """Ids of what is spelt like an activation and stands beside the network.

    That clips one input of the program before it meets any other, data or a parameter;
    or it clips one number, a rate of learning. Where there is nothing else, it is what
    the program is about.
    """
    matches = dict(matches_of(traced.plan))
    if not any(m.spelt for m in matches.values()):
        return frozenset()
    states = origins(traced, 0).sites
    sources = {label for state in states.values() for label in state}
    if len(list(filter(is_weight, sources))) < 2:
        return frozenset()

    def raw(state):
        held = [label for label in state if label != WEIGHTS]
        return len(held) < 2 and all(map(is_weight, held))

    single = lambda id: not matches[id].pre.aval.shape
    beside = {id for id, state in states.items() if raw(state) or single(id)}
    if beside == set(states):
        return frozenset()
    return frozenset(id for id in beside if matches[id].spelt)


class _Position(NamedTuple):
    """Where a jaxpr stands; the attributes are those of `Site`, as far as known."""

    path: tuple[str, ...] = ()
    loops: tuple[int | None, ...] = ()
    ruled: bool = False
    sealed: str = ""
    source: str = ""


class _Planner:
    """Numbers the sites while it walks a jaxpr and those inside it.

    Args:
      skipped: ids, as they are where none is skipped, of what is not to be a site.
    """

    def __init__(self, skipped: frozenset[str] = frozenset()):
        self._skipped = skipped
        self._seen: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def plan(self, part: Any, known: Mapping[Any, float], place: _Position) -> Atlas:
        jaxpr, consts = _jax.open_jaxpr(part)
        graph = Graph(part, known)
        found = match(graph)
        matches = {m.last: m for m in found.matches}
        inside = {i for m in matches.values() for i in m.body}
        sites, children, differentiated = {}, {}, False
        for index, eqn in enumerate(jaxpr.eqns):
            transforms, scopes = _jax.transforms_and_scopes(eqn)
            derived = {"jvp", "transpose"} & set(transforms)
            differentiated |= bool(derived)
            if "transpose" in derived:  # a backward pass: gradients, no activations
                continue
            here = place._replace(path=(*place.path, *scopes))
            if index in matches:
                m = matches[index]
                if not self._skips("/".join((*here.path, m.name))):
                    sites[index] = self._site(m, eqn, here), m
            elif index not in inside and not closed(eqn, bool(derived)):
                if parts := self._parts(eqn, graph, here):
                    children[index] = parts
        unnamed = {i: (v, source(jaxpr.eqns[i])) for i, v in found.unnamed.items()}
        return Atlas(jaxpr, consts, sites, children, unnamed, differentiated)

    def _skips(self, stem: str) -> bool:
        number = self._seen.get(stem, 0)
        self._seen[stem] = number + 1
        return f"{stem}_{number}" in self._skipped

    def _parts(self, eqn: Any, graph: Graph, place: _Position) -> tuple[Atlas, ...]:
        kind, param = _jax.kind(eqn)
        held = eqn.params[param] if param else _jax.subjaxprs(eqn)
        parts = list(held) if isinstance(held, tuple | list) else [held]
        if not parts:
            return ()
        path, loops, ruled, sealed, place_of = place
        if kind == "scan":
            loops = (*loops, eqn.params["length"])
        if kind == "while":
            loops = (*loops, None)
        if kind == "sealed":
            sealed = sealed or eqn.primitive.name
        if is_gated(eqn):
            place_of = place_of or source(eqn)
        if kind not in ("call", "custom"):
            path = (*path, eqn.primitive.name.replace("remat2", "checkpoint"))
        plans = []
        for branch, part in enumerate(parts):
            here = (*path, str(branch)) if kind == "cond" else path
            is_ruled = ruled or kind == "custom"
            within = _Position(here, loops, is_ruled, sealed, place_of)
            plans.append(self.plan(part, graph.inside(eqn, part), within))
        if not any(_holds_any(plan) for plan in plans):
            return ()
        return tuple(plans)

    def _site(self, m: Match, eqn: Any, place: _Position) -> Site:
        stem = "/".join((*place.path, m.name))
        number = self.counts.get(stem, 0)
        self.counts[stem] = number + 1
        lengths = [length for length in place.loops if length is not None]
        is_fixed = len(lengths) == len(place.loops)
        return Site(
            id=f"{stem}_{number}",
            activation=m.name,
            shape=tuple(m.pre.aval.shape),
            dtype=m.pre.aval.dtype,
            path="/".join(place.path),
            source=place.source or source(eqn),
            repeats=int(np.prod(lengths)) if is_fixed else None,
            loops=tuple(place.loops),
            ruled=place.ruled,
            sealed=place.sealed,
        )


def _holds_any(plan: Atlas) -> bool:
    return bool(plan.sites or plan.children or plan.unnamed or plan.differentiated)


def _is_array(leaf: Any) -> bool:
    is_abstract = isinstance(leaf, jax.ShapeDtypeStruct)
    return is_abstract or isinstance(leaf, jax.Array | np.ndarray | np.generic)
