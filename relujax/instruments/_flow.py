"""What goes into an activation: whether data do, and which other activations."""

from collections.abc import Sequence
from typing import Any

from relujax.instruments import _jax
from relujax.instruments._sites import Plan, Traced, sites_of

DATA = "data"
Labels = frozenset[str]
NONE: Labels = frozenset()


def sources(traced: Traced, data: int) -> dict[str, Labels]:
    """Site id to what its input depends on: `DATA`, and ids of sites before it.

    Where a loop or an unknown primitive hides how, on everything that goes in.

    Args:
      traced: the program.
      data: how many of its last inputs are the data.
    """
    known = len(traced.inputs) - data
    return _follow(traced.plan, [NONE] * known + [frozenset({DATA})] * data)[1]


def _follow(
    plan: Plan, inputs: Sequence[Labels]
) -> tuple[list[Labels], dict[str, Labels]]:
    """The labels of the outputs of a plan, and of the inputs of its sites."""
    env = dict(zip(plan.jaxpr.invars, inputs, strict=True))
    found: dict[str, Labels] = {}

    def read(atoms: Sequence[Any]) -> list[Labels]:
        is_literal = lambda atom: isinstance(atom, _jax.Literal)
        return [NONE if is_literal(a) else env.get(a, NONE) for a in atoms]

    for index, eqn in enumerate(plan.jaxpr.eqns):
        given = read(eqn.invars)
        outs = [NONE.union(*given)] * len(eqn.outvars)
        if index in plan.sites:
            site, match = plan.sites[index]
            (found[site.id],) = read([match.pre])
            outs = [labels | {site.id} for labels in outs]
        elif index in plan.children:
            outs, inside = _inside(eqn, plan.children[index], given)
            found |= inside
        env |= zip(eqn.outvars, outs, strict=True)
    return read(plan.jaxpr.outvars), found


def _inside(
    eqn: Any, parts: Sequence[Plan], given: list[Labels]
) -> tuple[list[Labels], dict[str, Labels]]:
    """The same for the jaxprs that an equation holds."""
    kind = _jax.kind(eqn)[0]
    if kind in ("call", "custom", "checkpoint"):
        return _follow(parts[0], given)
    if kind == "cond":
        index, *operands = given
        results = [_follow(part, operands) for part in parts]
        outs = zip(*(outs for outs, _ in results), strict=True)
        found = {id: labels for _, sites in results for id, labels in sites.items()}
        return [index.union(*labels) for labels in outs], found
    if kind == "scan":
        start, carried = _jax.scan_sizes(eqn)
        stop = start + carried
        while True:  # until an iteration brings nothing new into the next one
            outs, found = _follow(parts[0], given)
            pairs = zip(given[start:stop], outs, strict=False)
            carry = [old | new for old, new in pairs]
            if carry == given[start:stop]:
                return outs, found
            given = [*given[:start], *carry, *given[stop:]]
    ids = [site.id for part in parts for site in sites_of(part)]
    everything = NONE.union(ids, *given)
    return [everything] * len(eqn.outvars), dict.fromkeys(ids, everything)
