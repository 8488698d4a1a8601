"""The one exception that bad input raises, and the sentence that names neighbours."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input from the user: its message is the whole story, one sentence or two.

    The command line prints the message and exits with code 2, without a traceback.
    """


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is none of `known`, with the nearest ones offered.

    >>> print(unknown("activation", "rleu", ["relu", "elu"]))
    Unknown activation 'rleu'. Did you mean 'relu' or 'elu'?
    """
    known = sorted(known)
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    if near:
        hint = f"Did you mean {' or '.join(map(repr, near))}?"
    else:
        hint = f"Known: {', '.join(known)}."
    return InputError(f"Unknown {kind} {name!r}. {hint}")
