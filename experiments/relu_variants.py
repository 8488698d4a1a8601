"""ReLU and other activation functions (Morrison, Gode and Conner, 2025).

Claims reproduced: deep, narrow ReLU networks fill with dead units, their variants do
not; SELU and ELU have the lowest errors and the best F1 on synthetic data; which of
them trains fastest.

    relujax run experiments/relu_variants.py --profile quick         # a minute
    relujax run experiments/relu_variants.py --profile paper         # 7,200 networks
    relujax run experiments/relu_variants.py --profile alternatives  # rates and steps

Times depend on the machine and on its other work, so they are not measured here but by
`experiments/speed/narrow.py`, whose table the claims about time read.
"""

import io
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import optax
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import relujax
from relujax.analysis import (
    best,
    better,
    equivalence_test,
    every,
    judge,
    mean_interval,
    observed,
    paired_test,
    positive,
    scores,
    settled,
)
from relujax.errors import InputError

RELU, LEAKY, AL, ELU, SELU, PRELU = ACTIVATIONS = (
    *("relu", "leaky_relu", "al_relu", "elu", "selu", "prelu"),
)
DEPTHS = (1, 3, 10, 30)
CURVES = ("linear", "quadratic", "exponential", "sinusoidal")
CLASSES = "two_class"
DIMENSIONS = (1, 2, 5)
SIZES = (100, 500)
TOLERANCES = (1e-2, 1e-3, 1e-5)
TIMES = Path(__file__).parent / "results" / "relu_variants" / "times.csv"

#: Table 1 of the paper: seconds to train one network on the classification samples.
TABLE_1 = """\
n   d depth elu     leaky_relu prelu relu   selu    best
100 1 1  0.00701 0.00835 0.01174 0.00720 0.00631 selu
100 1 3  0.02300 0.01142 0.01809 0.01958 0.02036 leaky
100 1 10 0.07889 0.03836 0.05135 0.02984 0.03729 relu
100 1 30 0.07596 0.08553 0.10791 0.08704 0.09179 elu
100 2 1  0.00643 0.00604 0.00711 0.00916 0.00708 leaky
100 2 3  0.01369 0.01301 0.01464 0.01000 0.01220 relu
100 2 10 0.04642 0.03749 0.04837 0.03315 0.02860 selu
100 2 30 0.08313 0.11876 0.13021 0.08642 0.13091 elu
100 5 1  0.00729 0.00701 0.00750 0.00711 0.00761 leaky
100 5 3  0.01226 0.01230 0.01448 0.01188 0.03231 relu
100 5 10 0.06530 0.02873 0.08635 0.03949 0.07589 leaky
100 5 30 0.08815 0.07436 0.14907 0.12574 0.09389 leaky
500 1 1  0.00675 0.01120 0.00984 0.00764 0.00805 elu
500 1 3  0.01154 0.01339 0.01739 0.02059 0.01429 elu
500 1 10 0.03733 0.06545 0.04057 0.03235 0.04552 relu
500 1 30 0.08672 0.09757 0.17272 0.09199 0.10382 elu
500 2 1  0.01069 0.00827 0.00885 0.00786 0.00771 selu
500 2 3  0.01417 0.01558 0.01557 0.01368 0.01628 relu
500 2 10 0.04528 0.02862 0.06832 0.04440 0.02957 leaky
500 2 30 0.08839 0.07809 0.13018 0.07997 0.13925 leaky
500 5 1  0.02044 0.01707 0.02414 0.01065 0.01613 relu
500 5 3  0.01261 0.01248 0.02769 0.01539 0.03649 leaky
500 5 10 0.03030 0.02991 0.05145 0.04160 0.02801 selu
500 5 30 0.12637 0.08091 0.11332 0.08599 0.08356 leaky
"""
TIMED = (ELU, LEAKY, PRELU, RELU, SELU)

#: Test errors at depth 30, N = 500, that section 4 gives, by curve and d.
PAPERS_ERRORS = {
    ("quadratic", 2): {SELU: 3.25},
    ("quadratic", 5): {SELU: 10, LEAKY: 13, AL: 15},
    ("exponential", 2): {ELU: 7, SELU: 7, RELU: 8, LEAKY: 8, AL: 8, PRELU: 8},
    ("exponential", 5): {SELU: 37, RELU: 50, LEAKY: 50},
}
AROUND = 0.1  # of the number


def data(curve: str, n: int, d: int) -> str:
    """All samples have five columns, so that they share programs."""
    return f"synthetic(curve={curve!r}, n={n}, d={d}, columns=5)"


def model(depth: int, d: int) -> str:
    return f"deep_mlp(width=8, depth={depth}, inputs={d})"


