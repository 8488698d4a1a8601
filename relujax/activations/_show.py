"""An activation in words: what the library knows, and what it works out."""

from relujax import specs
from relujax.activations._gain import gain
from relujax.activations._properties import Properties, properties
from relujax.activations._registry import REGISTRY
from relujax.activations._spec import Activation

_SMOOTHNESS = {
    "discontinuous": "jumps",
    "C0": "continuous, its derivative jumps",
    "C1": "continuously differentiable once",
    "smooth": "smooth",
}


def facts(act: Activation, found: Properties | None = None) -> dict[str, str]:
    """What the library knows and works out of an activation, as words by heading.

    Args:
      act: the activation.
      found: its properties, where they are known already.
    """
    found = properties(act) if found is None else found
    known = REGISTRY.definition(act.id)
    kinks = [f"{number(d)} at {number(k)}" for k, d in sorted(found.kinks.items())]
    needs = {
        "a random key to train": act.needs_key,
        f"the {act.signal.name} fed back" if act.signal else "": act.signal,
        "learnable parameters": act.init((1, 1, 1, 1)),
    }
    line = {} if known.line is None else {"seen as one curve": known.line.words}
    return {
        **line,
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
        "paper": known.paper or "none known",
        "also in": known.elsewhere or "no other library known",
    }


def parameters(id: str) -> str:
    """The parameters of an activation with their defaults.

    >>> parameters("n_relu")
    'sigma=0.05, surrogate=None'
    """
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float)
        else name if value is specs.REQUIRED
        else f"{name}={value!r}"
        for name, value in REGISTRY.definition(id).defaults.items()
    )  # fmt: skip


def number(value: float) -> str:
    """At most four digits, with a real minus sign.

    >>> number(-0.25), number(float("inf"))
    ('−0.25', '∞')
    """
    return f"{value:.4g}".replace("inf", "∞").replace("-", "−")


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _pair(values: tuple[float, float]) -> str:
    if any(value != value for value in values):
        return "differ between the halves"
    return ", ".join(map(number, values))
