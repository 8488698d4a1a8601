"""A small drawing of a curve and its derivative, as text: SVG without a library."""

import numpy as np
from jax.typing import ArrayLike

_WIDTH, _HEIGHT, _MARGIN = 220, 120, 6
_COLORS = "#0072b2", "#d55e00"  # the value, the derivative


def curves(x: ArrayLike, y: ArrayLike, slope: ArrayLike) -> str:
    """The SVG of value and derivative over `x`.

    Args:
      x: points, shape `[n, 1]`, increasing.
      y: values, shape `[n, outputs]`.
      slope: derivatives, of the shape of `y`; drawn dashed.
    """
    x, y, slope = np.asarray(x), np.asarray(y), np.asarray(slope)
    low = min(0.0, float(np.nanmin(y)), float(np.nanmin(slope)))
    high = max(1.0, float(np.nanmax(y)), float(np.nanmax(slope)))
    across = _scale(x[:, 0], float(x.min()), float(x.max()), _WIDTH)
    zero = _HEIGHT - float(_scale(np.zeros(1), low, high, _HEIGHT)[0])
    lines = [
        f'<polyline points="{_points(across, column, low, high)}" fill="none" '
        f'stroke="{color}" stroke-dasharray="{dash}"/>'
        for outputs, color, dash in zip((y, slope), _COLORS, ("", "4 2"), strict=True)
        for column in outputs.T
    ]
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="value and '
        f'derivative" style="display:block"><path d="M0 {zero:.1f}H{_WIDTH}" '
        f'stroke="#999"/>{"".join(lines)}</svg>'
    )


def _points(across: np.ndarray, y: np.ndarray, low: float, high: float) -> str:
    up = _HEIGHT - _scale(y, low, high, _HEIGHT)
    pairs = zip(across, up, strict=True)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs if np.isfinite(b))


def _scale(v: np.ndarray, low: float, high: float, size: int) -> np.ndarray:
    return _MARGIN + (v - low) / (high - low) * (size - 2 * _MARGIN)
