"""What Morrison, Gode and Conner (2025) print, held against itself and measured again.

Table 1 has seconds to train one network on the classification samples; `experiments/
speed/narrow.py` measures them again, in PyTorch by the paper's listing and in this
library. The unit of a test of these is the repeat of a measurement.
"""

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from relujax.errors import InputError
from relujax.studies import every, positive, settled

TIMES = Path(__file__).parent / "results" / "relu_variants" / "times.csv"
#: The columns of Table 1, and their headings.
TIMED = {
    "elu": "ELU",
    "leaky_relu": "Leaky ReLU",
    "prelu": "PReLU",
    "relu": "ReLU",
    "selu": "SELU",
}
DEPTHS, TOLERANCES = (1, 3, 10, 30), (1e-2, 1e-3, 1e-5)

#: Test errors at depth 30, N = 500, that section 4 gives, by curve and d.
ERRORS = {
    ("quadratic", 2): {"selu": 3.25},
    ("quadratic", 5): {"selu": 10, "leaky_relu": 13, "al_relu": 15},
    ("exponential", 2): {"elu": 7, "selu": 7}
    | dict.fromkeys(("relu", "leaky_relu", "al_relu", "prelu"), 8),
    ("exponential", 5): {"selu": 37, "relu": 50, "leaky_relu": 50},
}
#: Seconds to train one network.
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


def measured(program: str = "torch") -> pd.DataFrame:
    """Seconds per network by activation, n, d, depth and repeat."""
    if not TIMES.exists():
        raise InputError(
            f"Expected the measured times in {TIMES.name}: run experiments/speed/"
            f"narrow.py."
        )
    table = pd.read_csv(TIMES)
    return table[table["program"] == program]


def printed() -> pd.DataFrame:
    """Table 1 as printed."""
    return pd.read_csv(io.StringIO(TABLE_1), sep=r"\s+")


def longer(x: pd.Series, summary: str, unit: str = "% more time"):
    """The evidence for "it takes longer", of a part more for each repeat."""
    return positive(x, summary, unit=unit, scale=100, counted="repeats")


def in_time(log_ratio: float) -> str:
    """How much more or less time it is, in words."""
    percent = 100 * np.expm1(log_ratio)
    return f"{abs(percent):.1f} % {'more' if percent >= 0 else 'less'} time"


def fastest(
    winners: Sequence[str], losers: Sequence[str], depths: Sequence[int] | None = None
) -> Callable:
    """Each winner trains faster than each loser, in PyTorch, on average over samples.

    A ratio of times, geometric mean over sizes, dimensions and depths.
    """

    def one(winner: str, loser: str) -> Callable:
        def test(_frame: pd.DataFrame):
            table = measured()
            table = table[table["depth"].isin(depths or table["depth"])]
            keys = [table["repeat"], table["activation"]]
            mean = np.log(table["seconds"]).groupby(keys).mean().unstack()
            x = mean[loser] - mean[winner]
            told = f"{loser} takes {in_time(x.mean())} than {winner}, as a geometric "
            return longer(np.expm1(x), told + "mean over the samples and depths.")

        return test

    return every(*itertools.starmap(one, itertools.product(winners, losers)))


def more_data_is_faster(_frame: pd.DataFrame):
    """SELU with 500 observations against 100, in PyTorch."""
    table = measured().query("activation == 'selu'")
    mean = np.log(table["seconds"]).groupby([table["repeat"], table["n"]]).mean()
    x = mean.unstack()[100] - mean.unstack()[500]
    told = f"With 500 observations SELU takes {in_time(-x.mean())} than with 100."
    return longer(np.expm1(x), told, "% faster")


def slower_by_depth(_frame: pd.DataFrame):
    """Every activation, at every step from one depth to the next."""
    keys = ["repeat", "activation", "depth"]
    mean = measured().groupby(keys)["seconds"].mean().unstack()
    steps = mean.pct_change(axis=1).iloc[:, 1:]
    x = steps.min(axis=1).groupby(level="repeat").min()
    told = f"over all activations, is {100 * x.mean():+.0f} %."
    return longer(x, f"The least growth of the time from one depth to the next, {told}")


def wins(table: pd.DataFrame) -> pd.Series:
    """In how many rows each activation is the fastest; most first."""
    best = table[[*TIMED]].idxmin(axis=1)
    return best.value_counts().reindex([*TIMED], fill_value=0).sort_values()[::-1]


def listed(counts: pd.Series) -> str:
    """Activations with their counts."""
    return ", ".join(f"{TIMED[str(a)]} {n}" for a, n in counts.items())


