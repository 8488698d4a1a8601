"""The page of an experiment that is a script, kept under `results/`."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import flax
import jax
import matplotlib as mpl
from matplotlib.figure import Figure

import relujax

RESULTS = Path(__file__).parent / "results"


def origin() -> str:
    """When this is made, and by which versions: a line of the page."""
    versions = f"JAX {jax.__version__}, Flax {flax.__version__}"
    return f"{datetime.now(UTC).date()}; {versions}, relujax {relujax.__version__}"


def save(name: str, text: str, draw: Callable[[], Figure]) -> Path:
    """Write `README.md` and a figure, as PNG and SVG, into `results/<name>`."""
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(text, encoding="utf-8")
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "relujax"}):
        figure = draw()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        figure.savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})
    return folder
