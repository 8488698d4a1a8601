"""N-ReLU: Gaussian noise in place of the zeros of ReLU (Manik, Islam & Wang 2025).

relujax run experiments/n_relu.py --profile quick      # digits: about a minute
relujax run experiments/n_relu.py --profile two_cores  # MNIST, MLP: half an hour
relujax run experiments/n_relu.py --profile paper      # and the CNN
"""

import relujax

RIVALS = ("relu", "leaky_relu", "prelu", "gelu(approximate=False)", "rrelu")
SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.5)

MLP = "mlp(hidden=(512, 512), initializer='pytorch')"
CNN = "cnn(filters=(32, 64), hidden=(128,), initializer='pytorch')"


def n_relu(sigma: float) -> str:
    """The spec of N-ReLU with constant noise."""
    return f"n_relu(sigma={sigma})"


def annealed(steps: int) -> str:
    """The spec of N-ReLU whose σ falls from 0.1 to 0 over so many updates."""
    return f"n_relu(sigma='linear(start=0.1, end=0.0, steps={steps})')"


def grid(data: str, model: str, *, epochs: int, batches: int) -> list[relujax.Cell]:
    """All activations on one task; `batches` of 128 make an epoch."""
    return [
        relujax.Cell(
            data=data,
            model=model,
            activation=activation,
            optimizer="adam(learning_rate=0.001)",
            objective="softmax_cross_entropy",
            batch_size=128,
            epochs=epochs,
        )
        for activation in (*RIVALS, *map(n_relu, SIGMAS), annealed(epochs * batches))
    ]


DIGITS = grid("digits", MLP, epochs=20, batches=12)
MNIST_MLP = grid("mnist", MLP, epochs=10, batches=469)
MNIST_CNN = grid("mnist", CNN, epochs=10, batches=469)

study = relujax.Study(
    id="n_relu",
    paper=relujax.Paper(
        title="N-ReLU: Zero-Mean Stochastic Extension of ReLU",
        authors="Md Motaleb Hossen Manik, Md Zabirul Islam and Ge Wang",
        year=2025,
        url="https://arxiv.org/abs/2511.07559",
    ),
    question="does zero-mean noise in place of ReLU's zeros help, and what does it do "
    "to dead units?",
    baseline="relu",
    profiles={
        "quick": DIGITS,
        "two_cores": MNIST_MLP,
        "cnn": MNIST_CNN,
        "paper": [*MNIST_MLP, *MNIST_CNN],
    },
    seeds={"quick": 5, "two_cores": 5, "cnn": 3, "paper": 10},
)
