"""ALReLU: the absolute leaky ReLU (Mastromichalakis, 2020).

Claim reproduced: ALReLU, |LReLU|, beats ReLU and LReLU on images, tables and text, and
resolves the dying ReLU problem. Only the abstract could be read: it has no numbers.

    relujax run experiments/al_relu.py --profile quick  # about a minute
    relujax run experiments/al_relu.py --profile alternatives
    RELUJAX_DATA_DIR=... relujax run experiments/al_relu.py --profile paper  # an hour

The last one needs MNIST, Fashion-MNIST and SMS Spam; so does `two_cores`, with 10,000
training images of each. `alternatives` has another initialisation and another learning
rate. Data sets without an official split are split at random ten times, and each seed
is trained on each split; `relujax.analysis.best_over_splits` says what is tested.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import relujax
from relujax.analysis import best_over_splits, scores, settled

ALRELU, WIDER = "al_relu", "al_relu(alpha=0.3)"
RIVALS = ("relu", "leaky_relu")
SIGNIFICANT = 0.005  # of accuracy

IMAGES = ("mnist", "fashion_mnist", "digits")
TABLES = ("wdbc", "wine")
TEXT = "sms_spam"

SMALL = "mlp(hidden=(128, 128), initializer='glorot')"
SMALL_HE = "mlp(hidden=(128, 128), initializer='he')"
LARGE = "mlp(hidden=(512, 512), initializer='glorot')"


def cell(
    data: str, model: str, activation: str, rate: float = 0.001, **schedule
) -> relujax.Cell:
    return relujax.Cell(
        data=data,
        model=model,
        activation=activation,
        optimizer=f"adam(learning_rate={rate})",
        **schedule,
    )


def resplit(
    name: str, splits: int, model: str = SMALL, **schedule
) -> list[relujax.Cell]:
    """Every activation, on as many splits."""
    return [
        cell(f"{name}(split={split})", model, activation, **schedule)
        for activation in (*RIVALS, ALRELU, WIDER)
        for split in range(splits)
    ]


def embedded(splits: int, **how) -> list[relujax.Cell]:
    """What needs no file."""
    return [
        *resplit("wdbc", splits, batch_size=32, epochs=30, **how),
        *resplit("wine", splits, batch_size=32, epochs=30, **how),
        *resplit("digits", splits, batch_size=32, epochs=20, **how),
    ]


def from_files(images: str) -> list[relujax.Cell]:
    """Text on ten splits, and images on their official one; `images` ends the spec."""
    return [
        *resplit(TEXT, 10, batch_size=128, epochs=10),
        *(
            cell(f"{name}{images}", LARGE, activation, batch_size=128, epochs=8)
            for name in ("mnist", "fashion_mnist")
            for activation in (*RIVALS, ALRELU)
        ),
    ]


def largest_gap(f, g) -> float:
    """The largest difference of two functions of x and α, over several α."""
    x = jnp.linspace(-20.0, 20.0, 4001)
    return max(float(jnp.abs(f(x, a) - g(x, a)).max()) for a in (0.01, 0.1, 0.3))


def is_no_leaky_relu(_results):
    """ALReLU minus LReLU of the same α > 0, and of -α."""
    al = lambda x, a: relujax.al_relu(x, alpha=a)
    gap = largest_gap(al, lambda x, a: relujax.leaky_relu(x, negative_slope=a))
    mirrored = largest_gap(al, lambda x, a: relujax.leaky_relu(x, negative_slope=-a))
    return settled(
        gap > 0,
        f"LReLU has α > 0; with the same α ALReLU differs by up to {gap:g} on "
        f"[-20, 20]. With the slope −α, outside that definition, the formula of LReLU "
        f"is ALReLU (largest difference {mirrored:g}).",
        effect=gap,
        unit="largest difference from LReLU",
    )


def is_no_prelu(_results):
    """ALReLU minus a PReLU whose learned slope is -α."""
    gap = largest_gap(
        lambda x, a: relujax.al_relu(x, alpha=a), lambda x, a: relujax.prelu(x, -a)
    )
    return settled(
        gap > 0,
        f"A PReLU may learn any slope; where it is −α, it is ALReLU(α): the largest "
        f"difference over 4,001 points of [-20, 20] and three values of α is {gap:g}.",
        effect=gap,
        unit="largest difference from PReLU",
    )


def max_form_holds(_results):
    """The author's max(|α x|, x) against |LReLU|, for α up to and above 1."""
    off, x = {}, jnp.linspace(-20.0, 20.0, 4001)
    for a in (0.01, 0.3, 1.0, 1.5):
        absolute = jnp.abs(jnp.where(x > 0, x, a * x))
        off[a] = float(jnp.abs(jnp.maximum(jnp.abs(a * x), x) - absolute).max())
    shown = ", ".join(f"{gap:g} at α = {a:g}" for a, gap in off.items())
    return settled(
        max(off.values()) < 1e-6,
        f"The author's code has max(|α x|, x), as has the listing of Morrison, Gode "
        f"and Conner (2025). From |LReLU| it differs on [-20, 20] by up to {shown}: "
        f"for α > 1 it changes positive values, too. The library branches on the sign.",
        effect=max(off.values()),
        unit="largest difference from |LReLU|",
    )


