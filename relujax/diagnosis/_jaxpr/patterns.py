"""Which equations of one jaxpr are an activation: by name, by frame or by pattern."""

import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.arithmetic import is_arithmetic
from relujax.diagnosis._jaxpr.composites import Composites
from relujax.diagnosis._jaxpr.graph import Graph, Match, alike, floating, variables
from relujax.diagnosis._jaxpr.internals import Var
from relujax.diagnosis._jaxpr.origin import (
    LIBRARIES,
    LOSSES,
    NAMES,
    OPERATORS,
    PRIMITIVES,
    activation_call,
    canonical,
    in_jax,
    in_library,
    is_spelt,
)
from relujax.diagnosis._jaxpr.unnamed import unnamed_functions

Ends = tuple[str, Any, int]  # name, input and last equation

# What `min(max(x, 0), c)` is for these c; any other clipping is no activation.
_CAPPED: dict[float | None, str] = {6.0: "relu6", math.inf: "relu"}


class Matched(NamedTuple):
    """What is found in a jaxpr.

    Attributes:
      matches: the activations, in order.
      unnamed: index of the last equation of an elementwise function that bends and is
        no activation that is known, to the variable that goes into it.
    """

    matches: list[Match]
    unnamed: dict[int, Any]


def match(graph: Graph) -> Matched:
    """The activations among the equations of a jaxpr, and what may be one."""
    found, inside = _framed(graph)
    for index, eqn in enumerate(graph.eqns):
        if index not in inside and (one := _single(graph, index, eqn)) is not None:
            found.append(one)
    composites = Composites(graph)
    matched = {
        graph.eqns[last].outvars[0] for name, _, last in found if name != "rectifier"
    }
    told = list(_told_by_values(graph, composites, inside, matched))
    better = {last for _, _, last in told}  # an ELU is a rectifier with a name
    found = [f for f in found if f[0] != "rectifier" or f[2] not in better] + told
    found += _both_halves(graph, found)
    outer: dict[int, Match] = {}
    for m in _finished(
        graph, found, better
    ):  # one wins over those that its body contains
        if not any(m.last in o.body for o in outer.values()):
            outer = {k: o for k, o in outer.items() if k not in m.body} | {m.last: m}
    inside |= {i for m in outer.values() for i in m.body}
    unnamed = unnamed_functions(graph, composites, inside, frozenset(matched))
    return Matched([outer[k] for k in sorted(outer)], unnamed)


def _finished(
    graph: Graph, found: Sequence[Ends], told: Collection[int]
) -> Iterator[Match]:
    for name, pre, last in found:
        m = graph.finish(name, pre, last, last in told)
        if m is not None:
            spelt = name != "crelu" and is_spelt(graph.eqns[last])
            if not (spelt and is_arithmetic(graph, m)):
                yield m._replace(spelt=spelt)


def _told_by_values(
    graph: Graph, composites: Composites, inside: set[int], matched: set[Any]
) -> Iterator[Ends]:
    """Activations by the values that they have, as far as nothing else tells them."""
    for index, eqn in enumerate(graph.eqns):
        out = eqn.outvars[0] if len(eqn.outvars) == 1 else None
        if out is None or index in inside or out in matched or not floating(out):
            continue
        is_call = _jax.kind(eqn)[0] != "sealed" and _jax.call_name(eqn) not in OPERATORS
        beside = composites.is_beside(out)
        if is_call and not composites.is_made_of_rows(eqn):
            continue  # what it holds is looked at on its own
        told = composites.name(out, frozenset(matched))
        if told is None or in_library(eqn, LIBRARIES) or (in_jax(eqn) and not beside):
            continue
        matched.add(out)
        yield *told, index


def _both_halves(graph: Graph, found: Sequence[Ends]) -> Iterator[Ends]:
    """`concatenate([relu(x), relu(-x)])`, which is one activation of `x`."""
    into = {graph.eqns[i].outvars[0]: x for name, x, i in found if name == "relu"}
    for index, eqn in enumerate(graph.eqns):
        if eqn.primitive.name == "concatenate" and len(eqn.invars) == 2:
            x, other = (into.get(v) for v in variables(eqn.invars))
            negated = None if other is None else graph.made_by(other)
            if negated is not None and negated.primitive.name == "neg":
                if negated.invars[0] is x:
                    yield "crelu", x, index


