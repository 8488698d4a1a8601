"""The same function with other activations."""

import dataclasses
import zlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from relujax.activations import Activation, get
from relujax.diagnosis._capture import Captured
from relujax.diagnosis._jaxpr.interpreter import Visitor, interpret, standalone
from relujax.diagnosis._jaxpr.plan import (
    Atlas,
    Site,
    Traced,
    is_differentiated,
    keep,
    sites_of,
)
from relujax.diagnosis._jaxpr.pointwise import sample
from relujax.diagnosis._jaxpr.selection import Names, assigned, select
from relujax.diagnosis._jaxpr.sites import trace
from relujax.diagnosis._models import as_function
from relujax.errors import InputError
from relujax.switches import own_arithmetic

Params = dict[str, dict[str, jax.Array]]


@dataclasses.dataclass(frozen=True, eq=False)
class Replaced:
    """A function whose activations are other ones. Made by `replace_activations`.

    Call it like the original. What it learns and draws is explicit in `apply`.

    Attributes:
      fn: the original function.
      replacements: site id or activation name to the new activation.
      key: typed key for stochastic activations when called directly.
      train: whether a direct call is in training mode.
      per_iteration: whether the iterations of a scan have parameters of their own.
      exclude: what stays as it is.
    """

    fn: Callable[..., Any]
    replacements: Mapping[str, Activation]
    key: jax.Array | None = None
    train: bool = True
    per_iteration: bool = False
    exclude: Names | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of `fn`; learnable activations have their initial parameters."""
        return self._run(None, args, kwargs, self.key, None, self.train)

    def init(self, *args: Any, **kwargs: Any) -> Params:
        """The parameters that the replacements add: `{site id: {name: array}}`.

        Args:
          *args: arguments of `fn`; their shapes are enough.
          **kwargs: the same, by keyword.

        Returns:
          A pytree, empty when nothing is learnable; with `per_iteration`, its leaves
          have the lengths of the scans around the site as leading axes.
        """
        _, new = self._plan(args, kwargs)
        with jax.transfer_guard("allow"):
            params = {id: self._initial(site, act) for id, (site, act) in new.items()}
        return {id: values for id, values in params.items() if values}

    def apply(
        self,
        params: Params,
        *args: Any,
        key: ArrayLike | None = None,
        signal: ArrayLike | Mapping[str, ArrayLike] | None = None,
        train: bool = True,
    ) -> Any:
        """The result of `fn` with these parameters, as a pure function.

        Args:
          params: what `init` gives, or `{}` when nothing is learnable.
          *args: arguments of `fn`; bind those by keyword with `functools.partial`
            before `replace_activations`.
          key: typed key for stochastic activations; the one given to
            `replace_activations` by default. Use a new one for every step.
          signal: what the training loop feeds back: one number, or one per name of
            `Activation.signal` (`{"loss": ..., "step": ...}`).
          train: whether stochastic activations draw, or follow their evaluation rule.

        Raises:
          InputError: a key, a parameter or the activations themselves are missing.
        """
        key = self.key if key is None else key
        return self._run(params, args, {}, key, signal, train)

    def capture(
        self,
        params: Params,
        *args: Any,
        key: ArrayLike | None = None,
        signal: ArrayLike | Mapping[str, ArrayLike] | None = None,
        train: bool = True,
    ) -> tuple[Any, dict[str, Captured]]:
        """`apply`, with what goes in and out of every activation, replaced or not.

        Args:
          params: as in `apply`, like all else.
          *args: arguments of `fn`.
          key: typed key for stochastic activations.
          signal: what the training loop feeds back.
          train: whether stochastic activations draw, or follow their evaluation rule.

        Returns:
          The result, and site id of the original function to `Captured`.
        """
        key = self.key if key is None else key
        traced, new = self._plan(args, {})
        replace, feeds = self._replacing(params, new, key, signal, train)

        def visit(site, function, pre, feed, iteration):
            at = (site, function, pre, feed, iteration)
            post = replace(*at) if site.id in new else function(pre)
            return post, Captured(pre, post, jnp.array(True))

        sites = select(tuple(sites_of(traced.plan)), None)
        plan = keep(traced.plan, {*new, *(site.id for site in sites)})
        visitor = Visitor(visit, changed=new)
        with jax.transfer_guard("allow"):
            outs, taps = interpret(visitor, plan, traced.inputs, feeds)
        order = (site.id for site in sites_of(plan))
        return traced.unflatten(outs), OrderedDict((id, taps[id]) for id in order)

    def _plan(self, args, kwargs) -> tuple[Traced, dict[str, tuple[Site, Activation]]]:
        """The traced function, and the sites that change with what they become."""
        traced = trace(self.fn, args, kwargs)
        sites = tuple(sites_of(traced.plan))
        chosen = select(sites, self.replacements, self.exclude)
        if is_differentiated(traced.plan):
            raise InputError(
                "Expected a function that takes no gradient itself: a derivative "
                "that stands in the program would stay that of the old activation; "
                "replace first, then differentiate: jax.grad(replace_activations(...))."
            )
        named = assigned(sites, self.replacements, None)
        new = {s.id: (s, act) for s in chosen if (act := named[s.id]) is not None}
        with own_arithmetic():
            same = _identical(keep(traced.plan, new), new)
        new = {id: pair for id, pair in new.items() if id not in same}
        return traced, new

    def _initial(self, site: Site, activation: Activation) -> dict[str, jax.Array]:
        params = activation.init(site.shape)
        if not self.per_iteration:
            return params
        loops = tuple(n for n in site.loops if n is not None)
        return {k: jnp.broadcast_to(v, (*loops, *v.shape)) for k, v in params.items()}

    def _run(self, params, args, kwargs, key, signal, train):
        traced, new = self._plan(args, kwargs)
        replace, feeds = self._replacing(params, new, key, signal, train)

        def visit(site, function, pre, feed, iteration):
            return replace(site, function, pre, feed, iteration), None

        plan = keep(traced.plan, new)
        visitor = Visitor(visit, changed=new)
        with jax.transfer_guard("allow"):
            outs, _ = interpret(visitor, plan, traced.inputs, feeds)
        return traced.unflatten(outs)

    def _replacing(self, params, new, key, signal, train) -> tuple[Callable, Params]:
        """What stands at a site instead, and what `interpret` must feed to it."""
        for _, activation in new.values():
            if activation.needs_key and train and key is None:
                raise InputError(
                    f"Expected a key for the stochastic replacement {activation}, got "
                    f"none; pass key=jax.random.key(...), or train=False to evaluate."
                )
        given = self._check(params, new)

        def replace(site, function, pre, feed, iteration):
            _, activation = new[site.id]
            values = feed if self.per_iteration else given[site.id]
            drawn = activation.needs_key and train
            post = activation.apply(
                values or {},
                pre,
                key=_fold(key, site, iteration) if drawn else None,
                signal=_signal(activation, signal),
                train=train,
            )
            shape = jax.eval_shape(function, pre).shape
            if post.shape != shape:
                does = "keeps" if shape == pre.shape else f"makes {shape} of"
                raise InputError(
                    f"Expected an activation that {does} the shape {pre.shape} at "
                    f"{site.id!r}, got {activation}, which gives {post.shape}."
                )
            return post.astype(pre.dtype)

        return replace, given if self.per_iteration else {}

    def _check(self, params, new) -> Params:
        """The parameters of every site, initial ones when None were given."""
        with jax.transfer_guard("allow"):
            initial = {id: self._initial(site, act) for id, (site, act) in new.items()}
        if params is None:
            return initial
        for id, values in initial.items():
            if set(values) - set(params.get(id, {})):
                raise InputError(
                    f"Expected the parameters {sorted(values)} for {id!r}, got "
                    f"{sorted(params.get(id, {}))}; .init(...) makes them."
                )
        return {id: params.get(id, {}) for id in initial}


def replace_activations(
    fn: Any,
    replacements: Mapping[str, str | Activation | Callable],
    *,
    exclude: str | Collection[str] | None = None,
    key: jax.Array | None = None,
    train: bool = True,
    per_iteration: bool = False,
) -> Replaced:
    """The same function with other activations.

    The function is traced, and every activation that is named runs as its replacement;
    all else stays as it is, `jit`, `vmap` and `grad` included. A site that already
    computes its replacement is left untouched, so that an identity replacement is
    bit-identical in value and gradient. A function with a custom derivative rule around
    a replaced activation loses the rule: it was made for the old one.

    Randomness: each site folds its name and the counters of the loops around it into
    the key, so no two layers or iterations share noise, and a site's noise does not
    depend on which others are replaced. Under `jax.vmap`, map over keys for members
    that must differ.

    Args:
      fn: any function of arrays that JAX can trace, not yet differentiated, or a
        module: see `find_activations`.
      replacements: site id (of `find_activations`), activation name, or pattern (`*`,
        `?`) of ids, module paths or places in the code, to an activation (see
        `relujax.get`); an id wins over a name, a name over a pattern.
      exclude: what stays as it is: one or several of the same.
      key: typed key for stochastic replacements. Calling twice with one key gives the
        same numbers: pass a new one to `.apply` at every step.
      train: whether stochastic replacements draw in a direct call.
      per_iteration: learnable replacements inside a `scan` share their parameters over
        its iterations by default (right for a scan over time); True gives each
        iteration its own (right for a scan over layers).

    Returns:
      A `Replaced`: call it like `fn`, or use `.init` and `.apply` for parameters.

    Raises:
      InputError: an activation is unknown; when called, a site is unknown, a key is
        missing, or the function has no activations.

    Examples:
      >>> net = lambda x: jax.nn.relu(x).sum()
      >>> leaky = replace_activations(net, {"relu": "leaky_relu(negative_slope=0.5)"})
      >>> jax.grad(leaky)(jnp.array([-2.0, 3.0]))
      Array([0.5, 1. ], dtype=float32)
      >>> learnable = replace_activations(net, {"relu": "prelu"})
      >>> learnable.init(jnp.ones(2))
      {'relu_0': {'alpha': Array(0.25, dtype=float32)}}
    """
    if not isinstance(replacements, Mapping):
        raise InputError(
            f"Expected a dict from what to replace to what replaces it, such as "
            f'{{"relu": "leaky_relu"}}, got {replacements!r}.'
        )
    if not replacements:
        raise InputError('Expected what to replace, such as {"relu": "n_relu"}.')
    new = {name: get(spec) for name, spec in replacements.items()}
    return Replaced(as_function(fn), new, key, train, per_iteration, exclude)


def _fold(key: Any, site: Site, iteration: tuple[jax.Array, ...]) -> jax.Array:
    """The key of one execution of one site."""
    key = jax.random.fold_in(key, zlib.crc32(site.id.encode()))
    for counter in iteration:
        key = jax.random.fold_in(key, counter)
    return key


def _signal(activation: Activation, signal: Any) -> Any:
    if activation.signal is None or not isinstance(signal, Mapping):
        return signal
    return signal.get(activation.signal.name)


def _identical(plan: Atlas, new: Mapping[str, tuple[Site, Activation]]) -> set[str]:
    """The sites that already compute what they are to become: same name, same values.

    Values are compared on a grid of inputs, for the name alone does not tell the slope
    of a `leaky_relu`; the name is compared too, for equal values do not tell how the
    derivative was chosen.
    """
    same = set()
    for site, match in plan.sites.values():
        activation, stands = new[site.id][1], standalone(plan, match)
        fixed = not activation.needs_key and activation.signal is None
        if activation.id != site.activation or not fixed or stands is None:
            continue
        if activation.init(site.shape):
            continue
        becomes = lambda x, activation=activation: activation.apply({}, x)
        theirs = sample(stands, match.pre.aval)
        ours = sample(becomes, match.pre.aval)
        if theirs is not None and ours is not None:
            if np.array_equal(theirs[0], ours[0], equal_nan=True):
                same.add(site.id)
    for parts in plan.children.values():
        for part in parts:
            same |= _identical(part, new)
    return same
