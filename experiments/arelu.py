"""AReLU: a negative slope fed by the loss (Atoum 2023).

Claim reproduced: a leaky ReLU whose slope is the last epoch's training loss has the
lowest misclassification rate on MNIST, 1.2 %, below nine other activations (Table I).
One run is reported; the table's rates are another paper's, and AReLU is not in it.

    relujax run experiments/arelu.py --profile quick         # digits: about a minute
    relujax run experiments/arelu.py --profile paper         # MNIST: 5 minutes a seed
    relujax run experiments/arelu.py --profile alternatives  # another learning rate
"""

import jax
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import relujax
from relujax.analysis import (
    best,
    better,
    equivalent,
    mean_band,
    mean_interval,
    positive,
    reaches,
    scores,
    settled,
)
from relujax.errors import InputError

ARELU = "arelu"
ADAPTIVE_TANH = "adaptive_tanh(axis=-1)"
LRELU = "leaky_relu(negative_slope=0.1)"
PRELU = "prelu(axis=-1)"

#: Spec to the paper's name and its misclassification rate in percent.
TABLE_1 = {
    "sigmoid": ("Sigmoid", 7.01),
    "tanh": ("Hyperbolic Tangent", 1.86),
    "msaf": ("MSAF", 12.59),
    "sym_msaf": ("MSAF_Symmetrical", 11.28),
    "relu": ("ReLU", 2.08),
    LRELU: ("LReLU", 1.68),
    PRELU: ("PReLU", 1.6),
    "elu": ("ELU", 1.88),
    ADAPTIVE_TANH: ("Adaptive tanh", 2.93),
}
RIVALS = tuple(TABLE_1)
STARTS = ("arelu(initial_slope=0.01)", "arelu(initial_slope=1.0)")

#: Accuracies that differ by less than 20 of 10,000 images count as the same.
MARGIN = 0.002


def cell(data: str, activation: str, learning_rate: float = 0.001) -> relujax.Cell:
    """Section IV: 512-512, Adamax, batches of 128, 20 epochs."""
    return relujax.Cell(
        data=data,
        model="mlp(hidden=(512, 512), initializer='glorot')",
        activation=activation,
        optimizer=f"adamax(learning_rate={learning_rate})",
        objective="softmax_cross_entropy",
        batch_size=128,
        epochs=20,
    )


DIGITS = [cell("digits", activation) for activation in (*RIVALS, ARELU)]
MNIST = [cell("mnist", activation) for activation in (*RIVALS, ARELU)]
ALTERNATIVES = [
    cell("mnist", activation, rate)
    for rate in (0.001, 0.002)
    for activation in ("relu", LRELU, PRELU, ARELU)
] + [cell("mnist", start) for start in STARTS]


def curve(frame: pd.DataFrame, column: str, split: str) -> pd.DataFrame:
    """A column of AReLU's rows as a table, seeds by epochs."""
    rows = frame[(frame["activation"] == ARELU) & (frame["split"] == split)]
    return rows.pivot_table(index="seed", columns="epoch", values=column)


def rates(frame: pd.DataFrame) -> pd.DataFrame:
    """Misclassification rates in percent, activations by seeds."""
    wide = 100 * (1 - scores(frame, "accuracy").unstack("seed"))
    return wide.groupby(level="activation").mean()


def table_1_ranks(frame: pd.DataFrame):
    """Spearman's rank correlation of the nine rates with Table I, seed by seed."""
    reported = pd.Series({spec: rate for spec, (_, rate) in TABLE_1.items()})
    ours = rates(frame).reindex(RIVALS)
    ours = ours.loc[:, ours.nunique() > 1]  # Equal rates have no order.
    rho = ours.corrwith(reported, method="spearman")
    order = ", ".join(
        TABLE_1[spec][0] for spec in ours.mean(axis=1).sort_values().index
    )
    return positive(
        rho.to_numpy(),
        f"Over the nine activations, our rates have a rank correlation of "
        f"{rho.mean():.2f} with those of Table I; from the lowest: {order}.",
        unit="rank correlation with Table I",
    )


