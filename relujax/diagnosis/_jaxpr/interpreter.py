"""One interpreter of jaxprs, shared by capture, diagnosis and replacement.

It evaluates a program equation by equation and hands each activation site to a visitor.
What holds no site runs exactly as it stands; a loop, branch or checkpoint that holds
one is rebuilt around the visited body, so that whatever the visitor brings in or takes
out flows through it like any other value.
"""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.graph import Match
from relujax.diagnosis._jaxpr.plan import Atlas, Site, sites_of

Taps = dict[str, Any]


class Visit(Protocol):
    """What happens at a site."""

    def __call__(
        self,
        site: Site,
        function: Callable[[jax.Array], jax.Array],
        pre: jax.Array,
        feed: Any,
        iteration: tuple[jax.Array, ...],
    ) -> tuple[jax.Array, Any]:
        """Give the value that goes on and the value to take out.

        Args:
          site: where we are.
          function: the activation as it stands in the program.
          pre: its input.
          feed: what was brought in for this site, or None.
          iteration: the counters of the loops around the site, outermost first.

        Returns:
          The output in the program, and a pytree of arrays to take out, or None.
        """
        ...


class Visitor(NamedTuple):
    """A visit and how its results combine.

    Attributes:
      visit: called at every site.
      merge: `merge(old, new)` of what successive iterations of a `while_loop` take out
        at one site; the first `old` is all zeros.
      changed: ids of the sites whose outputs differ from the program's own. A function
        with a derivative rule keeps it unless it holds one of them: then the rule, made
        for the old function, no longer holds, and the new one is differentiated as it
        is.
      perturb: `perturb(pre, feed)` of what goes into a site, before anything else takes
        it: other paths that lead from it to the output see the change, too.
    """

    visit: Visit
    merge: Callable[[Any, Any], Any] = lambda old, new: new
    changed: Collection[str] = ()
    perturb: Callable[[Any, Any], Any] | None = None


def interpret(
    visitor: Visitor,
    plan: Atlas,
    inputs: Sequence[Any],
    feeds: Mapping[str, Any] | None = None,
    iteration: tuple[jax.Array, ...] = (),
) -> tuple[list[Any], Taps]:
    """Run a plan.

    Args:
      visitor: what happens at the sites.
      plan: the program.
      inputs: one value for each input of its jaxpr.
      feeds: site id to a pytree that its visits receive; every leaf has the lengths of
        the scans around the site as leading axes.
      iteration: counters of the loops around the plan.

    Returns:
      The program's outputs, and site id to what was taken out: stacked along a leading
      axis by each scan, merged by a `while_loop`, zeros from a branch not taken.
    """
    jaxpr, feeds = plan.jaxpr, feeds or {}
    env = dict(zip(jaxpr.constvars, plan.consts, strict=True))
    env |= dict(zip(jaxpr.invars, inputs, strict=True))
    taps: Taps = {}
    hidden = {i for _, match in plan.sites.values() for i in match.hidden}
    perturbed = _perturbed(visitor, plan, feeds)
    env |= {v: change(env[v]) for v, change in perturbed.items() if v in env}
    for index, eqn in enumerate(jaxpr.eqns):
        if index in hidden:
            continue
        if index in plan.sites:
            site, match = plan.sites[index]
            function = _function(jaxpr, match, env)
            with _jax.scope(eqn, site.source):
                pre, feed = jnp.asarray(env[match.pre]), feeds.get(site.id)
                out, tap = visitor.visit(site, function, pre, feed, iteration)
            outs, new = [out], {} if tap is None else {site.id: tap}
        elif index in plan.children:
            rule = _RULES[_jax.kind(eqn)[0]]
            parts = plan.children[index]
            inner = _Inner(visitor, feeds, iteration)
            with _jax.scope(eqn):
                outs, new = rule(eqn, parts, _read(env, eqn.invars), inner)
        else:
            outs, new = _jax.bind(eqn, _read(env, eqn.invars)), {}
        taps |= new
        env |= zip(eqn.outvars, outs, strict=True)
        for v in perturbed.keys() & set(eqn.outvars):
            env[v] = perturbed[v](env[v])
    return _read(env, jaxpr.outvars), taps


def _perturbed(
    visitor: Visitor, plan: Atlas, feeds: Mapping[str, Any]
) -> dict[Any, Callable[[Any], Any]]:
    """What happens to the variables that go into the sites of a plan."""
    perturb = visitor.perturb
    if perturb is None:
        return {}
    given: dict[Any, list[Any]] = {}
    for site, match in plan.sites.values():
        if site.id in feeds:
            given.setdefault(match.pre, []).append(feeds[site.id])
    return {
        v: lambda pre, added=added, p=perturb: functools.reduce(p, added, pre)
        for v, added in given.items()
    }


