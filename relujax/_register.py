"""`relujax.register`: a short name for whatever a user brings."""

import importlib
from typing import Any

from relujax.errors import InputError, short, unknown

# Where the registry of each kind is; only those that are asked for are imported.
_REGISTRIES = {
    "activation": "relujax.activations:REGISTRY",
    "data set": "relujax.data:SOURCES",
    "metric": "relujax.training:METRICS",
    "model": "relujax.networks:MODELS",
    "objective": "relujax.training:OBJECTIVES",
    "optimizer": "relujax.training:OPTIMIZERS",
    "training": "relujax.engine:TRAININGS",
}

_FRAMEWORKS = ("flax", "equinox", "haiku")


def register(
    name: str, obj: Any = None, *, kind: str | None = None, **facts: Any
) -> Any:
    """Give something of yours a name for spec strings, as a decorator or a call.

    The name then works wherever those of the library do, once the module that registers
    it is imported. An activation is one of

    - `f(x, *, alpha=0.3)`, whose floats can be traced, swept and scheduled;
    - `f(key, x, *, sigma=0.1)`, which draws noise in training, with `mean=` the
      function of the other arguments that evaluates it;
    - a factory, which takes hyperparameters only and returns an `Activation`, such as
      `Activation.learnable(f, {"alpha": 0.25})` or `Activation.loss_driven(f, ...)`.

    >>> import jax.numpy as jnp
    >>> import relujax
    >>> @relujax.register("wobble", formula="x + alpha sin x")
    ... def wobble(x, *, alpha=0.3):
    ...     return x + alpha * jnp.sin(x)
    >>> relujax.get("wobble(alpha=0.5)")
    relujax.get('wobble(alpha=0.5)')
    >>> relujax.properties("wobble").monotone
    True

    Args:
      name: an identifier. A second registration under it replaces the first.
      obj: what it names; leave it out to decorate.
      kind: "activation", "data set", "metric", "model", "objective", "optimizer" or
        "training". By default a Flax, Equinox or Haiku module is a model, everything
        else an activation.
      **facts: what the registry of that kind takes. Of an activation: `mean`,
        `formula`, `paper`, `kinks` (point to derivative there; worked out where they
        are not given), `domain` (such as `(("alpha", ">", 0),)`), `elsewhere`. Of a
        metric: `higher_is_better`.

    Returns:
      `obj`, or the decorator.

    Raises:
      InputError: the name belongs to the library, or the object is not of that kind.
    """
    if not isinstance(name, str):
        raise InputError(
            f"Expected a name first, @relujax.register('my_net'), got {short(name)}."
        )
    if obj is None:
        return lambda obj: register(name, obj, kind=kind, **facts)
    kind = _kind(obj) if kind is None else kind
    if kind not in _REGISTRIES:
        raise unknown("kind of part", str(kind), _REGISTRIES)
    if _is_local(obj):
        facts = {"local": True, **facts}
    try:
        _registry(kind).add(name, obj, **facts)
    except TypeError as error:
        wrong = str(error).rpartition("unexpected keyword argument ")[2]
        if wrong == str(error):
            raise
        raise InputError(
            f"Expected what is known of the {kind} {name}, got {wrong}, which is no "
            f"fact of one."
        ) from None
    return obj


def _registry(kind: str) -> Any:
    module, _, attribute = _REGISTRIES[kind].partition(":")
    return getattr(importlib.import_module(module), attribute)


def _kind(obj: Any) -> str:
    cls = obj if isinstance(obj, type) else type(obj)
    for base in cls.__mro__:
        if (
            base.__module__.partition(".")[0] in _FRAMEWORKS
            and base.__name__ == "Module"
        ):
            return "model"
    if isinstance(obj, type):
        raise InputError(
            f"Expected kind=... for the class {obj.__name__}, one of "
            f"{', '.join(map(repr, _REGISTRIES))}."
        )
    return "activation"


def _is_local(obj: Any) -> bool:
    """Whether no import can lead to it: another process would not find it."""
    module, name = getattr(obj, "__module__", ""), getattr(obj, "__qualname__", "")
    return module == "__main__" or "<" in name
