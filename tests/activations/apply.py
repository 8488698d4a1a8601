"""Evaluate a spec, with its initial parameters, as the property tests need it."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import relujax
from relujax.activations.unary import curve


def function(spec, x, *, key=None, **overrides):
    """The unary function of a spec: trained if there is a key, else evaluated.

    Of what takes several features, along the line that the registry has for it.
    """
    activation = relujax.get(spec, **overrides)
    params = activation.init(x.shape, x.dtype)
    apply = curve(activation)
    return lambda x: apply(params, x, key=key, train=key is not None)


def value(spec, x, **options):
    return function(spec, x, **options)(x)


def slope(spec, x, **options):
    """The derivative element by element, in the shape of the output."""
    f = function(spec, x, **options)
    return jax.jvp(f, (x,), (jnp.ones_like(x),))[1]


def gradient(spec, x, **options):
    """The derivative of the sum, by reverse mode."""
    f = function(spec, x, **options)
    return jax.grad(lambda x: f(x).sum())(x)


class Sheet(NamedTuple):
    """A spec evaluated at many points: value, forward derivative, reverse derivative.

    The derivative of an output of `crelu` is taken along both of its halves.
    """

    y: np.ndarray
    dy: np.ndarray
    grad: np.ndarray


@cache
def sheet(spec: str, points: tuple[float, ...], dtype: str, train: bool = False):
    """Compiled once for each spec, grid and dtype: the tests only look at it."""
    with jax.enable_x64(True), np.errstate(over="ignore"):
        x = jnp.array(points, dtype)
        key = jax.random.key(7) if train else None
        sheets = jax.jit(
            lambda x: (
                value(spec, x, key=key),
                slope(spec, x, key=key),
                gradient(spec, x, key=key),
            )
        )(x)
        return Sheet(*(np.asarray(s, np.float64) for s in sheets))
