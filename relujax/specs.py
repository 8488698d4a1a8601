"""Spec strings, and the one check of what a user gives to anything configurable.

    name(key=value, ...)                      a registered name
    package.module:Class(key=value, ...)      whatever can be imported

Activations, models, optimisers, objectives, metrics and data sets are all named this
way, so that a whole experiment is a few strings: readable, hashable and safe to store
as JSON. What a part takes is read off its signature (`parameters_of`), and the values
are checked in one place (`check`), with the same sentences everywhere.
"""

import ast
import functools
import inspect
import math
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from relujax.errors import InputError, short, unknown

#: The longest spec string that is read.
LONGEST = 20_000

_HEAD = re.compile(
    r"\s*([A-Za-z_][\w.]*:[A-Za-z_][\w.]*|[A-Za-z_]\w*)\s*(\(.*\))?\s*", re.S
)

# The largest whole number that the stores and the compiled programs hold.
_MOST = 2**63 - 1

# Words of annotations that let a float in, and that let it be traced.
_TRACED = ("ArrayLike", "Array", "Scalar")


class Parameter(NamedTuple):
    """What one keyword of a part takes.

    Attributes:
      default: its default; `REQUIRED` if there is none.
      kind: "float", "int", "bool", "str", "floats" or "ints" (tuples), or "any".
      optional: whether None is a value.
      traced: whether a float here can be an argument of the compiled program, so that
        another value of it compiles nothing.
    """

    default: Any
    kind: str = "any"
    optional: bool = False
    traced: bool = False


#: The default of a parameter that must be given.
REQUIRED: Any = inspect.Parameter.empty

Parameters = Mapping[str, Parameter]


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Split a spec string into its name and keyword values (Python literals).

    >>> parse("n_relu(sigma=0.1)")
    ('n_relu', {'sigma': 0.1})
    >>> parse("mypackage.nets:ResNet(depth=20)")
    ('mypackage.nets:ResNet', {'depth': 20})

    Raises:
      InputError: `text` is not of the form `name` or `name(key=value, ...)`.
    """
    wrong = InputError(
        f"Expected a spec such as 'relu', 'n_relu(sigma=0.1)' or "
        f"'mypackage.nets:ResNet(depth=20)', got {short(text)}."
    )
    if not isinstance(text, str) or len(text) > LONGEST:
        raise wrong
    match = _HEAD.fullmatch(text)
    if match is None:
        raise wrong
    name, rest = match.groups()
    try:
        # The whole call, so that nothing can follow the closing bracket.
        node = ast.parse(f"f{rest or '()'}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise wrong from None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise wrong
    if node.args:
        raise InputError(
            f"Expected keyword=value pairs in {short(text)}, got the bare value "
            f"{_source(node.args[0])}: write which parameter of {name!r} it is."
        )
    values: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise wrong
        if keyword.arg in values:
            raise InputError(
                f"Expected {keyword.arg!r} once in {short(text)}, got it twice."
            )
        try:
            values[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError, MemoryError, SyntaxError):
            raise InputError(
                f"Expected a number, string or tuple for {keyword.arg!r} in "
                f"{short(text)}, got {_source(keyword.value)}."
            ) from None
    return name, values


def _source(node: ast.AST) -> str:
    try:
        text = ast.unparse(node)
    except RecursionError:
        return "something deeply nested"
    return text if len(text) < 80 else f"{text[:77]}..."


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


def is_path(name: str) -> bool:
    """Whether a spec's name is an import path, `module:object`."""
    return ":" in name


def parameters_of(
    fn: Callable, *, skip: tuple[str, ...] = (), floats_traced: bool = True
) -> dict[str, Parameter]:
    """What a function, class or dataclass takes by keyword, read off its signature.

    A float default, or an annotation with `float`, makes a number; `jax.Array` or
    `ArrayLike` in the annotation lets it be traced.

    >>> parameters_of(lambda x, *, alpha=0.3: x, skip=("x",))["alpha"].kind
    'float'

    Args:
      fn: the factory.
      skip: names that its caller gives, not the user.
      floats_traced: whether other numbers may be traced, too.
    """
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        p.name: parameter(p.default, _annotation(fn, p), floats_traced)
        for p in signature_of(fn).parameters.values()
        if p.name not in skip and p.kind not in variadic
    }