def _framed(graph: Graph) -> tuple[list[Ends], set[int]]:
    """Activations that JAX inlines: their equations still remember the call.

    `jax.nn.gelu` becomes eight equations of the caller; the traceback of each holds a
    frame named `gelu`.

    Returns:
      What was found, and the indices of all its equations.
    """
    found, inside = [], set()
    for name, runs in _calls(graph):
        merged = [i for run in runs for i in run]
        for attempt in (runs, [merged]):  # a loop around the activation, or within it
            parts = [p for run in attempt for p in _components(graph, run)]
            ends = [_ends(graph, part) for part in parts]
            if None not in ends:
                break
        for part, end in zip(parts, ends, strict=True):
            if end is not None:
                inside |= part
                if not in_library(graph.eqns[end[1]], LOSSES):
                    found.append((name, *end))
    return found, inside


def _calls(graph: Graph) -> Iterator[tuple[str, list[list[int]]]]:
    """Equations in a row from one call of an activation in the code, with its name.

    A loop comes back to the same call, and so to its first equation: there the runs
    begin. Calls on one line differ.
    """
    calls = [activation_call(eqn) for eqn in graph.eqns]
    key = lambda i: None if calls[i] is None else calls[i][:2]
    for call, indices in itertools.groupby(range(len(calls)), key):
        if call is None:
            continue
        runs: list[list[int]] = []
        for i in indices:
            again = bool(runs) and calls[i] == calls[runs[0][0]]
            # Equations that JAX inlines together look the same.
            again &= calls[i] != calls[i - 1] or _is_whole(graph.eqns[i], call[0])
            if again or not runs:
                runs.append([])
            runs[-1].append(i)
        yield call[0], runs


def _ends(graph: Graph, part: set[int]) -> tuple[Any, int] | None:
    """The only input of some equations and the one that gives their only output."""
    made = {v for i in part for v in graph.eqns[i].outvars}
    outputs = [v for v in made if set(graph.uses.get(v, ())) - part]
    used = {v for i in part for v in variables(graph.eqns[i].invars)}
    inputs = [v for v in used - made if alike(v, outputs[0])] if outputs else []
    if len(outputs) == len(inputs) == 1:
        return inputs[0], graph.producer[outputs[0]]
    return None


def _is_whole(eqn: Any, name: str) -> bool:
    """Whether one equation is all of an activation."""
    return name in (
        PRIMITIVES.get(eqn.primitive.name),
        canonical(_jax.call_name(eqn)),
    )


def _components(graph: Graph, run: list[int]) -> list[set[int]]:
    """The parts of a run of equations that exchange no values."""
    parts: list[set[int]] = []
    for i in run:
        sources = {graph.producer.get(v) for v in variables(graph.eqns[i].invars)}
        joined = [p for p in parts if p & sources]
        parts = [p for p in parts if p not in joined]
        parts.append({i}.union(*joined))
    return parts


def _single(graph: Graph, index: int, eqn: Any) -> Ends | None:
    """An activation whose last equation is `eqn`: a named call or a pattern."""
    if len(eqn.outvars) != 1 or not floating(eqn.outvars[0]):
        return None
    primitive, called = eqn.primitive.name, _jax.call_name(eqn)
    if called in NAMES and not in_library(eqn, LOSSES):
        inputs = {v for v in variables(eqn.invars) if alike(v, eqn.outvars[0])}
        if len(inputs) == 1:  # of two, either may be the one
            return canonical(called), inputs.pop(), index
    if primitive in PRIMITIVES and isinstance(eqn.invars[0], Var):
        theirs = in_library(eqn, LOSSES) or in_jax(eqn)
        return None if theirs else (PRIMITIVES[primitive], eqn.invars[0], index)
    pattern = _pattern(graph, index, eqn, primitive, called)
    theirs = pattern is not None and (in_library(eqn, LIBRARIES) or in_jax(eqn))
    return None if theirs else pattern


def _pattern(graph: Graph, index: int, eqn: Any, primitive: str, called: str):
    """ReLU and its kin spelt with `maximum`, `clip` or `where`."""
    if primitive == "max":
        return _maximum(graph, index, eqn)
    if primitive == "clamp":
        low, x, high = eqn.invars
        if graph.scalar(low) == 0.0 and isinstance(x, Var):
            return _named(_CAPPED.get(graph.scalar(high)), x, index)
    if primitive == "select_n" and len(eqn.invars) == 3:
        return _where(graph, index, eqn.invars[0], eqn.invars[2], eqn.invars[1])
    if called == "_where" and len(eqn.invars) == 3:
        return _where(graph, index, *eqn.invars)
    if called == "logaddexp" and len(eqn.invars) == 2:
        for x, other in (eqn.invars, eqn.invars[::-1]):
            if graph.scalar(other) == 0.0 and isinstance(x, Var):
                return "softplus", x, index
    if called == "clip" or _jax.kind(eqn)[0] == "custom":
        return _lifted(graph, index, eqn)
    return None


