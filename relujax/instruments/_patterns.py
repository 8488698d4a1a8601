"""Which equations of one jaxpr are an activation: by name, by frame or by pattern."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from relujax import activations
from relujax.instruments import _jax
from relujax.instruments._jax import Literal, Var

# What jax.nn calls differently from us, and what our registry may not hold.
_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
_NN = (
    "relu relu6 elu leaky_relu selu celu gelu silu swish mish softplus sigmoid tanh "
    "hard_tanh hard_sigmoid hard_silu hard_swish squareplus sparse_plus soft_sign"
)
NAMES = frozenset(_NN.split()) | frozenset(activations.names())
_PRIMITIVES = {"tanh": "tanh", "logistic": "sigmoid"}
# Functions of jax.nn and jax.numpy that hold what looks like an activation.
OPAQUE = frozenset({"softmax", "log_softmax", "log_sigmoid", "logsumexp", "clip"})

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_OURS = os.path.dirname(os.path.abspath(activations.__file__)) + os.sep
_NN_FILES = (os.path.join(_JAX := _jax.JAX_ROOT, "_src", "nn") + os.sep, _OURS)
_RANDOM = os.path.join(_JAX, "_src", "random")
# Libraries whose own arithmetic (clamped variances, hinge losses) is no activation.
_LIBRARIES = ("flax", "equinox", "haiku", "optax", "chex", "distrax", "rlax")
_LOSSES = ("optax", "chex", "distrax", "rlax")


class Match(NamedTuple):
    """An activation inside one jaxpr.

    Attributes:
      name: canonical name.
      pre: the variable that goes in.
      last: index of the equation that gives the output.
      body: indices of the equations between the two, in order, `last` included.
      hidden: those of `body` that nothing else uses.
    """

    name: str
    pre: Any
    last: int
    body: tuple[int, ...]
    hidden: frozenset[int]


def match(jaxpr: Any, constants: Mapping[Any, float]) -> list[Match]:
    """The activations among the equations of `jaxpr`, in order.

    Args:
      jaxpr: an open jaxpr.
      constants: what is known of its variables from outside.
    """
    graph = _Graph(jaxpr, constants)
    found, inside = _framed(graph)
    for index, eqn in enumerate(jaxpr.eqns):
        if index not in inside and (one := _single(graph, index, eqn)) is not None:
            found.append(one)
    found = [m for name, pre, last in found if (m := graph.finish(name, pre, last))]
    outer: dict[int, Match] = {}
    for m in found:  # a match wins over those that its body contains
        if not any(m.last in o.body for o in outer.values()):
            outer = {k: o for k, o in outer.items() if k not in m.body} | {m.last: m}
    return [outer[k] for k in sorted(outer)]


def source(eqn: Any) -> str:
    """`file:line` of the user's code that made the equation."""
    known = [f for f in _jax.frames(eqn) if not f.file.startswith((_JAX, _HERE))]
    users = [f for f in known if _package(f.file) not in _LIBRARIES]
    for frame in (*users, *known):
        path = os.path.relpath(frame.file)
        return f"{frame.file if path.startswith('..') else path}:{frame.line}"
    return "unknown"


class _Graph:
    """Producers, uses and known constants of one jaxpr."""

    def __init__(self, jaxpr: Any, constants: Mapping[Any, float]):
        self.eqns = jaxpr.eqns
        self.constants = constants
        self.producer = {v: i for i, e in enumerate(self.eqns) for v in e.outvars}
        self.uses: dict[Any, list[int]] = {}
        for i, eqn in enumerate(self.eqns):
            for v in _variables(eqn.invars):
                self.uses.setdefault(v, []).append(i)
        for v in _variables(jaxpr.outvars):
            self.uses.setdefault(v, []).append(len(self.eqns))

    def made_by(self, atom: Any) -> Any:
        """The equation that makes `atom`, or None."""
        if isinstance(atom, Var) and (index := self.producer.get(atom)) is not None:
            return self.eqns[index]
        return None

    def scalar(self, atom: Any) -> float | None:
        """The one number that `atom` holds everywhere, where that is known."""
        if isinstance(atom, Literal):
            return number(atom.val)
        if atom in self.constants:
            return self.constants[atom]
        eqn = self.made_by(atom)
        if eqn is not None and eqn.primitive.name in (
            "broadcast_in_dim",
            "convert_element_type",
            "copy",
        ):
            return self.scalar(eqn.invars[0])
        return None

    def finish(self, name: str, pre: Any, last: int) -> Match | None:
        """The match with its body: what depends on `pre` and leads to `last`."""
        downstream, reached = [], {pre}
        start = self.producer.get(pre, -1) + 1
        for i in range(start, last + 1):
            if reached & set(_variables(self.eqns[i].invars)):
                downstream.append(i)
                reached |= set(self.eqns[i].outvars)
        body, needed = [last], set(_variables(self.eqns[last].invars))
        for i in reversed(downstream):
            if i != last and needed & set(self.eqns[i].outvars):
                body.append(i)
                needed |= set(_variables(self.eqns[i].invars))
        shapes = {v.aval.shape for i in body for v in self.eqns[i].outvars}
        if not shapes <= {pre.aval.shape, ()}:
            return None
        hidden: set[int] = set()
        for i in sorted(body, reverse=True):
            users = {u for v in self.eqns[i].outvars for u in self.uses.get(v, ())}
            if i != last and users <= hidden | {last}:
                hidden.add(i)
        return Match(name, pre, last, tuple(sorted(body)), frozenset(hidden))