def flat_after_three(frame: pd.DataFrame):
    """What test accuracy gains from epoch 3 to the last, against the margin."""
    accuracy = curve(frame, "accuracy", "test")
    last = accuracy.columns.max()
    gain = (accuracy[last] - accuracy[3]).to_numpy()
    return positive(
        MARGIN - gain,
        f"Test accuracy gains {100 * gain.mean():.2f} percentage points from epoch 3 "
        f"to epoch {last}; flat would be at most {100 * MARGIN:g}.",
        unit="percentage points below the margin",
        scale=100,
    )


def reaches_at_best(frame: pd.DataFrame):
    """The test accuracy of each seed's best epoch, chosen on the test images."""
    rows = frame[frame["data"] == "mnist"]
    if rows.empty:
        raise InputError("Expected results on mnist, got none.")
    best_epoch = curve(rows, "accuracy", "test").max(axis=1).to_numpy()
    return positive(
        best_epoch - 0.988,
        f"At its best epoch, which only the test images can tell, a network has a mean "
        f"accuracy of {100 * best_epoch.mean():.2f} %, and at most "
        f"{100 * best_epoch.max():.2f} %.",
        unit="percentage points",
        scale=100,
    )


def constant_test_loss(frame: pd.DataFrame):
    """How far the test loss ends above its least value, against a tenth of it."""
    loss = curve(frame, "loss", "test")
    rise = (loss[loss.columns.max()] / loss.min(axis=1) - 1).to_numpy()
    return positive(
        0.1 - rise,
        f"The test loss ends {100 * rise.mean():.0f} % above its least value, which it "
        f"has after {loss.idxmin(axis=1).median():g} epochs: the network overfits. "
        f"Almost constant would be at most 10 %.",
        unit="% of the least test loss, below the margin",
        scale=100,
    )


def slope_decreases(frame: pd.DataFrame):
    """The losses that are fed back, from epoch to epoch, in every seed."""
    slope = curve(frame, "signal", "train")
    losses = slope.loc[:, 2:]
    falls = (losses.diff(axis=1).iloc[:, 1:] < 0).to_numpy()
    first, last = losses.iloc[:, 0].mean(), losses.iloc[:, -1].mean()
    return settled(
        bool(falls.all()),
        f"The loss that is fed back falls from {first:.3f} to {last:.4f}, in "
        f"{100 * falls.mean():.0f} % of the epochs. The slope does not begin there but "
        f"at {slope[1].mean():g}, so that it rises once, after the first epoch.",
        effect=first - last,
        unit="decrease of the slope",
    )


def slope_stays_positive(frame: pd.DataFrame):
    """The slope of the last epoch, in every seed."""
    slope = curve(frame, "signal", "train")
    last = slope[slope.columns.max()]
    return settled(
        bool((last > 0).all() and (last < 0.1).all()),
        f"In the last epoch the derivative below 0 is {last.min():.4f} to "
        f"{last.max():.4f}, where the leaky ReLU of Maas et al. has 0.01: as the loss "
        f"falls, AReLU becomes ReLU.",
        effect=float(last.mean()),
        unit="slope in the last epoch",
    )


def printed_derivative(_frame):
    """The derivative below 0, by automatic differentiation."""
    x, slope = -2.0, 0.1
    found = float(jax.grad(relujax.arelu)(x, slope))
    return settled(
        abs(found - x) < 1e-6,
        f"At x = {x:g} with l = {slope:g} the derivative is {found:g}: l. The paper "
        f"prints x, which would be {x:g}.",
        effect=found - x,
        unit="derivative minus the printed one",
    )


def has_no_hyperparameters(_frame):
    """The numbers that the library needs to build AReLU."""
    needed = relujax.get(ARELU).hyperparameters
    listed = ", ".join(f"{name} = {value}" for name, value in needed.items())
    return settled(
        not needed,
        f"It needs a value for the first epoch, before there is a loss ({listed}); "
        f"from then on the scale of the loss sets it.",
        effect=float(len(needed)),
        unit="hyperparameters",
    )


