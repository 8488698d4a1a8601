"""SReLU: a smooth rectifier? (Bhat, "SRelu")

Claim reproduced: SReLU matches or beats ReLU, LeakyReLU, PReLU, ELU and GELU, converges
faster and generalises better. The paper prints no table of results; it states +0.1 % F1
on MNIST and +0.2 % accuracy and F1 on WDBC.

    relujax run experiments/srelu.py --profile quick      # WDBC: a minute or two
    relujax run experiments/srelu.py --profile two_cores  # FFNN, images: half an hour
    relujax run experiments/srelu.py --profile cnn        # MNIST, three seeds
    relujax run experiments/srelu.py --profile paper      # all, with Fashion-MNIST

On WDBC, N-ReLU and ALReLU run along: they are what the other papers propose.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import relujax
from relujax.analysis import (
    METRICS,
    best,
    better,
    mean_interval,
    scores,
    settled,
)
from relujax.errors import InputError

SRELU = "srelu(beta=0.5)"
RIVALS = ("relu", "leaky_relu", "prelu(axis=-1)", "elu", "gelu(approximate=False)")
BETAS = tuple(f"srelu(beta={beta})" for beta in (0.1, 0.25, 1.0, 2.0))
BEYOND = ("n_relu", "al_relu")

FFNN = "mlp(hidden=(512, 512), dropout=0.3, initializer='glorot')"


CNN = "cnn(filters=(32, 64), hidden=(512, 512), dropout=0.3, initializer='glorot')"


def cell(data: str, model: str, activation: str, **schedule) -> relujax.Cell:
    """Section IV-C: Adam at 1e-3, batches of 128."""
    return relujax.Cell(
        data=data,
        model=model,
        activation=activation,
        optimizer="adam(learning_rate=0.001)",
        batch_size=128,
        **schedule,
    )


def images(data: str, model: str, *activations: str) -> list[relujax.Cell]:
    """Ten epochs on MNIST or Fashion-MNIST."""
    return [
        cell(data, model, activation, objective="softmax_cross_entropy", epochs=10)
        for activation in activations
    ]


def wdbc(*activations: str) -> list[relujax.Cell]:
    """A hundred epochs on WDBC, with one output."""
    return [
        cell("wdbc", FFNN, activation, objective="binary_cross_entropy", epochs=100)
        for activation in activations
    ]


QUICK = wdbc(*RIVALS, SRELU, *BEYOND)
WDBC = wdbc(*RIVALS, SRELU, *BETAS, *BEYOND)
MNIST_FFNN = images("mnist", FFNN, *RIVALS, SRELU, *BETAS)
FASHION_FFNN = images("fashion_mnist", FFNN, *RIVALS, SRELU)
MNIST_CNN = images("mnist", CNN, *RIVALS, SRELU)
FASHION_CNN = images("fashion_mnist", CNN, *RIVALS, SRELU)


def srelu_is_elu(_results):
    """SReLU with α = 1, its typical value, minus ELU, over a grid that spans both."""
    x = jnp.linspace(-20.0, 20.0, 4001)
    gap = max(
        float(jnp.abs(relujax.srelu(x, beta=b) - relujax.elu(x, alpha=b)).max())
        for b in (0.1, 0.5, 1.0, 2.0)
    )
    return settled(
        gap > 0,
        f"With α = 1, SReLU(β) is ELU(α = β): the largest difference over 4,001 points "
        f"of [-20, 20] and four values of β is {gap:g}.",
        effect=gap,
        unit="largest difference of the values",
    )


def srelu_is_differentiable(_results):
    """One-sided derivatives at 0, from difference quotients in double precision."""
    with jax.enable_x64(True):
        h = 1e-7
        right, left = (
            float((relujax.srelu(jnp.float64(s), beta=0.5)) / s) for s in (h, -h)
        )
    return settled(
        abs(right - left) < 1e-3,
        f"At 0 the difference quotients of SReLU(α = 1, β = 0.5) are {right:.3f} from "
        f"the right and {left:.3f} from the left: α and β. It is differentiable at 0 "
        f"only if α = β.",
        effect=right - left,
        unit="jump of the derivative at 0",
    )


def is_simpler_than_elu(_results):
    """The exponentials that SReLU and ELU compute, and what each leaves to tune."""
    exponentials = {}
    for name in ("srelu", "elu"):
        act = relujax.get(name)
        forward = jax.jit(lambda x, act=act: act.apply({}, x))
        text = forward.lower(jnp.float32(0)).as_text()
        exponentials[name] = text.count("stablehlo.exponential")
    ours, theirs = exponentials["srelu"], exponentials["elu"]
    return settled(
        ours < theirs,
        f"SReLU computes {ours} exponential, as ELU does ({theirs}); with α = 1 it has "
        f"one parameter to tune, β, as ELU has one, α.",
        effect=float(theirs - ours),
        unit="exponentials saved",
    )


def keeps_the_gradient(_results):
    """The derivative far below 0, against the slope of the leaky ReLU."""
    points = jnp.array([-4.0, -7.0, -10.0])
    slopes = jax.vmap(jax.grad(lambda x: relujax.srelu(x, beta=0.5)))(points)
    shown = ", ".join(
        f"{float(d):.1e} at {float(x):g}" for x, d in zip(points, slopes, strict=True)
    )
    return settled(
        bool((slopes > 0.01).all()),
        f"The derivative for x ≤ 0 is β exp(x), which vanishes: with β = 0.5, {shown}. "
        f"That of the leaky ReLU is 0.01 everywhere.",
        effect=float(slopes.min()),
        unit="derivative at -10",
    )


def most_confused(data: str, pair: tuple[int, int], names: Sequence[str]):
    """The test of "these two classes are among the three most confused pairs".

    Counted over the seeds of SReLU at the last epoch, in both directions.
    """

    def test(results: pd.DataFrame):
        own = (results["data"] == data) & (results["activation"] == SRELU)
        rows = results[own & (results["split"] == "test")]
        if rows.empty:
            raise InputError(f"Expected results of {SRELU} on {data}, got none.")
        rows = rows[rows["epoch"] == rows["epoch"].max()]
        counts = np.sum([np.asarray(c).reshape(10, 10) for c in rows["confusion"]], 0)
        errors = np.triu(counts + counts.T, 1)
        order = np.argsort(-errors, axis=None)
        pairs = [tuple(map(int, np.unravel_index(i, errors.shape))) for i in order]
        top = ", ".join(
            f"{names[a]} and {names[b]} ({100 * errors[a, b] / errors.sum():.0f} %)"
            for a, b in pairs[:3]
        )
        place = pairs.index(pair) + 1
        return settled(
            place <= 3,
            f"Of the misclassified test images of all seeds, most are between {top}; "
            f"{names[pair[0]]} and {names[pair[1]]} are number {place} of 45 pairs.",
            effect=float(place),
            unit="place among the most confused pairs",
        )

    return test


DIGITS = [str(i) for i in range(10)]
CLOTHES = "T-shirt trouser pullover dress coat sandal shirt sneaker bag boot".split()
COAT, SHIRT = CLOTHES.index("coat"), CLOTHES.index("shirt")

ON_WDBC = {"data": "wdbc"}
ON_MNIST = {"data": "mnist"}
ON_FASHION = {"data": "fashion_mnist"}

HIGHEST = (
    "SReLU achieves the highest accuracy and F1-score on the MNIST and Fashion-MNIST "
    "datasets, demonstrating its ability to handle both simple and more complex "
    "classification tasks effectively."
)
MATCHES = (
    "The results demonstrate that SReLU consistently outperforms or matches the "
    "performance of existing activation functions, particularly in terms of F1-score "
    "and precision."
)
GAP = (
    "SReLU exhibits a smaller generalization gap compared to other activation "
    "functions, indicating that the model generalizes better to unseen data."
)

#: Half of the smallest improvement that the paper reports: what counts as a match.
MATCH = 0.0005

CLAIMS = [
    relujax.Claim(
        id="wdbc-accuracy",
        quote="On the WDBC dataset, which is a binary classification task, SReLU "
        "outperforms the other activation functions by a larger margin of 0.2% in "
        "terms of both accuracy and F1-score.",
        where="Section V-B (accuracy)",
        reported="+0.2 % accuracy",
        test=best(SRELU, "accuracy", among=RIVALS, where=ON_WDBC),
    ),
    relujax.Claim(
        id="wdbc-f1",
        quote="On the WDBC dataset, which is a binary classification task, SReLU "
        "outperforms the other activation functions by a larger margin of 0.2% in "
        "terms of both accuracy and F1-score.",
        where="Section V-B (F1)",
        reported="+0.2 % F1",
        test=best(SRELU, "f1_weighted", among=RIVALS, where=ON_WDBC),
    ),
    relujax.Claim(
        id="convergence",
        quote="SReLU exhibits faster convergence compared to other activation "
        "functions, particularly in the initial epochs.",
        where="Section V-D, Figure 4",
        test=best(SRELU, "mean_loss", among=RIVALS, split="train", where=ON_WDBC),
    ),
    relujax.Claim(
        id="generalisation-gap",
        quote=GAP,
        where="Section V-E, Figure 5",
        test=best(SRELU, "gap", among=RIVALS, where=ON_WDBC),
    ),
    relujax.Claim(
        id="dead-units",
        quote="This also reduces the likelihood of neurons becoming inactive, as seen "
        "with ReLU and Leaky ReLU.",
        where="Section V-D",
        test=better(SRELU, "relu", "dead", where=ON_WDBC),
    ),
    relujax.Claim(
        id="novel",
        quote="we introduce a new activation function, the Smooth Rectified Linear "
        "Unit (SReLU)",
        where="Section I-A",
        test=srelu_is_elu,
    ),
    relujax.Claim(
        id="differentiable",
        quote="SReLU is fully differentiable across all input values.",
        where="Section III-B2",
        test=srelu_is_differentiable,
    ),
    relujax.Claim(
        id="simpler-than-elu",
        quote="ELU introduces more computational complexity due to the need to compute "
        "the exponential function and includes an additional hyperparameter α. SReLU "
        "simplifies this by using a fixed α = 1 for positive inputs and a single "
        "parameter β for negative inputs, reducing the number of parameters to tune",
        where="Section III-C",
        test=is_simpler_than_elu,
    ),
    relujax.Claim(
        id="gradient-does-not-vanish",
        quote="a novel activation function that provides a smooth transition for "
        "negative input values, preventing the gradient from vanishing while keeping "
        "computational costs low.",
        where="Section I-B",
        test=keeps_the_gradient,
    ),
    relujax.Claim(
        id="mnist-f1",
        quote="In particular, the F1-score improvement is notable on the MNIST "
        "dataset, where SReLU surpasses ReLU and its variants by approximately 0.1%.",
        where="Section V-B",
        reported="+0.1 % F1",
        test=best(SRELU, "f1_weighted", among=RIVALS, where=ON_MNIST),
    ),
    relujax.Claim(
        id="mnist-accuracy",
        quote=HIGHEST,
        where="Section V-B (accuracy, MNIST)",
        test=best(SRELU, "accuracy", among=RIVALS, where=ON_MNIST),
    ),
    relujax.Claim(
        id="fashion-accuracy",
        quote=HIGHEST,
        where="Section V-B (accuracy, Fashion-MNIST)",
        test=best(SRELU, "accuracy", among=RIVALS, where=ON_FASHION),
    ),
    relujax.Claim(
        id="fashion-f1",
        quote=HIGHEST,
        where="Section V-B (F1, Fashion-MNIST)",
        test=best(SRELU, "f1_weighted", among=RIVALS, where=ON_FASHION),
    ),
    *(
        relujax.Claim(
            id=f"{name}-matches-{metric}",
            quote=MATCHES,
            where=f"Section V-A ({metric}, {title}; margin 0.05 points)",
            test=best(
                SRELU, f"{metric}_weighted", among=RIVALS, by=-MATCH, where=where
            ),
        )
        for name, title, where in (
            ("mnist", "MNIST", ON_MNIST),
            ("fashion", "Fashion-MNIST", ON_FASHION),
        )
        for metric in ("f1", "precision")
    ),
    relujax.Claim(
        id="mnist-convergence",
        quote="SReLU reaches lower training loss in fewer epochs, suggesting that the "
        "smooth gradient flow introduced by SReLU aids in more efficient weight "
        "updates.",
        where="Section V-D, Figure 4 (MNIST)",
        test=best(SRELU, "mean_loss", among=RIVALS, split="train", where=ON_MNIST),
    ),
    relujax.Claim(
        id="mnist-gap",
        quote=GAP,
        where="Section V-E, Figure 5 (MNIST)",
        test=best(SRELU, "gap", among=RIVALS, where=ON_MNIST),
    ),
    relujax.Claim(
        id="fashion-gap",
        quote=GAP,
        where="Section V-E, Figure 5 (Fashion-MNIST)",
        test=best(SRELU, "gap", among=RIVALS, where=ON_FASHION),
    ),
    relujax.Claim(
        id="mnist-dead-units",
        quote="This also reduces the likelihood of neurons becoming inactive, as seen "
        "with ReLU and Leaky ReLU.",
        where="Section V-D (MNIST)",
        test=better(SRELU, "relu", "dead", where=ON_MNIST),
    ),
    relujax.Claim(
        id="mnist-confusions",
        quote="The model achieves near-perfect classification across all digits, with "
        "only a few minor misclassifications between visually similar digits such as 3 "
        "and 8.",
        where="Section V-C, Figure 1",
        test=most_confused("mnist", (3, 8), DIGITS),
    ),
    relujax.Claim(
        id="fashion-confusions",
        quote="Although Fashion-MNIST is more challenging due to the overlapping "
        "features between classes (e.g., shirts and coats), SReLU demonstrates strong "
        "performance with relatively few misclassifications.",
        where="Section V-C, Figure 2",
        test=most_confused("fashion_mnist", (COAT, SHIRT), CLOTHES),
    ),
]

NAMES = {"wdbc": "WDBC", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
COLUMNS = {
    "accuracy": "accuracy, %",
    "precision_weighted": "precision, %",
    "recall_weighted": "recall, %",
    "f1_weighted": "F1, %",
}


def by_task(table: pd.Series):
    """The scores of each data set and network: its title, then seeds by activation."""
    for (data, model), values in table.groupby(level=["data", "model"], sort=False):
        network = "CNN" if model.startswith("cnn") else "FFNN"
        wide = values.droplevel(["data", "model", "optimizer"]).unstack("activation")
        yield f"{NAMES[data]}, {network}", wide[values.index.unique("activation")]


def missing_table(results: pd.DataFrame) -> pd.DataFrame:
    """Accuracy, precision, recall and F1, as the table that the paper refers to."""
    columns = {}
    for metric, heading in COLUMNS.items():
        text = {}
        for task, wide in by_task(100 * scores(results, metric)):
            for activation in wide:
                e = mean_interval(wide[activation].dropna(), bounds=(0, 100))
                shown = f"{e.value:.2f} [{e.low:.2f}, {e.high:.2f}]"
                text[task, activation] = shown
        columns[heading] = text
    table = pd.DataFrame(columns)
    return table.rename_axis(["task", "activation"]).reset_index()


def gaps(results: pd.DataFrame) -> Figure:
    """Training minus test accuracy of the paper's activations on every task."""
    found = list(by_task(100 * scores(results, "gap")))
    figure = Figure(figsize=(7.2, 1.2 + 1.5 * len(found)), layout="constrained")
    panels = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for axes, (task, wide) in zip(panels, found, strict=True):
        shown = [name for name in (*RIVALS, SRELU) if name in wide]
        for place, name in enumerate(shown):
            e = mean_interval(wide[name].dropna())
            color = "#d55e00" if name == SRELU else "#0072b2"
            ends = [[e.value - e.low], [e.high - e.value]]
            axes.errorbar(e.value, place, xerr=ends, fmt="o", color=color)
            axes.plot(wide[name], np.full(len(wide), place), ".", color="0.6", ms=3)
        axes.set_yticks(range(len(shown)), [name.partition("(")[0] for name in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_title(task)
        axes.grid(axis="x")
    panels[-1].set_xlabel("training minus test accuracy, percentage points")
    return figure


def betas(results: pd.DataFrame) -> Figure:
    """Test accuracy and mean training loss by β, on the tasks where it was swept."""
    specs = {f"srelu(beta={beta})": beta for beta in (0.1, 0.25, 0.5, 1.0, 2.0)}
    rows = results[results["activation"].isin(specs)]
    swept = rows.groupby(["data", "model"])["activation"].transform("nunique") > 1
    if not swept.any():
        raise InputError("Expected results at several β, got one.")
    panels = (
        ("accuracy", "test", "test accuracy, %"),
        ("mean_loss", "train", "training loss, mean over epochs"),
        ("gap", "test", "gap, percentage points"),
    )
    count = rows[swept].groupby(["data", "model"]).ngroups
    figure = Figure(figsize=(7.2, 0.4 + 2.2 * count), layout="constrained")
    grid = figure.subplots(count, len(panels), squeeze=False)
    for column, (metric, split, label) in zip(grid.T, panels, strict=True):
        found = by_task(METRICS[metric].scale * scores(rows[swept], metric, split))
        for axes, (task, wide) in zip(column, found, strict=True):
            wide = wide.rename(columns=specs).sort_index(axis=1)
            means = [mean_interval(wide[beta].dropna()) for beta in wide]
            value = np.array([e.value for e in means])
            ends = np.array([[e.value - e.low, e.high - e.value] for e in means]).T
            axes.errorbar(wide.columns, value, ends, marker="o", ms=4, color="#0072b2")
            axes.set_xscale("log")
            axes.set_xticks(wide.columns, [f"{beta:g}" for beta in wide.columns])
            axes.minorticks_off()
            axes.set_xlabel("β")
            axes.set_ylabel(label)
            axes.set_title(task)
            axes.grid(axis="y")
    return figure


EXHIBITS = [
    relujax.Exhibit(
        title="Table ??: metrics by activation",
        caption="The table that section V refers to and the paper does not print. On "
        "the test split at the last epoch; precision, recall and F1 are weighted by "
        "class: mean over seeds [95 % interval].",
        make=missing_table,
    ),
    relujax.Exhibit(
        title="Figure 5: generalisation gap",
        caption="Training minus test accuracy at the last epoch. Small marks: one per "
        "seed. Circle and bar: mean and 95 % confidence interval. Orange: SReLU.",
        make=gaps,
    ),
    relujax.Exhibit(
        title="β of SReLU",
        caption="Test accuracy, training loss averaged over the epochs, and training "
        "minus test accuracy in percentage points: mean over seeds and 95 % confidence "
        "interval. β = 1 is ELU.",
        make=betas,
    ),
]

CHOICES = [
    relujax.Choice(
        what="β of SReLU",
        chosen="0.5",
        why='The paper says "a small positive constant" and never its value. With '
        "β = 1 SReLU would be the ELU of the same table.",
        tried="0.1, 0.25, 1 and 2, with the FFNN on WDBC and MNIST: the figure of β.",
    ),
    relujax.Choice(
        what="Initialisation",
        chosen="Glorot uniform, zero biases",
        why="The default of Keras, which the paper uses.",
    ),
    relujax.Choice(
        what="Split of WDBC",
        chosen="one stratified 80/20 split, standardised on its training part",
        why="The paper gives the ratio only; networks on raw features of scale 1e3 "
        "would not train.",
    ),
    relujax.Choice(
        what="PReLU",
        chosen="one slope per neuron, starting at 0.25",
        why='The paper: "α_i is learned for each neuron"; 0.25 is He et al. (2015). '
        "Keras would start at 0.",
    ),
    relujax.Choice(
        what="GELU",
        chosen="the exact form, with erf",
        why="The default of Keras; the paper writes x Φ(x).",
    ),
    relujax.Choice(
        what="Outperforms or matches",
        chosen="at most 0.05 percentage points worse than each other, on MNIST and "
        "Fashion-MNIST",
        why="Half of the smallest improvement that the paper reports.",
        tried="WDBC, too: undecided in ten seeds, and left out after this was seen, "
        "for every claim that is tested weakens the correction of the others.",
    ),
    relujax.Choice(
        what="Epoch of the reported numbers",
        chosen="the last",
        why="The paper does not say; the best epoch on the test part would be biased.",
    ),
    relujax.Choice(
        what="σ of N-ReLU and α of ALReLU",
        chosen="0.05 and 0.01",
        why="The defaults of their papers; both are beyond this paper.",
    ),
]

study = relujax.Study(
    id="srelu",
    paper=relujax.Paper(
        title="SRelu",
        authors="Siddhanth Bhat",
    ),
    question="does the smooth rectifier SReLU beat ReLU and its variants?",
    baseline="relu",
    profiles={
        "quick": QUICK,
        "two_cores": [*WDBC, *MNIST_FFNN, *FASHION_FFNN],
        "cnn": MNIST_CNN,
        "paper": [*WDBC, *MNIST_FFNN, *FASHION_FFNN, *MNIST_CNN, *FASHION_CNN],
    },
    seeds={"quick": 10, "two_cores": 5, "cnn": 3, "paper": 10},
    claims=CLAIMS,
    exhibits=EXHIBITS,
    choices=CHOICES,
)
