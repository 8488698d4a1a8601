"""What a diagnosis says of a layer, in plain sentences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from relujax.instruments._statistics import definitions

if TYPE_CHECKING:
    from relujax.instruments._diagnosis import Diagnosis, Layer


def paragraph(diagnosis: "Diagnosis", seeds: Sequence["Layer"]) -> str:
    """What there is to say of one layer, of one network or of all seeds."""
    site, units = seeds[0].site, seeds[0].statistics.count.shape[-1]
    head = f"{seeds[0].name} ({site.source}):"
    if not any(layer.statistics.count.any() for layer in seeds):
        return f"{head} never ran."
    tests = definitions(diagnosis.taus, diagnosis.epsilons)
    masks = {
        name: np.stack([tests[name](layer.statistics) for layer in seeds])
        for name in ("never_positive", "always_on", "not_finite")
    }
    lost = masks["not_finite"].sum(-1)
    if lost.sum() == masks["not_finite"].size:
        return f"{head} no unit gives finite numbers; the network has diverged."
    one, more = _verbs(site.activation)
    counts = masks["never_positive"].sum(-1)
    examples = f"{diagnosis.examples:,} example{'s' * (diagnosis.examples != 1)}"
    if len(seeds) > 1:
        spread = f"{counts.mean():.1f} (from {counts.min()} to {counts.max()})"
        sentence = f"{spread} of {units:,} units never {more} on {examples}"
        sentence += f", over {len(seeds)} seeds"
    elif counts[0]:
        verb = one if counts[0] == 1 else more
        sentence = f"{counts[0]:,} of {units:,} units never {verb} on {examples}"
    elif lost[0]:
        finite = f"{units - lost[0]:,} of {units:,} units"
        sentence = f"{finite} {more} on some of {examples}"
    else:
        sentence = f"each of {units:,} units {one} on some of {examples}"
    if counts.any():
        sentence += _outlook(diagnosis, seeds, masks["never_positive"])
    if linear := masks["always_on"].sum(-1).mean():
        sentence += f"; {linear:g} always {one if linear == 1 else more}"
    if lost.any():
        sentence += f"; {lost.sum():,} give no finite numbers: the network has diverged"
    if lost.any() and len(seeds) > 1:
        sentence += f" in {np.count_nonzero(lost)} of {len(seeds)} seeds"
    return f"{head} {sentence}."


def _verbs(activation: str) -> tuple[str, str]:
    """What a unit does whose input is positive: singular, plural."""
    if "relu" in activation or "rectifier" in activation:
        return "fires", "fire"
    return "has a positive input", "have a positive input"


def _outlook(
    diagnosis: "Diagnosis", seeds: Sequence["Layer"], masks: np.ndarray
) -> str:
    """Whether the units of the masks, which never fire, can come back."""
    if seeds[0].site.ruled:
        return "; a derivative rule around them decides whether they can recover"

    def all_zero(field: str) -> bool:
        pairs = zip(seeds, masks, strict=True)
        return all(not getattr(s.statistics, field)[mask].any() for s, mask in pairs)

    # NaN, for a gradient that was not asked for, is no zero either.
    still = all_zero("gradient")
    # The slope is counted as steep or not. That of a unit which gives nothing but zeros
    # is zero where it is not steep; that of a sigmoid far on the left is only small.
    flat, silent = all_zero("steep"), all_zero("nonzero")
    if diagnosis.with_gradient and still:
        reason = "their incoming gradient is zero"
    elif diagnosis.with_gradient or not flat:
        return "; a gradient still reaches some of them: they may recover"
    elif not silent:
        return (
            f"; their slope is at most {diagnosis.slope:g} there, so that hardly any "
            f"gradient reaches them: they recover slowly, if at all"
        )
    else:
        reason = "their slope is zero there, so no gradient reaches them"
    # Another input can revive a unit, and where it has a slope, another layer above it.
    places = ["before"] * (seeds[0].site.id not in diagnosis.first)
    places += ["after"] * (not flat)
    unless = f" unless the layers {' or '.join(places)} it change" if places else ""
    return f"; {reason}: they cannot recover by themselves{unless}"
