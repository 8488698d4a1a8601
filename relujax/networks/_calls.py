"""How a user's function is called: what each of its parameters is for."""

import inspect
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
from jax.interpreters.partial_eval import dce_jaxpr

from relujax.errors import InputError
from relujax.specs import signature_of

#: Arguments and attributes that switch between training and evaluation, each with its
#: value in training.
FLAGS: Mapping[str, bool] = {
    "train": True,
    "training": True,
    "is_training": True,
    "deterministic": False,
    "use_running_average": False,
    "inference": False,
    "eval": False,
    # Less usual ones.
    "is_train": True,
    "train_mode": True,
    "enable_dropout": True,
    "is_inference": False,
    "is_eval": False,
    "eval_mode": False,
    "evaluate": False,
    "is_test": False,
}

#: What a parameter of these names takes: one key of the call.
KEYS = ("key", "rng", "rng_key", "prng_key")


def is_state(name: str) -> bool:
    """Whether a parameter takes what else changes: `state`, `bn_state`, ..."""
    return name.endswith(("state", "states", "batch_stats"))


class Call:
    """The parameters of a function, each with its role.

    Roles are the names in `lead`, in the order in which parameters without another role
    come (the first parameter has the first of them, whatever it is called); `key`,
    `rngs` and `state`, recognised by their names; and the flags of `FLAGS`.

    Args:
      signature: of the function, without `self`.
      lead: the roles of the arguments that are recognised by their place.
      roles: which of `key`, `rngs` and `state` it may have.
      what: what is called, for the message.

    Raises:
      InputError: another parameter is required.
    """

    def __init__(
        self,
        signature: inspect.Signature,
        lead: Sequence[str],
        *,
        roles: Sequence[str] = (),
        what: str,
    ) -> None:
        self.what = what
        rest = list(lead)
        self.open = False
        #: Switches whose names say nothing.
        self.unknown: list[str] = []
        self._roles: list[tuple[inspect.Parameter, str | None]] = []
        for i, p in enumerate(signature.parameters.values()):
            named = _role(p.name, roles)
            if p.kind is p.VAR_KEYWORD:
                self.open = True
            elif p.kind is p.VAR_POSITIONAL:
                self._roles += [(p, role) for role in rest]
                rest = []
            elif rest and (i == 0 or named is None):
                self._roles.append((p, rest.pop(0)))
            elif named is None and p.default is p.empty:
                raise InputError(
                    f"Expected a {what} that is called as f({', '.join(lead)}) with a "
                    f"flag such as train=... at most, got one whose call requires "
                    f"{p.name!r}: give it a default, or bind it."
                )
            else:
                self._roles.append((p, named))
                if named is None and isinstance(p.default, bool):
                    self.unknown.append(p.name)

    @property
    def roles(self) -> set[str]:
        """All roles that its parameters have."""
        return {role for _, role in self._roles if role is not None}

    @property
    def flags(self) -> set[str]:
        """The flags that it takes."""
        return self.roles & FLAGS.keys()

    def required(self, role: str) -> bool:
        """Whether a parameter of this role has no default."""
        return any(r == role and p.default is p.empty for p, r in self._roles)

    def arguments(
        self, train: bool, **values: Any
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """`args` and `kwargs` of a call, from the value of each role.

        What is None is left at its default if it has one. Flags go by position where
        they may: `nn.remat` takes them as static arguments only there.
        """
        args, kwargs, wanted = [], {}, 0
        flags = {name: training == train for name, training in FLAGS.items()}
        for p, role in self._roles:
            value = flags[role] if role in flags else values.get(role or "")
            skipped = value is None and p.default is not p.empty
            if p.kind is p.KEYWORD_ONLY:
                kwargs |= {} if skipped else {p.name: value}
                continue
            args.append(p.default if skipped else value)
            wanted = wanted if skipped else len(args)
        return tuple(args[:wanted]), kwargs


def _role(name: str, roles: Sequence[str]) -> str | None:
    if name in FLAGS:
        return name
    if name in KEYS and "key" in roles:
        return "key"
    if is_state(name) and "state" in roles:
        return "state"
    return name if name == "rngs" and "rngs" in roles else None


def method_signature(cls: type) -> inspect.Signature:
    """The signature of the call of a class's instances, without `self`."""
    signature = inspect.signature(cls.__call__)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def check_trains(call: Call, layers: Sequence[str], apply: Callable, *args: Any):
    """Refuse a network whose layers do in training what they do in evaluation.

    Looked at where there is a reason to: a switch that may be the flag, by a name that
    is not known, in the call of a network whose flags are unknown otherwise.

    Args:
      call: the call of the network.
      layers: the layers that should differ.
      apply: of the `Model`.
      *args: its parameters, state and inputs, or their shapes.

    Raises:
      InputError: both programs are the same.
    """
    if not layers or not call.unknown or call.flags:
        return
    keys = dict.fromkeys(("activation", "dropout"), jax.random.key(0))
    outputs = lambda train, keys, *args: apply(*args, rngs=keys, train=train)[0]
    programs = {_program(partial(outputs, t), keys, *args) for t in (False, True)}
    if len(programs) == 1:
        raise InputError(
            f"Expected {layers[0]} to do something else in training, got the same of "
            f"{call.what} in both modes: call its flag train, training or "
            f"deterministic (it takes {', '.join(call.unknown)})."
        )


def _program(fn: Callable, *args: Any) -> str:
    """The text of a program without what its outputs do not need."""
    closed = jax.make_jaxpr(fn)(*args)
    needed, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    return str(needed)


def stream_key(key: jax.Array, name: str) -> jax.Array:
    """The key of another random stream, by its name."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def is_positive(rate: Any) -> bool:
    """Whether a rate of dropout is, or may be, more than 0."""
    number = isinstance(rate, int | float) and not isinstance(rate, bool)
    return rate > 0 if number else isinstance(rate, jax.Array)


def takes(factory: Callable, *names: str) -> str | None:
    """The first of `names` that is a parameter of a factory."""
    parameters = signature_of(factory).parameters
    return next((name for name in names if name in parameters), None)
