"""What a function is before it runs: its sites, their units, what a batch holds."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from relujax.diagnosis._arguments import Settings
from relujax.diagnosis._jaxpr.flow import Origins, State, origins
from relujax.diagnosis._jaxpr.plan import Site, Traced, keep, sites_of
from relujax.diagnosis._jaxpr.reshapes import runs_along
from relujax.diagnosis._jaxpr.selection import select
from relujax.diagnosis._jaxpr.sites import trace
from relujax.diagnosis._prospects import Prospect, prospects
from relujax.diagnosis._trees import Arrays
from relujax.diagnosis._units import Units, units_of
from relujax.errors import InputError


class Inspection(NamedTuple):
    """What a function is, before it runs.

    Attributes:
      traced: the function with only the sites to look at.
      sites: these.
      units: site id to its units.
      prospects: site id to what can bring back its units.
      unnamed: where elementwise functions of data and weights stand that are no known
        activation.
      single: ids of sites that see one example at a time, in a loop over these.
      examples: which array of a batch has the examples along its first axis; None
        where a batch is one example.
    """

    traced: Traced
    sites: list[Site]
    units: dict[str, Units]
    prospects: dict[str, Prospect]
    unnamed: tuple[str, ...]
    single: tuple[str, ...]
    examples: int | None


def look(
    fn: Callable, params: Arrays | None, batch: Arrays, settings: Settings
) -> Inspection:
    """Trace a function of one batch and see what is to be looked at.

    Raises:
      InputError: it does not take the batch, or its sites are not those of the
        settings.
    """
    traced = _traced(fn, params, batch)
    data = len(batch.arrays)
    known = origins(traced, data)
    has_weights = lambda state: any(k[0] in ("input", "const") for k in state)
    unnamed = tuple(
        place
        for place, state in known.unnamed
        if _is_fed(state) and (has_weights(state) or _sites_in(state))
    )
    # An `associative_scan` over few things works on arrays without entries, too.
    there = tuple(site for site in sites_of(traced.plan) if 0 not in site.shape[1:])
    sites = select(there, settings.sites, settings.exclude, unnamed)
    single: tuple[str, ...] = ()
    if settings.sites is None:
        # Gates of the parameters alone have no units to fire on examples.
        fed = [site for site in sites if _is_fed(known.sites[site.id])]
        single = tuple(site.id for site in fed if len(site.shape) == 1)
        sites = [site for site in fed if len(site.shape) > 1] or sites
    units = units_of(sites, known, settings)
    traced = traced._replace(plan=keep(traced.plan, set(units)))
    axes = {id: found.axes for id, found in units.items()}
    return Inspection(
        traced,
        sites,
        units,
        prospects(known, axes, frozen=params is not None),
        unnamed,
        single,
        _examples(batch, known, sites),
    )


def _traced(fn: Callable, params: Arrays | None, batch: Arrays) -> Traced:
    args = (batch.tree,) if params is None else (params.tree, batch.tree)
    try:
        return trace(fn, args, {})
    except InputError:
        raise
    except Exception as error:
        shapes = jax.tree.map(np.shape, batch.tree)
        raise InputError(
            f"Expected data that the function takes, got batches of shape {shapes}: "
            f"{in_short(error)}{_way_out(error, params, batch)}"
        ) from error


def _way_out(error: Exception, params: Arrays | None, batch: Arrays) -> str:
    """What may help against an error of the function, where that is known."""
    if params is None and "missing" in str(error) and "argument" in str(error):
        return "; a function of (params, batch) needs params=..."
    if type(error).__name__ == "TraceContextError":
        return "; give the NNX module itself, and not a function around it"
    if isinstance(batch.tree, list) and not any(map(np.ndim, batch.arrays)):
        return "; a list is read as batches: numpy.asarray(...) makes an array of it"
    if isinstance(batch.tree, Mapping):
        return (
            "; a module takes a dict whole, unless its keys are the names of all "
            "arguments that the call requires"
        )
    return ""


def in_short(error: Exception) -> str:
    """The kind of an error and the first line of its message."""
    first = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {first}"


def _is_fed(state: State) -> bool:
    """Whether data go in."""
    return any(label[0] == "data" for label in state)


def _sites_in(state: State) -> bool:
    return any(isinstance(label, str) for label in state)


def _examples(batch: Arrays, known: Origins, sites: list[Site]) -> int | None:
    """The array whose first axis is that of the examples; see `Inspection`.

    It is one whose first axis is an axis of the sites. Where a product sums over it,
    it is one of positions or nodes, and the batch is one example.
    """
    if (graphs := getattr(batch.tree, "n_node", None)) is not None:
        return next(i for i, a in enumerate(batch.arrays) if a is graphs)
    states = [known.sites[site.id] for site in sites]
    mixed = {label[1] for state in states for label in state if label[0] == "mixed"}
    found: Counter[int] = Counter()
    feeding: Counter[int] = Counter()
    for state in states:
        for label, at in state.items():
            if label[0] == "data" and np.ndim(batch.arrays[label[1]]):
                feeding[label[1]] += 1
                found[label[1]] += any(runs_along(spot, 0) for spot in at.values())
    if mixed & set(feeding):
        return None
    best = (found if any(found.values()) else feeding).most_common(1)
    return best[0][0] if best else None


def check_loss(seen: Inspection, batch: Arrays, loss: Callable | None) -> None:
    """Whether the loss takes the output of the function and gives what it should."""
    if loss is None:
        return
    traced = seen.traced
    avals = [v.aval for v in traced.plan.jaxpr.outvars]
    outs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in avals]
    try:
        given = jax.eval_shape(
            lambda outs: loss(traced.unflatten(outs), batch.tree), outs
        )
    except Exception as error:
        raise InputError(
            f"Expected loss(output, batch) to take the output of the function and a "
            f"batch, got {in_short(error)}"
        ) from error
    examples = count_examples(seen, batch)
    kinds = [(x.dtype, x.shape) for x in jax.tree.leaves(given)]
    fits = [
        jnp.issubdtype(dtype, jnp.floating) and np.prod(shape) in (1, examples)
        for dtype, shape in kinds
    ]
    if fits != [True]:
        got = ", ".join(f"{dtype}{list(shape)}" for dtype, shape in kinds)
        raise InputError(
            f"Expected one float from the loss, or one for each of {examples} "
            f"example{'s' * (examples != 1)}, got {got or 'nothing'}."
        )


def count_examples(seen: Inspection, batch: Arrays) -> int:
    """How many examples a batch holds."""
    return 1 if seen.examples is None else len(batch.arrays[seen.examples])