def is_in_table_1(_frame):
    """AReLU's row among those of Table I, and the two rates that PReLU has."""
    named = [name for name, _ in TABLE_1.values()]
    return settled(
        "AReLU" in named,
        f"Table I has {len(named)} rows ({', '.join(named)}) and none for AReLU. Its "
        f"rates are those of another paper [22], with another network; it prints 1.6 "
        f"for PReLU where the text has 1.62.",
    )


IN_TABLE_1 = "MR Measurements for Activation Functions on MNIST Dataset"

CLAIMS = [
    relujax.Claim(
        id="lowest-rate",
        quote="The model was trained on the MNIST dataset with 20 epochs and achieved "
        "lowest misclassification rate by 1.2%.",
        where="Abstract (lowest)",
        reported="1.2 % against 1.6 % of the next",
        test=best(ARELU, among=RIVALS),
    ),
    relujax.Claim(
        id="accuracy",
        quote="The model accuracy was 98.8% (meaning 9880 of the 10000 images were "
        "predicted correctly!) and 120 images were wrongly tagged (1.2%).",
        where="Section V",
        reported="98.8 %",
        test=reaches(ARELU, 0.988, where={"data": "mnist"}),
    ),
    relujax.Claim(
        id="accuracy-at-best",
        quote="The model accuracy was 98.8% (meaning 9880 of the 10000 images were "
        "predicted correctly!) and 120 images were wrongly tagged (1.2%).",
        where="Section V (if it is that of the best epoch)",
        reported="98.8 %",
        test=reaches_at_best,
    ),
    relujax.Claim(
        id="beats-relu",
        quote="AReLU gives better results based on the Misclassification Rate (MR)",
        where="Section V (against ReLU)",
        reported="1.2 % against 2.08 %",
        test=better(ARELU, "relu"),
    ),
    relujax.Claim(
        id="beats-prelu",
        quote="The MR for our model was 1.2% where for PReLU is 1.62",
        where="Section V",
        reported="1.2 % against 1.62 %",
        test=better(ARELU, PRELU),
    ),
    relujax.Claim(
        id="beats-lrelu",
        quote="The main concept of our algorithm is to improve the current LReLU "
        "activation functions in mitigating the dying problem on deep learning",
        where="Abstract (accuracy)",
        reported="1.2 % against 1.68 %",
        test=better(ARELU, LRELU),
    ),
    relujax.Claim(
        id="dead-units",
        quote="The primary goal of AReLU is to mitigate Dying ReLU problem",
        where="Section IV",
        test=better(ARELU, "relu", "dead"),
    ),
    relujax.Claim(
        id="in-table-1",
        quote="The MR for our model was 1.2% where for PReLU is 1.62 according to [22] "
        "as shown in Table I.",
        where="Section V",
        test=is_in_table_1,
    ),
    relujax.Claim(
        id="table-1-order",
        quote=IN_TABLE_1,
        where="Table I (the order of its rows)",
        test=table_1_ranks,
    ),
    relujax.Claim(
        id="table-1-prelu",
        quote=IN_TABLE_1,
        where="Table I (PReLU has the lowest rate)",
        reported="1.6 % against 1.68 % of the next",
        test=best(PRELU, among=RIVALS),
    ),
    relujax.Claim(
        id="table-1-lrelu",
        quote=IN_TABLE_1,
        where="Table I (LReLU below ReLU)",
        reported="1.68 % against 2.08 %",
        test=better(LRELU, "relu"),
    ),
    relujax.Claim(
        id="table-1-tanh",
        quote=IN_TABLE_1,
        where="Table I (tanh below ReLU)",
        reported="1.86 % against 2.08 %",
        test=better("tanh", "relu"),
    ),
    relujax.Claim(
        id="table-1-msaf",
        quote=IN_TABLE_1,
        where="Table I (sigmoid below MSAF)",
        reported="7.01 % against 12.59 %",
        test=better("sigmoid", "msaf"),
    ),
    relujax.Claim(
        id="table-1-adaptive-tanh",
        quote=IN_TABLE_1,
        where="Table I (tanh below adaptive tanh)",
        reported="1.86 % against 2.93 %",
        test=better("tanh", ADAPTIVE_TANH),
    ),
    relujax.Claim(
        id="flat-after-three-epochs",
        quote="the accuracy escalations are noticed in the first three epochs, "
        "indicating that the network is learning fast, thereafter the curve flattens, "
        "indicating that there is no need for more epochs to further training the "
        "model.",
        where="Section V, Figure 10",
        test=flat_after_three,
    ),
    relujax.Claim(
        id="constant-validation-loss",
        quote="validation loss remained almost constant for several epochs, in "
        "contrast to the loss level of the training set, which means that the model "
        "can be generalized to unseen data.",
        where="Section V, Figure 11",
        test=constant_test_loss,
    ),
    relujax.Claim(
        id="slope-decreases",
        quote="using the readjustment of values (changing and decreasing value) of the "
        "loss function or cost function while number of epochs are increased",
        where="Abstract",
        test=slope_decreases,
    ),
    relujax.Claim(
        id="slope-is-small",
        quote="It is evident that the values of the derivative are close to zero but "
        "are not zero in the case of negative values.",
        where="Section IV, Figure 9(b)",
        test=slope_stays_positive,
    ),
    relujax.Claim(
        id="printed-derivative",
        quote="The first derivative of this function is",
        where="Section IV, below equation 7 (x for x ≤ 0)",
        test=printed_derivative,
    ),
    relujax.Claim(
        id="no-hyperparameters",
        quote="with no hyperparameters",
        where="Abstract",
        test=has_no_hyperparameters,
    ),
    *(
        relujax.Claim(
            id=f"any-start-{slope}",
            quote="The function starts with any initial l value; say 0.1 and then it "
            "is automatically adapted according to the initial loss function value.",
            where=f"Section IV ({slope} in place of 0.1)",
            test=equivalent(start, ARELU, margin=MARGIN),
        )
        for slope, start in zip((0.01, 1), STARTS, strict=True)
    ),
]


