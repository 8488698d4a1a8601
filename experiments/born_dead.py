"""Networks that are born dead, counted and computed: a check of the initialisers.

    python experiments/born_dead.py

Lu, Shin, Su and Karniadakis, "Dying ReLU and Initialization" (2020), arXiv:1903.06733:
a ReLU network is born dead if it is a constant function when training starts, which is
so if some hidden layer is zero for every input. The probability depends on the width N
and on the number L of affine layers (L - 1 hidden layers), and theory knows much of it.
Here it is measured on 100,000 initialisations per (N, L) of this library's own `MLP`,
for inputs from R:

* He's initialiser, zero biases. The network is positively homogeneous,
  f(t x) = t f(x) for t > 0, and so is each of its layers: what is zero at x = 1 is zero
  at every x > 0. The two inputs 1 and -1 decide exactly whether it is born dead.
* Single input: whether a hidden layer is zero at x = 1 is a coin tossed by each unit,
  whatever the (symmetric) distribution: 1 - (1 - 2^-N)^(L-1), exactly.
* RAI, the paper's remedy, has biases: zero on a grid of 41 inputs from [-1, 1].

Writes `experiments/results/born_dead/`; four minutes of one core.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from _born_dead import DRAWS, SEED, Case, lower_bound, measure, single_input
from _page import origin, save
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

WIDTHS, DEPTHS = (2, 3, 4, 5, 10), (3, 5, 10, 20)
#: How networks are drawn, and at which inputs they are dead: how that is shown.
POINTS = {
    ("he", "one"): ("He, zero at x = 1: measured", "#5b6470", "s"),
    ("he", "all"): ("He, born dead: measured", "#d55e00", "o"),
    ("rai", "all"): ("RAI, born dead: measured", "#0072b2", "^"),
}


def tabulate(cases: Sequence[Case]) -> pd.DataFrame:
    """Measured probabilities with Wilson's 95 % intervals, beside the theory."""
    table = pd.DataFrame(cases)
    tests = [
        stats.binomtest(int(k), int(n))
        for k, n in zip(table["dead"], table["draws"], strict=True)
    ]
    ends = [test.proportion_ci(method="wilson") for test in tests]
    table["measured"] = table["dead"] / table["draws"]
    table["low"], table["high"] = [e.low for e in ends], [e.high for e in ends]
    he = table["initialisation"] == "he"
    grid = list(zip(table["width"], table["depth"], strict=True))
    exact = pd.Series([single_input(*at) for at in grid])
    table["lower_bound"] = pd.Series([lower_bound(*at) for at in grid]).where(
        he & (table["inputs"] == "all")
    )
    table["upper_bound"] = exact.where(he & (table["inputs"] == "all"))
    table["exact"] = exact.where(he & (table["inputs"] == "one"))
    error = np.sqrt(table["exact"] * (1 - table["exact"]) / table["draws"])
    table["z"] = (table["measured"] - table["exact"]) / error
    return table


def draw(table: pd.DataFrame) -> Figure:
    """One panel per width: the measured points among the curves."""
    widths = sorted(table["width"].unique())
    figure = Figure(figsize=(2.1 * len(widths), 2.9), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(widths)))
    for axes, width in zip(panels, widths, strict=True):
        _panel(axes, table[table["width"] == width], int(width))
    panels[0].set_ylabel("probability at initialisation")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, width: int) -> None:
    depth = np.linspace(2, 21, 200)
    upper, lower = single_input(width, depth), lower_bound(width, depth)
    gray, orange = "#5b6470", "#d55e00"
    axes.fill_between(depth, lower, upper, color=orange, alpha=0.12, lw=0)
    exact = "exact at x = 1; upper bound (T1)"
    axes.plot(depth, upper, color=gray, lw=1.2, label=exact)
    bound = {"ls": (0, (4, 2)), "label": "lower bound (T2)"}
    axes.plot(depth, lower, color=orange, lw=1.2, **bound)
    look = {"ms": 4.5, "ls": "none", "capsize": 2, "mfc": "white", "zorder": 3}
    kinds = table.groupby(["initialisation", "inputs"])
    for kind, (label, color, marker) in POINTS.items():
        rows = kinds.get_group(kind)
        y = rows["measured"]
        ends = [(y - rows["low"]).clip(lower=0), (rows["high"] - y).clip(lower=0)]
        own = {"label": label, "color": color, "marker": marker, **look}
        axes.errorbar(rows["depth"], y, yerr=ends, **own)
    axes.set(title=f"width {width}", xlabel="affine layers L")
    axes.set_xticks(DEPTHS)
    axes.spines[["top", "right"]].set_visible(False)


def markdown(table: pd.DataFrame) -> str:
    """The table of born-dead probabilities, one row per width and depth."""
    of = table.set_index(["initialisation", "inputs", "width", "depth"])
    head = (
        "| N | L | single input, measured | exact | z | born dead, lower bound (T2) "
        "| measured | upper bound (T1) | RAI, measured |\n|" + "---|" * 9 + "\n"
    )
    shown = lambda x: f"{x['measured']:.4f} [{x['low']:.4f}, {x['high']:.4f}]"
    rows = []
    for n, depth in dict.fromkeys(zip(table["width"], table["depth"], strict=True)):
        one, born, rai = (of.loc[(*kind, n, depth)] for kind in POINTS)
        bounds = (
            f"{born['lower_bound']:.4f} | {shown(born)} | {born['upper_bound']:.4f}"
        )
        exact = f"{one['exact']:.4f} | {one['z']:+.1f}"
        rows.append(
            f"| {n} | {depth} | {shown(one)} | {exact} | {bounds} | {shown(rai)} |"
        )
    return head + "\n".join(rows) + "\n"


ABOUT = """# Networks that are born dead

- Command: `python experiments/born_dead.py`
- {draws:,} initialisations per row and column, seed {seed}; no data set
- Date: {origin}

Measured probabilities with 95 % intervals (Wilson). The formulas hold for symmetric
weights and zero biases (He): "single input" exactly, T1 and T2 as bounds (T2 for normal
weights; He's initialiser of Flax cuts the normal distribution at two standard
deviations, which is not seen at this precision). z: measured minus exact in standard
errors. RAI has biases: dead on 41 inputs of [-1, 1].

![Probabilities against the number of layers, a panel per width](born_dead.png)
"""


def main() -> None:
    cases = [measure(*k, n, depth) for n in WIDTHS for depth in DEPTHS for k in POINTS]
    table = tabulate(cases)
    print(markdown(table))
    about = ABOUT.format(draws=DRAWS, seed=SEED, origin=origin())
    text = f"{about}\n{markdown(table)}"
    folder = save("born_dead", text, partial(draw, table))
    table.to_csv(folder / "born_dead.csv", index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
