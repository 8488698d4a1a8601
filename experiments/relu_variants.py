"""ReLU and other activation functions (Morrison, Gode and Conner, 2025).

Claims reproduced: deep, narrow ReLU networks fill with dead units, their variants do
not; SELU and ELU have the lowest errors and the best F1 on synthetic data; which of
them trains fastest.

    relujax run experiments/relu_variants.py --profile quick         # a minute
    relujax run experiments/relu_variants.py --profile paper         # 7,200 networks
    relujax run experiments/relu_variants.py --profile draws         # of the samples
    relujax run experiments/relu_variants.py --profile alternatives  # rates and steps

`draws` has ten samples of each kind, and each seed counts on a sample of its own. The
claims about time read what `experiments/speed/narrow.py` has measured.
"""

from functools import partial
from itertools import chain, product

import _narrow_paper as paper
import _narrow_tests as tests
import jax.numpy as jnp
from _narrow_tests import (
    ACTIVATIONS,
    AL,
    CLASSES,
    CURVES,
    DEPTHS,
    DIMENSIONS,
    ELU,
    LABELS,
    LEAKY,
    PRELU,
    RELU,
    SELU,
    SIZES,
    around,
    at,
    others,
)

import relujax
from relujax import studies
from relujax.studies import Grid, best, better, each_better, every