def cell(
    curve: str,
    n: int,
    d: int,
    depth: int,
    activation: str,
    learning_rate: float = 0.01,
    steps: int = 100,
) -> relujax.Cell:
    """Full-batch steps of Adam, as few as the paper's times suggest."""
    return relujax.Cell(
        data=data(curve, n, d),
        model=model(depth, d),
        activation=activation,
        optimizer=f"adam(learning_rate={learning_rate})",
        objective="binary_cross_entropy" if curve == CLASSES else "mse",
        batch_size=n,
        epochs=steps,
        evaluate_every=min(100, steps // 4),
        tolerances=TOLERANCES,
    )


def grid(
    curves: Sequence[str], sizes: Sequence[int], dimensions: Sequence[int], **schedule
) -> list[relujax.Cell]:
    order = itertools.product(curves, sizes, dimensions, ACTIVATIONS, DEPTHS)
    return [cell(c, n, d, depth, a, **schedule) for c, n, d, a, depth in order]


ALL = (*CURVES, CLASSES)
NUMERIC = ("quadratic", "exponential")

PAPER = grid(ALL, SIZES, DIMENSIONS)
QUICK = grid((*NUMERIC, CLASSES), (500,), (1, 5))
ALTERNATIVES = [
    cell
    for rate in (0.001, 0.01)
    for sizes, dimensions in ((SIZES, (1,)), ((500,), (5,)))
    for cell in grid(ALL, sizes, dimensions, learning_rate=rate, steps=1000)
]


def rows_of(
    frame: pd.DataFrame,
    curves: Sequence[str],
    sizes: Sequence[int] = SIZES,
    dimensions: Sequence[int] = DIMENSIONS,
    depths: Sequence[int] = DEPTHS,
) -> pd.DataFrame:
    """The rows of some samples and depths, all of which must have been run."""
    wanted = {
        (data(c, n, d), model(depth, d))
        for c, n, d, depth in itertools.product(curves, sizes, dimensions, depths)
    }
    pairs = frame[["data", "model"]].drop_duplicates().itertuples(index=False)
    lacking = wanted - set(map(tuple, pairs))
    if lacking:
        example = " with ".join(min(lacking))
        raise InputError(f"Expected results for {example}: run the profile paper.")
    # Data and model have the same number of inputs wherever they occur together.
    datas, models = zip(*wanted, strict=True)
    return frame[frame["data"].isin(datas) & frame["model"].isin(models)]


def on(test: Callable, *where, **more) -> Callable:
    """A test of the library, on some samples and depths only."""
    return lambda frame: test(rows_of(frame, *where, **more))


def all_better(winners, losers, metric: str, *where, **more) -> Callable:
    """Each winner improves on each loser."""
    tests = [better(a, b, metric) for a, b in itertools.product(winners, losers)]
    return on(every(*tests), *where, **more)


def others(*without: str) -> tuple[str, ...]:
    return tuple(a for a in ACTIVATIONS if a not in without)


def by_depth(frame: pd.DataFrame, metric: str, activation: str) -> pd.DataFrame:
    """One number per seed and depth, averaged over samples: `[seeds, depths]`."""
    values = scores(frame, metric).xs(activation, level="activation").reset_index()
    depth = values["model"].str.extract(r"depth=(\d+)", expand=False).astype(int)
    return values.groupby(["seed", depth])[metric].mean().unstack().dropna()


def grows_with_depth(activation: str, metric: str) -> Callable:
    """The deepest networks have more of it than the shallowest."""

    def test(frame: pd.DataFrame):
        rows = rows_of(frame, (*CURVES, CLASSES), dimensions=(1,))
        table = 100 * by_depth(rows, metric, activation)
        shown = ", ".join(f"{table[d].mean():.1f} % at {d}" for d in DEPTHS)
        return positive(
            table[DEPTHS[-1]] - table[DEPTHS[0]],
            f"Dead units of {activation} by depth: {shown}.",
            unit="percentage points from depth 1 to 30",
        )

    return test


def small_share(frame: pd.DataFrame, activations: Sequence[str], tolerance: str):
    """Per cent of units below the tolerance with one input, by seed."""
    rows = rows_of(frame, ALL, dimensions=(1,))
    share = pd.concat([by_depth(rows, f"small_{tolerance}", a) for a in activations])
    return 100 * share.groupby(level="seed").mean().mean(axis=1)


def vanish(activations: Sequence[str], tolerance: str) -> Callable:
    """Below half a per cent of the units have outputs below the tolerance."""

    def test(frame: pd.DataFrame):
        x = small_share(frame, activations, tolerance)
        return positive(
            0.5 - x,
            f"{x.mean():.2f} % of the units of {' and '.join(activations)} stay below "
            f"{tolerance} on every example; we take less than 0.5 % for none.",
            unit="percentage points below 0.5 %",
        )

    return test


def some_and_quickly_fewer(activation: str) -> Callable:
    """Half a per cent of the units or more are below 0.01, and few of these at 1e-5."""

    def some(frame: pd.DataFrame):
        x = small_share(frame, [activation], "0.01")
        return positive(
            x - 0.5,
            f"{x.mean():.2f} % of the units of {activation} stay below 0.01; we take "
            f"at least 0.5 % for some.",
            unit="percentage points above 0.5 %",
        )

    def fewer(frame: pd.DataFrame):
        large, small = (small_share(frame, [activation], e) for e in ("0.01", "1e-05"))
        return positive(
            large / 2 - small,
            f"{large.mean():.2f} % of the units of {activation} stay below 0.01, "
            f"{small.mean():.2f} % below 1e-5; less than half is a quick drop.",
            unit="percentage points below half",
        )

    return every(some, fewer)


def outside(x: pd.Series, margin: float) -> float:
    """The p-value of "the mean lies within the margin of 0", on either side."""
    above = paired_test(x - margin, alternative="greater")
    below = paired_test(x + margin, alternative="less")
    return min(1.0, 2 * above, 2 * below)


def narrow_range(curve: str) -> Callable:
    """The mean errors of the activations range over less than 0.01, at every depth.

    For it: every pair differs by less at every depth. Against it: ReLU and SELU, which
    the paper finds best, differ by more on average over the depths, so that the range
    is larger at one of them.
    """

    def test(frame: pd.DataFrame):
        rows = rows_of(frame, (curve,), (500,), (5,))
        tables = {a: by_depth(rows, "mse", a) for a in ACTIVATIONS}
        pairs = [
            (tables[a] - tables[b])[depth]
            for a, b in itertools.combinations(ACTIVATIONS, 2)
            for depth in DEPTHS
        ]
        x = (tables[RELU] - tables[SELU]).mean(axis=1)
        worst = max(abs(d.mean()) for d in pairs)
        found = positive(
            0.01 - x.abs(),
            f"Over the depths ReLU's test error is {x.mean():+.3f} above SELU's, in "
            f"the mean; the largest difference of any two activations at any depth is "
            f"{worst:.2f}, against a noise variance of 0.01.",
            unit="mean squared error below a range of 0.01",
        )
        return found._replace(
            p_for=max(equivalence_test(d, margin=0.01) for d in pairs),
            p_against=outside(x, 0.01),
        )

    return test


def around(curve: str, d: int, activation: str) -> Callable:
    """The test error at depth 30 is within a tenth of the paper's number."""
    value = PAPERS_ERRORS[curve, d][activation]
    margin = AROUND * value

    def test(frame: pd.DataFrame):
        rows = rows_of(frame, (curve,), (500,), (d,), DEPTHS[-1:])
        x = by_depth(rows, "mse", activation)[DEPTHS[-1]] - value
        found = positive(
            x,
            f"{activation} ends at a test error of {value + x.mean():.2f}, the paper "
            f"has {value:g}; within {margin:g} counts as around it.",
            unit="mean squared error above the number",
        )
        return found._replace(
            p_for=equivalence_test(x, margin=margin), p_against=outside(x, margin)
        )

    return test


def contrast(metric: str, what: str, left: dict, right: dict) -> Callable:
    """The mean over all activations is larger on the left than on the right.

    Args:
      metric: `mse`, or one that is printed in per cent.
      what: the numbers that are compared, for the sentence.
      left: arguments of `rows_of`.
      right: likewise.
    """
    scale, unit = (
        (1, "mean squared error") if metric == "mse" else (100, "percentage points")
    )

    def test(frame: pd.DataFrame):
        means = [
            scale * scores(rows_of(frame, **where), metric).groupby(level="seed").mean()
            for where in (left, right)
        ]
        return positive(
            (means[0] - means[1]).dropna(),
            f"{what}: {means[0].mean():.3g} against {means[1].mean():.3g}.",
            unit=unit,
        )

    return test


def falls(curve: str, d: int, start: int, end: int) -> Callable:
    """The error at one depth is larger than at another."""
    return contrast(
        "mse",
        f"Test error on {curve} data with d = {d}, mean of the activations, at depth "
        f"{start} against {end}",
        *(
            {"curves": (curve,), "sizes": (500,), "dimensions": (d,), "depths": (x,)}
            for x in (start, end)
        ),
    )


def f1_grows(what: str, **sides: tuple[int, int]) -> Callable:
    """The weighted F1 is larger at the first than at the second of two values."""
    left, right = ({name: (x[i],) for name, x in sides.items()} for i in (0, 1))
    return contrast(
        "f1_weighted",
        f"Weighted F1 in per cent, mean of the activations, at {what}",
        {"curves": (CLASSES,), **left},
        {"curves": (CLASSES,), **right},
    )


def spread(frame: pd.DataFrame, d: int) -> pd.Series:
    """The range over activations and depths of the mean error on quadratic data."""
    rows = rows_of(frame, ("quadratic",), (500,), (d,))
    tables = [by_depth(rows, "mse", a) for a in ACTIVATIONS]
    errors = pd.concat(tables, axis=1)
    return errors.max(axis=1) - errors.min(axis=1)


def little_spread(frame: pd.DataFrame):
    """With one input the errors range less than with two, and than with five."""
    one, two, five = (spread(frame, d) for d in DIMENSIONS)
    return positive(
        np.minimum(two, five) - one,
        f"Over activations and depths, the errors of one seed range over "
        f"{one.mean():.2f} with one input, {two.mean():.2f} with two and "
        f"{five.mean():.2f} with five.",
        unit="mean squared error less of range",
    )


def similar_across_depths(curve: str) -> Callable:
    """The error at depth 30 is at most twice that at depth 1."""

    def test(frame: pd.DataFrame):
        rows = rows_of(frame, (curve,), (500,), (5,))
        tables = [by_depth(rows, "mse", a) for a in ACTIVATIONS]
        mean = pd.concat(tables).groupby(level="seed").mean()
        shallow, deep = mean[DEPTHS[0]], mean[DEPTHS[-1]]
        return positive(
            2 * shallow - deep,
            f"The mean error of the activations is {shallow.mean():.2f} at depth 1 and "
            f"{deep.mean():.2f} at depth 30; we take up to twice as much for similar.",
            unit="mean squared error below twice that of depth 1",
        )

    return test


def above_the_others(frame: pd.DataFrame):
    """ALReLU's error against the mean of the others', on quadratic and exponential."""
    values = scores(rows_of(frame, NUMERIC), "mse")
    mean = values.groupby(["seed", "activation"]).mean().unstack()
    own, rest = mean[AL], mean[list(others(AL))].mean(axis=1)
    return positive(
        own - rest,
        f"ALReLU has a mean test error of {own.mean():.2f}, the others of "
        f"{rest.mean():.2f}.",
        unit="mean squared error above the others",
    )


def deep_advantage(frame: pd.DataFrame):
    """How much F1 SELU gains on ReLU at depth 30, more than at 1, 3 and 10."""
    rows = rows_of(frame, (CLASSES,))
    tables = [100 * by_depth(rows, "f1_weighted", a) for a in (SELU, RELU)]
    gain = tables[0] - tables[1]
    deep, other = gain[DEPTHS[-1]], gain[list(DEPTHS[:-1])].mean(axis=1)
    return positive(
        deep - other,
        f"SELU's weighted F1 is {deep.mean():+.1f} percentage points above ReLU's at "
        f"depth 30 and {other.mean():+.1f} at depths 1 to 10.",
        unit="percentage points of advantage",
    )


def hardest(frame: pd.DataFrame):
    """Exponential data with five inputs have the largest error, with any activation."""
    cases = list(itertools.product(CURVES, DIMENSIONS))
    errors = {
        (c, d): scores(rows_of(frame, (c,), (500,), (d,)), "mse")
        .groupby(["seed", "activation"])
        .mean()
        for c, d in cases
    }
    own = errors.pop(("exponential", 5))
    margin = own - pd.concat(errors, axis=1).max(axis=1)
    x = margin.groupby(level="seed").min()
    return positive(
        x,
        f"The mean error of {own.mean():.1f} is above that of every other sample, by "
        f"{x.mean():+.1f} with the activation where it is nearest.",
        unit="mean squared error above the next sample",
    )


def most_often_best(activation: str) -> Callable:
    """It has the least error in more than half of a seed's tasks."""

    def test(frame: pd.DataFrame):
        wide = scores(rows_of(frame, CURVES), "mse").unstack("activation")
        first = (wide.idxmin(axis=1) == activation).groupby(level="seed").mean()
        counts = wide.idxmin(axis=1).value_counts(normalize=True)
        shares = ", ".join(f"{a} {100 * counts.get(a, 0):.0f} %" for a in ACTIVATIONS)
        return positive(
            100 * (first - 0.5),
            f"Who has the least test error, over all samples, depths and seeds: "
            f"{shares}.",
            unit="percentage points above half of the tasks",
        )

    return test


def times() -> pd.DataFrame:
    """Seconds per network, by program, activation, n, d, depth and repeat."""
    if not TIMES.exists():
        raise InputError(
            f"Expected the measured times in {TIMES.name}: run experiments/speed/"
            f"narrow.py."
        )
    return pd.read_csv(TIMES)


def fastest(
    winners: Sequence[str], losers: Sequence[str], depths: Sequence[int] = DEPTHS
) -> Callable:
    """Each winner trains faster than each loser, in PyTorch, by the paper's listing.

    The unit is the repeat: a ratio of times, averaged over sizes, dimensions, depths.
    """

    def one(winner: str, loser: str) -> Callable:
        def test(_frame: pd.DataFrame):
            table = times().query("program == 'torch'")
            table = table[table["depth"].isin(depths)]
            keys = [table["repeat"], table["activation"]]
            mean = np.log(table["seconds"]).groupby(keys).mean().unstack()
            x = mean[loser] - mean[winner]
            return positive(
                np.expm1(x),
                f"{loser} takes {in_time(x.mean())} than {winner}, as a geometric mean "
                f"over the samples and depths.",
                unit="% more time",
                scale=100,
                counted="repeats",
            )

        return test

    return every(*itertools.starmap(one, itertools.product(winners, losers)))


def in_time(log_ratio: float) -> str:
    """How much more or less time it is, in words."""
    percent = 100 * np.expm1(log_ratio)
    return f"{abs(percent):.1f} % {'more' if percent >= 0 else 'less'} time"


def more_data_is_faster(_frame: pd.DataFrame):
    """SELU with 500 observations against 100, in PyTorch."""
    table = times().query("program == 'torch' and activation == 'selu'")
    mean = np.log(table["seconds"]).groupby([table["repeat"], table["n"]]).mean()
    x = mean.unstack()[100] - mean.unstack()[500]
    return positive(
        np.expm1(x),
        f"With 500 observations SELU takes {in_time(-x.mean())} than with 100.",
        unit="% faster",
        scale=100,
        counted="repeats",
    )


def slower_by_depth(_frame: pd.DataFrame):
    """Every activation, at every step from one depth to the next."""
    table = times().query("program == 'torch'")
    mean = table.groupby(["repeat", "activation", "depth"])["seconds"].mean().unstack()
    steps = mean.pct_change(axis=1).drop(columns=DEPTHS[0])
    x = steps.min(axis=1).groupby(level="repeat").min()
    return positive(
        x,
        f"The least growth of the time from one depth to the next, over all "
        f"activations, is {100 * x.mean():+.0f} %.",
        unit="% more time",
        scale=100,
        counted="repeats",
    )


def papers_table() -> pd.DataFrame:
    """Table 1 as printed."""
    return pd.read_csv(io.StringIO(TABLE_1), sep=r"\s+")


def wins(table: pd.DataFrame) -> pd.Series:
    """In how many rows each activation is the fastest; most first."""
    best = table[list(TIMED)].idxmin(axis=1)
    return best.value_counts().reindex(TIMED, fill_value=0).sort_values()[::-1]


def listed(counts: pd.Series) -> str:
    return ", ".join(f"{LABELS[a]} {n}" for a, n in counts.items())


def own_table_has_faster(
    winners: Sequence[str], losers: Sequence[str], rows: str = "n > 0"
) -> Callable:
    """In Table 1 itself, each winner is the fastest in more rows than each loser."""

    def test(_frame: pd.DataFrame):
        part = papers_table().query(rows)
        count = wins(part)
        gap = int(min(count[a] for a in winners) - max(count[a] for a in losers))
        return settled(
            gap > 0,
            f"Of {len(part)} rows of the paper's Table 1, each is the fastest in: "
            f"{listed(count)}.",
            effect=gap,
            unit="rows won more than by the others",
        )

    return test


def own_table_has_slowest(_frame: pd.DataFrame):
    """PReLU in every row of Table 1."""
    last = papers_table()[list(TIMED)].idxmax(axis=1).value_counts()
    return settled(
        last[PRELU] == last.sum(),
        f"Of the {last.sum()} rows of the paper's Table 1, each is the slowest in: "
        f"{listed(last)}.",
        effect=float(last[PRELU]),
        unit="rows in which PReLU is the slowest",
    )


def own_table_grows_with_depth(_frame: pd.DataFrame):
    """From each depth to the next, in all rows and columns of Table 1."""
    wide = papers_table().set_index(["n", "d", "depth"])[list(TIMED)].stack()
    steps = wide.unstack("depth").diff(axis=1).iloc[:, 1:].to_numpy()
    return settled(
        bool((steps > 0).all()),
        f"From one depth to the next, the time of the paper's Table 1 grows in "
        f"{(steps > 0).sum()} of {steps.size} cases.",
        effect=float((steps <= 0).sum()),
        unit="cases in which it falls",
    )


def own_table_has_al_relu(_frame: pd.DataFrame):
    """Whether Table 1 has a time for each of the paper's activations."""
    lacking = [LABELS[a] for a in ACTIVATIONS if a not in papers_table()]
    return settled(
        not lacking,
        f"Table 1 has no time for {' and '.join(lacking)}.",
        effect=float(len(lacking)),
        unit="activations without a time",
    )


def own_table_adds_an_input(_frame: pd.DataFrame):
    """The numbers of inputs of the classification samples."""
    claimed = {d + 1 for d in DIMENSIONS}
    found = set(papers_table()["d"])
    return settled(
        found == claimed,
        f"Increased by one they are {sorted(claimed)}; Table 1, of the classification "
        f"samples, has {sorted(map(int, found))}.",
        effect=float(len(found - claimed)),
        unit="numbers of inputs that are not expected",
    )


def agrees_with_section_4(_frame: pd.DataFrame):
    """ALReLU and ReLU on quadratic data by section 4: five inputs, depth 30."""
    said = PAPERS_ERRORS["quadratic", 5]
    # ReLU is third of six, and the second-highest error is leaky ReLU's.
    relu, al = said[LEAKY], said[AL]
    return settled(
        al < relu,
        f"By the paper's section 4, on quadratic data with d = 5 ReLU is third of six, "
        f"with an error of at most {relu}, the second-highest; ALReLU has {al}, the "
        f"highest. The conclusion has ALReLU outperform ReLU.",
        effect=float(relu - al),
        unit="mean squared error of ALReLU below ReLU's, at most",
    )


def listing_1(depth: int, *, inside: bool) -> list[tuple[int, int]]:
    """The linear layers that a class of Listing 1 makes, for two inputs and width 8.

    Args:
      depth: as in the listing.
      inside: whether the output layer is appended inside the loop over hidden layers.
    """
    shapes = [(2, 8)]
    for _ in range(depth - 1):
        shapes.append((8, 8))
        if inside:
            shapes.append((8, 1))
    return shapes if inside else [*shapes, (8, 1)]


def outcome(shapes: Sequence[tuple[int, int]]) -> str:
    """What the layers make of four examples."""
    y = np.ones((4, 2))
    for i, shape in enumerate(shapes):
        try:
            y = y @ np.ones(shape)
        except ValueError:
            return f"layer {i + 1} takes {shape[0]} values and gets {y.shape[1]}"
    return f"{y.shape[1]} output" + "s, of a hidden layer" * (y.shape[1] > 1)


def listing_runs(_frame: pd.DataFrame):
    """The classes of ReLU and LeakyReLU, at the paper's depths, and the others."""
    found, right = (
        {depth: outcome(listing_1(depth, inside=inside)) for depth in DEPTHS}
        for inside in (True, False)
    )
    told = "; ".join(f"{text} at depth {depth}" for depth, text in found.items())
    works = sum(text == "1 output" for text in found.values())
    return settled(
        works == len(DEPTHS),
        f"As listed, the classes of ReLU and LeakyReLU append the output layer inside "
        f"the loop over hidden layers: {told}. The other four give "
        f"{' and '.join(set(right.values()))} at every depth.",
        effect=float(works),
        unit=f"of {len(DEPTHS)} depths that work",
    )


def printed_elu(_frame: pd.DataFrame):
    """Equation 4 as printed, with α = 1, against ELU."""
    x = jnp.linspace(-3.0, 0.0, 3001)
    gap = float(jnp.abs(jnp.ceil(x) - 1 - relujax.elu(x)).max())
    return settled(
        gap < 1e-6,
        f"Where the exponential belongs, equations 4 and 5 print a ceiling. Read so, "
        f"with α = 1, the function is up to {gap:.2f} off ELU on [-3, 0] and constant "
        f"between whole numbers, without a gradient.",
        effect=gap,
        unit="largest difference from ELU",
    )


def torch_slope(_frame: pd.DataFrame):
    """The default of PyTorch's LeakyReLU, which the listing takes."""
    try:
        from torch import nn  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise InputError("Expected PyTorch, to read its default.") from error
    slope = nn.LeakyReLU().negative_slope
    return settled(
        slope in (0.2, 0.3),
        f"torch.nn.LeakyReLU has a slope of {slope} by default, and Listing 1 calls it "
        f"without arguments.",
        effect=slope,
        unit="default slope",
    )


def reaches_the_first_layer(activation: str) -> float:
    """The gradient into the first of 30 layers, as a part of that into the last.

    Of the sum of the outputs, with respect to pre-activations; 8 inputs and units,
    PyTorch's initialisation; the median of 200 networks.
    """
    act = relujax.get(activation)
    learned = act.init((1, 8), jnp.float32)

    def layer(y, weights_and_shift):
        w, shift = weights_and_shift
        return act.apply(learned, y @ w[:-1] + w[-1:] + shift), None

    def ratio(key):
        key_weights, key_x = jax.random.split(key)
        weights = jax.random.uniform(key_weights, (30, 9, 8), minval=-1, maxval=1)
        x = jax.random.normal(key_x, (50, 8))
        shifts = jnp.zeros((30, 50, 8))
        out = lambda s: jax.lax.scan(layer, x, (weights / np.sqrt(8), s))[0].sum()
        size = jnp.abs(jax.grad(out)(shifts)).mean(axis=(1, 2))
        return size[0] / jnp.maximum(size[-1], jnp.finfo(size.dtype).tiny)

    keys = jax.random.split(jax.random.key(0), 200)
    return float(np.median(jax.jit(jax.vmap(ratio))(keys)))


def gradient_vanishes(_frame: pd.DataFrame):
    """What of the gradient reaches the first layer, before training."""
    part = {a: reaches_the_first_layer(a) for a in ACTIVATIONS}
    told = ", ".join(f"{LABELS[a]} {x:.0e}" for a, x in part.items())
    return observed(
        part[PRELU] < 1e-3,
        f"The gradient into the first of 30 layers of width 8 before training, as a "
        f"part of that into the last (median of 200 networks): {told}. Under PyTorch's "
        f"initialisation it vanishes; we take less than 1e-3 for that.",
        effect=part[PRELU],
        unit="of the gradient reaches the first layer",
    )


def dies_with_depth(_frame: pd.DataFrame):
    """A single input meets a dead layer: 1 - (1 - 2^-8)^depth (Lu et al. 2020)."""
    probability = lambda depth: 1 - (1 - 2.0**-8) ** depth
    shown = ", ".join(f"{100 * probability(d):.1f} % at {d}" for d in (*DEPTHS, 1000))
    return settled(
        probability(1e6) > 0.999,
        f"For one input, symmetric weights and width 8, the probability that some "
        f"layer is all zero is 1 − (1 − 2⁻⁸)^depth: {shown}. It tends to one, but at "
        f"the paper's depths whole networks rarely die.",
        effect=100 * probability(30),
        unit="% at depth 30",
    )


CLAIMS = [
    relujax.Claim(
        id="relu-most-dead",
        quote="the ReLU neural network consistently produced a larger proportion of "
        "dead neurons than any other activation function, especially for smaller "
        "tolerance levels",
        where="Section 4, Figure 1 (tolerance 1e-5)",
        test=all_better(others(RELU), [RELU], "small_1e-05", ALL, dimensions=(1,)),
    ),
    relujax.Claim(
        id="relu-most-dead-large-tolerance",
        quote="the ReLU neural network consistently produced a larger proportion of "
        "dead neurons than any other activation function",
        where="Section 4, Figure 1 (tolerance 1e-2)",
        test=all_better(others(RELU), [RELU], "small_0.01", ALL, dimensions=(1,)),
    ),
    relujax.Claim(
        id="relu-most-dead-sound",
        quote="the ReLU neural network consistently produced a larger proportion of "
        "dead neurons than any other activation function",
        where="Section 4 (a unit that is never positive, the sound definition)",
        test=all_better(others(RELU), [RELU], "dead", ALL, dimensions=(1,)),
    ),
    relujax.Claim(
        id="zero-at-small-tolerance",
        quote="although LeakyReLU and ALReLU seem to have similar proportions of dead "
        "neurons at the large tolerance level (ε = 0.01), their proportions quickly "
        "drop, and then go to zero as the tolerance drops",
        where="Section 4, Figure 1",
        test=vanish((LEAKY, AL), "1e-05"),
    ),
    relujax.Claim(
        id="others-drop",
        quote="The other activation functions follow a similar pattern, with all "
        "except "
        "for SELU having some proportion of dead neurons at a large tolerance, but "
        "quickly dropping as the tolerance decreases.",
        where="Section 4, Figure 1",
        test=every(
            vanish((SELU,), "0.01"),
            *(some_and_quickly_fewer(a) for a in (ELU, PRELU)),
        ),
    ),
    relujax.Claim(
        id="deeper-is-deader",
        quote="the proportion of dead neurons increases as depth increases for ReLU",
        where="Section 4, Figure 1",
        test=grows_with_depth(RELU, "small_1e-05"),
    ),
    relujax.Claim(
        id="deeper-is-deader-selu",
        quote="more and more neurons become dead, even in SELU, as our depth increases",
        where="Section 5",
        test=grows_with_depth(SELU, "dead"),
    ),
    relujax.Claim(
        id="infinitely-deep",
        quote="for a symmetrically initialized network, as network depth approaches "
        "infinity, the network will fully die",
        where="Section 1, after Lu et al.",
        test=dies_with_depth,
    ),
    *(
        relujax.Claim(
            id=f"no-matter-on-{curve}",
            quote="the relative scale of this variation is very small, with a range of "
            "less than 0.01 for each model. This indicates that activation function "
            "doesn’t make much of a difference for the linear and sinusoidal "
            "underlying relationships",
            where=f"Section 4, Figure 2 ({curve}, N = 500, d = 5)",
            reported="range below 0.01",
            test=narrow_range(curve),
        )
        for curve in ("linear", "sinusoidal")
    ),
    *(
        relujax.Claim(
            id=f"similar-across-depths-{curve}",
            quote="In the linear and sinusoidal models, MSE generally stayed in a "
            "similar range across depths",
            where=f"Section 5 ({curve}, N = 500, d = 5)",
            test=similar_across_depths(curve),
        )
        for curve in ("linear", "sinusoidal")
    ),
    relujax.Claim(
        id="quadratic-1d",
        quote="In the one-dimension dataset, we do not see much difference between the "
        "activation functions or over depth, as there is a slight increase that is "
        "relatively small compared to the higher dimensions to the right.",
        where="Section 4, Figure 3 (N = 500, d = 1)",
        test=little_spread,
    ),
    relujax.Claim(
        id="quadratic-2d-by-depth",
        quote="However, counterintuitively, we find a decrease in the test MSE as "
        "depth "
        "increases.",
        where="Section 4, Figure 3 (N = 500, d = 2, depth 30 against 1)",
        test=falls("quadratic", 2, 1, 30),
    ),
    relujax.Claim(
        id="quadratic-2d",
        quote="In the two-dimension dataset, ReLU, Leaky ReLU, and ALReLU have the "
        "highest MSEs, with ELU, SELU, and PReLU outperforming them consistently.",
        where="Section 4, Figure 3 (N = 500, d = 2)",
        test=all_better(
            (ELU, SELU, PRELU), (RELU, LEAKY, AL), "mse", ("quadratic",), (500,), (2,)
        ),
    ),
    relujax.Claim(
        id="quadratic-5d-selu",
        quote="The ending MSE for SELU, the best performing activation function, is "
        "around 10",
        where="Section 4, Figure 3 (N = 500, d = 5, depth 30; the best)",
        test=on(best(SELU, "mse"), ("quadratic",), (500,), (5,), (30,)),
    ),
    relujax.Claim(
        id="quadratic-values-selu",
        quote="The ending MSE for SELU, the best performing activation function, is "
        "around 10, whereas in the two-dimension dataset the ending MSE is around "
        "3.25.",
        where="Section 4, Figure 3 (the numbers)",
        reported="MSE 10 and 3.25 at depth 30",
        test=every(around("quadratic", 5, SELU), around("quadratic", 2, SELU)),
    ),
    relujax.Claim(
        id="quadratic-values-worst",
        quote="an average test MSE of nearly 15, two points higher than the second-"
        "highest test MSE of 13 from LeakyReLU",
        where="Section 4, Figure 3 (the numbers)",
        reported="MSE 15 and 13 at depth 30",
        test=every(around("quadratic", 5, AL), around("quadratic", 5, LEAKY)),
    ),
    relujax.Claim(
        id="quadratic-5d-al-relu",
        quote="ALReLU performs significantly worse than the other models, especially "
        "at higher depth, with an average test MSE of nearly 15",
        where="Section 4, Figure 3 (N = 500, d = 5, depth 30; the worst)",
        test=all_better(
            others(AL), [AL], "mse", ("quadratic",), (500,), (5,), depths=(30,)
        ),
    ),
    relujax.Claim(
        id="quadratic-5d-relu-third",
        quote="Surprisingly, ReLU is the third-best performer off test MSE for the "
        "quadratic dataset, only beaten by ELU and SELU",
        where="Section 4, Figure 3 (N = 500, d = 5)",
        test=on(
            every(
                *(better(a, RELU, "mse") for a in (ELU, SELU)),
                *(better(RELU, a, "mse") for a in (LEAKY, AL, PRELU)),
            ),
            ("quadratic",),
            (500,),
            (5,),
        ),
    ),
    relujax.Claim(
        id="exponential-1d",
        quote="In the one-dimension dataset, ReLU has comparatively large MSE compared "
        "to all other alternative activation functions as the depth approaches 30.",
        where="Section 4, Figure 4 (N = 500, d = 1, depth 30)",
        test=all_better(
            others(RELU), [RELU], "mse", ("exponential",), (500,), (1,), depths=(30,)
        ),
    ),
    relujax.Claim(
        id="exponential-1d-dip",
        quote="All of the activation functions experience a dip in MSE as the model "
        "depth"
        " first increases, before all rising again consistently as the depth "
        "increases.",
        where="Section 4, Figure 4 (N = 500, d = 1; depth 1 above 3, and 30 above 3)",
        test=every(falls("exponential", 1, 1, 3), falls("exponential", 1, 30, 3)),
    ),
    relujax.Claim(
        id="exponential-1d-elu-selu",
        quote="This mirrors the results from the quadratic model as well, with ELU and "
        "SELU again outperforming the other models.",
        where="Section 4, Figure 4 (N = 500, d = 1)",
        test=all_better(
            (ELU, SELU), others(ELU, SELU), "mse", ("exponential",), (500,), (1,)
        ),
    ),
    relujax.Claim(
        id="exponential-2d-highest",
        quote="Leaky ReLU, ALReLU, and PReLU end with the highest MSEs, with ELU and "
        "SELU"
        " outperforming all other models consistently",
        where="Section 4, Figure 4 (N = 500, d = 2, depth 30)",
        test=all_better(
            (RELU, ELU, SELU),
            (LEAKY, AL, PRELU),
            "mse",
            ("exponential",),
            (500,),
            (2,),
            depths=(30,),
        ),
    ),
    relujax.Claim(
        id="exponential-2d-values",
        quote="remaining with the smallest MSE (around 7, others around 8).",
        where="Section 4, Figure 4 (the numbers)",
        reported="MSE 7 and 8 at depth 30",
        test=every(*(around("exponential", 2, a) for a in ACTIVATIONS)),
    ),
    relujax.Claim(
        id="exponential-2d",
        quote="ELU and SELU outperforming all other models consistently, and remaining "
        "with the smallest MSE (around 7, others around 8)",
        where="Section 4, Figure 4 (N = 500, d = 2; the order)",
        test=all_better(
            (ELU, SELU), others(ELU, SELU), "mse", ("exponential",), (500,), (2,)
        ),
    ),
    relujax.Claim(
        id="exponential-values-selu",
        quote="The ending MSE for SELU, the best performing activation function, is "
        "around 37, whereas in the two-dimension dataset the ending MSE is around "
        "7.",
        where="Section 4, Figure 4 (the numbers)",
        reported="MSE 37 and 7 at depth 30",
        test=every(around("exponential", 5, SELU), around("exponential", 2, SELU)),
    ),
    relujax.Claim(
        id="exponential-values-relu",
        quote="ReLU continues to perform the worst, ending at around 50 MSE, but "
        "LeakyReLU is not far behind, with a near-50 test MSE as well.",
        where="Section 4, Figure 4 (the numbers)",
        reported="MSE 50 and nearly 50 at depth 30",
        test=every(around("exponential", 5, RELU), around("exponential", 5, LEAKY)),
    ),
    relujax.Claim(
        id="exponential-5d-highest",
        quote="This dataset has the highest MSE over all the models, possibly "
        "indicating "
        "difficulty in the activation function capturing the underlying exponential"
        " relationship between the data.",
        where="Section 4, Figure 4 (N = 500, d = 5, mean over the depths)",
        test=hardest,
    ),
    relujax.Claim(
        id="exponential-5d-relu-worst",
        quote="ReLU continues to perform the worst, ending at around 50 MSE",
        where="Section 4, Figure 4 (N = 500, d = 5, depth 30; the worst)",
        test=all_better(
            others(RELU), [RELU], "mse", ("exponential",), (500,), (5,), depths=(30,)
        ),
    ),
    relujax.Claim(
        id="variants-beat-relu",
        quote="For the more complex exponential and quadratic models, SELU, ELU, and "
        "ALReLU outperformed ReLU consistently",
        where="Section 5",
        test=all_better((SELU, ELU, AL), [RELU], "mse", NUMERIC),
    ),
    relujax.Claim(
        id="conclusion-agrees",
        quote="For the more complex exponential and quadratic models, SELU, ELU, and "
        "ALReLU outperformed ReLU consistently",
        where="Section 5 (against the paper’s own section 4)",
        test=agrees_with_section_4,
    ),
    relujax.Claim(
        id="selu-least-error",
        quote="SELU consistently yielded the minimum test MSE across most model types "
        "and dimensions—particularly in deeper neural networks",
        where="Section 5",
        test=most_often_best(SELU),
    ),
    relujax.Claim(
        id="selu-best-f1",
        quote="we can see a clear indication that SELU outperforms all other "
        "alternative activation functions, especially as depth, dimension, and sample "
        "size increase",
        where="Section 4, Figures 5 and 6 (weighted F1)",
        test=on(best(SELU, "f1_weighted"), (CLASSES,)),
    ),
    relujax.Claim(
        id="worst-f1",
        quote="ALReLU, PReLU, and ReLU all seem to perform worse than the others, "
        "particularly for the higher sample size",
        where="Section 4, Figure 6 (N = 500)",
        test=all_better(
            (LEAKY, ELU, SELU), (AL, PRELU, RELU), "f1_weighted", (CLASSES,), (500,)
        ),
    ),
    relujax.Claim(
        id="al-relu-high-mse",
        quote="ALReLU produced some of the highest MSEs",
        where="Section 5 (quadratic and exponential, above the mean of the others)",
        test=above_the_others,
    ),
    relujax.Claim(
        id="f1-by-depth",
        quote="F1 performance improved with increasing depth, sample size, and "
        "dimensionality",
        where="Section 5, Figures 5 and 6 (depth 30 against 1)",
        test=f1_grows("depth 30 against 1", depths=(30, 1)),
    ),
    relujax.Claim(
        id="f1-by-size",
        quote="F1 performance improved with increasing depth, sample size, and "
        "dimensionality",
        where="Section 5, Figures 5 and 6 (N = 500 against 100)",
        test=f1_grows("N = 500 against 100", sizes=(500, 100)),
    ),
    relujax.Claim(
        id="f1-by-dimension",
        quote="F1 performance improved with increasing depth, sample size, and "
        "dimensionality",
        where="Section 5, Figures 5 and 6 (d = 5 against 1)",
        test=f1_grows("d = 5 against 1", dimensions=(5, 1)),
    ),
    relujax.Claim(
        id="f1-lowest",
        quote="ReLU and ALReLU consistently have lower F1 scores, especially in high-"
        "dimensional settings.",
        where="Section 5 (d = 5)",
        test=all_better(
            others(RELU, AL), (RELU, AL), "f1_weighted", (CLASSES,), dimensions=(5,)
        ),
    ),
    relujax.Claim(
        id="deeper-than-ten",
        quote="This conclusion emphasizes the importance of self-normalizing "
        "activations "
        "in deep architectures, particularly when depth exceeds 10 layers",
        where="Section 5 (SELU’s advantage on ReLU in F1)",
        test=deep_advantage,
    ),
    relujax.Claim(
        id="leaky-underperform",
        quote="Although Leaky ReLU and PReLU were originally developed to prevent the "
        "dying ReLU problem, they underperform relative to SELU and ELU in both "
        "accuracy and training time.",
        where="Section 5 (accuracy)",
        test=all_better((SELU, ELU), (LEAKY, PRELU), "accuracy", (CLASSES,)),
    ),
    relujax.Claim(
        id="leaky-slower",
        quote="Although Leaky ReLU and PReLU were originally developed to prevent the "
        "dying ReLU problem, they underperform relative to SELU and ELU in both "
        "accuracy and training time.",
        where="Section 5 (time, measured again in PyTorch)",
        test=fastest((SELU, ELU), (LEAKY, PRELU)),
    ),
    relujax.Claim(
        id="relu-fastest-when-shallow",
        quote="it was commonly the fastest in training time for the lower-depth "
        "models, "
        "showing why it is favored in practice",
        where="Section 4, Table 1 (depths 1 and 3, measured again in PyTorch)",
        test=fastest((RELU,), others(RELU, AL), depths=(1, 3)),
    ),
    relujax.Claim(
        id="time-of-classification",
        quote="over the classification datasets, Leaky ReLU, ELU, and SELU outperform "
        "others in time to train",
        where="Section 4, Table 1 (measured again in PyTorch)",
        test=fastest((LEAKY, ELU, SELU), (RELU, PRELU)),
    ),
    relujax.Claim(
        id="time-in-its-own-table",
        quote="From our table, we can see that over the classification datasets, Leaky "
        "ReLU, ELU, and SELU outperform others in time to train.",
        where="Section 4, Table 1 (the paper’s own numbers)",
        test=own_table_has_faster((LEAKY, ELU, SELU), (RELU, PRELU)),
    ),
    relujax.Claim(
        id="deep-time-in-its-own-table",
        quote="For larger sample sizes and higher depths, ELU and SELU were "
        "consistently "
        "faster",
        where="Section 5 (the paper’s own Table 1, N = 500, depths 10 and 30)",
        test=own_table_has_faster(
            (ELU, SELU), (LEAKY, RELU, PRELU), "n == 500 and depth >= 10"
        ),
    ),
    relujax.Claim(
        id="shallow-time-in-its-own-table",
        quote="it was commonly the fastest in training time for the lower-depth "
        "models, "
        "showing why it is favored in practice",
        where="Section 4 (the paper’s own Table 1, depths 1 and 3)",
        test=own_table_has_faster((RELU,), (LEAKY, ELU, SELU, PRELU), "depth <= 3"),
    ),
    relujax.Claim(
        id="slowest-in-its-own-table",
        quote="consistently PReLU, which trained the slowest across variations in "
        "depth, "
        "dimension, and number of input observations.",
        where="Section 4 (the paper’s own Table 1)",
        test=own_table_has_slowest,
    ),
    relujax.Claim(
        id="depth-in-its-own-table",
        quote="greater network depth was consistently associated with longer training "
        "times",
        where="Section 5 (the paper’s own Table 1)",
        test=own_table_grows_with_depth,
    ),
    relujax.Claim(
        id="al-relu-in-table-1",
        quote="comparing each function’s test accuracy, F1 score, (both for "
        "classification data), test MSE (for numeric data), and computational time "
        "to train.",
        where="Section 3 (a time for each in Table 1)",
        test=own_table_has_al_relu,
    ),
    relujax.Claim(
        id="inputs-increased-by-one",
        quote="with input dimensions of 1, 2, or 5 (increased by one for "
        "classification "
        "datasets)",
        where="Section 3 (against Table 1)",
        test=own_table_adds_an_input,
    ),
    relujax.Claim(
        id="prelu-slowest",
        quote="The function that performed the worst, in terms of training time, was "
        "consistently PReLU, which trained the slowest across variations in depth, "
        "dimension, and number of input observations.",
        where="Section 4, Table 1 (measured again in PyTorch)",
        test=fastest(others(PRELU, AL), [PRELU]),
    ),
    relujax.Claim(
        id="time-by-depth",
        quote="greater network depth was consistently associated with longer training "
        "times",
        where="Section 5 (measured again in PyTorch)",
        test=slower_by_depth,
    ),
    relujax.Claim(
        id="faster-with-more-data",
        quote="greater dimensionality or a greater number of observations sometimes "
        "shortened training times, such as with SELU, which achieved faster training "
        "times with 500 observations than with 100",
        where="Section 5 (measured again in PyTorch)",
        test=more_data_is_faster,
    ),
    relujax.Claim(
        id="prelu-vanishes",
        quote="Some of these activation functions—like PReLU—suffer from the vanishing "
        "gradient issue still.",
        where="Section 1 (before training)",
        test=gradient_vanishes,
    ),
    relujax.Claim(
        id="slope-of-pytorch",
        quote="This slope is defined as alpha, which is usually given the weight 0.01, "
        "but in Pytorch, we use 0.2 or 0.3.",
        where="Section 1",
        reported="0.2 or 0.3",
        test=torch_slope,
    ),
    relujax.Claim(
        id="listing-runs",
        quote="Each activation function that we used is defined above, and the code "
        "chunks are at the bottom of the paper.",
        where="Section 3 (Listing 1, as printed)",
        test=listing_runs,
    ),
    relujax.Claim(
        id="printed-elu",
        quote="\\alpha(\\lceil^x - 1) & x \\leq 0, \\alpha > 0",
        where="Equations 4 and 5 (as printed in the text that was read)",
        test=printed_elu,
    ),
]

LABELS = dict(
    zip(
        ACTIVATIONS,
        ("ReLU", "Leaky ReLU", "ALReLU", "ELU", "SELU", "PReLU"),
        strict=True,
    )
)
COLORS = ("#1a1d21", "#0072b2", "#56b4e9", "#d55e00", "#cc79a7", "#009e73")
MARKERS = "osDv^P"


def draw(axes: Axes, rows: pd.DataFrame, metric: str, scale: float = 1.0) -> None:
    """Mean over seeds and its interval by depth, a line per activation."""
    for i, activation in enumerate(ACTIVATIONS):
        table = scale * by_depth(rows, metric, activation)
        found = [mean_interval(table[depth]) for depth in table.columns]
        # A little apart, so that the bars can be told from each other.
        x = np.arange(len(found)) + 0.06 * (i - 2.5)
        middle = np.array([e.value for e in found])
        ends = np.array([[e.low, e.high] for e in found]).T
        axes.errorbar(
            x,
            middle,
            abs(ends - middle),
            color=COLORS[i],
            marker=MARKERS[i],
            ms=4,
            lw=1.2,
            elinewidth=0.8,
            label=LABELS[activation],
        )
    axes.set_xticks(range(len(DEPTHS)), list(map(str, DEPTHS)))
    axes.set_xlabel("depth")
    axes.grid(axis="y")


def panels(
    frames: Sequence[tuple[str, pd.DataFrame, str]], label: str, scale: float = 1.0
) -> Figure:
    """A row of panels: (title, rows, metric) each."""
    figure = Figure(figsize=(7.2, 3.1), layout="constrained")
    grid = figure.subplots(1, len(frames), squeeze=False)[0]
    for axes, (title, rows, metric) in zip(grid, frames, strict=True):
        draw(axes, rows, metric, scale)
        axes.set_title(title)
    grid[0].set_ylabel(label)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=6, frameon=False)
    return figure


