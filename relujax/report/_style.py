"""The look of every figure: colours, markers, type, and how a figure becomes a file."""

import base64
import hashlib
import io
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH = 7.2  # inches: the text width of the page
INK, SOFT, FAINT = "#1a1d21", "#5b6470", "#dfe3e8"

# Okabe and Ito's palette, told apart with every common colour-vision deficiency; its
# yellow is too light for lines on white. The baseline takes the ink.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = ("s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)))

RC: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.8,
    "lines.linewidth": 1.5,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "relujax",
}


class Style(NamedTuple):
    """How one activation is drawn, the same in every figure of a report."""

    color: str
    marker: str
    dash: Any


class Plate(NamedTuple):
    """A figure with the words around it.

    Attributes:
      name: its file name without suffix.
      title: what it shows, a few words.
      caption: how to read it: what the marks and bands are, and the number of seeds.
      figure: the drawing.
    """

    name: str
    title: str
    caption: str
    figure: Figure


def styles(activations: Sequence[str], baseline: str) -> dict[str, Style]:
    """Colour, marker and dash of each activation; no two agree in all three."""
    others = [name for name in activations if name != baseline]
    chosen = {
        name: Style(
            COLORS[i % len(COLORS)],
            MARKERS[i % len(MARKERS)],
            DASHES[i // len(COLORS) % len(DASHES)],
        )
        for i, name in enumerate(others)
    }
    return {baseline: Style(INK, "o", "-")} | chosen


@contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib's defaults with the report's style, restored on leaving."""
    with mpl.rc_context(), mpl.rc_context(mpl.rcParamsDefault | RC):
        yield


def canvas(height: float, width: float = WIDTH) -> Figure:
    """An empty figure that lays itself out, on no screen."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def wrapped(spec: str, width: int = 24) -> str:
    """A spec string broken to lines of at most about `width` characters.

    >>> print(wrapped("srelu(left=-0.1, slope=0.2, right=1.0)"))
    srelu(left=-0.1,
    slope=0.2, right=1.0)
    """
    if len(spec) <= width:
        return spec
    # A bracket is a place to break, too.
    lines = textwrap.wrap(spec.replace("(", "( "), width, break_on_hyphens=False)
    return "\n".join(lines).replace("( ", "(")


def fitted(label: str, inches: float) -> str:
    """The label of an axis or colour bar, broken to lines that are not cut.

    Args:
      label: a few words.
      inches: how long the axis is.
    """
    # A character of 9 points is a twelfth of an inch wide, or less.
    return wrapped(label, max(12, int(12 * inches)))


def rows_height(specs: Iterable[str]) -> float:
    """The height in inches of rows labelled with these spec strings.

    At least two rows' worth, for the axis needs room.
    """
    lines = [max(1.15, 0.5 * len(wrapped(spec).split("\n"))) for spec in specs]
    return 0.36 * max(sum(lines), 2)


def slug(text: str) -> str:
    """A file name made of `text`; a long one ends with a hash of the rest.

    >>> slug("wdbc · mlp(width=512)"), slug("…"), slug("a" * 200)[76:]
    ('wdbc-mlp-width-512', 'untitled', 'aaaa-c2a908d9')
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "untitled"
    if len(name) <= 100:
        return name
    return f"{name[:80]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def svg(figure: Figure) -> bytes:
    """The figure as SVG, the same bytes every time."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as PNG, the same bytes every time."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def data_uri(code: bytes) -> str:
    """SVG code as a data URI."""
    return f"data:image/svg+xml;base64,{base64.b64encode(code).decode('ascii')}"
