"""Whose code made an equation, and which functions count as activations by name."""

import os
from collections.abc import Collection
from typing import Any

from relujax import activations
from relujax.diagnosis._jaxpr import internals as _jax
from relujax.files import shown_path

# Other names of ours, of jax.nn too; and what our registry may not hold.
_ALIASES = {
    alias: name
    for name in activations.names(gated=True)
    for alias in activations.REGISTRY.definition(name).aliases
}
_NN = (
    "relu relu6 elu leaky_relu selu celu gelu silu swish mish softplus sigmoid tanh "
    "hard_tanh hard_sigmoid hard_silu hard_swish squareplus sparse_plus soft_sign "
    "log_sigmoid sparse_sigmoid"
)
NAMES = frozenset(_NN.split()) | frozenset(activations.names(gated=True))
PRIMITIVES = {"tanh": "tanh", "logistic": "sigmoid"}
# Functions of JAX that are traced as calls, and are operators to those who use them.
OPERATORS = frozenset("_where fmax fmin clip round".split())
# Functions of jax.nn and jax.numpy that hold what looks like an activation.
_OPAQUE = OPERATORS | frozenset(
    "softmax log_softmax log_sigmoid logsumexp logaddexp logaddexp2".split()
)

_JAX = _jax.JAX_ROOT
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_OURS = os.path.dirname(os.path.abspath(activations.__file__)) + os.sep
_ACTIVATIONS = (os.path.join(_JAX, "_src", "nn") + os.sep, _OURS)
# The functions of JAX, as opposed to what traces and transforms those of others.
_FUNCTIONS = tuple(
    os.path.join(_JAX, "_src", part)
    for part in ("nn", "numpy", "lax", "scipy", "ops", "image", "random")
)
_CONTROL_FLOW = os.path.join(_JAX, "_src", "lax", "control_flow")
# Those that a user writes a rectifier or a gate with, and the operators behind them;
# the maximum inside any other one is JAX's own arithmetic.
_SPELLINGS = frozenset(
    "max min maximum minimum clip clamp where select select_n mul rmul multiply div "
    "truediv rtruediv true_divide tanh logistic sigmoid expit call op meth "
    "add radd sub rsub subtract neg negative abs absolute sign exp expm1 log log1p "
    "piecewise sqrt square pow power integer_pow reciprocal select fmax fmin glu "
    "amax amin reduce reduce_max reduce_min round rint floor ceil trunc cbrt erf erfc "
    "sin cos tan arcsin arccos arctan asin acos atan sinh cosh arcsinh arccosh arctanh "
    "asinh acosh atanh exp2 log2 log10 array "
    "deferring_binary_op".split()  # every operator, before JAX 0.10
)
# Libraries whose own arithmetic (clamped variances, hinge losses) is no activation.
LIBRARIES = ("flax", "equinox", "haiku", "optax", "chex", "distrax", "rlax")
LOSSES = ("optax", "chex", "distrax", "rlax")


def canonical(name: str) -> str:
    """Our name of an activation."""
    return _ALIASES.get(name, name)


def source(eqn: Any) -> str:
    """`file:line` of the user's code that made the equation, or what it replaces."""
    if place := _jax.noted_place(eqn):
        return place
    known = [f for f in _jax.frames(eqn) if not f.file.startswith((_JAX, _HERE))]
    users = [f for f in known if _package(f.file) not in LIBRARIES]
    for frame in (*users, *known):
        return f"{shown_path(frame.file)}:{frame.line}"
    return "unknown"


def _from_here(file: str) -> str:
    """The path from the working directory, or the whole of one that lies elsewhere."""
    try:
        path = os.path.relpath(file)
    except (OSError, ValueError):  # the directory is gone, or on another drive
        return file
    return file if path.startswith("..") else path


def in_library(eqn: Any, libraries: Collection[str]) -> bool:
    """Whether a library's own arithmetic made the equation, not an activation in it."""
    for frame in _jax.frames(eqn):
        if not frame.file.startswith((_JAX, _HERE)):
            named = "activation" in os.path.basename(frame.file)
            return _package(frame.file) in libraries and not named
    return False


def in_jax(eqn: Any) -> bool:
    """Whether a function of JAX made the equation on its way to something else."""
    allowed = _SPELLINGS | {_jax.call_name(eqn)}
    for frame in _jax.frames(eqn):
        if not frame.file.startswith((_JAX, _HERE)):
            return False
        is_function = frame.file.startswith(_FUNCTIONS)
        if is_function and not frame.file.startswith(_CONTROL_FLOW):
            if _spelling(frame.function) not in allowed:
                return True
    return False


def _spelling(function: str) -> str:
    """What a user wrote, of `ufunc.__call__`, `_operator_mul`, `_clamp_batch_rule`."""
    name = function.rsplit(".")[-1].strip("_").removeprefix("operator_")
    return name.removesuffix("_batch_rule")


def closed(eqn: Any, derived: bool) -> bool:
    """Whether nothing inside a call counts.

    Args:
      eqn: an equation that is no activation itself.
      derived: whether `jax.grad` made it; an activation that it took apart is no longer
        one.
    """
    name = _jax.call_name(eqn)
    return name in _OPAQUE or (name in NAMES and (derived or in_library(eqn, LOSSES)))


def is_gated(eqn: Any) -> bool:
    """Whether it calls a function of JAX that holds a gate.

    Traced once for all callers, its equations do not tell who called it.
    """
    return _jax.call_name(eqn) == "glu"


def activation_call(eqn: Any) -> tuple[str, int, tuple[int, ...]] | None:
    """The outermost call of an activation of jax.nn or relujax around `eqn`.

    Returns:
      Its name, where it stands in the code outside JAX (two calls on one line differ),
      and where `eqn` stands inside it.
    """
    stack = _jax.frames(eqn)
    for i, frame in reversed(list(enumerate(stack))):
        if frame.function in NAMES and frame.file.startswith(_ACTIVATIONS):
            callers = (f for f in stack[i + 1 :] if not f.file.startswith(_JAX))
            where = next((f.instruction for f in callers), -1)
            inner = tuple(f.instruction for f in stack[: i + 1])
            return canonical(frame.function), where, inner
    return None


def is_spelt(eqn: Any) -> bool:
    """Whether no name says that the equation is an activation, only arithmetic."""
    is_named = eqn.primitive.name in PRIMITIVES or _jax.call_name(eqn) in NAMES
    return not is_named and activation_call(eqn) is None


def _package(path: str) -> str:
    """The top-level package of an installed file, `""` for the user's own."""
    for site in (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"):
        if site in path:
            return path.rsplit(site, 1)[1].split(os.sep)[0]
    return ""
