"""The gallery: every activation, pictured and described, on one page."""

from collections.abc import Callable
from pathlib import Path

import jinja2

from relujax.activations import (
    REGISTRY,
    Activation,
    Properties,
    facts,
    get,
    names,
    properties,
)
from relujax.report._activation_plots import card, plate, portrait
from relujax.report._style import data_uri, drawing, png, svg

_WRITERS = {".png": png, ".svg": svg}


def write_portrait(act: Activation, found: Properties, path: Path) -> None:
    """Draw one activation, of these properties, as `.png` or `.svg`."""
    with drawing():
        picture = portrait(act, found)
    path.write_bytes(_WRITERS[path.suffix.lower()](picture))


def write_gallery(out: Path, *, drawn: Callable[[], None] = lambda: None) -> Path:
    """Write `gallery.html`, which needs no other file, and `gallery.png`.

    Args:
      out: the folder, made where it is missing.
      drawn: called after each picture: twice for every activation.
    """
    out.mkdir(parents=True, exist_ok=True)
    activations = [(act := get(name), properties(act)) for name in names(gated=True)]
    with drawing():
        picture = plate(activations, drawn=drawn)
    (out / "gallery.png").write_bytes(png(picture))
    items = []
    for act, found in activations:
        with drawing():
            figure = card(act, found)
        items.append(
            {
                "id": act.id,
                "formula": REGISTRY.definition(act.id).formula,
                "uri": data_uri(svg(figure)),
                "facts": facts(act, found),
            }
        )
        drawn()
    template = jinja2.Environment(
        loader=jinja2.PackageLoader("relujax.report", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    ).get_template("gallery.html.j2")
    path = out / "gallery.html"
    path.write_text(template.render(items=items), encoding="utf-8")
    return path
