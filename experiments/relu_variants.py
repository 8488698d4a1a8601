"""ReLU and other activation functions (Morrison, Gode and Conner, 2025).

Claims reproduced: deep, narrow ReLU networks fill with dead units, their variants do
not; SELU and ELU have the lowest errors and the best F1 on synthetic data; which of
them trains fastest.

    relujax run experiments/relu_variants.py --profile quick   # a minute
    relujax run experiments/relu_variants.py --profile paper   # all 7,200 networks

Times depend on the machine and on its other work, so they are not measured here but by
`experiments/speed/narrow.py`, whose table the claims about time read.
"""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import relujax
from relujax.analysis import (
    best,
    better,
    every,
    mean_interval,
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


def data(curve: str, n: int, d: int) -> str:
    """All samples have five columns, so that they share programs."""
    return f"synthetic(curve={curve!r}, n={n}, d={d}, columns=5)"


def model(depth: int, d: int) -> str:
    return f"deep_mlp(width=8, depth={depth}, inputs={d})"


def cell(curve: str, n: int, d: int, depth: int, activation: str) -> relujax.Cell:
    """100 full-batch steps of Adam, as the paper's other numbers suggest."""
    return relujax.Cell(
        data=data(curve, n, d),
        model=model(depth, d),
        activation=activation,
        optimizer="adam(learning_rate=0.01)",
        objective="binary_cross_entropy" if curve == CLASSES else "mse",
        batch_size=n,
        epochs=100,
        evaluate_every=25,
        tolerances=TOLERANCES,
    )


def grid(curves: Sequence[str], sizes: Sequence[int], dimensions: Sequence[int]):
    order = itertools.product(curves, sizes, dimensions, ACTIVATIONS, DEPTHS)
    return [cell(c, n, d, depth, a) for c, n, d, a, depth in order]


PAPER = grid((*CURVES, CLASSES), SIZES, DIMENSIONS)
QUICK = grid(("quadratic", "exponential", CLASSES), (500,), (1, 5))


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
    lacking = wanted - set(zip(frame["data"], frame["model"], strict=True))
    if lacking:
        example = " with ".join(min(lacking))
        raise InputError(f"Expected results for {example}: run the profile paper.")
    pairs = pd.MultiIndex.from_frame(frame[["data", "model"]])
    return frame[pairs.isin(list(wanted))]


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


def vanish(activations: Sequence[str], tolerance: str) -> Callable:
    """Below half a per cent of the units have outputs below the tolerance."""

    def test(frame: pd.DataFrame):
        rows = rows_of(frame, (*CURVES, CLASSES), dimensions=(1,))
        metric = f"small_{tolerance}"
        share = pd.concat([by_depth(rows, metric, a) for a in activations])
        x = 100 * share.groupby(level="seed").mean().mean(axis=1)
        return positive(
            0.5 - x,
            f"{x.mean():.2f} % of the units of {' and '.join(activations)} stay below "
            f"{tolerance} on every example; we take less than 0.5 % for none.",
            unit="percentage points below 0.5 %",
        )

    return test


def narrow_range(curve: str) -> Callable:
    """The mean errors of the activations range over less than 0.01, at every depth."""

    def test(frame: pd.DataFrame):
        rows = rows_of(frame, (curve,), (500,), (5,))
        errors = (
            scores(rows, "mse").unstack("activation").droplevel(["data", "optimizer"])
        )
        seeds = errors.index.unique("seed")
        x = pd.Series({seed: _range_elsewhere(errors, seed) for seed in seeds})
        return positive(
            0.01 - x,
            f"Where they differ most, the worst activation has a test error that is "
            f"{x.mean():.3f} above that of the best, against a noise variance of 0.01 "
            f"(depth and pair are chosen on the other seeds).",
            unit="mean squared error below a range of 0.01",
        )

    return test


def _range_elsewhere(errors: pd.DataFrame, seed: int) -> float:
    """A seed's worst minus best, as the other seeds have it."""
    mean = errors.drop(seed, level="seed").groupby("model").mean()
    depth = (mean.max(axis=1) - mean.min(axis=1)).idxmax()
    row = errors.loc[(depth, seed)]
    return row[mean.loc[depth].idxmax()] - row[mean.loc[depth].idxmin()]


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


def fastest(winners: Sequence[str], losers: Sequence[str]) -> Callable:
    """Each winner trains faster than each loser, in PyTorch, by the paper's listing.

    The unit is the repeat: a ratio of times, averaged over sizes, dimensions, depths.
    """

    def test(_frame: pd.DataFrame):
        table = times().query("program == 'torch'")
        keys = [table["repeat"], table["activation"]]
        mean = np.log(table["seconds"]).groupby(keys).mean().unstack()
        found = []
        for a, b in itertools.product(winners, losers):
            x = mean[b] - mean[a]
            found.append(
                positive(
                    np.expm1(x),
                    f"{b} takes {100 * np.expm1(x.mean()):+.1f} % more time than {a}, "
                    f"as a geometric mean over the samples and depths of Table 1.",
                    unit="% more time",
                    scale=100,
                )
            )
        return every(*[lambda _, e=e: e for e in found])(_frame)

    return test


def more_data_is_faster(_frame: pd.DataFrame):
    """SELU with 500 observations against 100, in PyTorch."""
    table = times().query("program == 'torch' and activation == 'selu'")
    mean = np.log(table["seconds"]).groupby([table["repeat"], table["n"]]).mean()
    x = mean.unstack()[100] - mean.unstack()[500]
    return positive(
        np.expm1(x),
        f"With 500 observations SELU takes {100 * np.expm1(-x.mean()):+.1f} % more "
        f"time than with 100.",
        unit="% faster",
        scale=100,
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
    )


#: Table 1 of the paper counted by its own column "Best Activation".
PAPERS_WINS = {"leaky_relu": 9, "relu": 6, "elu": 5, "selu": 4, "prelu": 0}


def papers_own_table(_frame: pd.DataFrame):
    """The sentence about Table 1 against Table 1."""
    names = ", ".join(f"{a} {n}" for a, n in PAPERS_WINS.items())
    return settled(
        min(PAPERS_WINS[a] for a in (LEAKY, ELU, SELU)) > PAPERS_WINS[RELU],
        f"The rows of its own Table 1 that each is fastest in: {names}. ReLU comes "
        f"second, before ELU and SELU.",
        effect=PAPERS_WINS[SELU] - PAPERS_WINS[RELU],
        unit="wins of SELU more than of ReLU",
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


ALL = (*CURVES, CLASSES)
NUMERIC = ("quadratic", "exponential")

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
        where="Section 4, Figure 3 (N = 500, d = 5, depth 30)",
        reported="MSE 10 at depth 30",
        test=on(best(SELU, "mse"), ("quadratic",), (500,), (5,), (30,)),
    ),
    relujax.Claim(
        id="quadratic-5d-al-relu",
        quote="ALReLU performs significantly worse than the other models, especially "
        "at higher depth, with an average test MSE of nearly 15",
        where="Section 4, Figure 3 (N = 500, d = 5, depth 30)",
        reported="MSE 15 at depth 30",
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
        id="exponential-2d",
        quote="ELU and SELU outperforming all other models consistently, and remaining "
        "with the smallest MSE (around 7, others around 8)",
        where="Section 4, Figure 4 (N = 500, d = 2)",
        reported="MSE 7 against 8",
        test=all_better(
            (ELU, SELU), others(ELU, SELU), "mse", ("exponential",), (500,), (2,)
        ),
    ),
    relujax.Claim(
        id="exponential-5d-relu-worst",
        quote="ReLU continues to perform the worst, ending at around 50 MSE",
        where="Section 4, Figure 4 (N = 500, d = 5, depth 30)",
        reported="MSE 50 against 37 of SELU",
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
        test=papers_own_table,
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


def table_1(_frame: pd.DataFrame) -> pd.DataFrame:
    """Median times of PyTorch and of this library, in the paper's layout."""
    table = times().groupby(["n", "d", "depth", "program", "activation"])["seconds"]
    wide = table.median().unstack(["program", "activation"])
    columns = (ELU, LEAKY, PRELU, RELU, SELU)
    rows = []
    for (n, d, depth), row in wide.iterrows():
        listing = row["torch"][list(columns)]
        rows.append(
            {
                "Observations": str(n),
                "Dimensions": str(d),
                "Depth": str(depth),
                **{LABELS[a]: f"{listing[a]:.4f}" for a in columns},
                "Best Activation": LABELS[str(listing.idxmin())],
                "relujax, all five": f"{row['relujax'][list(columns)].mean():.5f}",
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
]

CHOICES = [
    relujax.Choice(
        what="Optimiser, learning rate, steps",
        chosen="Adam, 0.01, 100 full-batch steps",
        why="The paper names none. Its times, about 0.007 s at depth 1 and 0.1 s at "
        "depth 30, leave room for some dozens of full-batch steps in PyTorch.",
        tried="a rate of 0.001, with which 100 steps leave most networks where they "
        "started",
    ),
    relujax.Choice(
        what="Initialisation",
        chosen="PyTorch's default of linear layers",
        why='"symmetric initialization"; the listing changes nothing.',
    ),
    relujax.Choice(
        what="What is dead",
        chosen="a unit whose output stays below ε on every test example",
        why='The paper counts a neuron "if its weight was less than ε". A unit has '
        "eight weights; that all of them lie below 0.01 has probability (0.01 √8)⁸ ≈ "
        "4e-13 under this initialisation, so it cannot be what Figure 1 shows.",
        tried="never positive, in the right panel of Figure 1",
    ),
    relujax.Choice(
        what="The targets of samples with several inputs",
        chosen="the sum of the curve over the inputs",
        why="Its deep networks predict the mean, and their errors (10 for d = 5 "
        "quadratic) are near the variance of that sum.",
    ),
    relujax.Choice(
        what="The two classes",
        chosen="inside and outside a sphere that halves the data",
        why="The paper says nothing but their number.",
    ),
    relujax.Choice(
        what="Dimensions of the classification samples",
        chosen="1, 2, 5",
        why='The text has them "increased by one", its Table 1 does not.',
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
]

study = relujax.Study(
    id="relu_variants",
    paper=relujax.Paper(
        title="ReLU and other Activation Functions",
        authors="Emma Morrison, Jared Gode and Jack Conner",
        year=2025,
    ),
    question="do ReLU's variants keep deep, narrow networks alive, and is SELU best?",
    baseline=RELU,
    profiles={"quick": QUICK, "paper": PAPER},
    seeds={"quick": 5, "paper": 10},
    claims=CLAIMS,
    exhibits=EXHIBITS,
    choices=CHOICES,
)