def wins_more_rows(
    winners: Sequence[str], losers: Sequence[str], rows: str = "n > 0"
) -> Callable:
    """In Table 1 itself, each winner is the fastest in more rows than each loser."""

    def test(_frame: pd.DataFrame):
        part = printed().query(rows)
        count = wins(part)
        gap = int(min(count[a] for a in winners) - max(count[a] for a in losers))
        return settled(gap > 0, effect=gap, rows=len(part), listed=listed(count))

    return test


def is_slowest_in_every_row(_frame: pd.DataFrame):
    """PReLU in every row of Table 1."""
    last = printed()[[*TIMED]].idxmax(axis=1).value_counts()
    every_row, own = last.sum(), last["prelu"]
    return settled(
        own == every_row, effect=float(own), rows=every_row, listed=listed(last)
    )


def grows_in_every_step(_frame: pd.DataFrame):
    """From each depth to the next, in all rows and columns of Table 1."""
    wide = printed().set_index(["n", "d", "depth"])[[*TIMED]].stack()
    steps = wide.unstack("depth").diff(axis=1).iloc[:, 1:].to_numpy()
    up = steps > 0
    return settled(bool(up.all()), effect=float((~up).sum()), up=up.sum(), of=up.size)


def has_a_time_for_each(labels: Mapping[str, str]) -> Callable:
    """Table 1 has a column for each activation, of spec to label."""
    lacking = [label for spec, label in labels.items() if spec not in printed()]
    told = " and ".join(lacking)
    return lambda _frame: settled(not lacking, effect=float(len(lacking)), lacking=told)


def adds_an_input(dimensions: Sequence[int]) -> Callable:
    """The classification samples of Table 1 have one input more than the others."""
    claimed, found = {d + 1 for d in dimensions}, set(map(int, printed()["d"]))
    same, off = found == claimed, float(len(found - claimed))
    lists = sorted(claimed), sorted(found)
    return lambda _frame: settled(same, effect=off, claimed=lists[0], found=lists[1])


def table_1(_frame: pd.DataFrame) -> pd.DataFrame:
    """Median times of PyTorch and of this library, in the paper's layout."""
    keys = ["n", "d", "depth", "activation"]
    torch, own = (
        measured(program).groupby(keys)["seconds"].median().unstack()[[*TIMED]]
        for program in ("torch", "relujax")
    )
    names = {"n": "Observations", "d": "Dimensions", "depth": "Depth"}
    rows = torch.index.to_frame(index=False).astype(str).rename(columns=names)
    times = torch.map("{:.4f}".format).rename(columns=TIMED).reset_index(drop=True)
    best = torch.idxmin(axis=1).map(TIMED).to_numpy()
    ours = own.mean(axis=1).map("{:.5f}".format).to_numpy()
    more = {"Best Activation": best, "relujax, all five": ours}
    return pd.concat([rows, times], axis=1).assign(**more)


def agrees_with_section_4(_frame: pd.DataFrame):
    """ALReLU and ReLU on quadratic data by section 4: five inputs, depth 30."""
    said = ERRORS["quadratic", 5]
    # ReLU is third of six, and the second-highest error is leaky ReLU's.
    relu, al = said["leaky_relu"], said["al_relu"]
    return settled(al < relu, effect=float(relu - al), relu=relu, al=al)


def listing_1(depth: int, *, inside: bool) -> list[tuple[int, int]]:
    """The linear layers that a class of Listing 1 makes, for two inputs and width 8.

    Args:
      depth: as in the listing.
      inside: whether the output layer is appended inside the loop over hidden layers.
    """
    hidden = [(8, 8), (8, 1)] if inside else [(8, 8)]
    return [(2, 8), *hidden * (depth - 1), *([] if inside else [(8, 1)])]


def outcome(shapes: Sequence[tuple[int, int]]) -> str:
    """What the layers make of examples of two values."""
    width = 2
    for i, (takes, gives) in enumerate(shapes):
        if takes != width:
            return f"layer {i + 1} takes {takes} values and gets {width}"
        width = gives
    return f"{width} output" + "s, of a hidden layer" * (width > 1)


def listing_runs(_frame: pd.DataFrame):
    """The classes of ReLU and LeakyReLU, at the paper's depths, and the others."""
    found, right = (
        {depth: outcome(listing_1(depth, inside=inside)) for depth in DEPTHS}
        for inside in (True, False)
    )
    told = "; ".join(f"{text} at depth {depth}" for depth, text in found.items())
    works = sum(text == "1 output" for text in found.values())
    rest = " and ".join(set(right.values()))
    return settled(works == len(DEPTHS), effect=float(works), told=told, rest=rest)


def torch_slope(_frame: pd.DataFrame):
    """The default of PyTorch's LeakyReLU, which the listing takes."""
    try:
        from torch import nn  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise InputError("Expected PyTorch, to read its default.") from error
    slope = nn.LeakyReLU().negative_slope
    return settled(slope in (0.2, 0.3), effect=slope)
