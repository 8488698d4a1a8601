"""What an elementwise program gives at a few points, whatever its shape.

An activation on `[8, 2048, 16384]` is asked at seventeen numbers: the equations are
bound to these, and where they speak of shapes, there is nothing to do.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relujax.diagnosis._jaxpr import internals as _jax

# Where activations are compared with each other.
GRID = np.array(
    [-1e3, -40, -7, -3, -1, -0.5, -0.1, -0.01, 0, 0.01, 0.1, 0.5, 1, 3, 7, 40, 1e3]
)
# They say where numbers stand (in an array, on the devices of a shard_map), not which.
SHAPING = ("broadcast_in_dim", "reshape", "squeeze", "expand_dims", "pvary", "pcast")


class NotPointwise(Exception):
    """It is not elementwise, or depends on something else as well."""


def sample(
    function: Callable, like: Any, points: np.ndarray = GRID
) -> list[np.ndarray] | None:
    """What an elementwise function of one array gives at some points.

    Args:
      function: returns one array or a tuple of them; it may differentiate.
      like: the shape, dtype and sharding that it is made for. It is traced at these,
        which takes no memory.
      points: where it is asked.

    Returns:
      One array per output, in its dtype, or None when it is not elementwise.
    """
    shape = jax.ShapeDtypeStruct(
        like.shape, like.dtype, sharding=_jax.explicit_sharding(like)
    )
    closed = jax.make_jaxpr(function)(shape)
    jaxpr, consts = _jax.open_jaxpr(closed)
    if any(np.ndim(c) or isinstance(c, _jax.Tracer) for c in consts):
        return None
    known = dict(zip(jaxpr.constvars, consts, strict=True))
    known[jaxpr.invars[0]] = points
    try:
        return evaluate(jaxpr.eqns, known, jaxpr.outvars)
    except NotPointwise:
        return None


def evaluate(
    eqns: Sequence[Any], known: Mapping[Any, Any], atoms: Sequence[Any]
) -> list[np.ndarray]:
    """The values of `atoms`, each the same everywhere or one for each point.

    Args:
      eqns: the equations that make them.
      known: values of other variables, numbers or one for each point.
      atoms: variables and literals.

    Raises:
      NotPointwise: that is not all that is needed, or an equation is not elementwise.
    """
    # Concrete numbers, in whatever trace this happens.
    with jax.ensure_compile_time_eval():
        env = {v: jnp.asarray(value, v.aval.dtype) for v, value in known.items()}
        return [np.asarray(value) for value in _run(eqns, env, atoms)]


def _run(eqns, env, atoms):
    producer = {v: eqn for eqn in eqns for v in eqn.outvars}

    def value(atom):
        if isinstance(atom, _jax.Literal):
            aval: Any = atom.aval
            return jnp.asarray(atom.val, aval.dtype)
        if atom not in env:
            if atom not in producer:
                raise NotPointwise
            eqn = producer[atom]
            outs = _apply(eqn, [value(v) for v in eqn.invars])
            env.update(zip(eqn.outvars, outs, strict=True))
        return env[atom]

    return [value(atom) for atom in atoms]


def _apply(eqn, inputs):
    kind, param = _jax.kind(eqn)
    if kind in ("call", "custom", "checkpoint"):
        jaxpr, consts = _jax.open_jaxpr(eqn.params[param])
        if any(np.ndim(c) for c in consts):
            raise NotPointwise
        variables = (*jaxpr.constvars, *jaxpr.invars)
        env = dict(zip(variables, (*consts, *inputs), strict=True))
        return _run(jaxpr.eqns, env, jaxpr.outvars)
    if eqn.primitive.name in SHAPING:
        return inputs[:1]
    if not inputs or not _is_elementwise(eqn):
        raise NotPointwise
    try:
        return _jax.bind(eqn, jnp.broadcast_arrays(*inputs))
    except (TypeError, ValueError, RuntimeError) as error:
        raise NotPointwise from error


def _is_elementwise(eqn):
    if eqn.effects or "callback" in eqn.params or _jax.subjaxprs(eqn):
        return False
    shapes = {v.aval.shape for v in eqn.invars if v.aval.shape} or {()}
    return all({v.aval.shape} == shapes for v in eqn.outvars)
