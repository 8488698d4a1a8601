"""What a program is to us: its activations, and where they stand."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from relujax.diagnosis._jaxpr.graph import Match


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


class Atlas(NamedTuple):
    """The activations of one jaxpr and of the jaxprs inside it.

    Attributes:
      jaxpr: the open jaxpr.
      consts: its constants.
      sites: index of an equation to the site whose output it gives.
      children: index of an equation to the plans of the jaxprs that it holds.
      unnamed: index of an equation that ends an elementwise function which bends and is
        no known activation, to the variable that goes in and to `file:line`.
      differentiated: whether the jaxpr holds equations that `jax.grad` made.
    """

    jaxpr: Any
    consts: tuple[Any, ...]
    sites: Mapping[int, tuple[Site, Match]]
    children: Mapping[int, tuple["Atlas", ...]]
    unnamed: Mapping[int, tuple[Any, str]]
    differentiated: bool


class Traced(NamedTuple):
    """A function of the user's, as a plan.

    Attributes:
      plan: the program.
      inputs: the arrays among its arguments.
      unflatten: the outputs of the jaxpr to the function's own result.
    """

    plan: Atlas
    inputs: list[Any]
    unflatten: Callable[[list[Any]], Any]


def sites_of(plan: Atlas) -> Iterator[Site]:
    """All sites of a plan, in program order."""
    for index in sorted({*plan.sites, *plan.children}):
        if index in plan.sites:
            yield plan.sites[index][0]
        for child in plan.children.get(index, ()):
            yield from sites_of(child)


def matches_of(plan: Atlas) -> Iterator[tuple[str, Match]]:
    """All site ids of a plan, with what was found there."""
    for site, match in plan.sites.values():
        yield site.id, match
    for parts in plan.children.values():
        for part in parts:
            yield from matches_of(part)


def keep(plan: Atlas, ids: Collection[str]) -> Atlas:
    """The plan without the other sites, and without the children that hold none."""
    sites = {i: found for i, found in plan.sites.items() if found[0].id in ids}
    children = {}
    for index, parts in plan.children.items():
        kept = tuple(keep(part, ids) for part in parts)
        if any(part.sites or part.children for part in kept):
            children[index] = kept
    return plan._replace(sites=sites, children=children)


def is_differentiated(plan: Atlas) -> bool:
    """Whether `jax.grad` or its kin made any part of the program."""
    return plan.differentiated or any(
        is_differentiated(child) for part in plan.children.values() for child in part
    )