def figure_1(frame: pd.DataFrame) -> Figure:
    rows = rows_of(frame, ALL, dimensions=(1,))
    names = [(f"ε = {e}", rows, f"small_{e}") for e in ("0.01", "0.001", "1e-05")]
    with mpl.rc_context({"axes.titlesize": 9}):
        return panels([*names, ("never positive", rows, "dead")], "dead units, %", 100)


def figure_2(frame: pd.DataFrame) -> Figure:
    parts = [
        (f"{curve}, N = 500, d = 5", rows_of(frame, (curve,), (500,), (5,)), "mse")
        for curve in ("linear", "sinusoidal")
    ]
    return panels(parts, "test mean squared error")


def by_dimension(curve: str, n: int, metric: str, label: str, scale: float) -> Callable:
    def make(frame: pd.DataFrame) -> Figure:
        parts = [
            (
                f"{curve.replace('_', ' ')}, d = {d}",
                rows_of(frame, (curve,), (n,), (d,)),
                metric,
            )
            for d in DIMENSIONS
        ]
        return panels(parts, label, scale)

    return make


def initial_weights(draws: int = 2000) -> dict[int, np.ndarray]:
    """What `trained_weights` returns, before training and from more networks."""
    rng = np.random.default_rng(0)
    drawn = lambda layers: rng.uniform(-1, 1, (draws * 8 * layers, 8))
    first = np.repeat(drawn(1)[:, :1], 8, axis=1)
    return {
        depth: np.concatenate([first, drawn(depth - 1) / np.sqrt(8)])
        for depth in DEPTHS
    }


