"""Import paths, `module:object`: what they lead to, and which leads to an object."""

import dataclasses
import importlib
import inspect
import sys
from typing import Any

from relujax import specs
from relujax.errors import InputError, unknown


def imported(path: str, kind: str) -> Any:
    """The object at an import path `module:object`.

    Raises:
      InputError: the module or the object is not there, or raises while it is imported.
    """
    module, _, qualified = path.partition(":")
    try:
        found = importlib.import_module(module)
    except Exception as error:
        if module.endswith(".py"):
            raise InputError(
                f"Expected the name of a module for the {kind} {path!r}, got that of "
                f"its file: write {module.removesuffix('.py')}:{qualified}."
            ) from error
        raise InputError(
            f"Expected to import {module!r} for the {kind} {path!r}, got "
            f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        ) from error
    for name in qualified.split("."):
        if not hasattr(found, name):
            raise unknown(f"{kind} in {module!r}:", name, _public(found))
        found = getattr(found, name)
    return found


def _public(obj: Any) -> list[str]:
    return [name for name in dir(obj) if not name.startswith("_")]


def path_of(obj: Any) -> str | None:
    """The spec that leads to an object: `module:object`, with arguments if it has some.

    An instance of a dataclass (a Linen module, say) is its class and the fields that
    differ from their defaults, if these are literals. None where no path leads to it.
    """
    # What `jax.jit` and the like make of a function is an object around it.
    if isinstance(obj, type) or inspect.isroutine(obj) or hasattr(obj, "__wrapped__"):
        return _import_path(obj)
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        path = _import_path(type(obj))
        values = _fields(obj)
        return None if path is None or values is None else specs.unparse(path, values)
    return None


def _import_path(obj: Any) -> str | None:
    module, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", "")
    if module is None or module == "__main__" or "<" in name:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{_public_home(module, name, obj)}:{name}" if found is obj else None


def _public_home(module: str, name: str, obj: Any) -> str:
    """The public module above a private one that has its object, too, if one does.

    `jax.nn` is where `jax.nn.elu` is found, though it says `jax._src.nn.functions`.
    """
    parts = module.split(".")
    public = [part for part in parts if not part.startswith("_")]
    for count in range(1, len(public) + 1) if public != parts else ():
        home = ".".join(public[:count])
        if getattr(sys.modules.get(home), name, None) is obj:
            return home
    return module


def _fields(obj: Any) -> dict[str, Any] | None:
    """The fields that differ from their defaults; None if one is not a literal."""
    values = {}
    for field in dataclasses.fields(obj):
        if not field.init or field.name in ("parent", "name"):
            continue
        value = getattr(obj, field.name)
        if field.default is not dataclasses.MISSING and value == field.default:
            continue
        if field.default_factory is not dataclasses.MISSING:
            if value == field.default_factory():
                continue
        if not is_literal(value):
            return None
        values[field.name] = value
    return values


def is_literal(value: Any) -> bool:
    """Whether a spec string can hold a value."""
    if isinstance(value, tuple | list):
        return all(map(is_literal, value))
    return value is None or type(value) in (bool, int, float, str)
