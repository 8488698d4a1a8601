"""What the study of deep, narrow networks tests: its samples, numbers and readings."""

from collections.abc import Callable, Sequence
from typing import Any

import _narrow_paper as paper
import numpy as np
import pandas as pd

from relujax import studies
from relujax.statistics import Where, select
from relujax.studies import every, larger, settled

LABELS = {
    "relu": "ReLU",
    "leaky_relu": "Leaky ReLU",
    "al_relu": "ALReLU",
    "elu": "ELU",
    "selu": "SELU",
    "prelu": "PReLU",
}
RELU, LEAKY, AL, ELU, SELU, PRELU = ACTIVATIONS = tuple(LABELS)
DEPTHS, DIMENSIONS, SIZES = paper.DEPTHS, (1, 2, 5), (100, 500)
CURVES, CLASSES = ("linear", "quadratic", "exponential", "sinusoidal"), "two_class"
SOME = 0.005  # of the units; less counts as none


def at(
    curve: str | Sequence[str] = (*CURVES, CLASSES),
    n: int | Sequence[int] = SIZES,
    d: int | Sequence[int] = DIMENSIONS,
    depth: int | Sequence[int] = DEPTHS,
    activation: str | Sequence[str] = ACTIVATIONS,
) -> Where:
    """The results of these samples and networks."""
    where: dict[str, Any] = {"data.curve": curve, "data.n": n, "data.d": d}
    return {**where, "model.depth": depth, "activation": activation}


def others(*without: str) -> tuple[str, ...]:
    """The other activations."""
    return tuple(a for a in ACTIVATIONS if a not in without)


def error(curve: str, d: int, depth: Any = DEPTHS) -> studies.PerSeed:
    """The test error with N = 500, the mean of the activations."""
    return studies.mean_of("mse", at(curve, 500, d, depth))


def f1(**where: Any) -> studies.PerSeed:
    """The weighted F1 of the classification samples."""
    return studies.mean_of("f1_weighted", at(CLASSES, **where))


def small(activation: Any, kind: str, **where: Any) -> studies.PerSeed:
    """The part of the units that are `dead`, or `small_...`, with one input."""
    return studies.mean_of(kind, at(d=1, activation=activation, **where))


def vanish(*activations: str, kind: str) -> Callable:
    """Next to none of the units has outputs below the tolerance."""
    return larger(
        SOME,
        small(activations, kind),
        f"{{b:.2f}} % of the units of {' and '.join(activations)} stay below "
        f"{kind.partition('_')[2]} on every example; we take less than 0.5 % for none.",
        scale=100,
        unit="percentage points below 0.5 %",
    )


def some_and_quickly_fewer(activation: str) -> Callable:
    """Some units are below 0.01, and less than half as many below 1e-5."""
    large, tiny = (small(activation, f"small_{e}") for e in ("0.01", "1e-05"))
    some = larger(
        large,
        SOME,
        f"{{a:.2f}} % of the units of {activation} stay below 0.01; we take at least "
        "0.5 % for some.",
        scale=100,
        unit="percentage points above 0.5 %",
    )
    fewer = larger(
        lambda frame: large(frame) / 2,
        tiny,
        f"{{large:.2f}} % of the units of {activation} stay below 0.01, {{b:.2f}} % "
        "below 1e-5; less than half is a quick drop.",
        scale=100,
        unit="percentage points below half",
        told={"large": large},
    )
    return every(some, fewer)


def deeper_is_deader(activation: str, kind: str) -> Callable:
    """The deepest networks have more dead units than the shallowest."""
    told = {f"at_{depth}": small(activation, kind, depth=depth) for depth in DEPTHS}
    return larger(told["at_30"], told["at_1"], scale=100, told=told)


def falls(curve: str, d: int, start: int, end: int) -> Callable:
    """The error at one depth is larger than at another."""
    said = f"Mean test error at depth {start}: {{a:.3g}}; at depth {end}: {{b:.3g}}."
    unit = "mean squared error"
    return larger(error(curve, d, start), error(curve, d, end), said, unit=unit)


def f1_grows(**sides: tuple[int, int]) -> Callable:
    """The weighted F1 is larger at the first than at the second of two values."""
    first, second = (f1(**{name: x[i] for name, x in sides.items()}) for i in (0, 1))
    return larger(first, second, scale=100)


