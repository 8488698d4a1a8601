"""Claims that a computation settles: of functions, their slopes and their cost."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from relujax.activations import get
from relujax.studies._evidence import settled
from relujax.studies._study import Evidence

Test = Callable[[pd.DataFrame], Evidence]
Function = Callable[..., Any]
#: Names of parameters to the values at which functions are compared.
Over = Mapping[str, Sequence[float]]

_POINTS = np.linspace(-20.0, 20.0, 4001)


def same_function(
    f: Function,
    g: Function,
    over: Over | None = None,
    *,
    points: ArrayLike = _POINTS,
    tolerance: float = 1e-6,
) -> Test:
    """The test of "`f` is `g`": the largest difference is below the tolerance.

    Args:
      f: a function of an array, then of the parameters in the order of `over`.
      g: likewise.
      over: the parameters at which they are compared, in all combinations.
      points: where.
      tolerance: what rounding may make of equal functions.
    """

    def test(_frame: pd.DataFrame) -> Evidence:
        off = _gaps(f, g, over or {}, points)
        gap = max(off.values())
        shown = ", ".join(f"{gap:g} at {at}" for at, gap in off.items())
        unit = "largest difference of the values"
        said = f"They differ by up to {gap:g}."
        return settled(gap < tolerance, said, effect=gap, unit=unit, gaps=shown)

    return test


def another_function(
    f: Function, g: Function, over: Over | None = None, *, tolerance: float = 0.0
) -> Test:
    """The test of "`f` is a function of its own, beside `g`".

    Args:
      f: as in `same_function`, and so are `g` and `over`.
      tolerance: what the largest difference must exceed.
    """
    same = same_function(f, g, over)

    def test(frame: pd.DataFrame) -> Evidence:
        e = same(frame)
        return e._replace(holds=e.effect > tolerance)

    return test


def _gaps(f: Function, g: Function, over: Over, points: Any) -> dict[str, float]:
    """The largest difference at each combination of parameters, by its name."""
    x = jnp.asarray(points, jnp.float32)
    found = {}
    for values in itertools.product(*over.values()):
        pairs = zip(over, values, strict=True)
        name = ", ".join(f"{parameter} = {value:g}" for parameter, value in pairs)
        found[name] = float(jnp.abs(f(x, *values) - g(x, *values)).max())
    return found


def slopes(f: str | Function, points: Sequence[float] | np.ndarray) -> np.ndarray:
    """The derivative at some points, of a function or of an activation's spec."""
    if isinstance(f, str):
        act = get(f)
        f = lambda x: act.apply({}, x)
    return np.asarray(jax.vmap(jax.grad(f))(jnp.asarray(points, jnp.float32)))


def slope_at_least(
    f: str | Function,
    least: float,
    points: Sequence[float] | np.ndarray,
    *,
    size: bool = False,
) -> Test:
    """The test of "the slope of `f` exceeds `least` at all of these points".

    Args:
      f: a function of a number, or the spec of an activation.
      least: the slope to exceed.
      points: where.
      size: whether the absolute value of the slope counts.
    """

    def test(_frame: pd.DataFrame) -> Evidence:
        found = slopes(f, points)
        found = np.abs(found) if size else found
        shown = ", ".join(
            f"{d:.1e} at {x:g}" for x, d in zip(points, found, strict=True)
        )
        lowest = float(found.min())
        return settled(
            bool((found > least).all()),
            f"The least slope is {lowest:g}.",
            effect=lowest,
            unit="least slope",
            slopes=shown,
        )

    return test


def differentiable(f: Function, at: float = 0.0, tolerance: float = 1e-3) -> Test:
    """The test of "`f` has a derivative at this point".

    Its evidence has the one-sided derivatives, `left` and `right`, from difference
    quotients in double precision.
    """

    def test(_frame: pd.DataFrame) -> Evidence:
        with jax.enable_x64(True):
            rise = lambda h: (f(jnp.float64(at + h)) - f(jnp.float64(at))) / h
            right, left = float(rise(1e-7)), float(rise(-1e-7))
        return settled(
            abs(right - left) < tolerance,
            f"At {at:g} the slope is {left:.3f} on the left, {right:.3f} on the right.",
            effect=right - left,
            unit="jump of the derivative",
            left=left,
            right=right,
        )

    return test


def operations(spec: str) -> float:
    """Arithmetic operations of XLA for one value and its derivative, as trained.

    Exponentials count as one, random numbers are included; in float32.
    """
    act = get(spec)
    params = act.init((), jnp.float32)

    def both(z, key):
        y, pull = jax.vjp(lambda z: act.apply(params, z, key=key, train=True), z)
        return y, pull(jnp.ones_like(y))

    compiled = jax.jit(both).lower(jnp.ones(1000), jax.random.key(0)).compile()
    cost = compiled.cost_analysis() or {}
    return (cost.get("flops", 0.0) + cost.get("transcendentals", 0.0)) / 1000


def costs_at_most(
    spec: str,
    share: float,
    *,
    layers: Sequence[int] = (784, 512, 512, 10),
    beside: Sequence[str] = (),
) -> Test:
    """The test of "it costs less than a share of an update of an MLP".

    Args:
      spec: the activation.
      share: of the operations that the matrix products of an update take.
      layers: the widths of the MLP, inputs and outputs included.
      beside: other activations whose operations are told.
    """
    units = sum(layers[1:-1])
    products = 3 * 2 * sum(a * b for a, b in itertools.pairwise(layers))

    def test(_frame: pd.DataFrame) -> Evidence:
        counts = {name: operations(name) for name in (*beside, spec)}
        part = units * counts[spec] / products
        told = ", ".join(f"{name} {count:.0f}" for name, count in counts.items())
        return settled(
            part < share,
            f"Operations for one value and its derivative: {told}.",
            effect=100 * part,
            unit="% of the matrix products",
            counts=told,
        )

    return test


def costs_less(a: str, b: str, beside: Sequence[str] = ()) -> Test:
    """The test of "`a` takes fewer operations than `b`", for a value and derivative."""

    def test(_frame: pd.DataFrame) -> Evidence:
        counts = {name: operations(name) for name in (a, b, *beside)}
        told = ", ".join(f"{count:.0f} with {name}" for name, count in counts.items())
        return settled(
            counts[a] < counts[b],
            f"One value and its derivative take {told} operations.",
            effect=counts[b] - counts[a],
            unit="operations saved",
            counts=told,
        )

    return test


def adds_no_parameters(spec: str) -> Test:
    """The test of "the activation has no learned parameters"."""

    def test(_frame: pd.DataFrame) -> Evidence:
        added = len(get(spec).init((512,), jnp.float32))
        return settled(
            not added,
            f"A layer has {added} learned parameters.",
            effect=float(added),
            unit="learned parameters per layer",
        )

    return test


def has_no_hyperparameters(spec: str) -> Test:
    """The test of "nothing about the activation is to be chosen"."""

    def test(_frame: pd.DataFrame) -> Evidence:
        needed = get(spec).hyperparameters
        listed = ", ".join(f"{name} = {value}" for name, value in needed.items())
        return settled(
            not needed,
            f"To be chosen: {listed or 'nothing'}.",
            effect=float(len(needed)),
            unit="hyperparameters",
            listed=listed,
        )

    return test
