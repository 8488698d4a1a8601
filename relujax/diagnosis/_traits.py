"""What is known of the activations of a program before it sees any data."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from relujax.diagnosis._jaxpr.graph import Match
from relujax.diagnosis._jaxpr.interpreter import standalone
from relujax.diagnosis._jaxpr.plan import Atlas
from relujax.diagnosis._jaxpr.pointwise import GRID, sample


class Traits(NamedTuple):
    """What is known of an activation beforehand, which saves looking at the data.

    Attributes:
      gate: whether it is max(x, 0), with the slope 1 where x is positive, else 0. What
        it lets through, where it is steep and where the input is positive is one
        question then.
      keeps_nan: whether its value at NaN is NaN: not so for `where(x > 0, x, 0)`.
    """

    gate: bool = False
    keeps_nan: bool = False


def traits_of(plan: Atlas, slope: float) -> dict[str, Traits]:
    """What is known of the activation at every site, by its values at a few points."""
    found = {}
    for site, match in plan.sites.values():
        function = standalone(plan, match)
        found[site.id] = (
            Traits() if function is None else _of_one(function, match, slope)
        )
    for part in (part for parts in plan.children.values() for part in parts):
        found |= traits_of(part, slope)
    return found


def _of_one(function: Callable, match: Match, slope: float) -> Traits:
    def with_slope(x):
        post, pull = jax.vjp(function, x)
        return post, pull(jnp.ones_like(post))[0]

    points = np.append(GRID, np.nan)
    values = sample(with_slope, match.pre.aval, points)
    if values is None:
        return Traits()
    x = points.astype(match.pre.aval.dtype)
    post, slopes = np.broadcast_arrays(*values, x)[:2]
    return Traits(
        # `maximum(x, 0)` has the slope 1/2 at 0, so it is none, and what is only called
        # `relu` may be anything.
        gate=match.name == "relu"
        and slope < 1
        and np.array_equal(post[:-1], np.maximum(x, 0)[:-1])
        and np.array_equal(slopes[:-1], x[:-1] > 0),
        keeps_nan=bool(np.isnan(post[-1])),
    )