def around(curve: str, d: int, *activations: str) -> list[Callable]:
    """The test error at depth 30 is within a tenth of the paper's number."""
    numbers, where = paper.ERRORS[curve, d], at(curve, 500, d, 30)
    return [
        studies.within(a, numbers[a], "mse", margin=numbers[a] / 10, where=where)
        for a in activations
    ]


def similar_across_depths(curve: str) -> Callable:
    """The error at depth 30 is at most twice that at depth 1."""
    shallow, deep = error(curve, 5, DEPTHS[0]), error(curve, 5, DEPTHS[-1])
    return larger(lambda frame: 2 * shallow(frame), deep, told={"shallow": shallow})


def little_spread() -> Callable:
    """With one input the errors range less than with two, and than with five."""
    one, two, five = (
        studies.range_of("mse", at("quadratic", 500, d)) for d in DIMENSIONS
    )
    nearest = lambda frame: np.minimum(two(frame), five(frame))
    return larger(nearest, one, told={"two": two, "five": five})


def worse_than_the_others(activation: str, curves: Sequence[str]) -> Callable:
    """Its error is above the mean of the others'."""
    own, rest = (
        studies.mean_of("mse", at(curves, activation=a))
        for a in (activation, others(activation))
    )
    return larger(own, rest)


def deep_advantage() -> Callable:
    """How much F1 SELU gains on ReLU at depth 30, more than at 1, 3 and 10."""

    def gain(depth: Any) -> studies.PerSeed:
        selu, relu = (f1(depth=depth, activation=a) for a in (SELU, RELU))
        return lambda frame: selu(frame) - relu(frame)

    return larger(gain(DEPTHS[-1]), gain(DEPTHS[:-1]), scale=100)


def dies_with_depth(_frame: pd.DataFrame):
    """A single input meets a dead layer: 1 - (1 - 2^-8)^depth (Lu et al. 2020)."""
    probability = lambda depth: 1 - (1 - 2.0**-8) ** depth
    shown = ", ".join(f"{100 * probability(d):.1f} % at {d}" for d in (*DEPTHS, 1000))
    return settled(probability(1e6) > 0.999, effect=100 * probability(30), shown=shown)


def gradient_vanishes(_frame: pd.DataFrame):
    """What of the gradient reaches the first of 30 layers, before training."""
    part = {a: studies.gradient_at_start(a) for a in ACTIVATIONS}
    told = ", ".join(f"{LABELS[a]} {x:.0e}" for a, x in part.items())
    return studies.observed(part[PRELU] < 1e-3, effect=part[PRELU], told=told)


def dead_by_reading(frame: pd.DataFrame) -> pd.DataFrame:
    """The table of dead units by the paper's wording, and by their outputs."""
    measured = studies.probed(frame, "weights")
    numbers = {"before training": studies.dead_by_weights()}
    numbers |= {f"trained, {LABELS[a]}": x.to_dict() for a, x in measured.iterrows()}
    parts = [_by_weights(shares, of) for of, shares in numbers.items()]
    rows = select(frame, at(d=1))
    for activation, e in ((a, e) for a in (RELU, SELU) for e in paper.TOLERANCES):
        table = studies.by_parameter(rows, f"small_{e:g}", "model.depth", activation)
        mean = (100 * table).mean().rename_axis("depth").rename("share").reset_index()
        reading = f"output is below ε, trained, {LABELS[activation]}"
        parts.append(mean.assign(**{"ε": f"{e:g}", "reading": reading}))
    wide = pd.concat(parts).set_index(["reading", "ε", "depth"])["share"]
    wide = wide.unstack("depth").sort_index(level="reading", sort_remaining=False)
    return wide.map("{:.2f}".format).rename(columns="depth {}".format).reset_index()


def _by_weights(shares: Any, of: str) -> pd.DataFrame:
    """The numbers of `dead_by_weights` as rows."""
    rows = [
        (e, int(depth), f"{reading}, {of}", share)
        for key, share in shares.items()
        for reading, e, depth in [key.split("|")]
    ]
    return pd.DataFrame(rows, columns=["ε", "depth", "reading", "share"])
