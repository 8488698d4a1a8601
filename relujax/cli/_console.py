"""What all commands print through: any text, on any terminal, in any encoding."""

import codecs
import sys
import unicodedata

from rich.console import Console
from rich.markup import escape

#: Where commands print; `:name:` in a path is not taken for an emoji.
console = Console(highlight=False, emoji=False)

# How the signs that we print are written where an encoding lacks them.
_SPELLINGS = {
    "′": "'",
    "−": "-",
    "–": "-",
    "…": "...",
    "∞": "inf",
    "·": "-",
    "×": "x",
    "✓": "yes",
}


def plain(text: object) -> str:
    """Text of unknown origin, as it may stand among markup."""
    from relujax import files  # `--help` needs none of it.

    return escape(files.shown(text))


def say(markup: str) -> None:
    """Print a line that wraps where the terminal does."""
    console.print(markup, soft_wrap=True)


def print_anything() -> None:
    """Let standard output and error take every sign, whatever their encoding.

    A sign that the encoding lacks is spelled out, or is a question mark.
    """
    codecs.register_error("relujax", _spell)
    for stream in (sys.stdout, sys.stderr):
        # What replaces them in a notebook or a test need not have an encoding.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="relujax")  # pyright: ignore


def _spell(error: UnicodeError) -> tuple[str, int]:
    """The error handler: spellings of signs that cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_spelling, lacking)), error.end


def _spelling(sign: str) -> str:
    """`sign` in ASCII.

    >>> _spelling("′"), _spelling("é"), _spelling("日")
    ("'", 'e', '?')
    """
    letters = _SPELLINGS.get(sign) or unicodedata.normalize("NFKD", sign)
    return letters.encode("ascii", "ignore").decode() or "?"
