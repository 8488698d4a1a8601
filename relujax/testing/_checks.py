"""The checks, each a generator of sentences about what does not hold."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
from flax import nnx as flax_nnx

from relujax import linen as linen_adapter
from relujax import nnx as nnx_adapter
from relujax.activations import get
from relujax.testing._case import DTYPES, GRID, LARGE, UNITS, Case

_CLEAR = 0.1  # how far from a kink finite differences are taken
_DRAWS, _WIDE = 200, 256
_ERRORS = 5.0  # standard errors: a right one is beyond once in 1.7 million points


def _keys(case: Case) -> tuple[Any, ...]:
    return (None, jax.random.key(1)) if case.act.needs_key else (None,)


def _floats(case: Case) -> dict[str, float]:
    given = case.act.hyperparameters.items()
    return {name: value for name, value in given if isinstance(value, float)}


def dtypes(case: Case) -> Iterator[str]:
    """The output has the dtype of the input."""
    with jax.enable_x64(True):
        act = case.act
        if case.known is not None:
            # As the engine gives them, wider than the input: they must not promote it.
            wide = {n: jnp.asarray(v, jnp.float64) for n, v in _floats(case).items()}
            act = get(act, **wide) if wide else act
        for dtype in DTYPES:
            x = jax.ShapeDtypeStruct((3, UNITS), dtype)
            for key in _keys(case):
                f = lambda x, key=key: case.apply(x, key=key, act=act)
                y = jax.eval_shape(f, x)
                if y.dtype != x.dtype:
                    yield (
                        f"Expected an output of dtype {dtype} for an input of it, got "
                        f"{y.dtype}."
                    )
                    return


def shapes(case: Case) -> Iterator[str]:
    """The leading axes stay."""
    for shape in ((UNITS,), (2, UNITS), (0, UNITS), (2, 3, UNITS)):
        x = jax.ShapeDtypeStruct(shape, jnp.float32)
        for key in _keys(case):
            y = jax.eval_shape(lambda x, key=key: case.apply(x, key=key), x)
            if y.ndim != len(shape) or y.shape[:-1] != shape[:-1]:
                yield (
                    f"Expected an output of shape [..., units] for an input of shape "
                    f"{shape}, got {y.shape}."
                )
                return


def transforms(case: Case) -> Iterator[str]:
    """Compiled, eager, mapped and batched it computes the same."""
    x = jnp.asarray(np.linspace(-3.0, 3.0, 2 * UNITS).reshape(2, UNITS), jnp.float32)
    params = case.act.init((UNITS,))
    for key in _keys(case):
        f = lambda key, x: case.apply(x, key=key, params=params)
        keys = None if key is None else jax.random.split(key, 2)
        loop = jnp.stack([f(None if keys is None else keys[i], x[i]) for i in range(2)])
        both = jax.jit(lambda keys, x, f=f: (jax.vmap(f)(keys, x), f(keys[0], x[0])))
        if keys is None:
            both = jax.jit(
                lambda _, x, f=f: (jax.vmap(lambda x: f(None, x))(x), f(None, x[0]))
            )
        mapped, first = both(keys, x)
        pairs = [("compiled", first, loop[0]), ("under vmap", mapped, loop)]
        if key is None:
            pairs.append(("on a batch", case.apply(x, params=params), loop))
        for what, got, expected in pairs:
            if not np.allclose(got, expected, rtol=1e-5, atol=1e-6, equal_nan=True):
                yield (
                    f"Expected {case.act.id} {what} to compute what it does eagerly, "
                    f"example by example, got a difference of "
                    f"{np.abs(got - expected).max():.2g}."
                )


def derivative(case: Case) -> Iterator[str]:
    """It is that of the values, in both modes."""
    _, slope, reverse = case.sheets["float64", False]
    if slope.shape[1] % UNITS == 0:
        halves = slope.reshape(len(case.points), -1, UNITS).sum(1)
    else:  # Gated units have fewer outputs than inputs: their sums are compared.
        halves, reverse = (s.sum(1, keepdims=True) for s in (slope, reverse))
    clear = np.isfinite(case.points) & np.isfinite(reverse).all(1)
    if not np.allclose(halves[clear], reverse[clear], rtol=1e-9, atol=1e-12):
        x = case.points[clear][np.abs(halves - reverse)[clear].max(1).argmax()]
        yield (
            f"Expected the derivative of {case.act.id} to be the same forward and in "
            f"reverse, got two at {x:g}."
        )
    if case.surrogate:
        return
    away = [
        x for x in GRID if all(abs(x - kink) >= _CLEAR for kink in (*case.kinks, 1e9))
    ]
    with jax.enable_x64(True):
        x = jnp.asarray(np.repeat(np.array(away)[:, None], UNITS, 1))
        f = jax.jit(lambda x: case.apply(x))
        try:
            jax.test_util.check_grads(f, (x,), order=1, atol=1e-5, rtol=1e-5)
        except AssertionError:
            step = 1e-6
            numeric = (f(x + step) - f(x - step)) / (2 * step)
            found = jax.jvp(f, (x,), (jnp.ones_like(x),))[1]
            i = int(np.abs(numeric - found).max(1).argmax())
            yield (
                f"Expected the derivative of {case.act.id} at {away[i]:g} to be that "
                f"of its values, {float(numeric[i, 0]):.4g}, got "
                f"{float(found[i, 0]):.4g}; if that is meant, surrogate=True."
            )


def kinks(case: Case) -> Iterator[str]:
    """The derivative at each is finite, and stated."""
    _, _, reverse = case.sheets["float64", False]
    stated = None if case.known is None else case.known.kinks
    # What is stated holds for the hyperparameters by default.
    default = case.known is not None and all(
        case.known.parameters[name].default == value
        for name, value in case.act.hyperparameters.items()
    )
    for kink in case.kinks:
        at = reverse[[*case.points].index(kink), 0]
        if not np.isfinite(at):
            yield (
                f"Expected a finite derivative of {case.act.id} at its kink {kink:g}, "
                f"got {at}."
            )
        if stated is None or not default:
            continue
        if kink not in stated:
            yield (
                f"Expected every kink of {case.act.id} to be stated, got one at "
                f"{kink:g} that is not: kinks={{{kink:g}: {at:g}}}."
            )
        elif abs(stated[kink] - at) > 1e-6 * max(1, abs(at)):
            yield (
                f"Expected the derivative of {case.act.id} at its kink {kink:g} to be "
                f"the stated {stated[kink]:g}, got {at:g}."
            )


def numbers(case: Case) -> Iterator[str]:
    """No NaN from a finite input, nothing infinite from a large one; NaN stays."""
    finite, nan = np.isfinite(case.points), np.isnan(case.points)
    large = np.isin(case.points, LARGE)
    for (dtype, train), (value, _, reverse) in case.sheets.items():
        where = f"{dtype} in {'training' if train else 'evaluation'}"
        for what, array in (("value", value), ("derivative", reverse)):
            bad = finite & np.isnan(array).any(1)
            if bad.any():
                yield (
                    f"Expected no NaN from a finite input of {case.act.id}, got a NaN "
                    f"{what} at {case.points[bad][0]:g} ({where})."
                )
        if dtype != "float16" and not np.isfinite(value[large]).all():
            x = case.points[large][~np.isfinite(value[large]).all(1)][0]
            yield (
                f"Expected a finite value of {case.act.id} at {x:g}, got "
                f"{value[case.points == x].ravel()[0]} ({where})."
            )
        if not np.isnan(value[nan]).all():
            yield (
                f"Expected {case.act.id} to keep NaN, which hides no error, got "
                f"{value[nan].ravel()[0]:g} ({where})."
            )


def noise(case: Case) -> Iterator[str]:
    """It comes from the key, for every unit, and its mean is the evaluation rule."""
    act = case.act
    if not act.needs_key:
        return
    x = jnp.repeat(jnp.asarray([-3.1, -1.2, -0.4, 0.3, 0.9, 2.7])[:, None], _WIDE, 1)

    @jax.jit
    def drawn(keys, x):
        draw = lambda key: case.apply(x, key=key)
        return case.apply(x), jax.vmap(draw)(keys), draw(keys[0])

    keys = jax.random.split(jax.random.key(2), _DRAWS)
    mean, draws, again = map(np.asarray, drawn(keys, x))
    if not np.array_equal(draws[0], again):
        yield f"Expected the same noise of {act.id} for the same key, got another."
    if np.array_equal(draws[0], draws[1]):
        yield (
            f"Expected other noise of {act.id} for another key, under vmap too, got "
            f"the same."
        )
    noise = draws[0] - mean
    noisy = noise[np.abs(noise).max(1) > 0]
    if noisy.size and (noisy == noisy[:, :1]).all():
        yield (
            f"Expected noise of its own for every unit of {act.id}, got the same for "
            f"all: draw it in the shape of x."
        )
    # The units of a draw may depend on each other; the draws do not.
    means = (draws - mean).mean(2)
    shift, error = means.mean(0), means.std(0, ddof=1) / np.sqrt(_DRAWS)
    off = np.abs(shift) > _ERRORS * error + 1e-5 * (1 + np.abs(mean).max(1))
    if off.any():
        i = int(off.argmax())
        yield (
            f"Expected the mean of {act.id} over its noise to be its evaluation rule, "
            f"{mean[i, 0]:.4g} at {float(x[i, 0]):g}, got {mean[i, 0] + shift[i]:.4g}."
        )


def learned(case: Case) -> Iterator[str]:
    """Parameters are float32 and have finite gradients."""
    params = case.act.init((2, UNITS))
    for name, value in params.items():
        if value.dtype != jnp.float32:
            yield (
                f"Expected the parameter {name!r} of {case.act.id} in float32, got "
                f"{value.dtype}: init(shape, dtype=float32) chooses the dtype."
            )
    if not params:
        return
    x = jnp.asarray(np.linspace(-3.0, 3.0, 2 * UNITS).reshape(2, UNITS), jnp.bfloat16)
    loss = lambda params: case.apply(x, params=params).astype(jnp.float32).sum()
    for name, value in jax.jit(jax.grad(loss))(params).items():
        if not np.isfinite(np.asarray(value, np.float32)).all():
            yield (
                f"Expected a finite gradient of the parameter {name!r} of "
                f"{case.act.id}, got {value}."
            )


def spec(case: Case) -> Iterator[str]:
    """`get` reads what `str` writes."""
    if case.known is None or any(
        hasattr(value, "dtype") or callable(value)
        for value in case.act.hyperparameters.values()
    ):
        return  # It has no text that another process could read.
    again = get(str(case.act))
    if again.hyperparameters != case.act.hyperparameters:
        yield (
            f"Expected relujax.get({str(case.act)!r}) to be the same activation, got "
            f"{again}."
        )


def traced(case: Case) -> Iterator[str]:
    """Another value of a float compiles nothing."""
    floats = _floats(case)
    if not floats:
        return
    if case.known is None:
        return
    x, key = jnp.asarray([[-1.3, -0.2, 0.4, 2.1]]), _keys(case)[-1]
    built = lambda values: case.apply(x, key=key, act=get(case.act, **values))
    other = {name: 0.75 * value for name, value in floats.items()}
    traces = []

    @jax.jit
    def compiled(values):
        traces.append(values)
        return built(values)

    for values in (floats, other):
        got, expected = compiled(values), built(values)
        if not np.allclose(got, expected, rtol=1e-5, atol=1e-6):
            yield (
                f"Expected {case.act.id} to compute the same from traced "
                f"hyperparameters as from {values}, got a difference of "
                f"{np.abs(got - expected).max():.2g}."
            )
    if len(traces) > 1:
        yield f"Expected another value of {', '.join(floats)} to compile nothing."


def linen(case: Case) -> Iterator[str]:
    """It works as a Linen module."""
    x, key = jnp.ones((2, UNITS), jnp.bfloat16), jax.random.key(3)
    module = linen_adapter.Activation(case.act, train=True)
    y, variables = module.init_with_output(key, x)
    # Which collections there are is decided by the adapter; their dtypes by the user.
    yield from _adapted(case, "Linen", y, jax.tree.leaves(variables.get("params", {})))
    streams = {linen_adapter.STREAM: key} if case.act.needs_key else {}
    again = jax.eval_shape(lambda x: module.apply(variables, x, rngs=streams), x)
    yield from _adapted(case, "Linen", again, ())


def nnx(case: Case) -> Iterator[str]:
    """It works as an NNX module."""
    x = jnp.ones((2, UNITS), jnp.bfloat16)
    module = nnx_adapter.Activation(case.act, x.shape, train=True)
    streams = flax_nnx.Rngs(activation=3)
    y = module(x, rngs=streams)
    yield from _adapted(
        case, "NNX", y, jax.tree.leaves(flax_nnx.state(module, flax_nnx.Param))
    )


def _adapted(case: Case, where: str, y: Any, params: Any) -> Iterator[str]:
    if y.dtype != jnp.bfloat16:
        yield (
            f"Expected an output of dtype bfloat16 from the {where} module of "
            f"{case.act.id}, got {y.dtype}."
        )
    if any(leaf.dtype != jnp.float32 for leaf in params):
        yield (
            f"Expected the parameters of {case.act.id} in the {where} module in "
            f"float32, got {[str(leaf.dtype) for leaf in params]}."
        )