def trained_weights(activation: str, seeds: int = 5) -> dict[int, np.ndarray]:
    """The incoming weights of the hidden units after training, by depth: `[units, 8]`.

    Of networks as in the study, on quadratic data with N = 100 and d = 1. A unit of the
    first layer has one weight, which is repeated.
    """
    act, sample = (
        relujax.get(activation),
        relujax.load_dataset(data(NUMERIC[0], 100, 1)),
    )
    x, y = jnp.asarray(sample.x_train[:, :1]), jnp.asarray(sample.y_train)
    affine = lambda h, w: h @ w[:-1] + w[-1:]
    adam = optax.adam(0.01)

    def loss(params, depth):
        first, hidden, last = params

        def layer(h, block):
            i, w = block
            return jnp.where(i < depth - 1, act.apply({}, affine(h, w)), h), None

        h = act.apply({}, affine(x, first))
        h, _ = jax.lax.scan(layer, h, (jnp.arange(len(hidden)), hidden))
        return ((affine(h, last)[:, 0] - y) ** 2).mean()

    def train(key, depth):
        keys = jax.random.split(key, 3)
        shapes = ((2, 8), (max(DEPTHS) - 1, 9, 8), (9, 1))
        params = tuple(
            jax.random.uniform(k, shape, minval=-1, maxval=1) / np.sqrt(shape[-2] - 1)
            for k, shape in zip(keys, shapes, strict=True)
        )

        def step(carry, _):
            params, state = carry
            updates, state = adam.update(jax.grad(loss)(params, depth), state)
            return (optax.apply_updates(params, updates), state), None

        (params, _), _ = jax.lax.scan(step, (params, adam.init(params)), length=100)
        return params

    keys = jax.random.split(jax.random.key(0), seeds)
    each_depth = jax.vmap(jax.vmap(train, (0, None)), (None, 0))
    first, hidden, _ = map(np.asarray, jax.jit(each_depth)(keys, jnp.array(DEPTHS)))
    return {
        depth: np.concatenate(
            [
                np.repeat(first[i, :, 0].reshape(-1, 1), 8, axis=1),
                hidden[i, :, : depth - 1, :-1].swapaxes(-1, -2).reshape(-1, 8),
            ]
        )
        for i, depth in enumerate(DEPTHS)
    }


