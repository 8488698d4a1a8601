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

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

import relujax
from relujax.models import MLP, Model, from_linen

FOLDER = Path(__file__).parent / "results" / "born_dead"
WIDTHS, DEPTHS = (2, 3, 4, 5, 10), (3, 5, 10, 20)
DRAWS, CHUNK, SEED = 100_000, 10_000, 0
RAYS, GRID = (1.0, -1.0), tuple(np.linspace(-1, 1, 41).tolist())


class Case(NamedTuple):
    """One row of the table.

    Attributes:
      initialisation: "he" or "rai".
      inputs: "all" (born dead) or "one" (some hidden layer is zero at x = 1).
      width: N.
      depth: L, the number of affine layers.
      dead: how many of `draws` networks.
    """

    initialisation: str
    inputs: str
    width: int
    depth: int
    dead: int
    draws: int


def single_input(width: int, depth: ArrayLike) -> np.ndarray:
    """1 - (1 - 2^-N)^(L-1): exact for one input; an upper bound for all (theorem 1)."""
    return 1 - (1 - 2.0**-width) ** (np.asarray(depth) - 1)


def lower_bound(width: int, depth: ArrayLike) -> np.ndarray:
    """Theorem 2, for inputs from R and zero biases; exact at L = 3."""
    half = 2.0**-width
    one = 1 - half
    both = 1 - 2 * half - (width - 1) * half**2
    share = (1 - 2 * half) * (1 - half) / (1 + (width - 1) * half)
    layers = np.asarray(depth) - 2
    return 1 - one**layers + share * (both**layers - one**layers)


def network(width: int, depth: int) -> Model:
    """`depth` affine layers from R to R, with He's initialiser."""
    return from_linen(
        MLP(
            outputs=1,
            activation="relu",
            hidden=(width,) * (depth - 1),
            initializer="he",
        )
    )


def rai(key: jax.Array, params):
    """The same layers with weights and biases drawn by `relujax.rai`."""
    keys = jax.random.split(key, len(params))
    return {
        name: dict(zip(("kernel", "bias"), drawn, strict=True))
        for (name, layer), k in zip(params.items(), keys, strict=True)
        for drawn in [relujax.rai(k, layer["kernel"].shape)]
    }


def some_layer_is_zero(preactivations: Sequence[Any]) -> jax.Array:
    """Whether a hidden layer has no positive unit; each is `[inputs, units]`."""
    return jnp.stack([(z <= 0).all() for z in preactivations]).any()


def is_dead(
    key: jax.Array, *, width: int, depth: int, inputs: Sequence[float], use_rai: bool
) -> jax.Array:
    """Whether the network of a key has a hidden layer that is zero at all inputs."""
    model = network(width, depth)
    x = jnp.asarray(inputs)[:, None]
    params, state = model.init(key, x)
    if use_rai:
        params = rai(key, params)
    return some_layer_is_zero(model.apply(params, state, x)[2])


def count(one: Callable[[jax.Array], jax.Array], draws: int) -> int:
    """How many of `draws` keys give true, in chunks that fit the cache."""
    size = min(CHUNK, draws)
    keys = jax.random.split(jax.random.key(SEED), draws).reshape(-1, size)
    found = jax.jit(lambda keys: jax.lax.map(lambda k: jax.vmap(one)(k).sum(), keys))
    return int(found(keys).sum())


def measure(
    initialisation: str, inputs: str, width: int, depth: int, draws: int = DRAWS
) -> Case:
    """One row of the table.

    Args:
      initialisation: "he" or "rai".
      inputs: "all" or "one".
      width: N.
      depth: L.
      draws: networks; a multiple of the chunk, or less than it.
    """
    every = GRID if initialisation == "rai" else RAYS
    one = partial(
        is_dead,
        width=width,
        depth=depth,
        inputs=every if inputs == "all" else RAYS[:1],
        use_rai=initialisation == "rai",
    )
    return Case(initialisation, inputs, width, depth, count(one, draws), draws)


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


POINTS = {
    ("he", "one"): ("He, zero at x = 1: measured", "#5b6470", "s"),
    ("he", "all"): ("He, born dead: measured", "#d55e00", "o"),
    ("rai", "all"): ("RAI, born dead: measured", "#0072b2", "^"),
}


def _panel(axes: Axes, table: pd.DataFrame, width: int) -> None:
    depth = np.linspace(2, 21, 200)
    upper, lower = single_input(width, depth), lower_bound(width, depth)
    axes.fill_between(depth, lower, upper, color="#d55e00", alpha=0.12, lw=0)
    axes.plot(
        depth, upper, color="#5b6470", lw=1.2, label="exact at x = 1; upper bound (T1)"
    )
    axes.plot(
        depth, lower, color="#d55e00", lw=1.2, ls=(0, (4, 2)), label="lower bound (T2)"
    )
    for kind, (label, color, marker) in POINTS.items():
        rows = table[
            (table["initialisation"] == kind[0]) & (table["inputs"] == kind[1])
        ]
        y = rows["measured"]
        axes.errorbar(
            rows["depth"],
            y,
            yerr=[(y - rows["low"]).clip(lower=0), (rows["high"] - y).clip(lower=0)],
            label=label,
            color=color,
            marker=marker,
            ms=4.5,
            ls="none",
            capsize=2,
            mfc="white",
            zorder=3,
        )
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
    rows = []
    for n, depth in dict.fromkeys(zip(table["width"], table["depth"], strict=True)):
        one, every = of.loc[("he", "one", n, depth)], of.loc[("he", "all", n, depth)]
        cells = [
            f"{n}",
            f"{depth}",
            _shown(one),
            f"{one['exact']:.4f}",
            f"{one['z']:+.1f}",
            f"{every['lower_bound']:.4f}",
            _shown(every),
            f"{every['upper_bound']:.4f}",
            _shown(of.loc[("rai", "all", n, depth)]),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return f"{head}{chr(10).join(rows)}\n"


ABOUT = """# Networks that are born dead

- Command: `python experiments/born_dead.py`
- {draws:,} initialisations per row and column, seed {seed}; no data set
- Date: {date}; JAX {jax}, relujax {relujax}

Measured probabilities with 95 % intervals (Wilson). The formulas hold for symmetric
weights and zero biases (He): "single input" exactly, T1 and T2 as bounds (T2 for normal
weights; He's initialiser of Flax cuts the normal distribution at two standard
deviations, which is not seen at this precision). z: measured minus exact in standard
errors. RAI has biases: dead on 41 inputs of [-1, 1].

![Probabilities against the number of layers, a panel per width](born_dead.png)
"""


def _origin() -> str:
    return ABOUT.format(
        draws=DRAWS,
        seed=SEED,
        date=datetime.now(UTC).date(),
        jax=jax.__version__,
        relujax=relujax.__version__,
    )


def _shown(row: pd.Series) -> str:
    return f"{row['measured']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"


def main() -> None:
    cases = [measure(*k, n, depth) for n in WIDTHS for depth in DEPTHS for k in POINTS]
    table = tabulate(cases)
    print(markdown(table))
    FOLDER.mkdir(parents=True, exist_ok=True)
    table.to_csv(FOLDER / "born_dead.csv", index=False, float_format="%.6g")
    write(table)


def write(table: pd.DataFrame) -> None:
    """The page and the figure of a table."""
    text = f"{_origin()}\n{markdown(table)}"
    (FOLDER / "README.md").write_text(text, encoding="utf-8")
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "relujax"}):
        figure = draw(table)
        figure.savefig(FOLDER / "born_dead.svg", metadata={"Date": None})
        figure.savefig(FOLDER / "born_dead.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