def _framed(graph: _Graph) -> tuple[list[tuple[str, Any, int]], set[int]]:
    """Activations that JAX inlines: their equations still remember the call.

    `jax.nn.gelu` becomes eight equations of the caller; the traceback of each holds a
    frame named `gelu`.

    Returns:
      Name, input and last equation of each, and the indices of all their equations.
    """
    runs: list[tuple[Any, list[int]]] = []
    for i, eqn in enumerate(graph.eqns):
        call = _activation_call(eqn)
        if runs and runs[-1][0] == call:
            runs[-1][1].append(i)
        else:
            runs.append((call, [i]))
    found, inside = [], set()
    for call, run in runs:
        for part in _components(graph, run) if call else ():
            made = [v for i in part for v in graph.eqns[i].outvars]
            outputs = [v for v in made if set(graph.uses.get(v, ())) - part]
            used = {v for i in part for v in _variables(graph.eqns[i].invars)}
            inputs = [v for v in used - set(made) if _alike(v, made[-1])]
            if len(outputs) == len(inputs) == 1:
                found.append((call[0], inputs[0], graph.producer[outputs[0]]))
                inside |= part
    return found, inside


def _single(graph: _Graph, index: int, eqn: Any) -> tuple[str, Any, int] | None:
    """An activation whose last equation is `eqn`: a named call or a pattern."""
    if len(eqn.outvars) != 1 or not _floating(eqn.outvars[0]):
        return None
    primitive, called = eqn.primitive.name, _jax.call_name(eqn)
    if called in NAMES and not _in_library(eqn, _LOSSES):
        alike = [v for v in _variables(eqn.invars) if _alike(v, eqn.outvars[0])]
        return (_ALIASES.get(called, called), alike[0], index) if alike else None
    if primitive in _PRIMITIVES and isinstance(eqn.invars[0], Var):
        inner = _in_library(eqn, _LOSSES)
        return None if inner else (_PRIMITIVES[primitive], eqn.invars[0], index)
    pattern = _pattern(graph, index, eqn, primitive, called)
    return None if pattern is None or _in_library(eqn, _LIBRARIES) else pattern


def _pattern(graph: _Graph, index: int, eqn: Any, primitive: str, called: str):
    """ReLU and its kin spelt with `maximum`, `clip`, `where` or a mask."""
    if primitive == "max" or (called == "clip" and _only_max(eqn)):
        return _maximum(graph, index, eqn)
    if primitive == "select_n" and len(eqn.invars) == 3:
        return _where(graph, index, eqn.invars[0], eqn.invars[2], eqn.invars[1])
    if called == "_where" and len(eqn.invars) == 3:
        return _where(graph, index, *eqn.invars)
    if primitive == "mul":
        for x, mask in (eqn.invars, eqn.invars[::-1]):
            made = graph.made_by(mask)
            if made is not None and made.primitive.name == "convert_element_type":
                if _sign_test(graph, made.invars[0]) == (x, True):
                    return "relu", x, index
    return None


def _maximum(graph: _Graph, index: int, eqn: Any):
    """`max(x, 0)`, `max(x, a x)`, and `min(max(x, 0), 6)`; no other clipping."""
    for x, other in (eqn.invars, eqn.invars[::-1]):
        if not isinstance(x, Var) or not _alike(x, eqn.outvars[0]):
            continue
        if graph.scalar(other) == 0.0:
            before = graph.made_by(x)
            if (high := _upper_bound(graph, before)) is not None:
                assert before is not None
                pre = next(v for v in before.invars if graph.scalar(v) is None)
                return ("relu6", pre, index) if high == 6.0 else None
            after = graph.uses.get(eqn.outvars[0], [])
            if len(after) == 1 and after[0] < len(graph.eqns):
                high = _upper_bound(graph, graph.eqns[after[0]])
                if high is not None:
                    return ("relu6", x, after[0]) if high == 6.0 else None
            return "relu", x, index
        if (name := _scaled(graph, other, x)) is not None:
            return name, x, index
    return None