def slopes(activation: str) -> np.ndarray:
    """The derivative at 2,000 points below 0."""
    apply = relujax.get(activation).apply
    f = lambda x: apply({}, x)
    return np.asarray(jax.vmap(jax.grad(f))(jnp.linspace(-20.0, -0.01, 2000)))


def slope_is_an_absolute_value(_results):
    """Is ALReLU's derivative below 0 the absolute value of LReLU's?"""
    own, leaky = slopes(ALRELU), slopes("leaky_relu")
    return settled(
        np.allclose(own, np.abs(leaky)),
        f"For z < 0 the derivative of LReLU is {leaky.mean():+g}, positive already; "
        f"that of ALReLU is {own.mean():+g}. The absolute value is taken of the "
        "output, ALReLU(z) = |LReLU(z)|, and the slope becomes negative.",
        effect=float(own.mean()),
        unit="derivative for z < 0",
    )


def slope_never_vanishes(_results):
    """The least |derivative| below 0: a unit that is negative on all data can move."""
    least, of_relu = np.abs(slopes(ALRELU)).min(), np.abs(slopes("relu")).max()
    return settled(
        least > 0,
        f"For z < 0, |f'(z)| is {least:g} for ALReLU and {of_relu:g} for ReLU: no "
        "unit is without gradient. But a unit with z < 0 on all data computes −0.01 z, "
        "which is linear: alive, it adds nothing to what a linear layer can do.",
        effect=float(least),
        unit="least |derivative| for z < 0",
    )


def leaky_relu_keeps_the_gradient_problem(_results):
    """Is LReLU's |derivative| below 0 smaller than ALReLU's, as that of ReLU is?"""
    leaky, own = np.abs(slopes("leaky_relu")), np.abs(slopes(ALRELU))
    return settled(
        leaky.min() < own.min(),
        f"For z < 0, |f'(z)| is {leaky.min():g} for LReLU and {own.min():g} for "
        "ALReLU: gradients are of the same size, and whatever LReLU leaves unresolved "
        "for their size, so does ALReLU. They differ in sign.",
        effect=float(own.min() - leaky.min()),
        unit="difference of the least |derivatives| for z < 0",
    )


def against(rivals, metric="accuracy", data=None, by=0.0):
    where = {"data": data} if data else None
    return best_over_splits(ALRELU, metric, among=rivals, where=where, by=by)