def by_weights(weights: dict[int, np.ndarray], of: str) -> pd.DataFrame:
    """Per cent of the units that are dead by their weights, by depth, reading and ε."""
    rows = [
        (f"{e:g}", depth, f"{reading}, {of}", 100 * below(w, e).all(axis=1).mean())
        for depth, w in weights.items()
        for e in TOLERANCES
        for reading, below in (
            ("every weight is below ε", lambda w, e: w < e),
            ("every weight is below ε in size", lambda w, e: abs(w) < e),
        )
    ]
    return pd.DataFrame(rows, columns=["ε", "depth", "reading", "share"])


def dead_by_reading(frame: pd.DataFrame) -> pd.DataFrame:
    """Dead units by the paper's wording, and by their outputs after training."""
    rows = rows_of(frame, ALL, dimensions=(1,))
    parts = [by_weights(initial_weights(), "before training")]
    for activation in (RELU, SELU):
        name = f"trained, {LABELS[activation]}"
        parts.append(by_weights(trained_weights(activation), name))
        for e in TOLERANCES:
            table = 100 * by_depth(rows, f"small_{e}", activation)
            mean = table.mean().rename_axis("depth").rename("share").reset_index()
            reading = f"output is below ε, {name}"
            parts.append(mean.assign(**{"ε": f"{e:g}", "reading": reading}))
    wide = pd.concat(parts).set_index(["reading", "ε", "depth"])["share"]
    wide = wide.unstack("depth").sort_index(level="reading", sort_remaining=False)
    text = wide.map("{:.2f}".format).rename(columns="depth {}".format)
    return text.reset_index()


