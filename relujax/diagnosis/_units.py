"""Along which axes the units of a site lie: those along which its weights differ."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from relujax.diagnosis._arguments import Axes, Settings
from relujax.diagnosis._jaxpr.flow import Origins, State, is_weight
from relujax.diagnosis._jaxpr.plan import Site
from relujax.diagnosis._jaxpr.reshapes import covered, runs_along
from relujax.diagnosis._jaxpr.selection import assigned
from relujax.errors import InputError


class Units(NamedTuple):
    """The units of a site.

    Attributes:
      axes: along which they lie, in order and not negative: one, or several, as where
        the members of an ensemble or the heads of a layer have an axis beside.
      doubt: why they may be others, if they may.
    """

    axes: tuple[int, ...]
    doubt: str = ""


def units_of(sites: list[Site], known: Origins, settings: Settings) -> dict[str, Units]:
    """The units of every site.

    Raises:
      InputError: a site has no axis for them beside that of the examples.
    """
    given = settings.unit_axis
    chosen: Mapping[str, Axes | None]
    if isinstance(given, Mapping):
        chosen = assigned(sites, given, None)
    else:
        chosen = {site.id: given for site in sites}
    found = {}
    for site in sites:
        axes, rank = chosen[site.id], len(site.shape)
        if axes is None:
            told = _told(site, known.sites[site.id], settings.channels_first)
        else:
            told = Units(tuple(axes) if isinstance(axes, Sequence) else (axes,))
        if rank < 2 or not all(-rank <= axis < rank for axis in told.axes):
            raise InputError(
                f"Expected a unit axis beside that of the examples at {site.id!r}, got "
                f"{_in_words(told.axes)} of shape {site.shape}; leave it out with "
                f"exclude=, or give unit_axis=."
            )
        axes = tuple(sorted({axis % rank for axis in told.axes}))
        found[site.id] = told._replace(axes=axes)
    return found


def _in_words(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"the axes {axes}"


def _told(site: Site, state: State, channels_first: bool) -> Units:
    """The axes that products owe to their weights, or else those of the weights."""
    rank = len(site.shape)
    last = 1 if channels_first and rank > 3 else rank - 1
    of_examples = {
        axis
        for label, at in state.items()
        for axis, spot in at.items()
        if label[0] == "data" and runs_along(spot, 0)
    }
    products = [label for label in state if label[0] == "product"]
    if any(learned := [label for label in products if label[2]]):
        products = learned
    # A product of positions or nodes has an axis of these; that of features is last.
    found = _largest(covered(state[label]) - of_examples for label in products)
    doubt = "data choose their weights" if ("picked",) in state else ""
    if any(covered(state[label]) & of_examples for label in products):
        doubt = "weights differ along the axis of the examples"
    if len(found) > 1:
        found = [axes for axes in found if last in axes] or found
        if len(found) > 1 or last not in found[0]:
            doubt = "the products before it have other axes each"
    if found:
        axes = found[-1]
        weights = [covered(at) - of_examples for k, at in state.items() if is_weight(k)]
        if not doubt and any(axes < more for more in weights):
            doubt = "scales or biases of theirs differ along more axes"
        return Units(tuple(sorted(axes)), doubt)
    if any(axis in state[label] for label in products for axis in state[label]):
        doubt = "they are one axis with what is not theirs"
    held = [set(at) - of_examples for k, at in state.items() if is_weight(k)]
    told = [axes for axes in held if axes]
    common = set.intersection(*told) if told else set()
    if not common:
        return Units((last,), doubt)
    # Of weights whose axes are hidden, the last one that others have.
    return Units(tuple(sorted(common)) if told == held else (max(common),), doubt)


def _largest(sets: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """Those that are not part of another one."""
    given: list[Any] = [*dict.fromkeys(s for s in sets if s)]
    return [s for s in given if not any(s < other for other in given)]
