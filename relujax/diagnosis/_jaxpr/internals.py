"""Every part of JAX that is not its stable public interface, in one place.

Jaxprs are a documented concept with an undocumented binding. What the instruments need
of it, written for JAX 0.10 and tolerant of its neighbours:

* `jax.core.Tracer`; `Literal`, `Var`, `ClosedJaxpr`, `jaxpr_as_fun` of
  `jax.extend.core`;
* `jax.extend.source_info_util`: name stacks and tracebacks of equations;
* names and parameters of the higher-order primitives (`PRIMITIVES` below);
* `Primitive.get_bind_params`, which rebinds an equation as it stands.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer
from jax.extend import source_info_util
from jax.extend.core import ClosedJaxpr, Literal, Var, jaxpr_as_fun

__all__ = [
    "JAX_ROOT",
    "PRIMITIVES",
    "Frame",
    "Literal",
    "Tracer",
    "Var",
    "bind",
    "call_name",
    "current_scope",
    "evaluate",
    "explicit_sharding",
    "frames",
    "kind",
    "location",
    "noted_place",
    "open_jaxpr",
    "passed",
    "scope",
    "subjaxprs",
    "transforms_and_scopes",
]

# Begins the scope that remembers where a replaced activation stands.
_PLACE = "relujax@"
JAX_ROOT = os.path.dirname(jax.__file__) + os.sep

# Primitive name to (what it is to us, the parameter that holds its jaxpr or jaxprs).
PRIMITIVES = {
    "jit": ("call", "jaxpr"),
    "pjit": ("call", "jaxpr"),
    "closed_call": ("call", "call_jaxpr"),
    "core_call": ("call", "call_jaxpr"),
    "checkpoint": ("checkpoint", "jaxpr"),
    "remat": ("checkpoint", "jaxpr"),
    "remat2": ("checkpoint", "jaxpr"),
    "custom_jvp_call": ("custom", "call_jaxpr"),
    "custom_vjp_call": ("custom", "call_jaxpr"),
    "custom_vjp_call_jaxpr": ("custom", "fun_jaxpr"),
    "scan": ("scan", "jaxpr"),
    "while": ("while", "body_jaxpr"),
    "cond": ("cond", "branches"),
}


class Frame(NamedTuple):
    """One frame of the Python stack that made an equation."""

    file: str
    function: str
    line: int
    instruction: int


def open_jaxpr(jaxpr: Any) -> tuple[Any, tuple[Any, ...]]:
    """The bare jaxpr and its constants, of a closed jaxpr or an open one."""
    return getattr(jaxpr, "jaxpr", jaxpr), tuple(getattr(jaxpr, "consts", ()))


def kind(eqn: Any) -> tuple[str, str]:
    """What an equation is to us, and the parameter that holds its jaxpr or jaxprs.

    Whatever holds jaxprs in a way that we do not know is `("sealed", "")`.
    """
    return PRIMITIVES.get(eqn.primitive.name, ("sealed", ""))


def passed(eqn: Any) -> Sequence[Any]:
    """What the jaxprs of an equation take first, the same in every iteration."""
    name, p = kind(eqn)[0], eqn.params
    if name == "scan":
        return eqn.invars[: scan_sizes(eqn)[0]]
    if name == "while":
        return eqn.invars[p["cond_nconsts"] :][: p["body_nconsts"]]
    if name == "cond":
        return eqn.invars[1:]
    return () if name == "sealed" else eqn.invars


def scan_sizes(eqn: Any) -> tuple[int, int]:
    """How many inputs of a scan are constants, and how many are carried.

    By their shapes, as the parameters that say so are gone since JAX 0.11: what is
    sliced or stacked has one axis more outside than inside, what is carried has not.
    """
    inside, _ = open_jaxpr(eqn.params["jaxpr"])
    longer = lambda outer, inner: len(outer.aval.shape) > len(inner.aval.shape)
    sliced = sum(map(longer, eqn.invars, inside.invars))
    carried = len(eqn.outvars) - sum(map(longer, eqn.outvars, inside.outvars))
    return len(eqn.invars) - sliced - carried, carried


def subjaxprs(eqn: Any) -> list[Any]:
    """The jaxprs among the parameters of an equation of an unknown primitive."""
    values = [
        item
        for value in eqn.params.values()
        for item in (value if isinstance(value, tuple | list) else (value,))
    ]
    return [v for v in values if hasattr(open_jaxpr(v)[0], "eqns")]


def call_name(eqn: Any) -> str:
    """The name of the function that a `jit` or `custom_jvp_call` equation calls."""
    if name := eqn.params.get("name"):
        return name
    what, param = kind(eqn)
    if what != "custom":
        return ""
    info = getattr(open_jaxpr(eqn.params[param])[0], "debug_info", None)
    return str(getattr(info, "func_src_info", "") or "").split(" ")[0]


@contextmanager
def location(eqn: Any):
    """What is traced inside carries the traceback and name stack of `eqn`."""
    source = eqn.source_info
    stack = source_info_util.current_name_stack() + source.name_stack
    with (
        source_info_util.user_context(source.traceback, name_stack=stack),
        eqn.ctx.manager,
    ):
        yield


def scope(eqn: Any, place: str = ""):
    """What is traced inside carries the name stack of `eqn`, and its own traceback.

    Args:
      eqn: an equation.
      place: where it stands in the user's code, for `noted_place`.
    """
    stack = source_info_util.current_name_stack() + eqn.source_info.name_stack
    if place:
        stack = stack.extend(_PLACE + place)
    # A traceback of None leaves the one of this moment in force.
    return source_info_util.user_context(None, name_stack=stack)


def noted_place(eqn: Any) -> str:
    """Where what an equation replaces stands in the user's code; empty for most."""
    names = [entry.name for entry in eqn.source_info.name_stack.stack]
    noted = [name for name in names if name.startswith(_PLACE)]
    return noted[0].removeprefix(_PLACE) if noted else ""