def verdicts_by_setting(frame: pd.DataFrame) -> pd.DataFrame:
    """The verdict of each sampled claim, by learning rate and number of steps."""
    settings = {
        f"{optimizer.partition('=')[2].rstrip(')')}, {steps} steps": frame[
            (frame["optimizer"] == optimizer) & (frame["epoch"] <= steps)
        ]
        for optimizer in frame["optimizer"].unique()
        for steps in (100, 1000)
        if steps in set(frame["epoch"])
    }
    if len(settings) < 2:
        raise InputError("Expected results of several learning rates, got one.")
    found = {
        name: {
            j.claim.id: j.verdict if j.p is not None else "–"
            for j in judge(CLAIMS, rows)
        }
        for name, rows in settings.items()
    }
    table = pd.DataFrame(found)
    table = table[(table != "–").any(axis=1)]
    return table.rename_axis("claim").reset_index()


def table_1(_frame: pd.DataFrame) -> pd.DataFrame:
    """Median times of PyTorch and of this library, in the paper's layout."""
    table = times().groupby(["n", "d", "depth", "program", "activation"])["seconds"]
    wide = table.median().unstack(["program", "activation"])
    rows = []
    for (n, d, depth), row in wide.iterrows():
        listing = row["torch"][list(TIMED)]
        rows.append(
            {
                "Observations": str(n),
                "Dimensions": str(d),
                "Depth": str(depth),
                **{LABELS[a]: f"{listing[a]:.4f}" for a in TIMED},
                "Best Activation": LABELS[str(listing.idxmin())],
                "relujax, all five": f"{row['relujax'][list(TIMED)].mean():.5f}",
            }
        )
    return pd.DataFrame(rows)


