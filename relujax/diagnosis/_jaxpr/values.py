"""What an elementwise equation gives at a few points, in double precision.

Programs hold thousands of elementwise equations, and each may end an activation. NumPy
answers for one in microseconds, where binding it to JAX arrays takes a thousand times
that; and in double precision an activation that is spelt in bfloat16 is told from its
neighbours.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from relujax.diagnosis._jaxpr import internals as _jax
from relujax.diagnosis._jaxpr.graph import stacked
from relujax.diagnosis._jaxpr.pointwise import GRID, SHAPING, NotPointwise

_UNARY: dict[str, Callable] = {
    "neg": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "logistic": lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    "erf": np.vectorize(math.erf, otypes=[float]),
    "erfc": np.vectorize(math.erfc, otypes=[float]),
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "cbrt": np.cbrt,
    "square": np.square,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "not": np.logical_not,
    "is_finite": np.isfinite,
}
_BINARY: dict[str, Callable] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
    "pow": np.power,
    "atan2": np.arctan2,
    "gt": np.greater,
    "ge": np.greater_equal,
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
    "rem": np.fmod,
}
# `x.at[:].max(0)`, of a whole array at once.
_AT = {
    "scatter-max": np.maximum,
    "scatter-min": np.minimum,
    "scatter-mul": np.multiply,
    "scatter-add": np.add,
    "scatter": lambda old, new: new,
}
# They hand on what they are given, to us.
_SAME = ("copy", "copy_p", "stop_gradient", "reduce_precision", *SHAPING)
# Of numbers laid side by side: what puts them in order, and what goes along them.
_ALONG: dict[str, tuple[str, Callable]] = {
    "sort": ("dimension", lambda rows: np.sort(rows, 0)),
    "cummax": ("axis", lambda rows: np.maximum.accumulate(rows, 0)),
    "cummin": ("axis", lambda rows: np.minimum.accumulate(rows, 0)),
    "cumsum": ("axis", lambda rows: np.cumsum(rows, 0)),
    "rev": ("dimensions", lambda rows: rows[::-1]),
}
# `jnp.select` lays conditions side by side and asks which is the first to hold; others
# lay a zero beside the numbers and take the larger.
UNSTACKING: dict[str, Callable] = {
    "argmax": np.argmax,
    "reduce_max": np.max,
    "reduce_min": np.min,
    "reduce_sum": np.sum,
    "reduce_and": np.all,
    "reduce_or": np.any,
}
_LINEAR = frozenset("neg add sub mul div convert_element_type".split()) | set(_SAME)
ELEMENTWISE = frozenset(
    {*_UNARY, *_BINARY, *_SAME}
    | {"select_n", "clamp", "integer_pow", "convert_element_type"}
)


def bends(eqn: Any) -> bool:
    """Whether an equation may be what makes a function of one variable nonlinear."""
    name = eqn.primitive.name
    if name == "integer_pow":
        return eqn.params["y"] != 1
    return name not in _LINEAR


def is_whole_at(eqn: Any) -> bool:
    """Whether it is `x.at[:].max(y)` of all of an array."""
    if eqn.primitive.name not in _AT:
        return False
    numbers = eqn.params["dimension_numbers"]
    return (
        eqn.invars[0].aval.shape == eqn.invars[2].aval.shape
        and len(numbers.update_window_dims) == eqn.invars[0].aval.ndim
        and not numbers.scatter_dims_to_operand_dims
    )


def is_product(eqn: Any) -> bool:
    """Whether it is a product entry by entry, as `einsum("bi,bi->bi", x, y)` is."""
    if eqn.primitive.name != "dot_general":
        return False
    over, batch = eqn.params["dimension_numbers"]
    every = tuple(range(eqn.outvars[0].aval.ndim))
    return not any(over) and all(tuple(axes) == every for axes in batch)


def is_overwritten(eqn: Any) -> bool:
    """Whether it takes the larger, the smaller or a multiple at some places."""
    return eqn.primitive.name in _AT and eqn.primitive.name[-4:] in (
        "-max",
        "-min",
        "-mul",
    )


def is_hidden(eqn: Any) -> bool:
    """Whether it does something to bits, or where the program does not say what."""
    if not eqn.invars:
        return False
    name, first = eqn.primitive.name, eqn.invars[0].aval
    if name == "bitcast_convert_type":
        return np.issubdtype(getattr(first, "dtype", np.float32), np.integer)
    is_callback = name in ("pure_callback", "io_callback", "ffi_call")
    return is_callback and getattr(first, "shape", None) == eqn.outvars[0].aval.shape


def row_of(eqn: Any, axis: int) -> Callable | None:
    """What an equation makes of rows that lie along an axis, where it is known.

    Returns:
      A function of an array `[rows, points]`.
    """
    name, p = eqn.primitive.name, eqn.params
    if name in _ALONG and len(eqn.invars) == 1:
        param, apply = _ALONG[name]
        along = p[param] if isinstance(p[param], tuple) else (p[param],)
        return apply if tuple(along) == (axis,) and not p.get("reverse") else None
    if name == "top_k":
        last = p.get("axis", eqn.invars[0].aval.ndim - 1)
        return (lambda rows: -np.sort(-rows, 0)[: p["k"]]) if last == axis else None
    if name == "slice":
        shape, steps = eqn.invars[0].aval.shape, p["strides"]
        starts, limits = p["start_indices"], p["limit_indices"]
        rest = [i for i in range(len(shape)) if i != axis]
        if any(starts[i] or limits[i] != shape[i] for i in rest):
            return None
        step = steps[axis] if steps else 1
        return lambda rows: rows[starts[axis] : limits[axis] : step]
    if name == "reduce_window_max":
        windows, size = p["window_dimensions"], eqn.invars[0].aval.shape[axis]
        is_all = eqn.outvars[0].aval.shape[axis] == 1 and windows[axis] == size
        if is_all and np.prod(windows) == size:
            return lambda rows: np.max(rows, 0, keepdims=True)
    return None


def applied(eqn: Any, inputs: Sequence[Any], axis: int | None = None) -> Any:
    """The first output of an equation, given values at points.

    Args:
      eqn: elementwise, or a call of what is.
      inputs: numbers, or one value for each point, or `[rows, points]` of what lies
        side by side.
      axis: along which the rows lie.

    Raises:
      NotPointwise: it is not elementwise, or not one that is known.
    """
    name, p = eqn.primitive.name, eqn.params
    if _jax.kind(eqn)[0] in ("call", "custom", "checkpoint"):
        return _called(eqn, inputs, axis)
    if axis is not None and np.ndim(inputs[0]) == 2:
        if (apply := row_of(eqn, axis)) is not None:
            return apply(inputs[0])
    if name in _UNARY:
        return _UNARY[name](*inputs)
    if name in _BINARY:
        return _BINARY[name](*inputs)
    if name in _SAME:
        one = np.ndim(inputs[0]) == 2 and len(inputs[0]) == 1
        return inputs[0][0] if one else inputs[0]
    if is_whole_at(eqn):
        return _AT[name](inputs[0], inputs[2])
    if is_product(eqn):
        return np.multiply(*inputs)
    if name == "integer_pow":
        return np.power(inputs[0], float(p["y"]))
    if name == "convert_element_type":
        whole = np.dtype(p["new_dtype"]).kind in "biu"
        return np.asarray(inputs[0]).astype(p["new_dtype"]) if whole else inputs[0]
    if name == "clamp":
        low, x, high = inputs
        return np.minimum(np.maximum(x, low), high)
    if name == "select_n":
        which, *cases = inputs
        shape = np.broadcast_shapes(*map(np.shape, inputs))
        cases = [np.broadcast_to(case, shape) for case in cases]
        return np.choose(np.broadcast_to(which, shape).astype(int), cases)
    if name == "pad" and stacked(eqn) is not None:
        low, high, _ = eqn.params["padding_config"][stacked(eqn)]
        row = np.broadcast_to(np.asarray(inputs[0], float), (1, len(GRID)))
        rows = [np.full((n, len(GRID)), inputs[1]) for n in (low, high)]
        return np.concatenate([rows[0], row, rows[1]])
    if stacked(eqn) is not None:
        return np.stack(np.broadcast_arrays(*inputs, np.empty(len(GRID)))[:-1])
    if name in UNSTACKING and np.ndim(inputs[0]) == 2:
        if axis is None or tuple(p["axes"]) == (axis,):
            return UNSTACKING[name](inputs[0], 0)
    raise NotPointwise


def _called(eqn: Any, inputs: Sequence[Any], axis: int | None) -> Any:
    jaxpr, consts = _jax.open_jaxpr(eqn.params[_jax.kind(eqn)[1]])
    if any(np.ndim(c) or isinstance(c, _jax.Tracer) for c in consts):
        raise NotPointwise
    variables = (*jaxpr.constvars, *jaxpr.invars)
    env = dict(zip(variables, (*consts, *inputs), strict=True))

    def read(atom):
        if isinstance(atom, _jax.Literal):
            return _literal(atom)
        if atom not in env:
            raise NotPointwise
        return env[atom]

    for inner in jaxpr.eqns:
        if len(inner.outvars) != 1:
            raise NotPointwise
        env[inner.outvars[0]] = applied(inner, [read(v) for v in inner.invars], axis)
    return read(jaxpr.outvars[0])


def _literal(atom: Any) -> Any:
    value = atom.val
    if np.ndim(value):
        raise NotPointwise
    return value if isinstance(value, bool | np.bool_) else float(value)


_X = GRID
_NEGATIVE, _POSITIVE = _X < 0, _X >= 0
_sigmoid = _UNARY["logistic"]
_cubic = lambda x: math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
# Told by their values, for there are too many ways to spell them.
_FORMS = [
    ("gelu", 0.5 * _X * (1 + np.tanh(_cubic(_X)))),
    ("gelu", 0.5 * _X * (1 + _UNARY["erf"](_X / math.sqrt(2)))),
    ("silu", _X * _sigmoid(_X)),
    ("mish", _X * np.tanh(np.logaddexp(_X, 0))),
    ("softplus", np.logaddexp(_X, 0)),
    ("sigmoid", _sigmoid(_X)),
    ("tanh", np.tanh(_X)),
    ("soft_sign", _X / (1 + np.abs(_X))),
    ("squareplus", 0.5 * (_X + np.sqrt(_X**2 + 4))),
    ("log_sigmoid", -np.logaddexp(-_X, 0)),
    ("hard_swish", _X * np.clip(_X + 3, 0, 6) / 6),
    ("hard_tanh", np.clip(_X, -1, 1)),
    ("hard_sigmoid", np.clip(_X + 3, 0, 6) / 6),
]
_SELU = 1.0507009873554805 * np.where(
    _POSITIVE, _X, 1.6732632423543772 * np.expm1(np.minimum(_X, 0))
)


def named(values: np.ndarray, eps: float) -> str | None:
    """The activation that has these values at the points of `GRID`.

    Args:
      values: in double precision.
      eps: the rounding error of the numbers in the program, such as a slope of 0.01 in
        bfloat16.
    """
    # A naive spelling overflows far out.
    seen = np.isfinite(values)
    if not seen[np.abs(_X) < 100].all():
        return None
    values = np.where(seen, values, 0)
    near = lambda form, scale: bool(
        np.all(np.abs(values - form)[seen] <= 4 * eps * scale[seen])
    )
    size = np.abs(_X)
    if near(np.where(_POSITIVE, _X, values), size) and values[_X == 0] == 0:
        return _below(values, lambda form: near(form, size))
    if near(np.clip(_X, 0, 6), size):
        return "relu6"
    if near(_SELU, size):
        return "selu"
    return next((name for name, form in _FORMS if near(form, 1 + size)), None)


def _celu(alpha: float) -> np.ndarray:
    return np.where(_POSITIVE, _X, alpha * np.expm1(np.minimum(_X, 0) / alpha))


def _below(values: np.ndarray, near: Callable[[np.ndarray], bool]) -> str | None:
    """The rectifier with these values below zero, which is the identity above."""
    if not values[_NEGATIVE].any():
        return "relu"
    at_minus_one = values[_X == -1].item()
    if -1 < at_minus_one < 1 and near(np.where(_POSITIVE, _X, -at_minus_one * _X)):
        return "leaky_relu"
    alpha = at_minus_one / np.expm1(-1.0)
    curve = alpha * np.expm1(np.minimum(_X, 0))
    if alpha > 0 and near(np.where(_POSITIVE, _X, curve)):
        return "elu"
    # Far on the left a CELU is -alpha.
    alpha = -values[_X == -40].item()
    return "celu" if alpha > 0 and near(_celu(alpha)) else None
