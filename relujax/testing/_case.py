"""An activation under test, with what several checks look at."""

from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relujax.activations import REGISTRY, Activation, properties

DTYPES = ("float16", "bfloat16", "float32", "float64")
UNITS = 4
GRID = (*np.linspace(-8.0, 8.0, 33).tolist(), -0.3, 0.3)
LARGE = (-1e4, -300.0, 300.0, 1e4)
_ODD = (-0.0, -1e-30, 1e-30, np.nan)


class Case:
    """An activation under test, with what several checks look at, computed once."""

    def __init__(self, act: Activation, surrogate: bool):
        self.act = act
        self.surrogate = surrogate
        self.known = REGISTRY.known(act.id)
        self.modes = (False, True) if act.needs_key else (False,)

    def apply(self, x: Any, *, key: Any = None, params: Any = None, act: Any = None):
        """In training if there is a key; by default with the initial parameters."""
        act = act or self.act
        params = act.init(jnp.shape(x)) if params is None else params
        signal = None if act.signal is None else act.signal.initial
        return act.apply(params, x, key=key, signal=signal, train=key is not None)

    @cached_property
    def kinks(self) -> dict[float, float]:
        """Those that the values show, and those that are stated."""
        stated = (self.known and self.known.kinks) or {}
        return {**properties(self.act).kinks, **stated}

    @cached_property
    def points(self) -> np.ndarray:
        return np.array([*GRID, *self.kinks, *LARGE, *_ODD])

    @cached_property
    def sheets(self) -> dict[tuple[str, bool], tuple[np.ndarray, ...]]:
        """Value and both derivatives `[points, units]`, by dtype and mode."""

        def sheet(x, key):
            f = lambda x: self.apply(x, key=key)
            y, slope = jax.jvp(f, (x,), (jnp.ones_like(x),))
            return y, slope, jax.grad(lambda x: f(x).sum())(x)

        with jax.enable_x64(True), np.errstate(over="ignore"):
            key = jax.random.key(1)
            # The same number in every unit: gates and halves then have it, too.
            rows = np.repeat(self.points[:, None], UNITS, 1)
            cases = {
                (dtype, train): (jnp.asarray(rows, dtype), key if train else None)
                for dtype in DTYPES
                for train in self.modes
            }
            compute = lambda given: [sheet(*one) for one in given]
            found = jax.jit(compute)([*cases.values()])
            wide = [tuple(np.asarray(a, np.float64) for a in one) for one in found]
        return dict(zip(cases, wide, strict=True))