def table_1(frame: pd.DataFrame) -> pd.DataFrame:
    """The paper's rows, and the one that it lacks."""
    ours = rates(frame)
    rows = []
    for spec, (name, reported) in {**TABLE_1, ARELU: ("AReLU", 1.2)}.items():
        found = mean_interval(ours.loc[spec].dropna(), bounds=(0, 100))
        rows.append(
            {
                "AF": name,
                "MR, the paper": f"{reported:g}" + " (text)" * (spec == ARELU),
                "MR, ours [95 % interval]": f"{found.value:.2f} "
                f"[{found.low:.2f}, {found.high:.2f}]",
                "spec": spec,
            }
        )
    return pd.DataFrame(rows)


def training_curves(frame: pd.DataFrame) -> Figure:
    """Accuracy and loss of AReLU by epoch, on both splits."""
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, column, scale in ((left, "accuracy", 100), (right, "loss", 1)):
        for split, color in (("train", "#0072b2"), ("test", "#d55e00")):
            draw_curve(axes, scale * curve(frame, column, split), color, split)
        axes.set_xlabel("epoch")
        axes.grid(axis="y")
        axes.legend()
    left.set_ylabel("accuracy, %")
    right.set_ylabel("loss")
    return figure


def draw_curve(axes: Axes, values: pd.DataFrame, color: str, label: str) -> None:
    """The mean over seeds and its 95 % interval, from the first epoch on."""
    values = values.drop(columns=0)
    low, high = mean_band(values.to_numpy())
    axes.plot(values.columns, values.mean(), color=color, label=label)
    axes.fill_between(values.columns, low, high, color=color, alpha=0.2, lw=0)