MEANS = (
    "Mean over ten seeds and 95 % confidence interval, by the number of hidden layers"
)

EXHIBITS = [
    relujax.Exhibit(
        title="Figure 1: dead neuron count over activation functions",
        caption=f"{MEANS}, on the ten samples with one input. A unit counts as dead "
        "where its output stays below ε on every test example (what we take the paper "
        "to mean), and, at the right, where it is never positive.",
        make=figure_1,
    ),
    relujax.Exhibit(
        title="Figure 2: linear and sinusoidal models, largest sample",
        caption=f"{MEANS}.",
        make=figure_2,
    ),
    relujax.Exhibit(
        title="Figure 3: quadratic models, sample size 500",
        caption=f"{MEANS}.",
        make=by_dimension("quadratic", 500, "mse", "test mean squared error", 1),
    ),
    relujax.Exhibit(
        title="Figure 4: exponential models, sample size 500",
        caption=f"{MEANS}.",
        make=by_dimension("exponential", 500, "mse", "test mean squared error", 1),
    ),
    *(
        relujax.Exhibit(
            title=f"Figure {number}: F1 score, sample size {n}",
            caption=f"{MEANS}; F1 weighted by the size of the classes.",
            make=by_dimension(CLASSES, n, "f1_weighted", "weighted F1, %", 100),
        )
        for number, n in ((5, 100), (6, 500))
    ),
    relujax.Exhibit(
        title="Table 1: class time comparison",
        caption="Seconds to train one network (100 full-batch steps of Adam): the "
        "paper’s listing in PyTorch, median of five interleaved repeats; in the last "
        "column this library, per network of a population of ten, averaged over the "
        "five activations.",
        make=table_1,
    ),
    relujax.Exhibit(
        title="Dead by the paper’s wording",
        caption="Per cent of the hidden units, on samples with one input. The paper "
        'counts a neuron "if its weight was less than ϵ". Two readings of that, of '
        "the weights as drawn, which are those of every activation, and of five "
        "networks trained on quadratic data (N = 100, d = 1): signed, it counts units "
        "whose weights are negative; in size, next to none behind the first layer. "
        "Beside them the reading of Figure 1: the output on every test example, after "
        "training, on all samples with one input.",
        make=dead_by_reading,
    ),
    relujax.Exhibit(
        title="Verdicts by learning rate and steps",
        caption="Of the claims that sampling decides, on the samples of the profile "
        "alternatives; each column is corrected by itself.",
        make=verdicts_by_setting,
    ),
]

