"""What a diagnosis says, in plain sentences: a headline, then the layers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from relujax.diagnosis._jaxpr.selection import not_recognised
from relujax.diagnosis._prospects import Prospect
from relujax.diagnosis._statistics import Statistics, definitions

if TYPE_CHECKING:
    from relujax.diagnosis._diagnosis import Diagnosis, Layer

# How many layers a summary describes; it counts the others.
SHOWN = 10
# From how many iterations on a scan is rather one over time.
_MANY_STEPS = 20


class Group(NamedTuple):
    """A layer of all seeds.

    Attributes:
      seeds: the layer of each.
      dead: which units are dead: never positive, and no gradient reaches them; booleans
        `[seeds, units]`.
      lost: which of them are not finite.
    """

    seeds: list["Layer"]
    dead: np.ndarray
    lost: np.ndarray

    @property
    def name(self) -> str:
        """The name of the layer."""
        return self.seeds[0].name

    @property
    def units(self) -> int:
        """How many units it has."""
        return self.dead.shape[-1]


def grouped(diagnosis: "Diagnosis") -> list[Group]:
    """The layers in the order of the program, all seeds of one together."""
    layers: dict[str, list[Layer]] = {}
    for layer in diagnosis.layers():
        layers.setdefault(layer.name, []).append(layer)
    tests = definitions(diagnosis.taus, diagnosis.epsilons)
    groups = []
    for seeds in layers.values():
        dead = [
            tests["never_positive"](layer.statistics) & _stuck(layer.statistics)
            for layer in seeds
        ]
        lost = [tests["not_finite"](layer.statistics) for layer in seeds]
        groups.append(Group(seeds, np.stack(dead), np.stack(lost)))
    return groups


def _stuck(s: Statistics) -> np.ndarray:
    """Where no gradient arrives: as measured, or else as the slope tells."""
    return np.where(np.isnan(s.gradient), s.steep == 0, s.gradient == 0)


def headline(diagnosis: "Diagnosis") -> str:
    """The one sentence that there is to say."""
    groups = grouped(diagnosis)
    units = sum(group.units for group in groups)
    dead = sum(group.dead.sum() for group in groups) / len(groups[0].seeds)
    if dead == units:
        said = (
            "The only unit is dead" if units == 1 else f"All {units:,} units are dead"
        )
    elif dead:
        said = f"{_number(dead)} of {units:,} units {'is' if dead == 1 else 'are'} dead"
        said += _dead_end(groups)
    else:
        said = f"None of {units:,} units is dead" if units > 1 else "The unit is alive"
    if len(groups[0].seeds) > 1:
        said += f" (mean of {len(groups[0].seeds)} seeds)"
    bad = _not_finite(diagnosis, groups)
    if bad and all(group.lost.all() for group in groups):
        return bad.strip()
    return f"{bad}{said}."


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _dead_end(groups: Sequence[Group]) -> str:
    """From which layer on everything is dead, if from any."""
    end = len(groups)
    while end and groups[end - 1].dead.all():
        end -= 1
    if end == len(groups):
        return ""
    if end == len(groups) - 1:
        return f"; all of the last layer ({groups[end].name})"
    return f"; everything from layer {end + 1} on ({groups[end].name})"


def _not_finite(diagnosis: "Diagnosis", groups: Sequence[Group]) -> str:
    """That numbers are none, and whose fault it is."""
    bad = [group for group in groups if group.lost.any()]
    data = diagnosis.data_not_finite
    if not bad and data is None:
        return ""
    lost = sum(int(group.lost.any(0).sum()) for group in bad)
    where = "gradients"
    if bad:
        where = f"{lost:,} unit{'s' * (lost != 1)} from {bad[0].name} on"
    if data is None:
        gives = "gives" if lost == 1 else "give"
        return f"The network has diverged: {where} {gives} no finite numbers. "
    held = (
        f"{data.values:,} value{'s are' if data.values != 1 else ' is'} NaN or infinite"
    )
    first = f"the first in {data.first}" if data.values > 1 else f"in {data.first}"
    return f"The data are not finite: {held}, {first}, and so {where}. "


def summary(diagnosis: "Diagnosis") -> str:
    """The headline, a sentence for each of the ten worst layers, and what else is."""
    groups = grouped(diagnosis)
    lines = [headline(diagnosis)]
    shown = groups
    if len(groups) > SHOWN:
        # A stable sort: equally bad ones stay in the order of the program.
        worst = sorted(groups, key=lambda g: -(g.dead | g.lost).mean())
        shown = worst[:SHOWN]
        lines.append(f"The worst {SHOWN} of {len(groups):,} layers:")
    lines += [paragraph(diagnosis, group.seeds) for group in shown]
    if len(groups) > SHOWN:
        rest = worst[SHOWN:]
        some = sum(bool((group.dead | group.lost).any()) for group in rest)
        lines.append(
            f"Of the other {_count(len(rest), 'layer')}, {some:,} "
            f"{'has' if some == 1 else 'have'} dead units; .table() lists them all."
        )
    lines += notes(diagnosis)
    return "\n".join(lines)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def notes(diagnosis: "Diagnosis") -> list[str]:
    """What was not looked at, and what might be looked at otherwise."""
    said = []
    if diagnosis.unnamed:
        said.append(f"{not_recognised(diagnosis.unnamed)}.")
    if single := diagnosis.single:
        names = ", ".join(single[:5]) + ", ..." * (len(single) > 5)
        sees = "sees" if len(single) == 1 else "see"
        said.append(
            f"{_count(len(single), 'activation')} left out, which {sees} one example "
            f"at a time in a loop: {names}; jax.vmap in its place shows the units."
        )
    for id, doubt in diagnosis.doubts.items():
        others = len(diagnosis.doubts) - 1
        more = f" (and of {others} more)" if others else ""
        said.append(
            f"The units of {id}{more} are those along axis {diagnosis.unit_axes[id]} "
            f"of its input, which may be wrong: {doubt}; unit_axis= says which they "
            f"are."
        )
        break
    for site in diagnosis.sites:
        loops = diagnosis.statistics[site.id].count.shape[int(diagnosis.seeded) : -1]
        steps = int(np.prod(loops))
        if loops and steps >= _MANY_STEPS:
            said.append(
                f"Each of the {steps:,} iterations of {site.id} counts as a layer; if "
                f"they are steps in time, merge_loops=True makes them one."
            )
            break
    return said


def paragraph(diagnosis: "Diagnosis", seeds: Sequence["Layer"]) -> str:
    """What there is to say of one layer, of one network or of all seeds."""
    site = seeds[0].site
    head = f"{seeds[0].name} ({site.source}):"
    if not any(layer.statistics.count.any() for layer in seeds):
        return f"{head} never ran."
    tests = definitions(diagnosis.taus, diagnosis.epsilons)
    masks = {
        name: np.stack([tests[name](layer.statistics) for layer in seeds])
        for name in ("never_positive", "always_on", "not_finite")
    }
    lost = masks["not_finite"].sum(-1)
    is_network = diagnosis.data_not_finite is None
    if lost.sum() == masks["not_finite"].size:
        reason = "the network has diverged" if is_network else "neither do the data"
        return f"{head} no unit gives finite numbers; {reason}."
    one, more = _verbs(site.activation)
    sentence = _firing(diagnosis, masks, one, more, _shape(diagnosis, site.id))
    if masks["never_positive"].any():
        sentence += _outlook(diagnosis, seeds, masks["never_positive"])
    if linear := masks["always_on"].sum(-1).mean():
        sentence += f"; {linear:g} always {one if linear == 1 else more}"
    if lost.any():
        reason = "the network has diverged" if is_network else "the data hold none"
        gives = "gives" if lost.sum() == 1 else "give"
        sentence += f"; {lost.sum():,} {gives} no finite numbers: {reason}"
    if lost.any() and len(seeds) > 1:
        sentence += f" in {np.count_nonzero(lost)} of {len(seeds)} seeds"
    return f"{head} {sentence}."


def _shape(diagnosis: "Diagnosis", id: str) -> str:
    """How the units of a site stand: `" (3 x 5)"`, empty along one axis."""
    shape = diagnosis.unit_shapes[id]
    return f" ({' x '.join(map(str, shape))})" if len(shape) > 1 else ""


def _firing(
    diagnosis: "Diagnosis",
    masks: dict[str, np.ndarray],
    one: str,
    more: str,
    shape: str,
) -> str:
    """How many units of a layer never fire."""
    seeds, units = masks["never_positive"].shape
    counts, lost = masks["never_positive"].sum(-1), masks["not_finite"].sum(-1)
    examples = _count(diagnosis.examples, "example")
    if seeds > 1:
        spread = f"{counts.mean():.1f} (from {counts.min()} to {counts.max()})"
        never = f"{spread} of {units:,} units{shape} never {more} on {examples}"
        return f"{never}, over {seeds} seeds"
    if units == 1 and not lost[0]:
        how = f"never {one} on" if counts[0] else f"{one} on some of"
        return f"the only unit {how} {examples}"
    if counts[0]:
        verb = one if counts[0] == 1 else more
        return f"{counts[0]:,} of {units:,} units{shape} never {verb} on {examples}"
    if lost[0]:
        left = units - lost[0]
        verb = one if left == 1 else more
        return f"{left:,} of {units:,} units{shape} {verb} on some of {examples}"
    return f"each of {units:,} units{shape} {one} on some of {examples}"


def _verbs(activation: str) -> tuple[str, str]:
    """What a unit does whose input is positive: singular, plural."""
    rectifies = "relu" in activation or "rectifier" in activation
    if rectifies and activation != "crelu":
        return "fires", "fire"
    return "has a positive input", "have a positive input"


class _Words(NamedTuple):
    they: str
    them: str
    their: str
    themselves: str


_ONE = _Words("it", "it", "its", "itself")
_MORE = _Words("they", "them", "their", "themselves")


def _outlook(
    diagnosis: "Diagnosis", seeds: Sequence["Layer"], masks: np.ndarray
) -> str:
    """Whether the units of the masks, which never fire, can come back."""
    site, one = seeds[0].site, int(masks.sum()) == 1
    they, them, their, themselves = _ONE if one else _MORE
    if site.ruled:
        return f"; a derivative rule around {them} decides whether {they} can recover"

    def all_zero(field: str) -> bool:
        pairs = zip(seeds, masks, strict=True)
        return all(not getattr(s.statistics, field)[mask].any() for s, mask in pairs)

    # NaN, for a gradient that was not asked for, is no zero either.
    still = diagnosis.with_gradient and all_zero("gradient")
    # The slope is counted as steep or not. That of a unit which gives nothing but zeros
    # is zero where it is not steep; that of a sigmoid far on the left is only small.
    flat, silent = all_zero("steep"), all_zero("nonzero")
    prospect = diagnosis.prospects[site.id]
    if not still and (diagnosis.with_gradient or not flat):
        some = "" if one else "some of "
        return f"; a gradient still reaches {some}{them}: {they} may recover"
    if still:
        reason = f"{their} incoming gradient is zero"
    elif silent:
        reason = f"{their} slope is zero there"
    else:
        recover = "recovers" if one else "recover"
        return (
            f"; {their} slope is at most {diagnosis.slope:g} there, so that hardly any "
            f"gradient reaches {them}: {they} {recover} slowly, if at all"
        )
    if prospect is Prospect.ELSEWHERE:
        return (
            f"; {reason}, but {their} weights have other ways to the output: "
            f"{they} may recover"
        )
    reason += "" if still else f", so no gradient reaches {them}"
    is_before = prospect is Prospect.BEFORE
    is_before |= prospect is Prospect.LAYER and not masks.all()
    places = ["before"] * is_before + ["after"] * (not flat)
    if not places:
        return f"; {reason}: {they} cannot recover by {themselves}"
    return (
        f"; {reason}: {their} own weights get none; the layers {' or '.join(places)} "
        f"{them} can move {them}"
    )
