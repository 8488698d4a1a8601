"""Spec strings: `name(key=value, ...)`, the text form of anything configurable.

Activations, models, optimisers and data sets are all named this way, so that a whole
experiment is a few strings: readable, hashable and safe to store as JSON.
"""

import ast
from collections.abc import Mapping
from typing import Any

from relujax.errors import InputError, unknown


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Split a spec string into its name and keyword values (Python literals).

    >>> parse("n_relu(sigma=0.1)")
    ('n_relu', {'sigma': 0.1})
    >>> parse("relu")
    ('relu', {})

    Raises:
      InputError: `text` is not of the form `name` or `name(key=value, ...)`.
    """
    wrong = InputError(
        f"Expected a spec such as 'relu' or 'n_relu(sigma=0.1)', got {text!r}."
    )
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise wrong from None
    if isinstance(node, ast.Name):
        return node.id, {}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise wrong
    name = node.func.id
    if node.args:
        raise InputError(
            f"Expected keyword=value pairs in {text!r}, got the bare value "
            f"{ast.unparse(node.args[0])}: write which parameter of {name!r} it is."
        )
    values: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise wrong
        if keyword.arg in values:
            raise InputError(
                f"Expected {keyword.arg!r} once in {text!r}, got it twice."
            )
        try:
            values[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            raise InputError(
                f"Expected a number, string or tuple for {keyword.arg!r} in {text!r}, "
                f"got {ast.unparse(keyword.value)}."
            ) from None
    return name, values


def unparse(name: str, values: Mapping[str, Any]) -> str:
    """The spec string of a name and its values: the inverse of `parse`.

    >>> unparse("n_relu", {"sigma": 0.1})
    'n_relu(sigma=0.1)'
    >>> unparse("relu", {})
    'relu'

    An array or a function has no such form: `<float32[]>` says what it was.
    """
    if not values:
        return name
    return f"{name}({', '.join(f'{k}={_literal(v)}' for k, v in values.items())})"


def fill(
    what: str, defaults: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """`defaults` updated by `values`, each in the type of its default.

    >>> fill("optimizer adam", {"learning_rate": 1e-3}, {"learning_rate": 1})
    {'learning_rate': 1.0}

    Args:
      what: what the parameters belong to, for the messages.
      defaults: every parameter with its default.
      values: what the user gave.

    Raises:
      InputError: a parameter is unknown, or not a number where the default is one.
    """
    filled = dict(defaults)
    for name, value in values.items():
        if name not in defaults:
            raise unknown(f"parameter of {what}:", name, defaults)
        if isinstance(defaults[name], float):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InputError(
                    f"Expected a number for {name!r} of {what}, got {value!r} instead."
                )
            value = float(value)
        filled[name] = value
    return filled


def _literal(value: Any) -> str:
    # Arrays and schedules have no literal; what they are still tells what ran.
    if hasattr(value, "dtype"):
        return f"<{value.dtype}{list(value.shape)}>"
    if callable(value):
        # A schedule that was given as text gives that text back.
        if hasattr(value, "spec"):
            return repr(value.spec)
        return f"<{getattr(value, '__name__', type(value).__name__)}>"
    return repr(value)