def _named(name: str | None, x: Any, index: int) -> Ends | None:
    return None if name is None else (name, x, index)


def _maximum(graph: Graph, index: int, eqn: Any) -> Ends | None:
    """`max(x, 0)`, `max(x, a x)`, and `min(max(x, 0), 6)`; no other clipping."""
    for x, other in (eqn.invars, eqn.invars[::-1]):
        if not isinstance(x, Var) or not alike(x, eqn.outvars[0]):
            continue
        if graph.scalar(other) == 0.0:
            before = graph.made_by(x)
            if (high := _upper_bound(graph, before)) is not None:
                pre = [v for v in before.invars if graph.scalar(v) is None]
                return _named(_CAPPED.get(high), pre[0], index) if pre else None
            after = graph.uses.get(eqn.outvars[0], [])
            if len(after) == 1 and after[0] < len(graph.eqns):
                high = _upper_bound(graph, graph.eqns[after[0]])
                if high is not None:
                    return _named(_CAPPED.get(high), x, after[0])
            return "relu", x, index
        if (name := _scaled(graph, other, x)) is not None:
            return name, x, index
    return None


def _where(graph: Graph, index: int, test: Any, yes: Any, no: Any) -> Ends | None:
    """`where(x > 0, x, ...)` in any order: x above zero, something of x below."""
    x, positive = _sign_test(graph, test)
    if x is None:
        return None
    above, below = (yes, no) if positive else (no, yes)
    if above is not x or not alike(x, graph.eqns[index].outvars[0]):
        return None
    if graph.scalar(below) == 0.0:
        return "relu", x, index
    # A fixed number below zero (a divisor, a mask) makes no activation.
    other = "rectifier" if graph.depends(below, x) else None
    return _named(_scaled(graph, below, x) or other, x, index)


def _lifted(graph: Graph, index: int, eqn: Any) -> Ends | None:
    """An activation that a call computes: its output is that of the one inside it.

    So a ReLU with a derivative rule of the user's own is one site, rule included.
    """
    part = eqn.params[_jax.kind(eqn)[1]]
    inner = Graph(part, graph.inside(eqn, part))
    made = inner.made_by(inner.outvars[0])
    if made is None or len(made.outvars) > 1:
        return None
    last = inner.producer[inner.outvars[0]]
    if _jax.call_name(eqn) == "clip":
        # Traced once for all callers, its equations do not tell whose they are.
        largest = (i for i, e in enumerate(inner.eqns) if e.primitive.name == "max")
        found = [_maximum(inner, i, inner.eqns[i]) for i in largest]
    elif matches := match(inner).matches:
        found = [(m.name, m.pre, m.last) for m in matches]
    else:
        is_call = _jax.kind(made)[0] == "call"
        found = [_lifted(inner, last, made)] if is_call else []
    if len(found) != 1 or found[0] is None or found[0][2] != last:
        return None
    name, pre, _ = found[0]
    given = dict(zip(inner.invars, eqn.invars, strict=True)).get(pre)
    return (name, given, index) if isinstance(given, Var) else None


def _sign_test(graph: Graph, test: Any) -> tuple[Any, bool]:
    """`(x, True)` when `test` is `x > 0`, `(x, False)` when it is `x < 0`."""
    eqn = graph.made_by(test)
    if eqn is None or eqn.primitive.name not in ("gt", "ge", "lt", "le"):
        return None, False
    left, right = eqn.invars
    greater = eqn.primitive.name in ("gt", "ge")
    if graph.scalar(right) == 0.0 and isinstance(left, Var):
        return left, greater
    if graph.scalar(left) == 0.0 and isinstance(right, Var):
        return right, not greater
    return None, False


def _scaled(graph: Graph, atom: Any, x: Any) -> str | None:
    """The name of the rectifier whose lower branch `atom` is `x` times a slope."""
    eqn = graph.made_by(atom)
    if eqn is None or eqn.primitive.name not in ("mul", "div"):
        return None
    left, right = eqn.invars
    if left is not x and (right is not x or eqn.primitive.name == "div"):
        return None
    slope = right if left is x else left
    return "prelu" if graph.scalar(slope) is None else "leaky_relu"


def _upper_bound(graph: Graph, eqn: Any) -> float | None:
    """The constant `c` of an equation `min(., c)`."""
    if eqn is None or eqn.primitive.name != "min":
        return None
    bounds = [graph.scalar(v) for v in eqn.invars]
    return next((b for b in bounds if b is not None), None)