def current_scope() -> Callable[[], Any]:
    """A context that goes back to the name stack of this moment."""
    stack = source_info_util.current_name_stack()
    return lambda: source_info_util.user_context(None, name_stack=stack)


def bind(eqn: Any, inputs: Sequence[Any]) -> list[Any]:
    """Run one equation as it stands, custom derivative rules included."""
    subfuns, params = (), eqn.primitive.get_bind_params(eqn.params)
    if isinstance(params, tuple):  # JAX before 0.10
        subfuns, params = params
    with location(eqn):
        out = eqn.primitive.bind(*subfuns, *inputs, **params)
    return list(out) if eqn.primitive.multiple_results else [out]


def evaluate(jaxpr: Any, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a jaxpr, untouched."""
    bare, consts = open_jaxpr(jaxpr)
    return list(jaxpr_as_fun(ClosedJaxpr(bare, list(consts)))(*inputs))


def explicit_sharding(aval: Any) -> Any:
    """The sharding that is part of an array's type, or None where none is."""
    sharding = getattr(aval, "sharding", None)
    spec = getattr(sharding, "spec", ())
    return sharding if any(axis is not None for axis in spec or ()) else None


def frames(eqn: Any) -> list[Frame]:
    """The Python stack that made the equation, innermost first."""
    traceback = eqn.source_info.traceback
    if traceback is None:
        return []
    instructions = np.asarray(traceback.raw_frames()[1]).tolist()
    return [
        Frame(f.file_name, f.function_name, f.line_num, i)
        for f, i in zip(traceback.frames, instructions, strict=True)
    ]


def transforms_and_scopes(eqn: Any) -> tuple[list[str], list[str]]:
    """Names of the transformations and of the scopes (Flax modules) around `eqn`."""
    transforms, scopes = [], []
    for entry in eqn.source_info.name_stack.stack:
        if entry.name.startswith(_PLACE):
            continue
        names = transforms if type(entry).__name__ == "Transform" else scopes
        names.append(entry.name)
    return transforms, scopes
