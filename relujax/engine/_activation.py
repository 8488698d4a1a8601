"""The activation of a cell: one for the network, or replacements in a user's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relujax import activations
from relujax.activations import Activation
from relujax.errors import InputError, short
from relujax.parts import Part

#: The activation of a cell whose network keeps its own.
OWN = "own"

# Between a site and its activation, and between sites, in the text of replacements.
_TO, _AND = ": ", "; "


def activation_text(given: Any) -> str:
    """The text of what a user gives as the activation of a cell.

    >>> activation_text({"relu": "prelu", "Net/tanh_0": "elu"})
    'relu: prelu; Net/tanh_0: elu'
    """
    if isinstance(given, Mapping):
        if not given:
            raise InputError("Expected {site: activation}, got an empty dict.")
        pairs = [f"{site}{_TO}{activation_text(v)}" for site, v in given.items()]
        return _AND.join(pairs)
    if isinstance(given, str):
        return given
    return activations.REGISTRY.text(given)


def activation_part(text: str) -> Part:
    """The part of the text; its numbers are traced unless it replaces some sites."""
    if text == OWN:
        return unchecked(OWN)
    if _TO in text:
        chosen = _chosen(text)
        if not chosen:
            raise InputError(
                f"Expected a site that gets another activation, got {short(text)}."
            )
        sources = tuple((str(act), _source(act.id)) for act in chosen.values())
        return Part("activation", text, _Get(text, sources), (), {})
    act = activations.get(text)
    values = act.hyperparameters
    static = {k: v for k, v in values.items() if not isinstance(v, float)}
    numeric = {k: v for k, v in values.items() if isinstance(v, float)}
    return Part(
        "activation",
        act.id,
        _Get(act.id, _source(act.id)),
        tuple(sorted(static.items())),
        numeric,
        tuple(numeric),
    )


def unchecked(text: str) -> Part:
    """The part of a text that is passed on to a training of the user's as it is."""
    return Part("activation", text, _Get(text, None), (), {})


def is_replacement(part: Part) -> bool:
    """Whether the part names sites of a network and their activations."""
    return _TO in part.name


def replacements(part: Part) -> dict[str, Activation]:
    """Site to activation of a part that names sites."""
    return _chosen(part.name)


def excluded(part: Part) -> list[str]:
    """The sites that keep their own activation in a part that names sites."""
    return [site for site, spec in _pairs(part.name) if spec == OWN]


def _chosen(text: str) -> dict[str, Activation]:
    return {s: activations.get(spec) for s, spec in _pairs(text) if spec != OWN}


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = [item.partition(_TO)[::2] for item in text.split(_AND)]
    return [(site.strip(), spec.strip()) for site, spec in pairs]


def _source(id: str) -> Callable | None:
    """What tells two activations of one name apart, if it is registered anew."""
    try:
        return activations.REGISTRY.definition(id).function
    except InputError:
        return None


@dataclass(frozen=True)
class _Get:
    """Builds the activation; equal to another if name and function are the same."""

    name: str
    source: Any

    def __call__(self, **values: Any) -> Activation:
        return activations.get(self.name, **values)
