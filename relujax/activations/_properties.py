"""What an activation is like, worked out from the function itself."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from relujax.activations._registry import get
from relujax.activations._spec import Activation
from relujax.activations.unary import candidate_kinks, slopes, values

# Fine at 0, and far enough for limits.
_GRID = np.sinh(np.linspace(-np.arcsinh(1e8), np.arcsinh(1e8), 8191))
_FAR = np.array([-1e8, -1e7, 1e7, 1e8])
_NEGATIVE = -np.geomspace(1e-3, 8, 500)


class Properties(NamedTuple):
    """The shape of an activation in evaluation, at its initial parameters.

    Attributes:
      monotone: whether it never decreases.
      smoothness: `"discontinuous"`, `"C0"` (the derivative jumps somewhere), `"C1"`
        (the second derivative does) or `"smooth"` (neither does).
      lower: infimum of the values.
      upper: supremum of the values.
      limits: value at minus and at plus infinity; NaN where the halves of `crelu`
        differ, here and below.
      slope_limits: derivative at minus and at plus infinity.
      kinks: where a derivative jumps, to the derivative that training uses there.
      dying: whether a unit can die: the derivative is exactly 0 for every negative
        input, so that nothing reaches a unit whose pre-activations are all negative.
      homogeneous: whether f(c x) = c f(x) for every c > 0.
    """

    monotone: bool
    smoothness: str
    lower: float
    upper: float
    limits: tuple[float, float]
    slope_limits: tuple[float, float]
    kinks: Mapping[float, float]
    dying: bool
    homogeneous: bool


def properties(spec: str | Activation | Callable) -> Properties:
    """The properties of an activation with its hyperparameters.

    Found numerically, in float64, from the values and from the derivative by autodiff
    (which a surrogate derivative chooses freely). Kinks are looked for at the points
    that the library knows, at the values of hyperparameters, and at the integers and
    halves from -8 to 8.

    Args:
      spec: anything that `relujax.get` takes.

    Returns:
      `Properties`.

    Raises:
      InputError: a hyperparameter is traced or an array.

    Examples:
      >>> p = properties("leaky_relu(negative_slope=0.1)")
      >>> p.monotone, p.smoothness, p.lower, p.slope_limits, p.kinks, p.dying
      (True, 'C0', -inf, (0.1, 1.0), {0.0: 1.0}, False)
      >>> properties("silu").lower
      -0.2785
      >>> properties("relu").dying
      True
    """
    act = get(spec)
    # What overflows has no limits: inf - inf.
    with np.errstate(over="ignore", invalid="ignore"):
        return _properties(act)


def _properties(act: Activation) -> Properties:
    y = values(act, _GRID)
    steps = np.diff(y, axis=0)
    limits = _limits(values(act, _FAR))
    # What is only approached is a bound, too.
    ends = np.array([end for end in limits if np.isfinite(end)] or [y[0, 0]])
    jumps = _jumps(act)
    return Properties(
        monotone=bool((steps >= -1e-12 * np.maximum(1, np.abs(y[1:]))).all()),
        smoothness=min(jumps.values(), default="smooth", key=_ORDER.index),
        lower=0.0 - max(_supremum(lambda x: -values(act, x), -y), *-ends),
        upper=max(_supremum(lambda x: values(act, x), y), *ends),
        limits=limits,
        slope_limits=_limits(slopes(act, _FAR)),
        kinks={p: _one(slopes(act, np.array([p]))[0]) for p in jumps},
        dying=not slopes(act, _NEGATIVE).any(),
        homogeneous=_is_homogeneous(act),
    )


_ORDER = ("discontinuous", "C0", "C1", "smooth")


def _jumps(act: Activation) -> dict[float, str]:
    """The kinks, and what is still continuous there.

    From differences of values on either side, not from autodiff: a surrogate derivative
    tells nothing about the values. A jump stays as the step shrinks; elsewhere the
    difference between the sides shrinks with it.
    """
    points = candidate_kinks(act)
    steps = np.array([1e-3, 1e-4, 1e-6])
    offsets = np.concatenate([[0.0], steps, 2 * steps, -steps, -2 * steps])
    y = values(act, (points[:, None] + offsets).ravel())
    # [points, offset, output] to value, and to [points, step, output] for each offset.
    y = y.reshape(len(points), len(offsets), -1)
    at, (r, rr, l, ll) = y[:, :1], (y[:, 1 + 3 * i : 4 + 3 * i] for i in range(4))
    h = steps[:, None]
    scale = 1 + np.abs(at[:, 0])
    found = {}
    for i, point in enumerate(points.tolist()):
        gap = np.abs(r - l)[i]
        bend = np.abs((r - at) / h - (at - l) / h)[i]
        curl = np.abs((rr - 2 * r + at) / h**2 - (at - 2 * l + ll) / h**2)[i]
        if (gap[2] > 0.5 * gap[0]).any() and (gap[2] > 1e-4 * scale[i]).any():
            found[point] = "discontinuous"
        elif (bend[2] > np.maximum(0.5 * bend[1], 1e-7 * scale[i])).any():
            found[point] = "C0"
        elif (curl[1] > np.maximum(0.5 * curl[0], 1e-5 * scale[i])).any():
            found[point] = "C1"
    return found


def _limits(far: np.ndarray) -> tuple[float, float]:
    """The limits of a function from its values `[4, outputs]` at `_FAR`."""

    def limit(near, far):
        settled = np.abs(far - near) <= 1e-6 * (1 + np.abs(far))
        # The rest of a tail that falls like 1 / x is a ninth of the last difference.
        limit = far + (far - near) / 9
        return _one(np.where(settled, limit, np.copysign(np.inf, far)))

    return limit(far[1], far[0]), limit(far[2], far[3])


def _one(outputs: np.ndarray) -> float:
    """The common value of all outputs, else NaN."""
    return float(outputs[0] + 0.0) if (outputs == outputs[0]).all() else float("nan")


def _supremum(f: Callable[[np.ndarray], np.ndarray], y: np.ndarray) -> float:
    """The largest value of `f`, given its values `y` on the grid."""
    if y.max() >= 1e4:
        return float("inf")
    i = int(y.max(1).argmax())
    low, high = _GRID[max(i - 1, 0)], _GRID[min(i + 1, len(_GRID) - 1)]
    best = y.max()
    for _ in range(3):
        x = np.linspace(low, high, 1001)
        fine = f(x).max(1)
        j = int(fine.argmax())
        low, high = x[max(j - 1, 0)], x[min(j + 1, 1000)]
        best = max(best, fine[j])
    return float(best + 0.0)


def _is_homogeneous(act: Activation) -> bool:
    x = np.linspace(-8, 8, 321)
    y = values(act, x)
    return all(
        np.allclose(values(act, c * x), c * y, rtol=1e-9, atol=1e-12) for c in (0.3, 7)
    )