def grid(curves, sizes, dimensions, rate=0.01, steps=100, sample=""):
    """Full-batch steps of Adam, as few as the paper's times suggest.

    All samples have five columns, so that they share programs.
    """
    return [
        cell
        for curve, n, d in product(curves, sizes, dimensions)
        for cell in Grid(
            data=f"synthetic(curve={curve!r}, n={n}, d={d}, {sample}columns=5)",
            activation=[*ACTIVATIONS],
            model=[f"deep_mlp(width=8, depth={x}, inputs={d})" for x in DEPTHS],
            optimizer=f"adam(learning_rate={rate})",
            objective="binary_cross_entropy" if curve == CLASSES else "mse",
            batch_size=n,
            epochs=steps,
            evaluate_every=min(100, steps // 4),
            tolerances=paper.TOLERANCES,
        )
    ]


ALL, NUMERIC, FLAT = (*CURVES, CLASSES), ("quadratic", "exponential"), CURVES[::3]
ALTERNATIVES = [
    cell
    for rate in (0.001, 0.01)
    for sizes, dimensions in ((SIZES, (1,)), ((500,), (5,)))
    for cell in grid(ALL, sizes, dimensions, rate, steps=1000)
]
DRAWS = [grid(ALL, SIZES, DIMENSIONS, sample=f"seed={seed}, ") for seed in range(10)]

quadratic, exponential = (partial(at, curve, 500) for curve in NUMERIC)
classes = partial(at, CLASSES)
GOOD = (ELU, SELU)


def worst(a, where, metric="mse"):
    """Every other activation is better."""
    return each_better(others(a), [a], metric, where=where)


def settings(frame):
    """The results by learning rate and number of steps."""
    return {
        f"{adam.partition('=')[2].rstrip(')')}, {steps} steps": frame[
            (frame["optimizer"] == adam) & (frame["epoch"] <= steps)
        ]
        for adam in map(str, frame["optimizer"].unique())
        for steps in (100, 1000)
        if steps in set(frame["epoch"])
    }


by_depth = partial(studies.by_activation, "model.depth", LABELS)
MSE, F1 = ("mse", "test mean squared error"), ("f1_weighted", "weighted F1, %")


def by_dimension(curve, n, metric, label):
    """A panel for each number of inputs."""
    name = curve.replace("_", " ")
    return by_depth(
        {f"{name}, d = {d}": (metric, at(curve, n, d)) for d in DIMENSIONS}, label
    )


study = studies.study_of(
    __file__,
    profiles={
        "quick": grid((*NUMERIC, CLASSES), (500,), (1, 5)),
        "paper": grid(ALL, SIZES, DIMENSIONS),
        "draws": [*chain(*DRAWS)],
        "alternatives": ALTERNATIVES,
    },
    seeds={"quick": 5, "paper": 10, "draws": 10, "alternatives": 5},
    probes=studies.probe("weights", studies.dead_by_weights, (RELU, SELU)),
    claims={
        "relu-most-dead": worst(RELU, at(d=1), "small_1e-05"),
        "relu-most-dead-large-tolerance": worst(RELU, at(d=1), "small_0.01"),
        "relu-most-dead-sound": worst(RELU, at(d=1), "dead"),
        "zero-at-small-tolerance": tests.vanish(LEAKY, AL, kind="small_1e-05"),
        "others-drop": every(
            tests.vanish(SELU, kind="small_0.01"),
            *map(tests.some_and_quickly_fewer, (ELU, PRELU)),
        ),
        "deeper-is-deader": tests.deeper_is_deader(RELU, "small_1e-05"),
        "deeper-is-deader-selu": tests.deeper_is_deader(SELU, "dead"),
        "infinitely-deep": tests.dies_with_depth,
        **{
            f"no-matter-on-{curve}": studies.little_range(
                "mse",
                0.01,
                (RELU, SELU),
                over="model.depth",
                where=at(curve, 500, 5),
            )
            for curve in FLAT
        },
        **{
            f"similar-across-depths-{curve}": tests.similar_across_depths(curve)
            for curve in FLAT
        },
        "quadratic-1d": tests.little_spread(),
        "quadratic-2d-by-depth": tests.falls("quadratic", 2, 1, 30),
        "quadratic-2d": each_better(
            (ELU, SELU, PRELU), (RELU, LEAKY, AL), "mse", where=quadratic(2)
        ),
        "quadratic-5d-selu": best(SELU, "mse", where=quadratic(5, 30)),
        "quadratic-values-selu": every(
            *around("quadratic", 5, SELU), *around("quadratic", 2, SELU)
        ),
        "quadratic-values-worst": every(*around("quadratic", 5, AL, LEAKY)),
        "quadratic-5d-al-relu": worst(AL, quadratic(5, 30)),
        "quadratic-5d-relu-third": every(
            *(better(a, RELU, "mse", where=quadratic(5)) for a in GOOD),
            *(better(RELU, a, "mse", where=quadratic(5)) for a in (LEAKY, AL, PRELU)),
        ),
        "exponential-1d": worst(RELU, exponential(1, 30)),
        "exponential-1d-dip": every(
            tests.falls("exponential", 1, 1, 3),
            tests.falls("exponential", 1, 30, 3),
        ),
        "exponential-1d-elu-selu": each_better(
            GOOD, others(*GOOD), "mse", where=exponential(1)
        ),
        "exponential-2d-highest": each_better(
            (RELU, ELU, SELU), (LEAKY, AL, PRELU), "mse", where=exponential(2, 30)
        ),
        "exponential-2d-values": every(*around("exponential", 2, *ACTIVATIONS)),
        "exponential-2d": each_better(GOOD, others(*GOOD), "mse", where=exponential(2)),
        "exponential-values-selu": every(
            *around("exponential", 5, SELU), *around("exponential", 2, SELU)
        ),
        "exponential-values-relu": every(*around("exponential", 5, RELU, LEAKY)),
        "exponential-5d-highest": studies.hardest(
            exponential(5), "mse", among=at(CURVES, 500)
        ),
        "exponential-5d-relu-worst": worst(RELU, exponential(5, 30)),
        "variants-beat-relu": each_better(
            (SELU, ELU, AL), [RELU], "mse", where=at(NUMERIC)
        ),
        "conclusion-agrees": paper.agrees_with_section_4,
        "selu-least-error": studies.mostly_best(SELU, "mse", where=at(CURVES)),
        "selu-best-f1": best(SELU, "f1_weighted", where=classes()),
        "worst-f1": each_better(
            (LEAKY, *GOOD), (AL, PRELU, RELU), "f1_weighted", where=classes(500)
        ),
        "al-relu-high-mse": tests.worse_than_the_others(AL, NUMERIC),
        "f1-by-depth": tests.f1_grows(depth=(30, 1)),
        "f1-by-size": tests.f1_grows(n=(500, 100)),
        "f1-by-dimension": tests.f1_grows(d=(5, 1)),
        "f1-lowest": each_better(
            others(RELU, AL), (RELU, AL), "f1_weighted", where=classes(d=5)
        ),
        "deeper-than-ten": tests.deep_advantage(),
        "leaky-underperform": each_better(GOOD, (LEAKY, PRELU), where=classes()),
        "leaky-slower": paper.fastest(GOOD, (LEAKY, PRELU)),
        "relu-fastest-when-shallow": paper.fastest(
            (RELU,), others(RELU, AL), depths=(1, 3)
        ),
        "time-of-classification": paper.fastest((LEAKY, *GOOD), (RELU, PRELU)),
        "time-in-its-own-table": paper.wins_more_rows((LEAKY, *GOOD), (RELU, PRELU)),
        "deep-time-in-its-own-table": paper.wins_more_rows(
            GOOD, (LEAKY, RELU, PRELU), "n == 500 and depth >= 10"
        ),
        "shallow-time-in-its-own-table": paper.wins_more_rows(
            (RELU,), (LEAKY, *GOOD, PRELU), "depth <= 3"
        ),
        "slowest-in-its-own-table": paper.is_slowest_in_every_row,
        "depth-in-its-own-table": paper.grows_in_every_step,
        "al-relu-in-table-1": paper.has_a_time_for_each(LABELS),
        "inputs-increased-by-one": paper.adds_an_input(DIMENSIONS),
        "prelu-slowest": paper.fastest(others(PRELU, AL), [PRELU]),
        "time-by-depth": paper.slower_by_depth,
        "faster-with-more-data": paper.more_data_is_faster,
        "prelu-vanishes": tests.gradient_vanishes,
        "slope-of-pytorch": paper.torch_slope,
        "listing-runs": paper.listing_runs,
        "printed-elu": studies.same_function(
            lambda x: jnp.ceil(x) - 1, relujax.elu, points=jnp.linspace(-3, 0, 3001)
        ),
    },
    exhibits={
        "figure-1": by_depth(
            {f"ε = {e:g}": (f"small_{e:g}", at(d=1)) for e in paper.TOLERANCES}
            | {"never positive": ("dead", at(d=1))},
            "dead units, %",
        ),
        "figure-2": by_depth(
            {f"{c}, N = 500, d = 5": ("mse", at(c, 500, 5)) for c in FLAT}, MSE[1]
        ),
        "figure-3": by_dimension("quadratic", 500, *MSE),
        "figure-4": by_dimension("exponential", 500, *MSE),
        "figure-5": by_dimension(CLASSES, 100, *F1),
        "figure-6": by_dimension(CLASSES, 500, *F1),
        "table-1": paper.table_1,
        "dead-by-reading": tests.dead_by_reading,
        "by-setting": studies.by_setting(
            settings, lambda rows: studies.judge(study.claims, rows)
        ),
    },
    view=studies.own_samples,
)
