"""Dead units of a function over a whole data set, in one streaming pass."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from relujax.errors import InputError
from relujax.instruments._arguments import EPSILONS, TAUS, Settings, batches, checked
from relujax.instruments._diagnosis import Diagnosis
from relujax.instruments._flow import DATA, sources
from relujax.instruments._interpreter import Visitor, interpret
from relujax.instruments._models import program
from relujax.instruments._packed import packed
from relujax.instruments._pipeline import Programs, in_order
from relujax.instruments._sites import (
    Site,
    Traced,
    keep,
    select,
    sites_of,
    trace,
)
from relujax.instruments._statistics import (
    Statistics,
    in_double,
    include,
    is_ranked,
    measure,
    merge,
    merge_loops,
    uncounted,
)
from relujax.instruments._traits import traits_of


def diagnose(
    fn: Any,
    data: Any,
    *,
    params: Any = None,
    loss: Callable[[Any, Any], jax.Array] | None = None,
    sites: Collection[str] | None = None,
    batch_size: int | None = None,
    unit_axis: int = -1,
    seed_axis: int | None = None,
    merge_loops: bool = False,
    taus: Sequence[float] = TAUS,
    epsilons: Sequence[float] = EPSILONS,
    slope: float = 1e-3,
    max_rank_units: int = 1024,
) -> Diagnosis:
    """What is dead in a function or model, over all of the data.

    The data pass once, in batches. What is kept of them does not grow with their
    number: seven numbers per unit, and for the ranks a Gram matrix per site, units x
    units (in double precision 8 MB at 1024 units; see `max_rank_units`). Up to five
    batches are in memory at a time, and three of them run. The last batch is as short
    as it is: every example counts exactly once.

    Args:
      fn: `fn(batch)`, or `fn(params, batch)` when `params` is given; or a model, which
        runs in evaluation mode and sees the first part of a batch `(inputs, labels)`: a
        Linen module, an NNX module, an Equinox module (called with one example, as
        Equinox has it) or a `relujax.models.Model`. It must treat the examples of a
        batch independently.
      data: an array, or a tuple or dict of arrays, with the examples along axis 0; or
        any other iterable (a list, a generator) of batches.
      params: passed to `fn` first. Of a Linen module its variables; of a
        `relujax.models.Model` the pair that its `init` gives; NNX and Equinox modules
        hold theirs.
      loss: `loss(output, batch)`, a number or one per example, whose gradient into
        each pre-activation is taken; without it `zero_gradient` is unknown.
      sites: ids or activation names to look at; by default all that depend on the data
        and have at least two axes (the first for the examples).
      batch_size: examples per batch of arrays; by default 512, or 64 on a CPU, where
        more do not fit into its cache.
      unit_axis: the axis of a site along which its units lie (use 1 for channels-first
        convolutions).
      seed_axis: the axis of the leaves of `params` along which networks are stacked;
        each is diagnosed on its own, under one `vmap`.
      merge_loops: whether iterations of a `scan` are one layer (a scan over time) or,
        by default, each its own (a scan over layers).
      taus: thresholds of tau-dormancy (Sokar et al. 2023).
      epsilons: thresholds of small output.
      slope: a derivative up to this size is saturated.
      max_rank_units: the widest site whose ranks are computed; 0 for none. They are of
        about max(1024, 4 units) observations of a batch, of the first eight batches and
        of every 32nd that follows. Each such site keeps units x units numbers, times
        seeds, times iterations of scans.

    Returns:
      A `Diagnosis`: `print(diagnosis.summary())`, `.table()`, `.plot()`, `.report()`.

    Raises:
      InputError: `fn` has no activations, a site is unknown or has no unit axis, a
        setting cannot be meant, the data are empty, ragged, or of a shape that `fn`
        refuses, or the loss does not fit the output.

    Examples:
      >>> net = lambda x: jax.nn.relu(x @ jnp.array([[1.0, -1.0, 0.0]]))
      >>> diagnosis = diagnose(net, np.array([[1.0], [2.0]]))
      >>> print(diagnosis.summary())  # doctest: +ELLIPSIS
      relu_0 (...): 2 of 3 units never fire on 2 examples; their slope is zero there,
      so no gradient reaches them: they cannot recover by themselves; 1 always fires.
    """
    settings = Settings(
        loss=loss,
        sites=sites,
        batch_size=batch_size,
        unit_axis=unit_axis,
        seed_axis=seed_axis,
        merge_loops=merge_loops,
        taus=taus,
        epsilons=epsilons,
        slope=slope,
        max_rank_units=max_rank_units,
    )
    return diagnoser(fn, settings)(data, params)


def diagnoser(given: Any, settings: Settings) -> Callable[[Any, Any], Diagnosis]:
    """`diagnose` as a function of data and parameters that compiles only once."""
    fn, params_of = program(given)
    chosen = checked(settings)
    seeded = chosen.seed_axis is not None

    @partial(jax.jit, static_argnames=("ranked", "careful"))
    def step(params, batch, ranked, careful=False):
        how = chosen if ranked else chosen._replace(max_rank_units=0)
        one = lambda params, batch: _statistics(fn, params, batch, careful, how)
        seeds = jax.vmap(one, (chosen.seed_axis, None)) if seeded else one
        return packed(seeds(params, batch))

    programs = Programs(step)

    def run(data: Any, params: Any = None) -> Diagnosis:
        params = _on_device(params_of(params))
        if seeded and params is None:
            raise InputError("Expected params=... with a seed axis, got none.")
        total: dict[str, Statistics] = {}
        sites: list[Site] = []
        first: set[str] = set()
        examples = 0

        def steps() -> Iterator[tuple[tuple[Any, bool], Callable]]:
            for number, batch in enumerate(batches(data, chosen.batch_size)):
                if not sites:
                    one = _member(params, chosen.seed_axis)
                    look = _look(fn, one, batch, chosen)
                    _check_loss(look.traced, batch, chosen.loss)
                    sites.extend(look.sites)
                    first.update(look.first)
                    del look  # it holds the batch
                ranked = is_ranked(number)
                batch = _on_device(batch)
                yield (batch, ranked), programs(params, batch, ranked=ranked)

        for (batch, ranked), counted in in_order(steps()):
            if any(map(uncounted, counted.values())):
                counted = programs(params, batch, ranked=ranked, careful=True)()
            for id, new in counted.items():
                if id not in total:
                    total[id] = in_double(new)
                    continue
                if total[id].count.shape != new.count.shape:
                    raise InputError(
                        f"Expected the same units of {id!r} in every batch, got "
                        f"{total[id].count.shape[-1]} and {new.count.shape[-1]}; "
                        f"unit_axis= says which axis they lie along."
                    )
                include(total[id], new, ranked=ranked)
            examples += len(jax.tree.leaves(batch)[0])
        if not sites:
            raise InputError("Expected at least one example, got empty data.")
        if chosen.merge_loops:
            for site in sites:
                loops = sum(n is not None for n in site.loops)
                total[site.id] = merge_loops(total[site.id], loops, int(seeded))
        return Diagnosis(
            sites=tuple(sites),
            statistics=total,
            examples=examples,
            seeded=seeded,
            with_gradient=chosen.loss is not None,
            taus=tuple(chosen.taus),
            epsilons=tuple(chosen.epsilons),
            slope=chosen.slope,
            first=frozenset(first),
        )

    return run


def _on_device(tree: Any) -> Any:
    return jax.tree.map(jnp.asarray, tree)


class _Look(NamedTuple):
    """What a function is, before it runs.

    Attributes:
      traced: the function with only the sites to look at.
      sites: these.
      first: the ids of those that no other activation goes into.
    """

    traced: Traced
    sites: list[Site]
    first: set[str]


def _look(fn, params, batch, settings: Settings) -> _Look:
    try:
        traced = trace(fn, (batch,) if params is None else (params, batch), {})
    except InputError:
        raise
    except Exception as error:
        shapes = jax.tree.map(np.shape, batch)
        raise InputError(
            f"Expected data that the function takes, got batches of shape {shapes}: "
            f"{_in_short(error)}"
        ) from error
    sites = select(tuple(sites_of(traced.plan)), settings.sites)
    arrays = (jax.Array, np.ndarray, np.generic)
    data = sum(isinstance(leaf, arrays) for leaf in jax.tree.leaves(batch))
    before = sources(traced, data)
    if settings.sites is None:
        # Gates of the parameters alone have no units to fire on examples.
        fed = lambda site: DATA in before[site.id] and len(site.shape) > 1
        sites = [site for site in sites if fed(site)] or sites
    for site in sites:
        axis, axes = settings.unit_axis, len(site.shape)
        if axes < 2 or not -axes <= axis < axes:
            raise InputError(
                f"Expected a unit axis beside that of the examples at {site.id!r}, got "
                f"axis {axis} of shape {site.shape}; leave it out with sites=, or "
                f"give unit_axis=."
            )
    ids = {site.id for site in sites}
    traced = traced._replace(plan=keep(traced.plan, ids))
    return _Look(traced, sites, {id for id in ids if before[id] <= {DATA}})


def _check_loss(traced: Traced, batch: Any, loss: Callable | None) -> None:
    """Whether the loss takes the output of the function and gives what it should."""
    if loss is None:
        return
    avals = [v.aval for v in traced.plan.jaxpr.outvars]
    outs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in avals]
    try:
        given = jax.eval_shape(loss, traced.unflatten(outs), batch)
    except Exception as error:
        raise InputError(
            f"Expected loss(output, batch) to take the output of the function and a "
            f"batch, got {_in_short(error)}"
        ) from error
    examples = len(jax.tree.leaves(batch)[0])
    kinds = [(x.dtype, x.shape) for x in jax.tree.leaves(given)]
    fits = [
        jnp.issubdtype(dtype, jnp.floating) and np.prod(shape) in (1, examples)
        for dtype, shape in kinds
    ]
    if fits != [True]:
        got = ", ".join(f"{dtype}{list(shape)}" for dtype, shape in kinds)
        raise InputError(
            f"Expected one float from the loss, or one for each of {examples} "
            f"examples, got {got or 'nothing'}."
        )


def _in_short(error: Exception) -> str:
    first = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {first}"


def _statistics(fn, params, batch, careful, settings) -> dict[str, Statistics]:
    """The statistics of one batch."""
    traced, sites, _ = _look(fn, params, batch, settings)
    traits = traits_of(traced.plan, settings.slope)

    def visit(site, function, pre, feed, iteration):
        del iteration
        pre = pre if feed is None else pre + feed
        post = function(pre)
        return post, measure(
            function,
            pre,
            post,
            axis=settings.unit_axis,
            slope=settings.slope,
            gram_units=settings.max_rank_units,
            careful=careful,
            traits=traits[site.id],
        )

    visitor = Visitor(visit, merge)
    if settings.loss is None:
        return interpret(visitor, traced.plan, traced.inputs)[1]

    loss = settings.loss

    def total_loss(feeds):
        # Zeros added to the pre-activations: the gradient into them is that into those.
        outs, taps = interpret(visitor, traced.plan, traced.inputs, feeds)
        return jnp.sum(loss(traced.unflatten(outs), batch)), taps

    # Inside a function with a derivative rule there is no telling: it stays NaN.
    seen = [site for site in sites if not site.ruled]
    feeds = {s.id: jnp.zeros((*_loops(s), *s.shape), s.dtype) for s in seen}
    gradients, taps = jax.grad(total_loss, has_aux=True)(feeds)
    for site in seen:
        gradient = _largest(gradients[site.id], site, settings.unit_axis)
        taps[site.id] = taps[site.id]._replace(gradient=gradient)
    return taps


def _largest(gradient: jax.Array, site: Site, unit_axis: int) -> jax.Array:
    """The largest absolute entry of every unit, shape `[*loops, units]`."""
    loops = len(_loops(site))
    unit = loops + unit_axis % len(site.shape)
    rest = tuple(i for i in range(loops, gradient.ndim) if i != unit)
    return jnp.max(jnp.abs(gradient.astype(jnp.float32)), rest)


def _loops(site: Site) -> tuple[int, ...]:
    return tuple(n for n in site.loops if n is not None)


def _member(params: Any, seed_axis: int | None) -> Any:
    """The shapes of one of the stacked networks."""
    if seed_axis is None:
        return params
    first = lambda x: jnp.take(jnp.asarray(x), 0, seed_axis)
    return jax.eval_shape(lambda p: jax.tree.map(first, p), params)