def signature_of(fn: Callable) -> inspect.Signature:
    """The signature of a function or class; an empty one where Python knows none.

    That of a class is its constructor's, also where a metaclass hides it (NNX), and
    that of a `functools.partial` lacks what is bound.
    """
    bound = fn if isinstance(fn, functools.partial) else functools.partial(fn)
    meta = type(bound.func)
    if isinstance(bound.func, type) and not hasattr(meta, "__signature__"):
        if meta.__call__ is not type.__call__:
            constructor = bound.func.__init__
            fn = functools.partial(constructor, None, *bound.args, **bound.keywords)
    try:
        return inspect.signature(fn)
    except (TypeError, ValueError):
        return inspect.Signature()  # Some classes written in C have none.


def parameter(
    default: Any, annotation: str = "", floats_traced: bool = True
) -> Parameter:
    """The parameter that a default and the text of an annotation describe.

    >>> parameter(None, "int | None")
    Parameter(default=None, kind='int', optional=True, traced=False)
    """
    optional = default is None or "None" in annotation or "Optional" in annotation
    array = any(word in annotation for word in _TRACED)
    traceable = array or floats_traced
    for kind, cls in (("bool", bool), ("int", int), ("float", float), ("str", str)):
        if type(default) is cls:
            traced = kind == "float" and traceable
            return Parameter(default, kind, optional, traced)
    if isinstance(default, tuple) and default:
        whole = all(type(item) is int for item in default)
        numbers = all(type(item) in (int, float) for item in default)
        kind = "ints" if whole else "floats" if numbers else "any"
        return Parameter(default, kind, optional)
    words = set(re.findall(r"\w+", annotation)) - {"None", "Optional", "Union"}
    if "tuple" in words or "Sequence" in words or "list" in words:
        kind = "ints" if "int" in words else "floats" if "float" in words else "any"
        return Parameter(default, kind, optional)
    if array or "float" in words:
        return Parameter(default, "float", optional, traceable)
    plain = [kind for kind in ("bool", "int", "str") if words == {kind}]
    return Parameter(default, plain[0] if plain else "any", optional)


def _annotation(fn: Callable, p: inspect.Parameter) -> str:
    if p.annotation is p.empty:
        return ""
    if isinstance(p.annotation, str):
        return p.annotation
    if typing.get_origin(p.annotation) is None and hasattr(p.annotation, "__name__"):
        return p.annotation.__name__
    return str(p.annotation)


def check(
    what: str, parameters: Parameters, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Every parameter with its value: the given one, in the type of the parameter.

    >>> check("optimizer adam", {"rate": parameter(1e-3)}, {"rate": 1})
    {'rate': 1.0}

    Arrays, tracers and schedules (functions of the step) pass for a float.

    Args:
      what: what the parameters belong to, for the messages.
      parameters: every parameter.
      values: what the user gave.

    Raises:
      InputError: a parameter is unknown or missing, or a value of another kind.
    """
    for name in values:
        if name not in parameters:
            if not parameters:
                raise InputError(f"Expected no parameter for {what}, got {name!r}.")
            raise unknown(f"parameter of {what}:", name, parameters)
    filled: dict[str, Any] = {}
    for name, known in parameters.items():
        if name in values:
            filled[name] = _coerced(what, name, known, values[name])
        elif known.default is REQUIRED:
            raise InputError(
                f"Expected a value for {name!r} of {what}, got none: write "
                f"{name}=... between its brackets."
            )
        else:
            filled[name] = known.default
    return filled


_EXPECTED = {
    "float": "a finite number",
    "int": "a whole number",
    "bool": "True or False",
    "str": "a string",
    "floats": "a tuple of finite numbers",
    "ints": "a tuple of whole numbers",
}


def _coerced(what: str, name: str, known: Parameter, value: Any) -> Any:
    if value is None and known.optional:
        return None
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        value = value.item()  # pyright: ignore
    if known.kind == "any":
        return value
    fitting = _AS[known.kind](value)
    if fitting is not None:
        return fitting
    expected = _EXPECTED.get(known.kind, "a value") + " or None" * known.optional
    raise InputError(
        f"Expected {expected} for {name!r} of {what}, got {short(value)} instead."
    )


def _as_float(value: Any) -> Any:
    if hasattr(value, "dtype") or callable(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _as_int(value: Any) -> int | None:
    return value if type(value) is int and abs(value) <= _MOST else None


def _as_tuple(of: Callable[[Any], Any]) -> Callable[[Any], tuple | None]:
    def convert(value):
        if not isinstance(value, tuple | list):
            return None
        items = tuple(map(of, value))
        return None if None in items else items

    return convert


_AS: Mapping[str, Callable[[Any], Any]] = {
    "float": _as_float,
    "int": _as_int,
    "bool": lambda value: value if type(value) is bool else None,
    "str": lambda value: value if type(value) is str else None,
    "floats": _as_tuple(_as_float),
    "ints": _as_tuple(_as_int),
}


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