def _where(graph: _Graph, index: int, test: Any, yes: Any, no: Any):
    """`where(x > 0, x, ...)` in any order: x above zero, something else below."""
    x, positive = _sign_test(graph, test)
    if x is None:
        return None
    above, below = (yes, no) if positive else (no, yes)
    if above is not x or not _alike(x, graph.eqns[index].outvars[0]):
        return None
    if graph.scalar(below) == 0.0:
        return "relu", x, index
    return _scaled(graph, below, x) or "rectifier", x, index


def _sign_test(graph: _Graph, test: Any) -> tuple[Any, bool]:
    """`(x, True)` when `test` is `x > 0`, `(x, False)` when it is `x < 0`."""
    eqn = graph.made_by(test)
    if eqn is None or eqn.primitive.name not in ("gt", "ge", "lt", "le"):
        return None, False
    left, right = eqn.invars
    greater = eqn.primitive.name in ("gt", "ge")
    if graph.scalar(right) == 0.0 and isinstance(left, Var):
        return left, greater
    if graph.scalar(left) == 0.0 and isinstance(right, Var):
        return right, not greater
    return None, False


def _scaled(graph: _Graph, atom: Any, x: Any) -> str | None:
    """The name of the rectifier whose lower branch `atom` is `x` times a slope."""
    eqn = graph.made_by(atom)
    if eqn is None or eqn.primitive.name not in ("mul", "div"):
        return None
    left, right = eqn.invars
    if left is not x and (right is not x or eqn.primitive.name == "div"):
        return None
    slope = right if left is x else left
    return "prelu" if graph.scalar(slope) is None else "leaky_relu"


def _upper_bound(graph: _Graph, eqn: Any) -> float | None:
    """The constant `c` of an equation `min(., c)`."""
    if eqn is None or eqn.primitive.name != "min":
        return None
    bounds = [graph.scalar(v) for v in eqn.invars]
    return next((b for b in bounds if b is not None), None)


def _only_max(eqn: Any) -> bool:
    inner = _jax.open_jaxpr(eqn.params["jaxpr"])[0].eqns
    names = {e.primitive.name for e in inner}
    return "max" in names and "min" not in names


def _activation_call(eqn: Any) -> tuple[str, int] | None:
    """The outermost call of an activation of jax.nn or relujax around `eqn`.

    Returns:
      Its name, and where it stands in the code outside JAX: two calls on one line
      differ.
    """
    stack = _jax.frames(eqn)
    for i, frame in reversed(list(enumerate(stack))):
        if frame.function in NAMES and frame.file.startswith(_NN_FILES):
            callers = (f for f in stack[i + 1 :] if not f.file.startswith(_JAX))
            where = next((f.instruction for f in callers), -1)
            return _ALIASES.get(frame.function, frame.function), where
    return None


def _components(graph: _Graph, run: list[int]) -> list[set[int]]:
    """The parts of a run of equations that exchange no values."""
    parts: list[set[int]] = []
    for i in run:
        sources = {graph.producer.get(v) for v in _variables(graph.eqns[i].invars)}
        joined = [p for p in parts if p & sources]
        parts = [p for p in parts if p not in joined]
        parts.append({i}.union(*joined))
    return parts


def _in_library(eqn: Any, libraries: tuple[str, ...]) -> bool:
    """Whether a library's own arithmetic made the equation, not an activation in it."""
    for frame in _jax.frames(eqn):
        if frame.file.startswith(_RANDOM):
            return True
        if not frame.file.startswith((_JAX, _HERE)):
            named = "activation" in os.path.basename(frame.file)
            return _package(frame.file) in libraries and not named
    return False


def _package(path: str) -> str:
    """The top-level package of an installed file, `""` for the user's own."""
    for site in (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"):
        if site in path:
            return path.rsplit(site, 1)[1].split(os.sep)[0]
    return ""


def _variables(atoms: Iterable[Any]) -> list[Any]:
    return [v for v in atoms if isinstance(v, Var)]


def _floating(v: Any) -> bool:
    return jnp.issubdtype(getattr(v.aval, "dtype", np.int32), jnp.floating)


def _alike(v: Any, w: Any) -> bool:
    """Same shape and same floating dtype."""
    return (
        _floating(v) and v.aval.shape == w.aval.shape and v.aval.dtype == w.aval.dtype
    )


def number(value: Any) -> float | None:
    """`value` as a float when it is one known number, else None."""
    if isinstance(value, _jax.Tracer) or np.ndim(value) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
