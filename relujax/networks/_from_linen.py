"""The `Model` of a Flax Linen module."""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import jax
from flax import linen as nn
from flax.errors import InvalidRngError
from flax.traverse_util import flatten_dict

from relujax import linen
from relujax.errors import InputError
from relujax.networks._calls import FLAGS, Call, method_signature, stream_key
from relujax.networks._linen_modes import in_mode, recorder, watcher
from relujax.networks._model import Model, Tree


def from_linen(module: nn.Module) -> Model:
    """The `Model` of a Linen module; see `as_model`.

    Raises:
      InputError: its call requires another argument, or nothing tells a layer of it
        whether it trains.
    """
    called = _Called(module)

    def init(key, x):
        variables = dict(called.watched("init", {"params": key}, x, train=False))
        params = variables.pop("params", {})
        return params, {k: v for k, v in variables.items() if not _is_sown(v)}

    def apply(
        params, state, x, *, rngs: dict[str, jax.Array] | None = None, train=False
    ):
        variables = {"params": params, **state}
        if train and rngs:
            rngs = called.all_streams(variables, x, rngs)
        mutable = [*(state if train else ()), "preactivations"]
        run = called.watched if train else called.forward
        try:
            y, changed = run(
                "apply", variables, x, train=train, rngs=rngs, mutable=mutable
            )
        except InvalidRngError as error:
            raise InputError(
                f"Expected {called.name} to draw no random numbers in "
                f"{'training without rngs' if train else 'evaluation'}, got: "
                f"{_first_line(error)}."
            ) from error
        changed = dict(changed)
        # Not `jax.tree.leaves`, which sorts: `Activation_10` comes before `_2`.
        sown = flatten_dict(changed.pop("preactivations", {})).values()
        preactivations = tuple(z for calls in sown for z in cast(tuple, calls))
        return y, {**state, **changed}, preactivations

    return Model(init, apply)


class _Called:
    """A module, its flags and its random streams."""

    def __init__(self, module: nn.Module) -> None:
        cls = type(module)
        self.name = cls.__name__
        self._modules = {train: in_mode(module, train) for train in (False, True)}
        what = f"module {self.name}"
        self._call = Call(method_signature(cls), ("x",), what=what)
        attributes = self._modules[True] is not module
        self._told = bool(self._call.flags) or attributes
        self._opened: list[str | None] = []
        # The library's own networks draw from the streams of the protocol alone.
        own = cls.__module__.startswith("relujax.")
        self._streams: set[str] | None = set() if own else None

    def forward(self, method: str, variables: Any, x: Any, *, train: bool, **options):
        """`init` or `apply` in training or evaluation."""
        args, kwargs = self._call.arguments(train, x=x)
        flag = self._open_flag(x)
        if flag is not None:
            kwargs = {**kwargs, flag: FLAGS[flag] == train}
        run = getattr(self._modules[train], method)
        # For the activations of the library that the network does not tell.
        with linen.mode(train=train):
            return run(variables, *args, **kwargs, **options)

    def watched(self, method: str, variables: Any, x: Any, *, train: bool, **options):
        """`forward`, which refuses layers that nobody tells whether they train."""
        if self._told or self._open_flag(x):
            return self.forward(method, variables, x, train=train, **options)
        with nn.intercept_methods(watcher(self.name)):
            return self.forward(method, variables, x, train=train, **options)

    def all_streams(
        self, variables: Tree, x: Any, rngs: Mapping[str, jax.Array]
    ) -> dict[str, jax.Array]:
        """`rngs`, and a key for each other stream that training asks for."""
        if self._streams is None:
            run = lambda v, x, rngs: self.forward(
                "apply", v, x, train=True, rngs=rngs, mutable=list(v)
            )
            self._streams = _missing(run, variables, x, rngs)
        key = rngs["activation"]
        return {s: stream_key(key, s) for s in self._streams} | dict(rngs)

    def _open_flag(self, x: Any) -> str | None:
        # What `**kwargs` hand on is not in the signature: it is found out once.
        if self._told or not self._call.open:
            return None
        if not self._opened:
            self._opened.append(_open_flag(self._modules[True], self._call, x))
        return self._opened[0]


def _is_sown(collection: Mapping[str, Tree]) -> bool:
    """Whether a collection holds what `sow` appends at every call: no state."""
    leaves = flatten_dict(collection).values()
    return all(isinstance(leaf, tuple) for leaf in leaves)


def _open_flag(module: nn.Module, call: Call, x: Any) -> str | None:
    """The flag that puts all layers of a module with `**kwargs` into training."""
    for flag, training in FLAGS.items():
        modes: list[bool | None] = []

        def init(x, flag=flag, training=training):
            args, kwargs = call.arguments(True, x=x)
            names = ("params", "activation", "dropout")
            keys: Any = dict.fromkeys(names, jax.random.key(0))
            options: Any = {**kwargs, flag: training}
            return module.init(keys, *args, **options)

        try:
            with nn.intercept_methods(recorder(modes)):
                jax.eval_shape(init, x)
        except Exception:
            continue  # It hands on to something that does not take this flag.
        if modes and all(modes):
            return flag
    return None


def _missing(run: Callable, variables: Tree, x: Any, rngs: Mapping) -> set[str]:
    """The random streams that a module asks for while training, beyond `rngs`."""
    found: set[str] = set()
    while True:
        given = {**rngs, **{name: rngs["activation"] for name in found}}
        try:
            jax.eval_shape(run, variables, x, given)
        except InvalidRngError as error:
            match = re.search(r'PRNG for "(.*?)"', str(error))
            if match is None or match[1] in given:
                return found  # The call itself will raise it.
            found.add(match[1])
        else:
            return found


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
