"""Pictures of activations: value and derivative, and the density where there is one."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relujax.activations import REGISTRY, Activation, Properties
from relujax.activations.unary import slopes, values
from relujax.report._style import COLORS, FAINT, SOFT, canvas

VALUE, DERIVATIVE = COLORS[0], COLORS[1]
_SECOND = {VALUE: COLORS[2], DERIVATIVE: COLORS[3]}  # the second half of `crelu`
DASHED = (0, (4, 2))
_POINTS, _DRAWS = 321, 2_000
_BANDS = (0.95, 0.8, 0.5)  # the middle of the draws that each shade holds


def portrait(act: Activation, known: Properties) -> Figure:
    """Value and derivative side by side; `known` are the properties, as below."""
    figure = canvas(2.9)
    left, right = figure.subplots(1, 2)
    x = _line(act, known)
    _zero_lines(left)
    _zero_lines(right)
    if act.needs_key:
        value_draws, slope_draws = _draws(act, x)
        _bands(left, x, value_draws, VALUE)
        _bands(right, x, slope_draws, DERIVATIVE)
    _curves(left, act, known, x, of=values, color=VALUE)
    _curves(right, act, known, x, of=slopes, color=DERIVATIVE)
    left.set_title("expectation and draws" if act.needs_key else "value")
    right.set_title("derivative")
    for axes in (left, right):
        axes.set_xlabel("x")
        axes.set_xlim(x[0], x[-1])
    figure.suptitle(str(act), x=0.01, ha="left", fontweight="bold")
    notes = _notes(act, known)
    if notes:
        figure.supxlabel(notes, fontsize=8, color=SOFT)
    return figure


def plate(
    activations: Sequence[tuple[Activation, Properties]],
    columns: int = 5,
    *,
    drawn: Callable[[], None] = lambda: None,
) -> Figure:
    """Every activation in a small panel of its own; `drawn` is called after each."""
    rows = -(-len(activations) // columns)
    figure = canvas(0.5 + 1.75 * rows, width=2.1 * columns)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (act, known) in zip(panels, activations, strict=False):
        _small(axes, act, known)
        axes.set_title(act.id)
        drawn()
    for axes in panels[len(activations) :]:
        axes.set_visible(False)
    _legend(figure)
    return figure


def card(act: Activation, known: Properties) -> Figure:
    """One panel of the plate by itself."""
    figure = canvas(2.1, width=3.4)
    _small(figure.subplots(), act, known)
    return figure


def _small(axes: Axes, act: Activation, known: Properties) -> None:
    x = _line(act, known)
    _zero_lines(axes)
    if act.needs_key:
        _bands(axes, x, _draws(act, x)[0], VALUE)
    _curves(axes, act, known, x, of=values, color=VALUE)
    _curves(axes, act, known, x, of=slopes, color=DERIVATIVE, dash=DASHED)
    axes.set_xlim(x[0], x[-1])
    axes.tick_params(labelsize=7.5)


def _legend(figure: Figure) -> None:
    axes = figure.axes[0]
    curve = lambda color, dash: axes.plot([], [], color=color, ls=dash)[0]
    handles = {
        "value": curve(VALUE, "-"),
        "derivative": curve(DERIVATIVE, DASHED),
        "derivative at a jump": axes.plot([], [], "o", color=DERIVATIVE, ms=4.5)[0],
        "middle 50, 80, 95 % of draws": axes.fill_between([], [], color=VALUE,
                                                          alpha=0.4, lw=0),
        "second half of crelu": curve(_SECOND[VALUE], "-"),
        "its derivative": curve(_SECOND[DERIVATIVE], DASHED),
    }  # fmt: skip
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=6)


def _line(act: Activation, known: Properties) -> np.ndarray:
    """Points that show the kinks, and the bends of what is bounded on both sides."""
    low, high = (-2.0, 2.0) if act.needs_key else (-3.0, 3.0)
    if np.isfinite(known.limits).all():
        wide = np.linspace(-15, 15, 601)
        y = values(act, wide)[:, 0]
        near = 0.02 * (known.upper - known.lower)
        bend = wide[
            np.minimum(abs(y - known.limits[0]), abs(y - known.limits[1])) > near
        ]
        low, high = min(low, *(bend - 1)), max(high, *(bend + 1))
    for kink in known.kinks:
        low, high = min(low, kink - 1.5), max(high, kink + 1.5)
    return np.linspace(low, high, _POINTS)


def _zero_lines(axes: Axes) -> None:
    axes.axhline(0, color=FAINT, lw=0.8, zorder=0)
    axes.axvline(0, color=FAINT, lw=0.8, zorder=0)


def _curves(
    axes: Axes,
    act: Activation,
    known: Properties,
    x: np.ndarray,
    *,
    of: Callable,
    color: str,
    dash: Any = "-",
) -> None:
    """The curve, interrupted at its jumps, where a dot has what is taken there."""
    kinks = np.array(sorted(known.kinks))
    sides = of(act, np.concatenate([kinks - 1e-9, kinks + 1e-9, kinks]))
    before, after, at = np.split(sides, 3)
    jumps = (abs(after - before) > 1e-6).any(1)
    for kink in kinks[jumps]:
        x = np.concatenate([x[abs(x - kink) > 1e-8], [kink - 1e-9, kink + 1e-9]])
    x = np.sort(x)
    gaps = np.searchsorted(x, kinks[jumps])
    y = np.insert(of(act, x), gaps, np.nan, axis=0)
    x = np.insert(x, gaps, np.nan)
    for half in range(y.shape[1]):
        own = _SECOND[color] if half else color
        axes.plot(x, y[:, half], color=own, ls=dash)
        where = abs(after - before)[:, half] > 1e-6
        for ends in (before, after):
            axes.plot(kinks[where], ends[where, half], "o", ms=4.5, mew=1, mec=own,
                      mfc="white")  # fmt: skip
        axes.plot(kinks[where], at[where, half], "o", ms=4.5, color=own, zorder=3)


def _draws(act: Activation, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and derivatives in training, `[draws, points]`."""
    signal = None if act.signal is None else act.signal.initial

    def draw(key, x):
        f = lambda x: act.apply({}, x, key=key, signal=signal, train=True)
        return jax.value_and_grad(f)(x)

    # The same draws at every point: the bands come out smooth.
    draws = jax.vmap(jax.vmap(draw, (None, 0)), (0, None))
    keys = jax.random.split(jax.random.key(0), _DRAWS)
    y, dy = jax.jit(draws)(keys, jnp.asarray(x, jnp.float32))
    return np.asarray(y), np.asarray(dy)


def _bands(axes: Axes, x: np.ndarray, draws: np.ndarray, color: str) -> None:
    for middle in _BANDS:
        low, high = np.quantile(draws, [(1 - middle) / 2, (1 + middle) / 2], axis=0)
        axes.fill_between(x, low, high, color=color, alpha=0.2, lw=0)


def _notes(act: Activation, known: Properties) -> str:
    notes = []
    if act.needs_key:
        notes.append("Shades: middle 50, 80 and 95 % of draws in training.")
    definition = REGISTRY.known(act.id)
    if definition is not None and definition.line is not None:
        notes.append(f"Drawn {definition.line.words}.")
    if act.id == "crelu":
        notes.append("Green and pink: the second half.")
    if known.kinks:
        at = " and ".join(f"{d:.4g} at {k:g}" for k, d in sorted(known.kinks.items()))
        notes.append(f"The derivative is taken to be {at}.")
    return " ".join(notes)
