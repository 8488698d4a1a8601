"""The `Model` of an Equinox module."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from relujax.errors import InputError, short
from relujax.networks._calls import (
    KEYS,
    Call,
    check_trains,
    is_positive,
    method_signature,
    takes,
)
from relujax.networks._model import Model, Tree

# The name of the batch axis, unless a `BatchNorm` of the module has another.
_AXIS = "batch"


def from_equinox(make: Callable[..., Any]) -> Model:
    """The `Model` of an Equinox class or factory; see `as_model`.

    The module takes one example: it is mapped over the batch, whose axis has the name
    that its `BatchNorm`s have, and gets a key of its own for each example. Parameters
    are its arrays of floats, as nested dictionaries by attribute; its other arrays are
    state under `arrays`, the values of its `eqx.nn.State` under `state`.

    Args:
      make: `make(key=...) -> module`, or `-> (module, state)` as what
        `eqx.nn.make_with_state` gives.

    Raises:
      InputError: the module's call requires another argument, or takes no key or state
        though a layer of it needs one.
    """
    built = functools.partial(_built, make)

    @functools.cache
    def blank():
        module, state = eqx.filter_eval_shape(built, jax.random.key(0))
        if hasattr(module, "__wrapped__") or not isinstance(module, eqx.Module):
            raise InputError(
                f"Expected a module of one example, got {short(module)}: return what "
                f"was built, without eqx.filter_jit or eqx.filter_vmap around it."
            )
        what = f"module {type(module).__name__}"
        signature = method_signature(type(module))
        call = Call(signature, ("x",), roles=("key", "state"), what=what)
        layers = _layers(module, state, call)
        return call, layers, _Blank(module), jax.tree.structure(state)

    def init(key, x):
        call, layers, skeleton, _ = blank()
        module, state = built(key)
        params, arrays = skeleton.taken_apart(module)
        kept = {"arrays": arrays, "state": tuple(jax.tree.leaves(state))}
        kept = {name: value for name, value in kept.items() if value}
        check_trains(call, layers, apply, params, kept, x)
        return params, kept

    def apply(
        params, state, x, *, rngs: dict[str, jax.Array] | None = None, train=False
    ):
        call, _, skeleton, structure = blank()
        module = skeleton.put_together(params, state.get("arrays", {}))
        module = eqx.nn.inference_mode(module, value=not train)
        # Equinox forbids to use the object that is a state twice: each call builds one.
        own = jax.tree.unflatten(structure, state.get("state", ()))
        stateful = "state" in state or call.required("state")
        examples = len(jax.tree.leaves(x)[0])
        keys = jax.random.split(rngs["dropout"], examples) if train and rngs else None

        def one(x, key):
            given = own if stateful else None
            args, kwargs = call.arguments(train, x=x, key=key, state=given)
            y = module(*args, **kwargs)
            return y if stateful else (y, own)

        y, changed = jax.vmap(
            one,
            in_axes=(0, None if keys is None else 0),
            out_axes=(0, None),
            axis_name=skeleton.axis,
        )(x, keys)
        if train and "state" in state:
            state = {**state, "state": tuple(jax.tree.leaves(changed))}
        return y, state, ()

    return Model(init, apply)


def _built(make: Callable[..., Any], key: jax.Array) -> Any:
    """A module without its state, and the state."""
    name = takes(make, *KEYS)
    made = make() if name is None else make(**{name: key})
    if isinstance(made, tuple) and len(made) == 2:
        return made  # Taken apart already.
    return eqx.nn.make_with_state(lambda: made)()


class _Blank:
    """A module without its arrays: how to take one apart, and to put it together."""

    def __init__(self, module: Any) -> None:
        self._paths, leaves, self._structure = _flat(module)
        self._static = [None if _is_array(leaf) else leaf for leaf in leaves]
        names = {n.axis_name for n in _all(module, eqx.nn.BatchNorm)} or {_AXIS}
        if len(names) > 1:
            raise InputError(
                f"Expected one axis_name for all BatchNorm layers of "
                f"{type(module).__name__}, got {sorted(map(str, names))}."
            )
        (self.axis,) = names

    def taken_apart(self, module: Any) -> tuple[Tree, Tree]:
        """Arrays of floats, which are learned, and all other arrays."""
        params, arrays = {}, {}
        for path, leaf in zip(self._paths, _flat(module)[1], strict=True):
            if _is_array(leaf):
                learned = jnp.issubdtype(leaf.dtype, jnp.inexact)
                (params if learned else arrays)[path] = leaf
        return unflatten_dict(params), unflatten_dict(arrays)

    def put_together(self, params: Tree, arrays: Tree) -> Any:
        """The module with these arrays."""
        values = flatten_dict(params) | flatten_dict(arrays)
        pairs = zip(self._paths, self._static, strict=True)
        leaves = [values.get(path, static) for path, static in pairs]
        return jax.tree.unflatten(self._structure, leaves)


def _flat(module: Any) -> tuple[list[tuple], list[Any], Any]:
    flat, structure = jax.tree_util.tree_flatten_with_path(module)
    paths = [tuple(map(_entry, path)) for path, _ in flat]
    return paths, [leaf for _, leaf in flat], structure


def _entry(key: Any) -> Any:
    """An attribute, index or key of a path, without its punctuation."""
    for kind in ("name", "idx", "key"):
        if hasattr(key, kind):
            return getattr(key, kind)
    return str(key)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray | jax.ShapeDtypeStruct)


def _all(module: Any, kind: type) -> list[Any]:
    is_one = lambda node: isinstance(node, kind)
    return [n for n in jax.tree.leaves(module, is_leaf=is_one) if is_one(n)]


def _layers(module: Any, state: Any, call: Call) -> list[str]:
    """The kinds of layers that differ in training; refuses a call that hinders them."""
    random = [d for d in _all(module, eqx.nn.Dropout) if is_positive(d.p)]
    if random and "key" not in call.roles:
        raise InputError(
            f"Expected {call.what} to take a key for its Dropout, got a call without: "
            f"write `def __call__(self, x, *, key=None)` and call dropout(x, key=key)."
        )
    if jax.tree.leaves(state) and "state" not in call.roles:
        raise InputError(
            f"Expected {call.what} to take the state of its layers, got a call without "
            f"it: write `def __call__(self, x, state, *, key=None)`, which returns (y, "
            f"state)."
        )
    norms = _all(module, eqx.nn.BatchNorm)
    return [type(layer).__name__ for layer in (*random, *norms)]
