"""AReLU: a negative slope fed by the loss (Atoum 2023).

Claim reproduced: a leaky ReLU whose slope is the last epoch's training loss has the
lowest misclassification rate on MNIST, 1.2 %, below nine other activations (Table I).
One run is reported; the table's rates are another paper's, and AReLU is not in it.

    relujax run experiments/arelu.py --profile quick         # digits: about a minute
    relujax run experiments/arelu.py --profile paper         # MNIST: 6 minutes a seed
    relujax run experiments/arelu.py --profile alternatives  # rates, dropout, starts
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import relujax
from relujax.analysis import (
    best,
    better,
    equivalence_test,
    equivalent,
    judge,
    mean_band,
    mean_interval,
    observed,
    paired_test,
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


MLP = "mlp(hidden=(512, 512), initializer='glorot')"
WITH_DROPOUT = "mlp(hidden=(512, 512), dropout=0.2, initializer='glorot')"


def cell(
    data: str, activation: str, learning_rate: float = 0.001, model: str = MLP
) -> relujax.Cell:
    """Section IV: 512-512, Adamax, batches of 128, 20 epochs."""
    return relujax.Cell(
        data=data,
        model=model,
        activation=activation,
        optimizer=f"adamax(learning_rate={learning_rate})",
        objective="softmax_cross_entropy",
        batch_size=128,
        epochs=20,
    )


DIGITS = [cell("digits", activation) for activation in (*RIVALS, ARELU)]
MNIST = [cell("mnist", activation) for activation in (*RIVALS, ARELU)]
ALTERNATIVES = [
    cell("mnist", activation, rate, model)
    for rate, model in ((0.001, MLP), (0.002, MLP), (0.001, WITH_DROPOUT))
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


def rates_of(frame: pd.DataFrame, specs: Sequence[str]) -> pd.DataFrame:
    """The rates of these activations, in this order."""
    ours = rates(frame)
    lacking = [spec for spec in specs if spec not in ours.index]
    if lacking:
        raise InputError(f"Expected results of {', '.join(lacking)}, got none.")
    return ours.loc[list(specs)]


def ranks(frame: pd.DataFrame) -> tuple[pd.Series, str]:
    """Each seed's rank correlation with Table I (Spearman's), and our order."""
    reported = pd.Series({spec: rate for spec, (_, rate) in TABLE_1.items()})
    ours = rates_of(frame, RIVALS)
    ours = ours.loc[:, ours.nunique() > 1]  # Equal rates have no order.
    rho = ours.corrwith(reported, method="spearman")
    order = ours.mean(axis=1).sort_values().index
    return rho, ", ".join(TABLE_1[spec][0] for spec in order)


def table_1_correlates(frame: pd.DataFrame):
    """Whether the nine rates have anything of the order of Table I."""
    rho, _ = ranks(frame)
    return positive(
        rho,
        f"Over the nine activations, the rates of a seed have a rank correlation of "
        f"{rho.mean():.2f} with those of Table I; of no relation it would be 0.",
        unit="rank correlation with Table I",
    )


def table_1_order(frame: pd.DataFrame):
    """Whether the nine mean rates are in the order of Table I."""
    rho, order = ranks(frame)
    reported = sorted(TABLE_1.values(), key=lambda row: row[1])
    expected = ", ".join(name for name, _ in reported)
    return observed(
        order == expected,
        f"From the lowest rate, ours: {order}; Table I: {expected}.",
        effect=float(rho.mean()),
        unit="rank correlation with Table I",
    )


def has_rate(spec: str, reported: float):
    """The test of "the rate of `spec` on MNIST is that of Table I, within the margin".

    Args:
      spec: the activation.
      reported: its misclassification rate in per cent.
    """

    def test(frame: pd.DataFrame):
        x = rates_of(on_mnist(frame), [spec]).loc[spec].dropna() - reported
        margin = 100 * MARGIN
        above = paired_test(x - margin, alternative="greater")
        below = paired_test(x + margin, alternative="less")
        found = positive(
            x,
            f"{spec} misclassifies {reported + x.mean():.2f} %, Table I has "
            f"{reported:g} %; within {margin:g} points counts as the same.",
            unit="percentage points above Table I",
        )
        return found._replace(
            p_for=equivalence_test(x, margin=margin),
            p_against=min(1.0, 2 * above, 2 * below),
        )

    return test


def on_mnist(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows on MNIST, whose numbers the paper reports."""
    rows = frame[frame["data"] == "mnist"]
    if rows.empty:
        raise InputError("Expected results on mnist, got none.")
    return rows


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
    best_epoch = curve(on_mnist(frame), "accuracy", "test").max(axis=1).to_numpy()
    return positive(
        best_epoch - 0.988,
        f"At its best epoch, which only the test images can tell, a network has a mean "
        f"accuracy of {100 * best_epoch.mean():.2f} %, and at most "
        f"{100 * best_epoch.max():.2f} %.",
        unit="percentage points",
        scale=100,
    )


