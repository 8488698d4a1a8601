"""SReLU: a smooth rectifier? (Bhat, "SRelu")

Claim reproduced: SReLU matches or beats ReLU, LeakyReLU, PReLU, ELU and GELU, converges
faster and generalises better. The paper prints no table of results; it states +0.1 % F1
on MNIST and +0.2 % accuracy and F1 on WDBC.

    relujax run experiments/srelu.py --profile quick   # WDBC: a minute or two
    relujax run experiments/srelu.py --profile paper   # and MNIST, Fashion-MNIST

N-ReLU and ALReLU run along: they are what the other papers propose.
"""

import jax
import jax.numpy as jnp

import relujax
from relujax.analysis import best, better, settled

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


WDBC = [
    cell("wdbc", FFNN, activation, objective="binary_cross_entropy", epochs=100)
    for activation in (*RIVALS, SRELU, *BETAS, *BEYOND)
]
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


ON_WDBC = {"data": "wdbc"}

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
        quote="SReLU exhibits a smaller generalization gap compared to other "
        "activation functions, indicating that the model generalizes better to unseen "
        "data.",
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
]

CHOICES = [
    relujax.Choice(
        what="β of SReLU",
        chosen="0.5",
        why='The paper says "a small positive constant" and never its value. With '
        "β = 1 SReLU would be the ELU of the same table.",
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
        "quick": WDBC,
        "two_cores": [*WDBC, *MNIST_FFNN, *FASHION_FFNN],
        "cnn": MNIST_CNN,
        "paper": [*WDBC, *MNIST_FFNN, *FASHION_FFNN, *MNIST_CNN, *FASHION_CNN],
    },
    seeds={"quick": 10, "two_cores": 5, "cnn": 3, "paper": 10},
    claims=CLAIMS,
    choices=CHOICES,
)