CLAIMS = [
    relujax.Claim(
        id="images",
        quote="ALReLU outperforms ReLU and Leaky ReLU in image classification tasks.",
        where="Findings",
        test=against(RIVALS, data=IMAGES),
    ),
    relujax.Claim(
        id="diseases",
        quote="ALReLU improves accuracy on disease classification datasets.",
        where="Findings",
        test=against(RIVALS, data="wdbc"),
    ),
    relujax.Claim(
        id="diverse",
        quote="ALReLU enhances performance across diverse data types and datasets.",
        where="Findings",
        test=against(RIVALS),
    ),
    relujax.Claim(
        id="diverse-f1",
        quote="ALReLU enhances performance across diverse data types and datasets.",
        where="Findings (weighted F1)",
        test=against(RIVALS, "f1_weighted"),
    ),
    relujax.Claim(
        id="against-lrelu",
        quote="by using the absolute values of LReLU's small negative gradient, has a "
        "significant improvement in comparison with LReLU",
        where="Abstract",
        test=against(("leaky_relu",)),
    ),
    relujax.Claim(
        id="significant",
        quote="by using the absolute values of LReLU's small negative gradient, has a "
        "significant improvement in comparison with LReLU",
        where="Abstract (by more than half a percentage point)",
        test=against(("leaky_relu",), by=SIGNIFICANT),
    ),
    relujax.Claim(
        id="tables",
        quote="significantly improves neural network performance in image, text, and "
        "tabular data classification tasks",
        where="TL;DR (tabular data)",
        test=against(RIVALS, data=TABLES),
    ),
    relujax.Claim(
        id="text",
        quote="significantly improves neural network performance in image, text, and "
        "tabular data classification tasks",
        where="TL;DR (text)",
        test=against(RIVALS, data=TEXT),
    ),
    relujax.Claim(
        id="dying-units",
        quote="is proposed, as an alternative method to resolve the common 'dying ReLU "
        "problem' on NN-based algorithms for supervised learning",
        where="Abstract (units that are never positive)",
        test=against(("relu",), "dead"),
    ),
    relujax.Claim(
        id="dying-gradient",
        quote="is proposed, as an alternative method to resolve the common 'dying ReLU "
        "problem' on NN-based algorithms for supervised learning",
        where="Abstract (gradient of a unit that is never positive)",
        test=slope_never_vanishes,
    ),
    relujax.Claim(
        id="lrelu-unresolved",
        quote="just proposing variations of the AF, such as Leaky ReLU (LReLU), while "
        "maintaining the solution within the same unresolved gradient problems",
        where="Abstract",
        test=leaky_relu_keeps_the_gradient_problem,
    ),
    relujax.Claim(
        id="absolute-gradient",
        quote="a novel activation function based on the absolute value of Leaky "
        "ReLU's negative gradient",
        where="TL;DR (absolute value of the gradient)",
        test=slope_is_an_absolute_value,
    ),
    relujax.Claim(
        id="novel",
        quote="a novel activation function based on the absolute value of Leaky "
        "ReLU's negative gradient",
        where="TL;DR (novel beside LReLU, where α > 0)",
        test=is_no_leaky_relu,
    ),
    relujax.Claim(
        id="novel-beside-prelu",
        quote="a novel activation function based on the absolute value of Leaky "
        "ReLU's negative gradient",
        where="TL;DR (novel beside PReLU, of any slope)",
        test=is_no_prelu,
    ),
    relujax.Claim(
        id="max-form",
        quote="the Absolute Leaky ReLU (ALReLU) AF, a variation of LReLU, is proposed",
        where="Abstract (the author’s code, max(|α x|, x), for any α)",
        test=max_form_holds,
    ),
]