def rapid_in_two(frame: pd.DataFrame):
    """What part of the fall of the training loss the first two epochs make."""
    loss = curve(frame, "loss", "train")
    part = (loss[0] - loss[2]) / (loss[0] - loss[loss.columns.max()])
    return positive(
        part - 0.5,
        f"The first two epochs make {100 * part.mean():.0f} % of the fall of the "
        f"training loss; we take more than half of it for rapid.",
        unit="percentage points of the fall above half",
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


def slope_decreases_from_the_start(frame: pd.DataFrame):
    """The slopes from epoch to epoch, the start of 0.1 included, in every seed."""
    slope = curve(frame, "signal", "train").loc[:, 1:]
    falls = (slope.diff(axis=1).iloc[:, 1:] < 0).to_numpy()
    rise = slope[2].mean() - slope[1].mean()
    return observed(
        bool(falls.all()),
        f"With the start of {slope[1].mean():g} the slope falls in "
        f"{100 * falls.mean():.0f} % of the epochs: after the first it is the loss, "
        f"{slope[2].mean():.3f}.",
        effect=-rise,
        unit="decrease of the slope after the first epoch",
    )


def slope_decreases(frame: pd.DataFrame):
    """The losses that are fed back, from epoch to epoch, in every seed."""
    slope = curve(frame, "signal", "train")
    losses = slope.loc[:, 2:]
    falls = (losses.diff(axis=1).iloc[:, 1:] < 0).to_numpy()
    first, last = losses.iloc[:, 0].mean(), losses.iloc[:, -1].mean()
    return observed(
        bool(falls.all()),
        f"The loss that is fed back falls from {first:.3f} to {last:.4f}, in "
        f"{100 * falls.mean():.0f} % of the epochs.",
        effect=first - last,
        unit="decrease of the slope",
    )


def slope_stays_positive(frame: pd.DataFrame):
    """The slope of the last epoch, in every seed."""
    slope = curve(frame, "signal", "train")
    last = slope[slope.columns.max()]
    return observed(
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


def max_form_holds(_frame):
    """max(l x, x), the paper's form of the leaky ReLU, for l below and above 1."""
    x = jnp.linspace(-4.0, 4.0, 801)
    off = {
        slope: float(jnp.abs(jnp.maximum(slope * x, x) - relujax.arelu(x, slope)).max())
        for slope in (0.1, 1.0, 2.3)
    }
    told = ", ".join(f"{gap:g} at l = {slope:g}" for slope, gap in off.items())
    return settled(
        max(off.values()) < 1e-6,
        f"From equation 6 max(l x, x) differs on [-4, 4] by up to {told}. A loss above "
        f"1, as that of a guess among ten (2.3), turns it over: positive values get "
        f"the slope.",
        effect=max(off.values()),
        unit="largest difference from equation 6",
    )


class Deaths(NamedTuple):
    """Units of the first layer that no training image activates, in per cent.

    Attributes:
      before: before training.
      after: after training.
    """

    before: float
    after: float


@partial(jax.jit, static_argnames="steps")
def dead_units(x, y, rate, bias, steps=60) -> jax.Array:
    """The part of ReLU's units that are dead before and after full-batch descent.

    Args:
      x: images, `[n, 64]`.
      y: classes, `[n]`.
      rate: learning rate of plain gradient descent, the paper's equation 2.
      bias: initial bias of all hidden units.
      steps: updates.
    """
    keys = jax.random.split(jax.random.key(0), 3)
    glorot = jax.nn.initializers.glorot_uniform()
    sizes = ((64, 128), (128, 128), (128, 10))
    params = [
        (glorot(key, size), jnp.full((1, size[1]), bias * (size[1] == 128)))
        for key, size in zip(keys, sizes, strict=True)
    ]

    def loss(params):
        *hidden, (w, b) = params
        h = x
        for weights, biases in hidden:
            h = relujax.relu(h @ weights + biases)
        labels = optax.softmax_cross_entropy_with_integer_labels(h @ w + b, y)
        return labels.mean()

    def step(params, _):
        grads = jax.grad(loss)(params)
        return jax.tree.map(lambda p, g: p - rate * g, params, grads), None

    dead = lambda params: (x @ params[0][0] + params[0][1] <= 0).all(axis=0).mean()
    trained, _ = jax.lax.scan(step, params, length=steps)
    return jnp.stack([dead(params), dead(trained)])


def deaths(rate: float, bias: float) -> Deaths:
    """A 64-128-128-10 network with ReLU on the digits."""
    digits = relujax.load_dataset("digits")
    x = jnp.asarray(digits.transform(digits.x_train)).reshape(-1, 64)
    return Deaths(
        *map(float, 100 * dead_units(x, jnp.asarray(digits.y_train), rate, bias))
    )


def kills(rate: float, bias: float):
    """The test of "with this rate and bias ReLU's units die", beside 0.1 and 0."""

    def test(_frame):
        mild, hard = deaths(0.1, 0.0), deaths(rate, bias)
        return observed(
            hard.after > mild.after + 10,
            f"Of the first layer's units of a ReLU network on the digits, after 60 "
            f"updates by gradient descent, {hard.after:.0f} % are active on no "
            f"training image at a learning rate of {rate:g} and an initial bias of "
            f"{bias:g} ({hard.before:.0f} % before training); {mild.after:.0f} % at "
            f"0.1 and 0. Ten points more count as a cause.",
            effect=hard.after - mild.after,
            unit="percentage points more dead units",
        )

    return test


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


CAUSES = (
    "The cause of this problem is due to two main factors: High Learning Rate and a "
    "Large Negative Bias."
)
IN_TABLE_1 = "MR Measurements for Activation Functions on MNIST Dataset"

CLAIMS = [
    relujax.Claim(
        id="lowest-rate",
        quote="The model was trained on the MNIST dataset with 20 epochs and achieved "
        "lowest misclassification rate by 1.2%.",
        where="Abstract (lowest)",
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
        test=better(ARELU, "relu"),
    ),
    relujax.Claim(
        id="beats-prelu",
        quote="The MR for our model was 1.2% where for PReLU is 1.62",
        where="Section V (below PReLU at all)",
        test=better(ARELU, PRELU),
    ),
    relujax.Claim(
        id="beats-prelu-by-0.42",
        quote="The MR for our model was 1.2% where for PReLU is 1.62",
        where="Section V (below PReLU by the difference)",
        reported="0.42 % less",
        test=better(ARELU, PRELU, by=0.0042, where={"data": "mnist"}),
    ),
    relujax.Claim(
        id="beats-lrelu",
        quote="The main concept of our algorithm is to improve the current LReLU "
        "activation functions in mitigating the dying problem on deep learning",
        where="Abstract (accuracy)",
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
        id="table-1-correlates",
        quote=IN_TABLE_1,
        where="Table I (a rank correlation above 0)",
        test=table_1_correlates,
    ),
    relujax.Claim(
        id="table-1-order",
        quote=IN_TABLE_1,
        where="Table I (the order of its rows)",
        test=table_1_order,
    ),
    *(
        relujax.Claim(
            id=f"rate-of-{name.lower().replace(' ', '-').replace('_', '-')}",
            quote=IN_TABLE_1,
            where=f"Table I ({name}; margin 0.2 points)",
            reported=f"{rate:g} %",
            test=has_rate(spec, rate),
        )
        for spec, (name, rate) in TABLE_1.items()
    ),
    relujax.Claim(
        id="table-1-prelu",
        quote=IN_TABLE_1,
        where="Table I (PReLU has the lowest rate)",
        test=best(PRELU, among=RIVALS),
    ),
    relujax.Claim(
        id="table-1-lrelu",
        quote=IN_TABLE_1,
        where="Table I (LReLU below ReLU)",
        test=better(LRELU, "relu"),
    ),
    relujax.Claim(
        id="table-1-tanh",
        quote=IN_TABLE_1,
        where="Table I (tanh below ReLU)",
        test=better("tanh", "relu"),
    ),
    relujax.Claim(
        id="table-1-msaf",
        quote=IN_TABLE_1,
        where="Table I (sigmoid below MSAF)",
        test=better("sigmoid", "msaf"),
    ),
    relujax.Claim(
        id="table-1-adaptive-tanh",
        quote=IN_TABLE_1,
        where="Table I (tanh below adaptive tanh)",
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
        id="rapid-loss",
        quote="we can see the rapid loss in the training set at the first two epochs",
        where="Section V, Figure 11",
        test=rapid_in_two,
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
        where="Abstract (the losses that are fed back)",
        test=slope_decreases,
    ),
    relujax.Claim(
        id="slope-decreases-from-the-start",
        quote="using the readjustment of values (changing and decreasing value) of the "
        "loss function or cost function while number of epochs are increased",
        where="Abstract (the slopes, from the first on)",
        test=slope_decreases_from_the_start,
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
        id="max-form",
        quote="$$f(x) = \\max(ax, x), where \\ a > 0$$",
        where="Equation 3 (with the loss as the slope)",
        test=max_form_holds,
    ),
    relujax.Claim(
        id="high-rate-kills",
        quote=CAUSES,
        where="Section III (the learning rate)",
        test=kills(3.0, 0.0),
    ),
    relujax.Claim(
        id="negative-bias-kills",
        quote=CAUSES,
        where="Section III (the bias)",
        test=kills(0.1, -1.0),
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
    ours = rates_of(frame, (*TABLE_1, ARELU))
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


def by_setting(frame: pd.DataFrame) -> pd.DataFrame:
    """Rates and, of the claims that sampling decides, verdicts by rate and dropout."""
    settings = {
        f"{optimizer.partition('=')[2].rstrip(')')}"
        + ", dropout" * ("dropout" in model): rows
        for (optimizer, model), rows in frame.groupby(["optimizer", "model"])
    }
    if len(settings) < 2:
        raise InputError("Expected results of several settings, got one.")
    found = {
        name: {
            **{
                f"MR of {a}, %": f"{x:.2f}" for a, x in rates(rows).mean(axis=1).items()
            },
            **{j.claim.id: j.verdict for j in judge(CLAIMS, rows) if j.p is not None},
        }
        for name, rows in settings.items()
    }
    return pd.DataFrame(found).fillna("–").rename_axis("result").reset_index()


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
    relujax.Exhibit(
        title="Rates and verdicts by learning rate and dropout",
        caption="Mean misclassification rates, and verdicts on the claims that "
        "sampling decides, each setting corrected by itself: the profile alternatives.",
        make=by_setting,
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
        tried="a dropout of 0.2, as in Keras's example of this network, for ReLU, "
        "LReLU, PReLU and AReLU: the profile alternatives. It can turn the claims "
        "about 98.8 % and about overfitting.",
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
        tried="nothing else; another form could turn rate-of-adaptive-tanh and "
        "table-1-adaptive-tanh",
    ),
    relujax.Choice(
        what="MSAF and its symmetrical form",
        chosen="σ(x - 1) + σ(x - 2), and σ(x) + σ(x - 5) - 1",
        why="Neither this paper nor its source prints the constants.",
        tried="nothing else; other constants could turn rate-of-msaf, "
        "rate-of-msaf-symmetrical and table-1-msaf",
    ),
    relujax.Choice(
        what="A slope that decreases",
        chosen="each loss that is fed back is below the one before (slope-decreases); "
        "or each slope, the start of 0.1 included (slope-decreases-from-the-start)",
        why='"decreasing value of the loss function" is about the loss; the slope is '
        "what it is used for. The first reading was set after the second had been seen "
        "on the digits.",
    ),
    relujax.Choice(
        what="A rate of Table I",
        chosen="the same if within 0.2 percentage points (20 of 10,000 images)",
        why="Seeds differ by about 0.1. The table's networks are those of another "
        "paper, so that its rates bind this protocol only loosely.",
    ),
    relujax.Choice(
        what="Rapid loss, a curve that flattens, an almost constant loss",
        chosen="more than half of the fall in two epochs; at most 0.2 points of "
        "accuracy after the third; at most 10 % above the least test loss",
        why="The paper reads all three off its figures.",
    ),
    relujax.Choice(
        what="A high learning rate, a large negative bias",
        chosen="3, and −1, of full-batch gradient descent on the digits",
        why="The paper has no numbers. Equation 2 is plain gradient descent; the bias "
        "is large beside pre-activations whose standard deviation is about 0.4.",
    ),
    relujax.Choice(
        what="Epoch of the reported numbers",
        chosen="the last",
        why="The paper does not say; the best epoch on the test part would be biased.",
    ),
]

# Set, or given their margin, after results had been seen.
EXPLORATORY = {
    "slope-decreases",
    "table-1-correlates",
    "rate-of-sigmoid",
    "rate-of-hyperbolic-tangent",
    "rate-of-msaf",
    "rate-of-msaf-symmetrical",
    "rate-of-relu",
    "rate-of-lrelu",
    "rate-of-prelu",
    "rate-of-elu",
    "rate-of-adaptive-tanh",
    "beats-prelu-by-0.42",
    "rapid-loss",
}

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
    claims=[replace(claim, exploratory=claim.id in EXPLORATORY) for claim in CLAIMS],
    exhibits=EXHIBITS,
    choices=CHOICES,
)
