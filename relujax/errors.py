"""The one exception that bad input raises, and the sentences that it has in common."""

import difflib
from collections.abc import Iterable
from typing import Any

# Characters of a value that a message shows.
_SHOWN = 80


class InputError(ValueError):
    """Bad input from the user: its message is the whole story, one sentence or two.

    The command line prints the message and exits with code 2, without a traceback.
    """


class Pending(RuntimeError):
    """Nothing went wrong, but the rest of a run is trained elsewhere, or later.

    The command line prints the message and exits with code 0.
    """


def short(value: Any) -> str:
    """`repr(value)` as a message shows it, cut where it is long.

    >>> short("relu"), short("a" * 200)[-12:]
    ("'relu'", 'aaaaaaaaa...')
    """
    try:
        text = value[: _SHOWN + 1] if isinstance(value, str) else value
        text = " ".join(repr(text).split()) if not isinstance(text, str) else repr(text)
    except Exception as error:  # A user's own `__repr__` may do anything.
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def first_line(error: BaseException) -> str:
    """The first line of an error's message.

    >>> first_line(ValueError("one\\ntwo"))
    'one'
    """
    return str(error).partition("\n")[0]


def unknown(kind: str, name: Any, known: Iterable[str]) -> InputError:
    """The error for a name that is none of `known`, with the nearest ones offered.

    >>> print(unknown("activation", "rleu", ["relu", "elu"]))
    Unknown activation 'rleu'. Did you mean 'relu' or 'elu'?
    """
    known = sorted(known)
    text = str(name)[:_SHOWN].lower()
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.5)
    if near:
        hint = f"Did you mean {' or '.join(map(repr, near))}?"
    else:
        hint = f"Known: {', '.join(known)}."
    return InputError(f"Unknown {kind} {short(name)}. {hint}")


def article(noun: str) -> str:
    """`noun` with its indefinite article.

    >>> article("objective"), article("model")
    ('an objective', 'a model')
    """
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
