"""Which rectifier should this network use? Tasks of different kinds, all rectifiers.

    relujax run experiments/which_rectifier.py --profile quick
    relujax run experiments/which_rectifier.py --profile plasticity --plan vmap

Each row of its first table is a network on data: find the row that is most like yours.
How to add a row with a network of your own: docs/howto/which-rectifier.md.
"""

from relujax import InputError, studies
from relujax.studies import Grid

RECTIFIERS = [
    *("relu", "leaky_relu", "elu", "gelu", "silu"),
    *("n_relu", "srelu(beta=0.5)", "al_relu", "arelu"),
]

#: What data are called in the tables.
WORDS = {
    "wdbc": "table (569 tumours)",
    "wine": "table (178 wines)",
    "mnist1d": "curves (MNIST-1D)",
    "synthetic": "regression (a wave)",
    "slow_regression": "a stream that changes",
}


def deep(depth, width=32, initializer="he", normalize=False):
    """A multilayer perceptron; networks that differ in depth share a program."""
    more = ", normalize=True" if normalize else ""
    return (
        f"deep_mlp(width={width}, depth={depth}, capacity=50, "
        f"initializer='{initializer}'{more})"
    )


HOW = {
    "activation": RECTIFIERS,
    "optimizer": "adam(learning_rate=0.001)",
    "batch_size": 64,
    "epochs": 30,
    "evaluate_every": 10,
}
#: 20 layers without normalisation first: the network that is asked about most.
PLAIN = [deep(20), deep(2), deep(50)]
OTHERWISE = [deep(20, initializer="glorot"), deep(20, normalize=True)]
TABLE = Grid(data="wdbc", model=[*PLAIN, *OTHERWISE], **HOW)
WAVE = Grid(
    data="synthetic(curve='sinusoidal')",
    model=[deep(1), deep(20), deep(50)],
    objective="mse",
    **HOW,
)

CURVES = Grid(data="mnist1d(n=1000)", model=[deep(2, 64), deep(20, 64)], **HOW)
#: Dohare et al. (2024); it takes activations without noise that are fed no loss.
STREAM = "slow_regression(learning_rate=0.01)"
RECYCLED = "slow_regression(learning_rate=0.01, recycle_every=1000)"
QUIET = [a for a in RECTIFIERS if a not in ("n_relu", "arelu")]
STREAMS = Grid(training=STREAM, activation=QUIET, epochs=10, evaluate_every=5)
#: A million examples, as in the authors' figure.
LONG = Grid(training=STREAM, activation=["relu", "leaky_relu", "tanh"], epochs=50)
LONG += Grid(training=RECYCLED, activation="relu", epochs=50)
LINES = {a: {"model": STREAM, "activation": a} for a in ("relu", "leaky_relu", "tanh")}
LINES["relu, dead units recycled"] = {"model": RECYCLED, "activation": "relu"}
PLASTICITY = (
    studies.Panel("mse", "squared error of 20,000 examples"),
    studies.Panel("dead", "dead units, %"),
)


def plasticity(frame):
    """Errors and dead units over a million examples, which one profile has."""
    if frame["epoch"].max() < LONG[0].epochs:
        raise InputError("it is of the profile plasticity.")
    draw = studies.curves(LINES, *PLASTICITY, where={"model": "slow_regression"})
    return draw(frame)


study = studies.study_of(
    __file__,
    profiles={"quick": TABLE + WAVE + CURVES + STREAMS, "plasticity": LONG},
    seeds={"quick": 10, "plasticity": 30},
    claims={},
    exhibits={
        "decision": studies.decision_table("relu", WORDS),
        "differences": studies.against_baseline("relu", WORDS),
        "dead": studies.dead_table("relu", WORDS),
        "cost": studies.cost_table(RECTIFIERS),
        "plasticity": plasticity,
    },
)
