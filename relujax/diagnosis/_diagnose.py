"""Dead units of a function over a whole data set, in one streaming pass."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relujax.diagnosis._arguments import (
    EPSILONS,
    TAUS,
    Axes,
    Settings,
    batches,
    checked,
)
from relujax.diagnosis._diagnosis import Diagnosis
from relujax.diagnosis._finite import NotFinite, not_finite
from relujax.diagnosis._jaxpr.interpreter import Visitor, interpret
from relujax.diagnosis._jaxpr.plan import Site
from relujax.diagnosis._look import Inspection, check_loss, count_examples, look
from relujax.diagnosis._models import program
from relujax.diagnosis._packed import packed
from relujax.diagnosis._pipeline import Programs, in_order
from relujax.diagnosis._statistics import (
    Statistics,
    in_double,
    include,
    is_ranked,
    measure,
    merge,
    merge_loops,
    uncounted,
)
from relujax.diagnosis._traits import traits_of
from relujax.diagnosis._trees import Arrays, of_batch, of_params
from relujax.errors import InputError
from relujax.switches import own_arithmetic


def diagnose(
    fn: Any,
    data: Any,
    *,
    params: Any = None,
    loss: Callable[[Any, Any], jax.Array] | None = None,
    sites: str | Collection[str] | None = None,
    exclude: str | Collection[str] | None = None,
    batch_size: int | None = None,
    unit_axis: Axes | Mapping[str, Axes] | None = None,
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
        runs in evaluation mode and sees the first part of a batch `(inputs, labels)`
        (as many as its call requires, or by name those of a dict): a Linen module, an
        NNX module, an Equinox module (called with one example, as Equinox has it) or a
        `relujax.networks.Model`. It must treat the examples of a batch independently.
      data: an array, or a tuple or dict of arrays, with the examples along axis 0; or
        any other iterable (a list, a generator) of batches. Names in a batch (file
        names) are not shown to `fn`.
      params: passed to `fn` first. Of a Linen module its variables; of a
        `relujax.networks.Model` the pair that its `init` gives; NNX and Equinox modules
        hold theirs.
      loss: `loss(output, batch)`, a number or one per example, whose gradient into
        each pre-activation is taken; without it `zero_gradient` is unknown.
      sites: what to look at: ids, names of activations, or patterns (`*`, `?`) of ids,
        module paths or places in the code; by default all that depend on the data
        and have at least two axes (the first for the examples).
      exclude: what to leave out, in the same way: `"*mip.py:41*"`.
      batch_size: examples per batch of arrays; by default 512, or 64 on a CPU, where
        more do not fit into its cache.
      unit_axis: the axis of a site along which its units lie, or several (`(0, 2)`:
        members of an ensemble, and their units), or a dict of what `sites` takes to
        these: `{"conv*": 1}`. By default the axes of the outputs of the weights before
        a site: members, heads and experts with weights of their own have units of
        their own. Where there are none, the last axis (of an image in an Equinox
        module the first after that of the examples).
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
      2 of 3 units are dead.
      relu_0 (...): 2 of 3 units never fire on 2 examples; their slope is zero there,
      so no gradient reaches them: they cannot recover by themselves; 1 always fires.
    """
    settings = Settings(
        loss=loss,
        sites=sites,
        exclude=exclude,
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
    fn, params_of, channels_first = program(given)
    chosen = checked(settings)._replace(channels_first=channels_first)
    seeded = chosen.seed_axis is not None

    @partial(jax.jit, static_argnames=("ranked", "careful"))
    def step(params, batch, ranked, careful=False):
        how = chosen if ranked else chosen._replace(max_rank_units=0)
        one = lambda params, batch: _statistics(fn, params, batch, careful, how)
        seeds = jax.vmap(one, (chosen.seed_axis, None)) if seeded else one
        return packed(seeds(params, batch))

    programs = Programs(step)

    def run(data: Any, params: Any = None) -> Diagnosis:
        params = params_of(params)
        if seeded and params is None:
            raise InputError("Expected params=... with a seed axis, got none.")
        with own_arithmetic():
            held = None if params is None else of_params(params)
        one = _member(held, chosen.seed_axis)
        seen = _Pass(chosen, lambda batch: look(fn, one, batch, chosen))

        def steps() -> Iterator[tuple[tuple[Arrays, bool], Callable]]:
            for number, batch in seen.batches(data):
                ranked = is_ranked(number)
                with own_arithmetic():
                    call = programs(held, batch, ranked=ranked)
                yield (batch, ranked), call

        for (batch, ranked), counted in in_order(steps()):
            if any(map(uncounted, counted.values())):
                with own_arithmetic():
                    call = programs(held, batch, ranked=ranked, careful=True)
                counted = call()
            seen.include(batch, counted, ranked=ranked)
        return seen.diagnosis()

    return run


class _Pass:
    """What one pass over the data has seen.

    Args:
      settings: how it is made.
      look: `look(batch)` of the first batch.
    """

    def __init__(self, settings: Settings, look: Callable[[Arrays], Inspection]):
        self._settings = settings
        self._look = look
        self._first: Inspection | None = None
        self._total: dict[str, Statistics] = {}
        self._examples = 0
        self._bad: NotFinite | None = None

    def batches(self, data: Any) -> Iterator[tuple[int, Arrays]]:
        """The batches that hold examples, with their numbers."""
        number = 0
        for batch in batches(data, self._settings.batch_size):
            with own_arithmetic():
                batch = of_batch(batch)
            if self._first is None:
                first = self._look(batch)
                if not count_examples(first, batch):
                    continue
                check_loss(first, batch, self._settings.loss)
                # The inputs hold the batch.
                traced = first.traced._replace(inputs=[])
                self._first = first._replace(traced=traced)
            if count_examples(self._first, batch):
                yield number, batch
                number += 1

    def include(
        self, batch: Arrays, counted: dict[str, Statistics], *, ranked: bool
    ) -> None:
        """Add the statistics of a batch."""
        assert self._first is not None
        for id, new in counted.items():
            if id not in self._total:
                self._total[id] = in_double(new)
                continue
            old = self._total[id].count.shape
            if old != new.count.shape:
                raise InputError(
                    f"Expected the same units of {id!r} in every batch, got "
                    f"{old[-1]} and {new.count.shape[-1]}; unit_axis= says which axis "
                    f"they lie along."
                )
            include(self._total[id], new, ranked=ranked)
        if not self._is_finite(counted):
            leaf = self._first.examples
            self._bad = not_finite(batch.tree, leaf, self._examples, self._bad)
        self._examples += count_examples(self._first, batch)

    def _is_finite(self, counted: dict[str, Statistics]) -> bool:
        """Whether all numbers are some, and the gradients that were asked for, too."""
        assert self._first is not None
        if not all(np.isfinite(new.total).all() for new in counted.values()):
            return False
        asked = [] if self._settings.loss is None else self._first.sites
        gradients = [counted[site.id].gradient for site in asked if not site.ruled]
        return not any(np.isnan(gradient).any() for gradient in gradients)

    def diagnosis(self) -> Diagnosis:
        """All that was seen."""
        chosen, first = self._settings, self._first
        if first is None:
            raise InputError("Expected at least one example, got empty data.")
        seeded = chosen.seed_axis is not None
        # In the order of the program, and not in that of the names.
        total = {site.id: self._total[site.id] for site in first.sites}
        if chosen.merge_loops:
            for site in first.sites:
                loops = sum(n is not None for n in site.loops)
                total[site.id] = merge_loops(total[site.id], loops, int(seeded))
        return Diagnosis(
            sites=tuple(first.sites),
            statistics=total,
            examples=self._examples,
            seeded=seeded,
            with_gradient=chosen.loss is not None,
            taus=tuple(chosen.taus),
            epsilons=tuple(chosen.epsilons),
            slope=chosen.slope,
            unit_axes={
                id: units.axes if len(units.axes) > 1 else next(iter(units.axes))
                for id, units in first.units.items()
            },
            doubts={id: u.doubt for id, u in first.units.items() if u.doubt},
            prospects=first.prospects,
            unnamed=first.unnamed,
            single=first.single,
            data_not_finite=self._bad,
        )


def _statistics(fn, params, batch, careful, settings) -> dict[str, Statistics]:
    """The statistics of one batch."""
    traced, sites, units, *_ = look(fn, params, batch, settings)
    traits = traits_of(traced.plan, settings.slope)

    def visit(site, function, pre, feed, iteration):
        del feed, iteration
        post = function(pre)
        return post, measure(
            function,
            pre,
            post,
            axes=units[site.id].axes,
            slope=settings.slope,
            gram_units=settings.max_rank_units,
            careful=careful,
            traits=traits[site.id],
        )

    visitor = Visitor(visit, merge, perturb=jnp.add)
    if settings.loss is None:
        return interpret(visitor, traced.plan, traced.inputs)[1]

    loss = settings.loss

    def total_loss(feeds):
        # Zeros added to the pre-activations, whatever else these go into: the gradient
        # into the zeros is that into the pre-activations.
        outs, taps = interpret(visitor, traced.plan, traced.inputs, feeds)
        return jnp.sum(loss(traced.unflatten(outs), batch.tree)), taps

    # Inside a function with a derivative rule there is no telling: it stays NaN.
    seen = [site for site in sites if not site.ruled]
    feeds = {s.id: jnp.zeros((*_loops(s), *s.shape), s.dtype) for s in seen}
    gradients, taps = jax.grad(total_loss, has_aux=True)(feeds)
    for site in seen:
        gradient = _largest(gradients[site.id], site, units[site.id].axes)
        taps[site.id] = taps[site.id]._replace(gradient=gradient)
    return taps


def _largest(gradient: jax.Array, site: Site, unit_axes: tuple[int, ...]) -> jax.Array:
    """The largest absolute entry of every unit, shape `[*loops, units]`."""
    loops = _loops(site)
    units = {len(loops) + axis for axis in unit_axes}
    rest = tuple(i for i in range(len(loops), gradient.ndim) if i not in units)
    return jnp.max(jnp.abs(gradient.astype(jnp.float32)), rest).reshape(*loops, -1)


def _loops(site: Site) -> tuple[int, ...]:
    return tuple(n for n in site.loops if n is not None)


def _member(params: Arrays | None, seed_axis: int | None) -> Arrays | None:
    """The shapes of one of the stacked networks."""
    if seed_axis is None:
        return params
    ranks = [x.ndim for x in params.arrays] if params is not None else []
    if not all(-rank <= seed_axis < rank for rank in ranks):
        raise InputError(
            f"Expected parameters that are stacked along axis {seed_axis}, got arrays "
            f"of {min(ranks)} axes."
        )
    first = lambda x: jnp.take(x, 0, seed_axis)
    return jax.eval_shape(lambda p: jax.tree.map(first, p), params)
