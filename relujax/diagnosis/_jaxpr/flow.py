"""What goes into an activation: which inputs and other activations, and by which axes.

Every value carries the labels of what it is computed from: the inputs and constants of
the program, and the activations before it. An activation ends the labels of what went
into it, and starts its own: so those of an output say by which of the ways out of a
weight no activation is passed. With each label goes a map: which axis of the value
runs along which axis of the labelled array, entry by entry.

A product of weights with what comes from the data has a label of its own, and a map of
the axes that it owes to the weights: those of its units, members and heads among them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.axes import RESHAPING, contracted, routes
from relujax.diagnosis._jaxpr.plan import Atlas, Traced, sites_of
from relujax.diagnosis._jaxpr.reshapes import Spot, reshaped, runs_along

# ("data", n), ("input", n) of those before the data, ("const", id), or a site's id;
# ("mixed", n) once a product has summed over the first axis of data n; ("product", n,
# whether an input is among its weights); ("picked",) once data have chosen weights; and
# WEIGHTS for all weights together.
Label = Any
Map = Mapping[int, Spot]  # axis to what it is of the source
State = dict[Label, Map]
NOTHING: State = {}
WEIGHTS: Label = ("weights",)


class Origins(NamedTuple):
    """What the values of a program are computed from.

    Attributes:
      sites: site id to the state of what goes into it.
      unnamed: `file:line` of an elementwise function that is no known activation, and
        the state of what goes into it.
      outputs: the state of all outputs together.
    """

    sites: dict[str, State]
    unnamed: list[tuple[str, State]]
    outputs: State


def origins(traced: Traced, data: int) -> Origins:
    """Where what goes into the activations of a program comes from.

    Where a loop or an unknown primitive hides how, it comes from everything that goes
    in.

    Args:
      traced: the program.
      data: how many of its last inputs are the data. Of these all count, of the others
        and of the constants those that hold floating-point numbers.
    """
    first = len(traced.inputs) - data
    states = [
        _whole(("data", n - first), v)
        if n >= first
        else (_weight(("input", n), v) if _is_learned(v) else NOTHING)
        for n, v in enumerate(traced.inputs)
    ]
    walk = _Walk()
    outs = walk.follow(traced.plan, states)
    return Origins(walk.sites, list(walk.unnamed.items()), _met(outs))


def _whole(label: Label, value: Any) -> State:
    return {label: {axis: (axis, 0) for axis in range(np.ndim(value))}}


def _weight(label: Label, value: Any) -> State:
    (axes,) = _whole(label, value).values()
    return {label: axes, WEIGHTS: axes}


def is_weight(label: Label) -> bool:
    """Whether it is the label of an input before the data, or of a constant."""
    return label[0] in ("input", "const")


def _is_of_weights(label: Label) -> bool:
    return is_weight(label) or label == WEIGHTS


def is_signal(label: Label) -> bool:
    """Whether it is the label of data or of an activation."""
    return isinstance(label, str) or label[0] == "data"


def _is_learned(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return dtype is not None and jnp.issubdtype(dtype, jnp.floating)


def _met(states: Sequence[State]) -> State:
    """All labels, with what their maps agree on.

    The axes of weights together and of products stay where any has them: a unit less
    the mean of its layer is that unit.
    """
    found: State = {}
    for state in states:
        for label, axes in state.items():
            old = found.get(label, axes)
            if old is axes:
                found[label] = axes
            elif label[0] in ("product", *WEIGHTS):
                found[label] = {**axes, **old}
            else:
                found[label] = dict(old.items() & axes.items())
    return found


def _lost(states: Sequence[State]) -> State:
    """All labels, and nothing about their axes."""
    return {label: {} for state in states for label in state}


class _Walk:
    """Follows the states through a plan, and keeps those at the activations."""

    def __init__(self):
        self.sites: dict[str, State] = {}
        self.unnamed: dict[str, State] = {}
        self._products: dict[int, int] = {}  # of an equation, its number

    def follow(self, plan: Atlas, inputs: Sequence[State]) -> list[State]:
        env = dict(zip(plan.jaxpr.invars, inputs, strict=True))
        for v, const in zip(plan.jaxpr.constvars, plan.consts, strict=True):
            counts = _is_learned(const) and np.ndim(const)
            env[v] = _weight(("const", id(const)), const) if counts else NOTHING

        def read(atoms):
            is_literal = lambda atom: isinstance(atom, _jax.Literal)
            return [NOTHING if is_literal(a) else env.get(a, NOTHING) for a in atoms]

        for index, eqn in enumerate(plan.jaxpr.eqns):
            if index in plan.unnamed:
                begin, source = plan.unnamed[index]
                self._add(self.unnamed, source, read([begin])[0])
            given = read(eqn.invars)
            if index in plan.sites:
                outs = [self._at_site(plan, index, read)]
            elif (parts := plan.children.get(index)) is not None:
                outs = self._through(eqn, parts, given)
            else:
                outs = self._transferred(eqn, given)
            env |= zip(eqn.outvars, outs, strict=True)
        return read(plan.jaxpr.outvars)

    def _add(self, to: dict[str, State], name: str, state: State) -> None:
        to[name] = _met([to[name], state]) if name in to else state

    def _at_site(self, plan: Atlas, index: int, read: Any) -> State:
        site, match = plan.sites[index]
        (pre,) = read([match.pre])
        self._add(self.sites, site.id, pre)
        axes = {axis: (axis, 0) for axis in range(len(site.shape))}
        data = {k: m for k, m in pre.items() if k[0] in ("data", "mixed")}
        return {**data, **_lost(read(match.beside)), site.id: axes}

    def _through(
        self, eqn: Any, parts: Sequence[Atlas], given: list[State]
    ) -> list[State]:
        kind = _jax.kind(eqn)[0]
        if kind in ("call", "custom", "checkpoint"):
            return self.follow(parts[0], given)
        if kind == "cond":
            index, *operands = given
            outs = zip(*(self.follow(part, operands) for part in parts), strict=True)
            return [_met([_lost([index]), *branches]) for branches in outs]
        if kind == "scan":
            return self._scan(eqn, parts[0], given)
        ids = [site.id for part in parts for site in sites_of(part)]
        everything = _lost([*given, {id: {} for id in ids}])
        for id in ids:
            self.sites[id] = everything
        return [everything] * len(eqn.outvars)

    def _scan(self, eqn: Any, part: Atlas, given: list[State]) -> list[State]:
        start, carried = _jax.scan_sizes(eqn)
        stop = start + carried
        sliced = [_shifted(state, -1) for state in given[stop:]]
        carry = given[start:stop]
        while True:  # until an iteration brings nothing new into the next one
            outs = self.follow(part, [*given[:start], *carry, *sliced])
            pairs = zip(carry, outs, strict=False)
            new = [_met([old, now]) for old, now in pairs]
            if new == carry:
                return [*outs[:carried], *(_shifted(s, 1) for s in outs[carried:])]
            carry = new

    def _transferred(self, eqn: Any, given: list[State]) -> list[State]:
        """The states of the outputs of an equation that holds no activation."""
        if not any(given):
            return [NOTHING] * len(eqn.outvars)
        if _jax.kind(eqn)[0] in ("call", "custom", "checkpoint"):
            return self._inlined(eqn, given)
        if eqn.primitive.name in RESHAPING:
            return [_reshaped(eqn, given[0])]
        beside = {**_mixed(eqn, given), **_picked(eqn, given)}
        beside |= self._product(eqn, given)
        found = []
        for per_input in routes(eqn):
            states = [
                {label: _along(route, axes) for label, axes in state.items()}
                for route, state in zip(per_input, given, strict=True)
            ]
            found.append(_met([*states, beside]))
        return found

    def _product(self, eqn: Any, given: list[State]) -> State:
        """The label of a product of weights with data or activations, if it is one."""
        name = eqn.primitive.name
        if name not in ("dot_general", "conv_general_dilated", "ragged_dot_general"):
            return NOTHING
        of_weights = [bool(s) and all(map(_is_of_weights, s)) for s in given[:2]]
        of_signal = [any(map(is_signal, s)) for s in given[:2]]
        if (True, True) not in (
            (of_weights[0], of_signal[1]),
            (of_weights[1], of_signal[0]),
        ):
            return NOTHING
        side = of_weights.index(True)
        route, shape = routes(eqn)[0][side], eqn.invars[side].aval.shape
        number = self._products.setdefault(id(eqn), len(self._products))
        learned = any(label[0] == "input" for label in given[side])
        differ = [axis for axis in given[side].get(WEIGHTS, {}) if shape[axis] > 1]
        axes = {route[axis][0]: (route[axis][0], 0) for axis in differ if axis in route}
        return {("product", number, learned): axes}

    def _inlined(self, eqn: Any, given: list[State]) -> list[State]:
        """Through a call that holds no activation."""
        jaxpr, _ = _jax.open_jaxpr(eqn.params[_jax.kind(eqn)[1]])
        env = dict(zip(jaxpr.invars, given, strict=True))
        is_literal = lambda atom: isinstance(atom, _jax.Literal)
        read = lambda atoms: [
            NOTHING if is_literal(a) else env.get(a, NOTHING) for a in atoms
        ]
        for inner in jaxpr.eqns:
            outs = self._transferred(inner, read(inner.invars))
            env |= zip(inner.outvars, outs, strict=True)
        return read(jaxpr.outvars)


def _shifted(state: State, by: int) -> State:
    """The state of a slice along the first axis (-1), or of a stack of such (1)."""
    move = lambda axes: {a + by: at for a, at in axes.items() if a + by >= 0}
    return {label: move(axes) for label, axes in state.items()}


def _reshaped(eqn: Any, given: State) -> State:
    shape, new = eqn.invars[0].aval.shape, eqn.outvars[0].aval.shape
    if (order := eqn.params.get("dimensions")) is not None and len(order) == len(shape):
        # A reshape may transpose first; a squeeze says which axes go.
        given = {
            label: {i: axes[axis] for i, axis in enumerate(order) if axis in axes}
            for label, axes in given.items()
        }
        shape = tuple(shape[axis] for axis in order)
    return {label: reshaped(axes, shape, new) for label, axes in given.items()}


def _along(route: Mapping[int, tuple[int, int]], axes: Map) -> Map:
    """What a map becomes where axes go a route."""
    return {
        route[axis][0]: (source, first - route[axis][1])
        for axis, (source, first) in axes.items()
        if axis in route and (isinstance(source, int) or route[axis][1] == 0)
    }


def _mixed(eqn: Any, given: list[State]) -> State:
    """That a product sums over the first axis of an input, or slides along it."""
    return {
        ("mixed", label[1]): {}
        for axes, state in zip(contracted(eqn), given, strict=True)
        for label, at in state.items()
        if label[0] == "data"
        and any(axis in at and runs_along(at[axis], 0) for axis in axes)
    }


def _picked(eqn: Any, given: list[State]) -> State:
    """That data choose among matrices of weights, such as those of experts."""
    name = eqn.primitive.name
    by_data = any(map(is_signal, (label for state in given[1:] for label in state)))
    if name == "ragged_dot_general":
        return {("picked",): {}}
    if name not in ("gather", "dynamic_slice") or not by_data:
        return NOTHING
    is_one = bool(given[0]) and all(map(_is_of_weights, given[0]))
    slices = eqn.params["slice_sizes"]
    return {("picked",): {}} if is_one and sum(n > 1 for n in slices) > 1 else NOTHING
