"""Where the activations of a traced function are: the plan of every surgery."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from relujax.errors import InputError, unknown
from relujax.instruments import _jax
from relujax.instruments._graph import Graph, Match
from relujax.instruments._origin import closed, source
from relujax.instruments._patterns import match


class Site(NamedTuple):
    """One activation in a program.

    Attributes:
      id: its name in this program: the path and a number, `"Net/scan/Block_0/relu_0"`.
        The same function traced again, jitted or not, gives the same ids.
      activation: canonical name; `"rectifier"` for `where(x > 0, x, ...)` of no name.
      shape: shape of its input in one execution, batch axis included.
      dtype: dtype of its input.
      path: Flax modules, named scopes and control flow around it.
      source: `file:line` in the user's code.
      repeats: how often it runs in one call: the product of the lengths of the scans
        around it, or None inside a `while_loop`.
      loops: the lengths of the scans around it, outermost first; None for a
        `while_loop`.
      ruled: whether it stands inside a function with a derivative rule of its own, so
        that the rule decides what gradient there is. Where the function is nothing but
        the activation, it is the site, and the rule is the activation's.
      sealed: the primitive around it (`shard_map`, `pallas_call`) that keeps it from
        being captured or replaced; empty for most.
    """

    id: str
    activation: str
    shape: tuple[int, ...]
    dtype: np.dtype
    path: str
    source: str
    repeats: int | None
    loops: tuple[int | None, ...]
    ruled: bool = False
    sealed: str = ""


class Plan(NamedTuple):
    """The activations of one jaxpr and of the jaxprs inside it.

    Attributes:
      jaxpr: the open jaxpr.
      consts: its constants.
      sites: index of an equation to the site whose output it gives.
      children: index of an equation to the plans of the jaxprs that it holds.
      differentiated: whether the jaxpr holds equations that `jax.grad` made.
    """

    jaxpr: Any
    consts: tuple[Any, ...]
    sites: Mapping[int, tuple[Site, Match]]
    children: Mapping[int, tuple["Plan", ...]]
    differentiated: bool


class Traced(NamedTuple):
    """A function of the user's, as a plan.

    Attributes:
      plan: the program.
      inputs: the arrays among its arguments.
      unflatten: the outputs of the jaxpr to the function's own result.
    """

    plan: Plan
    inputs: list[Any]
    unflatten: Callable[[list[Any]], Any]


def find_activations(fn: Callable, *args: Any, **kwargs: Any) -> tuple[Site, ...]:
    """The activations of `fn`, found in its jaxpr.

    They are found inside `jit`, `scan`, `while_loop`, `cond`, `checkpoint`, `vmap`,
    `shard_map` and functions with custom derivatives: the functions of `jax.nn` and of
    this library, `tanh` and `sigmoid`, rectifiers spelt with `maximum(x, 0)`,
    `maximum(x, a * x)`, `clip(x, 0)`, `clip(x, 0, 6)`, `where(x > 0, x, ...)` or
    `x * (x > 0)`, and a GELU, SiLU or Mish written out as a product. An activation
    inside another one is not counted (`mish` holds a `softplus`), nor is the arithmetic
    of JAX, Flax, Equinox and optax themselves (the maximum in a softmax, the clamped
    variance of a normalisation).

    Ask it of the forward function. In a function that calls `jax.grad` itself, the
    sites of its forward pass are listed as far as they are still recognisable.

    Args:
      fn: any function of arrays that JAX can trace.
      *args: its arguments; `jax.ShapeDtypeStruct` will do for an array. What is not an
        array is passed on as it is.
      **kwargs: the same, by keyword.

    Returns:
      The sites in program order; empty when there are none.

    Examples:
      >>> import jax.numpy as jnp
      >>> net = lambda x: jax.nn.relu(x) + jnp.maximum(x, 0.1 * x)
      >>> [site.id for site in find_activations(net, jnp.ones((2, 3)))]
      ['relu_0', 'leaky_relu_0']
    """
    return tuple(sites_of(trace(fn, args, kwargs).plan))


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
    plan = _Planner().plan(program, {}, _Place())
    return Traced(plan, inputs, lambda values: jax.tree.unflatten(result[-1], values))


def sites_of(plan: Plan) -> Iterator[Site]:
    """All sites of a plan, in program order."""
    for index in sorted({*plan.sites, *plan.children}):
        if index in plan.sites:
            yield plan.sites[index][0]
        for child in plan.children.get(index, ()):
            yield from sites_of(child)


def select(sites: Collection[Site], wanted: Collection[str] | None) -> list[Site]:
    """The sites of those ids or activation names, or all within reach for None.

    Those that are sealed are out of reach; they are left out with a warning, unless
    there is nothing else.

    Raises:
      InputError: there are no sites, or a name is neither.
    """
    if not sites:
        raise InputError(
            "Expected a function with activations, found none in it; "
            "relujax.find_activations says what counts as one."
        )
    if wanted is None:
        within = [s for s in sites if not s.sealed]
        if within and len(within) < len(sites):
            first = next(s for s in sites if s.sealed)
            warnings.warn(
                f"Left out {len(sites) - len(within)} of {len(sites)} activations: "
                f"{first.id!r} ({first.source}) is out of reach inside a "
                f"{first.sealed}.",
                stacklevel=2,
            )
        return within or list(sites)
    if isinstance(wanted, str):
        raise InputError(
            f"Expected a list of site ids or activations, got the string {wanted!r}."
        )
    names = {s.id for s in sites} | {s.activation for s in sites}
    for name in wanted:
        if name not in names:
            raise unknown("site or activation of this function", name, names)
    return [s for s in sites if s.id in wanted or s.activation in wanted]


def keep(plan: Plan, ids: Collection[str]) -> Plan:
    """The plan without the other sites, and without the children that hold none."""
    sites = {i: found for i, found in plan.sites.items() if found[0].id in ids}
    children = {}
    for index, parts in plan.children.items():
        kept = tuple(keep(part, ids) for part in parts)
        if any(part.sites or part.children for part in kept):
            children[index] = kept
    return plan._replace(sites=sites, children=children)


def is_differentiated(plan: Plan) -> bool:
    """Whether `jax.grad` or its kin made any part of the program."""
    return plan.differentiated or any(
        is_differentiated(child) for part in plan.children.values() for child in part
    )


class _Place(NamedTuple):
    """Where a jaxpr stands; the attributes are those of `Site`."""

    path: tuple[str, ...] = ()
    loops: tuple[int | None, ...] = ()
    ruled: bool = False
    sealed: str = ""


class _Planner:
    """Numbers the sites while it walks a jaxpr and those inside it."""

    def __init__(self):
        self.counts: dict[str, int] = {}

    def plan(self, part: Any, known: Mapping[Any, float], place: _Place) -> Plan:
        jaxpr, consts = _jax.open_jaxpr(part)
        graph = Graph(part, known)
        matches = {m.last: m for m in match(graph)}
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
                sites[index] = self._site(m, eqn, here), m
            elif index not in inside and not closed(eqn, bool(derived)):
                if parts := self._parts(eqn, graph, here):
                    children[index] = parts
        return Plan(jaxpr, consts, sites, children, differentiated)

    def _parts(self, eqn: Any, graph: Graph, place: _Place) -> tuple[Plan, ...]:
        kind, param = _jax.kind(eqn)
        held = eqn.params[param] if param else _jax.subjaxprs(eqn)
        parts = list(held) if isinstance(held, tuple | list) else [held]
        if not parts:
            return ()
        path, loops, ruled, sealed = place
        if kind == "scan":
            loops = (*loops, eqn.params["length"])
        if kind == "while":
            loops = (*loops, None)
        if kind == "sealed":
            sealed = sealed or eqn.primitive.name
        if kind not in ("call", "custom"):
            path = (*path, eqn.primitive.name.replace("remat2", "checkpoint"))
        plans = []
        for branch, part in enumerate(parts):
            here = (*path, str(branch)) if kind == "cond" else path
            within = _Place(here, loops, ruled or kind == "custom", sealed)
            plans.append(self.plan(part, graph.inside(eqn, part), within))
        if not any(p.sites or p.children or p.differentiated for p in plans):
            return ()
        return tuple(plans)

    def _site(self, m: Match, eqn: Any, place: _Place) -> Site:
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
            source=source(eqn),
            repeats=int(np.prod(lengths)) if is_fixed else None,
            loops=tuple(place.loops),
            ruled=place.ruled,
            sealed=place.sealed,
        )


def _is_array(leaf: Any) -> bool:
    is_abstract = isinstance(leaf, jax.ShapeDtypeStruct)
    return is_abstract or isinstance(leaf, jax.Array | np.ndarray | np.generic)