CHOICES = [
    relujax.Choice(
        what="Optimiser, learning rate, steps",
        chosen="Adam, 0.01, 100 full-batch steps",
        why="The paper names none. Its times, about 0.007 s at depth 1 and 0.1 s at "
        "depth 30, leave room for some dozens of full-batch steps in PyTorch.",
        tried="0.001 and 0.01 with 100 and 1,000 steps, on a part of the samples: the "
        "profile alternatives, whose report lists the verdicts of each. More steps can "
        "turn every claim about errors, for at 100 deep networks predict the mean.",
    ),
    relujax.Choice(
        what="Initialisation",
        chosen="PyTorch's default of linear layers",
        why='"symmetric initialization"; the listing changes nothing.',
    ),
    relujax.Choice(
        what="What is dead",
        chosen="a unit whose output stays below ε on every test example",
        why='The paper counts a neuron "if its weight was less than ϵ", which no '
        "reading turns into a Figure 1 that rises with depth for ReLU alone: weights "
        "are drawn alike for all activations.",
        tried="never positive, in the right panel of Figure 1; two readings of the "
        "paper's wording, in a table of their own",
    ),
    relujax.Choice(
        what="The targets of samples with several inputs",
        chosen="the sum of the curve over the inputs",
        why="Its deep networks predict the mean, and their errors (10 for d = 5 "
        "quadratic) are near the variance of that sum.",
        tried="nothing else; a mean over the inputs would divide every error by d², "
        "and with it the verdicts on the paper's numbers would turn",
    ),
    relujax.Choice(
        what="The two classes",
        chosen="inside and outside a sphere that halves the data",
        why="The paper says nothing but their number.",
        tried="nothing else; two_class_linear, a plane, is in the library. The claims "
        "about F1 depend on it: a plane is learned by any activation",
    ),
    relujax.Choice(
        what="Dimensions of the classification samples",
        chosen="1, 2, 5",
        why='The text has them "increased by one", its Table 1 does not.',
        tried="nothing else: one input more changes no comparison of activations that "
        "is not already different between 1, 2 and 5",
    ),
    relujax.Choice(
        what="Test part",
        chosen="the last fifth",
        why="The paper does not say; the samples have no order.",
    ),
    relujax.Choice(
        what="The listing",
        chosen="one output layer after the hidden ones",
        why="Two of its classes append the output layer inside the loop over hidden "
        "layers, which could not run; the others do as we do.",
    ),
    relujax.Choice(
        what="Around a number",
        chosen="within a tenth of it",
        why='The paper reads its numbers off figures: "around 10", "nearly 15".',
    ),
    relujax.Choice(
        what="A range of less than 0.01",
        chosen="supported if all pairs of activations differ by less at every depth; "
        "contradicted if ReLU and SELU differ by more on average over the depths",
        why="One pair, the paper's worst and best, needs no correction for having been "
        "picked from sixty.",
        tried="the pair and depth that differ most in the other seeds: too wide an "
        "interval to decide. The pair was fixed after this was seen.",
    ),
]

# Set, or given their margin, after results had been seen.
EXPLORATORY = {
    "no-matter-on-linear",
    "no-matter-on-sinusoidal",
    "others-drop",
    "similar-across-depths-linear",
    "similar-across-depths-sinusoidal",
    "quadratic-1d",
    "quadratic-2d-by-depth",
    "quadratic-values-selu",
    "quadratic-values-worst",
    "exponential-1d-dip",
    "exponential-1d-elu-selu",
    "exponential-2d-highest",
    "exponential-2d-values",
    "exponential-values-selu",
    "exponential-values-relu",
    "exponential-5d-highest",
    "al-relu-high-mse",
    "f1-by-depth",
    "f1-by-size",
    "f1-by-dimension",
    "f1-lowest",
    "deeper-than-ten",
    "leaky-underperform",
    "leaky-slower",
    "relu-fastest-when-shallow",
}

study = relujax.Study(
    id="relu_variants",
    paper=relujax.Paper(
        title="ReLU and other Activation Functions",
        authors="Emma Morrison, Jared Gode and Jack Conner",
        year=2025,
    ),
    question="do ReLU's variants keep deep, narrow networks alive, and is SELU best?",
    baseline=RELU,
    profiles={"quick": QUICK, "paper": PAPER, "alternatives": ALTERNATIVES},
    seeds={"quick": 5, "paper": 10, "alternatives": 5},
    claims=[replace(claim, exploratory=claim.id in EXPLORATORY) for claim in CLAIMS],
    exhibits=EXHIBITS,
    choices=CHOICES,
)