CHOICES = [
    relujax.Choice(
        what="α of ALReLU and of LReLU",
        chosen="0.01",
        why="The author's published code.",
        tried="0.3 for ALReLU, on the data sets that are split anew",
    ),
    relujax.Choice(
        what="Data sets",
        chosen="MNIST, Fashion-MNIST and digits (images), WDBC and wine (tables), "
        "SMS Spam (text, TF-IDF of the 1,000 most frequent words)",
        why="The abstract names none; it speaks of five data sets, of images, text, "
        "tables and diseases. WDBC is the disease.",
    ),
    relujax.Choice(
        what="Data of the profiles",
        chosen="`quick`: scikit-learn's 8 x 8 digits are the only images; no text. "
        "`two_cores`: the first 10,000 training images of MNIST and of Fashion-MNIST. "
        "`paper`: all of them",
        why="The digits are embedded, MNIST, Fashion-MNIST and SMS Spam are files; "
        "and six times fewer images take six times less time.",
    ),
    relujax.Choice(
        what="Network",
        chosen="a multilayer perceptron: 512-512 for MNIST and Fashion-MNIST, 128-128 "
        "otherwise; Glorot uniform, no dropout",
        why="The architectures are not in the abstract; one kind of network for all "
        "three kinds of data.",
        tried="He initialisation, on the embedded data: the profile alternatives. Deep "
        "or convolutional networks, where more units die, were not tried and could "
        "turn the verdicts.",
    ),
    relujax.Choice(
        what="Optimiser and schedule",
        chosen="Adam at 1e-3; batches of 128 and 8 epochs for MNIST and Fashion-MNIST, "
        "128 and 10 for SMS Spam, 32 and 20 for digits, 32 and 30 for tables",
        why="The author's demonstration has Adam at 1e-3 and batches of 128; small "
        "data sets need more steps than that gives.",
        tried="a rate of 1e-2, with which ReLU may lose units, on the embedded data: "
        "the profile alternatives",
    ),
    relujax.Choice(
        what="Splits",
        chosen="MNIST and Fashion-MNIST: the official one. Others: ten stratified "
        "80/20 splits (five in the profile `quick`), each with all seeds",
        why="With 36 test examples (wine), the choice of the test part weighs more "
        "than the seed.",
    ),
    relujax.Choice(
        what="A significant improvement",
        chosen="any (`against-lrelu`), and more than half a percentage point of "
        "accuracy (`significant`)",
        why="The abstract has no number. The second can be refuted, where a test of "
        "the first stays undecided however small the difference. This margin was set "
        "after the first results (`two_cores`) had been seen, unlike the other tests.",
    ),
    relujax.Choice(
        what="What is independent",
        chosen="the seeds, and the splits after the correction of Nadeau and Bengio "
        "(2003) for the examples that they share; data sets weigh the same",
        why="A verdict is then about new examples, except on MNIST and Fashion-MNIST, "
        "where it is about their test sets. The tables and figures over seeds are "
        "about the mean of these splits.",
    ),
]


def by_data(frame: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by data set and activation, over all splits, networks and seeds."""
    x = 100 * scores(frame, "accuracy")
    name = x.index.get_level_values("data").str.partition("(").get_level_values(0)
    groups = x.groupby([name, x.index.get_level_values("activation")], sort=False)
    shown = groups.agg(lambda x: f"{x.mean():.2f} ± {x.std():.2f}").unstack()
    order = [*dict.fromkeys(x.index.get_level_values("activation"))]
    return shown[order].fillna("–").rename_axis("data").reset_index()


EXHIBITS = [
    relujax.Exhibit(
        title="Test accuracy by data set",
        caption="Per cent; mean ± standard deviation over all splits and seeds. The "
        "paper's tables could not be read.",
        make=by_data,
    ),
]

# Set, or given their margin, after results had been seen.
EXPLORATORY = {"significant"}

study = relujax.Study(
    id="al_relu",
    paper=relujax.Paper(
        title="ALReLU: A different approach on Leaky ReLU activation function to "
        "improve Neural Networks Performance",
        authors="Stamatis Mastromichalakis",
        year=2020,
        url="https://arxiv.org/abs/2012.07564",
    ),
    question="does ALReLU beat ReLU and leaky ReLU on images, tables and text?",
    baseline="relu",
    profiles={
        "quick": embedded(splits=5),
        "two_cores": [*embedded(splits=10), *from_files("(n_train=10000)")],
        "paper": [*embedded(splits=10), *from_files("")],
        "alternatives": [
            *embedded(splits=5, model=SMALL_HE),
            *embedded(splits=5, rate=0.01),
        ],
    },
    seeds={"quick": 5, "two_cores": 5, "paper": 5, "alternatives": 5},
    claims=[replace(claim, exploratory=claim.id in EXPLORATORY) for claim in CLAIMS],
    exhibits=EXHIBITS,
    choices=CHOICES,
)