EXHIBITS = [
    relujax.Exhibit(
        title="Table I: misclassification rates",
        caption="Misclassification rate (MR) on the test images in percent, at the "
        "last epoch: mean over seeds. The paper's table lacks AReLU; its text gives "
        "1.2.",
        make=table_1,
    ),
    relujax.Exhibit(
        title="Figures 10 and 11: accuracy and loss of AReLU",
        caption="By epoch from the first, on the training and test images: mean over "
        "seeds and 95 % confidence interval. What the paper calls validation is here "
        "the test split.",
        make=training_curves,
    ),
]

CHOICES = [
    relujax.Choice(
        what="Data of the profile quick",
        chosen="the 8 x 8 digits of scikit-learn",
        why="They need no download. Claims about MNIST's own numbers are not tested "
        "on them, and the others only as far as they hold for any digits.",
    ),
    relujax.Choice(
        what="Learning rate of Adamax",
        chosen="0.001",
        why="The default of Keras since 2.3; the paper gives none.",
        tried="0.002, the default of Keras before, for ReLU, LReLU, PReLU and AReLU: "
        "the profile alternatives.",
    ),
    relujax.Choice(
        what="Initialisation and dropout",
        chosen="Glorot uniform, zero biases, no dropout",
        why="The default of Keras; the paper describes no dropout.",
    ),
    relujax.Choice(
        what="Which loss is fed back",
        chosen="the mean training loss over the epoch, as Keras reports it; 0.1 in the "
        "first epoch",
        why='Figure 7 says "new Loss value" after fitting the training set; the start '
        'is the paper\'s "say 0.1".',
        tried="0.01 and 1 in the first epoch: the claims any-start-0.01 and "
        "any-start-1, in the profile alternatives.",
    ),
    relujax.Choice(
        what="Loss",
        chosen="categorical cross-entropy",
        why="Section IV and equation 7; the paper also calls it binary cross-entropy.",
    ),
    relujax.Choice(
        what="Slope of LReLU",
        chosen="0.1",
        why='The paper: "α=0.1 or more".',
    ),
    relujax.Choice(
        what="PReLU",
        chosen="one slope per neuron, starting at 0.25",
        why="He et al. (2015), whom the paper cites.",
    ),
    relujax.Choice(
        what="Adaptive tanh",
        chosen="a tanh(b x), a and b learned for each neuron, starting at 1",
        why="The paper defines none; this is one of several in the literature.",
    ),
    relujax.Choice(
        what="MSAF and its symmetrical form",
        chosen="σ(x - 1) + σ(x - 2), and σ(x) + σ(x - 5) - 1",
        why="Neither this paper nor its source prints the constants.",
    ),
    relujax.Choice(
        what="A slope that decreases",
        chosen="each loss that is fed back is below the one before",
        why='"decreasing value of the loss function" is about the loss.',
        tried="counting the start of 0.1, too: the slope then rises once, and the "
        "claim is contradicted. The start was left out after this was seen on the "
        "digits.",
    ),
    relujax.Choice(
        what="Epoch of the reported numbers",
        chosen="the last",
        why="The paper does not say; the best epoch on the test part would be biased.",
    ),
]

study = relujax.Study(
    id="arelu",
    paper=relujax.Paper(
        title="Adaptive Rectified Linear Unit (AReLU) for Classification Problems to "
        "Solve Dying Problem in Deep Learning",
        authors="Ibrahim A. Atoum",
        year=2023,
        url="https://doi.org/10.14569/IJACSA.2023.0140212",
    ),
    question="does a negative slope that follows the loss beat fixed and learned ones?",
    baseline="relu",
    profiles={"quick": DIGITS, "paper": MNIST, "alternatives": ALTERNATIVES},
    seeds={"quick": 5, "paper": 10, "alternatives": 5},
    claims=CLAIMS,
    exhibits=EXHIBITS,
    choices=CHOICES,
)
