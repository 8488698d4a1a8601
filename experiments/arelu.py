"""AReLU: a slope fed by the loss (Atoum 2023).

relujax run experiments/arelu.py --profile quick   # digits: about a minute
relujax run experiments/arelu.py --profile paper   # MNIST
"""

import relujax

ARELU = "arelu"
ADAPTIVE_TANH = "adaptive_tanh(axis=-1)"
LRELU = "leaky_relu(negative_slope=0.1)"
PRELU = "prelu(axis=-1)"

#: Activation to its misclassification rate in percent: Table I, and the text for AReLU.
REPORTED = {
    "sigmoid": 7.01,
    "tanh": 1.86,
    "msaf": 12.59,
    "sym_msaf": 11.28,
    "relu": 2.08,
    LRELU: 1.68,
    PRELU: 1.6,
    "elu": 1.88,
    ADAPTIVE_TANH: 2.93,
    ARELU: 1.2,
}


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


PAPER = [cell("mnist", activation) for activation in REPORTED]

# What the paper leaves open and could change the verdict: the learning rate, which was
# 0.002 in older versions of Keras, and the slope of the first epoch.
STARTS = tuple(f"arelu(initial_slope={slope})" for slope in (0.01, 1.0))
ALTERNATIVES = [
    *(
        cell("mnist", activation, rate)
        for rate in (0.001, 0.002)
        for activation in ("relu", LRELU, PRELU, ARELU)
    ),
    *(cell("mnist", activation) for activation in STARTS),
]

study = relujax.Study(
    id="arelu",
    paper=relujax.Paper(
        title="Adaptive Rectified Linear Unit (AReLU) for Classification Problems to "
        "Solve Dying Problem in Deep Learning",
        authors="Ibrahim A. Atoum",
        year=2023,
    ),
    question="does a negative slope that follows the loss beat fixed and learned ones?",
    baseline="relu",
    profiles={
        "quick": [cell("digits", activation) for activation in REPORTED],
        "paper": PAPER,
        "alternatives": ALTERNATIVES,
    },
    seeds={"quick": 5, "paper": 10, "alternatives": 5},
)
