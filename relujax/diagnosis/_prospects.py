"""Whether anything can bring a dead unit back, by where its input comes from."""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any

from relujax.diagnosis._jaxpr.flow import Label, Origins, State
from relujax.diagnosis._jaxpr.reshapes import covered


class Prospect(Enum):
    """What can move the pre-activation of a unit that passes no gradient on."""

    ALONE = "nothing: all that goes in is its own, and leads nowhere else"
    LAYER = "nothing once all of its layer is dead, for all leads through the layer"
    BEFORE = "what comes before it, which has other ways to the output"
    ELSEWHERE = "its own weights, which have other ways to the output"


def prospects(
    origins: Origins, axes: Mapping[str, tuple[int, ...]], frozen: bool
) -> dict[str, Prospect]:
    """The prospect of the units of every site.

    Args:
      origins: of the program.
      axes: site id to the axes of its units.
      frozen: whether constants of the program are no parameters, as where those are
        given.
    """
    ways = _ways(origins)
    return {
        id: _prospect(id, origins.sites[id], set(own), ways, frozen)
        for id, own in axes.items()
    }


def _is_parameter(label: Label, frozen: bool) -> bool:
    return label[0] == "input" or (label[0] == "const" and not frozen)


def _is_site(label: Label) -> bool:
    return isinstance(label, str)


def _ways(origins: Origins) -> dict[Label, set[Any]]:
    """Label to the sites that it leads to first, and None for the output."""
    ways: dict[Label, set[Any]] = {}
    for id, state in [*origins.sites.items(), (None, origins.outputs)]:
        for label in state:
            if label != id:
                ways.setdefault(label, set()).add(id)
    return ways


def _prospect(
    id: str, state: State, axes: set[int], ways: Mapping[Label, set[Any]], frozen: bool
) -> Prospect:
    weights = [label for label in state if _is_parameter(label, frozen)]
    own = [label for label in weights if axes <= covered(state[label])]
    if any(ways[label] != {id} for label in own):
        return Prospect.ELSEWHERE
    before = [label for label in state if _is_site(label)]
    if own == weights and not before:
        return Prospect.ALONE
    through = _led_through(id, ways)
    all_through = all(label in through for label in (*weights, *before))
    return Prospect.LAYER if all_through else Prospect.BEFORE


def _led_through(id: str, ways: Mapping[Label, set[Any]]) -> Collection[Label]:
    """All whose every way to the output leads through a site."""
    through: set[Label] = {id}
    while True:
        more = {l for l, to in ways.items() if l not in through and to <= through}
        if not more:
            return through
        through |= more
