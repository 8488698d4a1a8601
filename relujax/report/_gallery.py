"""The gallery: every activation, pictured and described, on one page."""

from pathlib import Path

import jinja2

from relujax.activations import (
    Activation,
    Properties,
    gain,
    get,
    names,
    properties,
)
from relujax.activations._registry import definition
from relujax.report._activation_plots import card, plate
from relujax.report._style import data_uri, drawing, png, svg

_SMOOTHNESS = {
    "discontinuous": "jumps",
    "C0": "continuous, its derivative jumps",
    "C1": "continuously differentiable once",
    "smooth": "smooth",
}


def facts(act: Activation, found: Properties) -> dict[str, str]:
    """What the library knows and works out of an activation, as words by heading."""
    known = definition(act.id)
    kinks = [f"{number(d)} at {number(k)}" for k, d in sorted(found.kinks.items())]
    needs = {
        "a random key to train": act.needs_key,
        f"the {act.signal.name} fed back" if act.signal else "": act.signal,
        "learnable parameters": act.init((1, 1, 1, 1), "float32"),
    }
    return {
        "defaults": parameters(act.id) or "no parameters",
        "needs": ", ".join(need for need, is_so in needs.items() if is_so) or "nothing",
        "derivative at kinks": ", ".join(kinks) or "no kinks",
        "smoothness": _SMOOTHNESS[found.smoothness],
        "monotone": _yes(found.monotone),
        "values": f"from {number(found.lower)} to {number(found.upper)}",
        "value at −∞, ∞": _pair(found.limits),
        "derivative at −∞, ∞": _pair(found.slope_limits),
        "units can die": _yes(found.dying),
        "homogeneous": _yes(found.homogeneous),
        "gain": f"{gain(act):.4f}",
        "paper": known.paper,
        "also in": known.elsewhere or "no other library known",
    }


def parameters(id: str) -> str:
    """The parameters of an activation with their defaults.

    >>> parameters("n_relu")
    'sigma=0.05, surrogate=None'
    """
    defaults = definition(id).defaults.items()
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value!r}"
        for name, value in defaults
    )


def number(value: float) -> str:
    """At most four digits, with a real minus sign.

    >>> number(-0.25), number(float("inf"))
    ('−0.25', '∞')
    """
    return f"{value:.4g}".replace("inf", "∞").replace("-", "−")


def write_gallery(out: Path) -> Path:
    """Write `gallery.html`, which needs no other file, and `gallery.png`."""
    out.mkdir(parents=True, exist_ok=True)
    activations = [(act := get(name), properties(act)) for name in names()]
    with drawing():
        picture, cards = plate(activations), [card(*pair) for pair in activations]
    (out / "gallery.png").write_bytes(png(picture))
    items = [
        {
            "id": act.id,
            "formula": definition(act.id).formula,
            "uri": data_uri(svg(figure)),
            "facts": facts(act, found),
        }
        for (act, found), figure in zip(activations, cards, strict=True)
    ]
    template = jinja2.Environment(
        loader=jinja2.PackageLoader("relujax.report", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    ).get_template("gallery.html.j2")
    path = out / "gallery.html"
    path.write_text(template.render(items=items), encoding="utf-8")
    return path


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _pair(values: tuple[float, float]) -> str:
    if any(value != value for value in values):
        return "differ between the halves"
    return ", ".join(map(number, values))