class _Inner(NamedTuple):
    """How the rules below run the jaxprs that their equations hold."""

    visitor: Visitor
    feeds: Mapping[str, Any]
    iteration: tuple[jax.Array, ...]

    def run(self, plan, inputs, feeds=None, counter=None):
        iteration = self.iteration if counter is None else (*self.iteration, counter)
        feeds = self.feeds if feeds is None else feeds
        return interpret(self.visitor, plan, inputs, feeds, iteration)


def _call(eqn, parts, inputs, inner):
    del eqn
    return inner.run(parts[0], inputs)


def _custom(eqn, parts, inputs, inner):
    outs, taps = inner.run(parts[0], inputs)
    ids = {site.id for site in sites_of(parts[0])}
    # Otherwise what was taken out comes from a second run beside the function's own,
    # which the compiler makes one again.
    return (outs if ids & set(inner.visitor.changed) else _jax.bind(eqn, inputs)), taps


def _checkpoint(eqn, parts, inputs, inner):
    policy, prevent_cse = eqn.params["policy"], eqn.params["prevent_cse"]
    run = lambda *inputs: inner.run(parts[0], inputs)
    return jax.checkpoint(run, prevent_cse=prevent_cse, policy=policy)(*inputs)


def _scan(eqn, parts, inputs, inner):
    p = eqn.params
    start, carried = _jax.scan_sizes(eqn)
    consts, xs = inputs[:start], inputs[start + carried :]
    init = inputs[start : start + carried]
    ids = {site.id for site in sites_of(parts[0])}
    feeds = {name: feed for name, feed in inner.feeds.items() if name in ids}

    def body(state, slices):
        xs, feeds, counter = slices
        outs, taps = inner.run(parts[0], [*consts, *state, *xs], feeds, counter)
        return outs[:carried], (outs[carried:], taps)

    slices = (xs, feeds, jnp.arange(p["length"], dtype=jnp.uint32))
    final, (ys, taps) = jax.lax.scan(
        body, init, slices, p["length"], reverse=p["reverse"], unroll=p["unroll"]
    )
    return [*final, *ys], taps


def _while(eqn, parts, inputs, inner):
    p = eqn.params
    split = p["cond_nconsts"] + p["body_nconsts"]
    test_consts, consts = inputs[: p["cond_nconsts"]], inputs[p["cond_nconsts"] : split]
    init = inputs[split:]

    def body(state):
        counter, values, old = state
        values, new = inner.run(parts[0], [*consts, *values], None, counter)
        taps = {id: inner.visitor.merge(old[id], tap) for id, tap in new.items()}
        return counter + 1, values, taps

    def test(state):
        return _jax.evaluate(p["cond_jaxpr"], [*test_consts, *state[1]])[0]

    once = lambda values: inner.run(parts[0], [*consts, *values], None, jnp.uint32(0))[
        1
    ]
    nothing = jax.tree.map(_zeros, jax.eval_shape(once, init))
    _, values, taps = jax.lax.while_loop(test, body, (jnp.uint32(0), init, nothing))
    return values, taps


def _cond(eqn, parts, inputs, inner):
    del eqn
    index, *operands = inputs

    def branch(part):
        return lambda *operands: inner.run(part, operands)

    shapes = [jax.eval_shape(branch(part), *operands)[1] for part in parts]
    nothing = jax.tree.map(_zeros, {k: v for taps in shapes for k, v in taps.items()})

    def padded(part):
        def run(*operands):
            outs, taps = inner.run(part, operands)
            return outs, {**nothing, **taps}

        return run

    branches = [padded(part) for part in parts]
    return jax.lax.switch(jnp.asarray(index, jnp.int32), branches, *operands)


_RULES = {
    "call": _call,
    "custom": _custom,
    "checkpoint": _checkpoint,
    "scan": _scan,
    "while": _while,
    "cond": _cond,
}


def _function(jaxpr: Any, match: Match, env: Mapping[Any, Any]) -> Callable:
    """The activation of a match as a function of its input alone."""

    outside = _jax.current_scope()

    def function(x):
        inner = {**env, match.pre: x}
        with outside():
            for index in match.body:
                eqn = jaxpr.eqns[index]
                outs = _jax.bind(eqn, _read(inner, eqn.invars))
                inner |= zip(eqn.outvars, outs, strict=True)
        return inner[jaxpr.eqns[match.last].outvars[0]]

    return function


def standalone(plan: Atlas, match: Match) -> Callable | None:
    """The activation of a match on its own, or None where it needs unknown arrays."""
    known = match.known
    if known is None:
        return None

    def function(x):
        beside = {v: jnp.full(v.aval.shape, c, v.aval.dtype) for v, c in known.items()}
        return _function(plan.jaxpr, match, beside)(x)

    return function


def _read(env: Mapping[Any, Any], atoms: Sequence[Any]) -> list[Any]:
    return [a.val if isinstance(a, _jax.Literal) else env[a] for a in atoms]


def _zeros(shape: Any) -> jax.Array:
    return jnp.zeros(shape.shape, shape.dtype)
