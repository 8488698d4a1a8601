"""N-ReLU: Gaussian noise in place of the zeros of ReLU (Manik, Islam & Wang 2025).

Claim reproduced: on MNIST, with an MLP and a CNN, N-ReLU at σ = 0.05 to 0.10 is
comparable to ReLU, LeakyReLU, PReLU, GELU and RReLU or slightly better, converges
stably, keeps gradients flowing in inactive regions and has no dead neurons. Only the
abstract is openly readable: every detail of the protocol is a choice of ours.

    relujax run experiments/n_relu.py --profile quick         # digits: about a minute
    relujax run experiments/n_relu.py --profile two_cores     # MNIST, MLP: an hour
    relujax run experiments/n_relu.py --profile cnn           # MNIST, CNN, three seeds
    relujax run experiments/n_relu.py --profile paper         # both, ten seeds
    relujax run experiments/n_relu.py --profile alternatives  # digits, three rates
"""

from relujax import InputError, studies
from relujax.statistics import scores
from relujax.studies import Grid, Shown, best, better, no_worse

NAMES = ("ReLU", "LeakyReLU", "PReLU", "GELU", "RReLU")
RIVALS = ("relu", "leaky_relu", "prelu", "gelu(approximate=False)", "rrelu")
SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.5)
MODERATE, OTHERS = (0.05, 0.1), (0.01, 0.2, 0.5)

MARGIN = 0.002  # of accuracy, 20 of 10,000 images: less is comparable

n_relu = "n_relu(sigma={})".format
annealed = "n_relu(sigma='linear(start=0.1, end=0.0, steps={})')".format
OURS = n_relu(0.1)
RATES = [f"adam(learning_rate={rate})" for rate in (0.0001, 0.001, 0.01)]


def grid(data: str, *, epochs: int, batches: int) -> Grid:
    """All activations on one task; `batches` of 128 make an epoch."""
    own = [*map(n_relu, SIGMAS), annealed(epochs * batches)]
    return Grid(
        data=data,
        model="mlp(hidden=(512, 512), initializer='pytorch')",
        activation=[*RIVALS, *own],
        optimizer=RATES[1],
        batch_size=128,
        epochs=epochs,
    )


DIGITS = grid("digits", epochs=20, batches=12)
MLP = grid("mnist", epochs=10, batches=469)
CNN = MLP.over(model="cnn(filters=(32, 64), hidden=(128,), initializer='pytorch')")

within_4 = lambda error: lambda x, measured: abs(x) < 4 * measured[error]
PROBE, PROBED = "inactive_units", [*RIVALS, *map(n_relu, MODERATE)]


def passes_on(number: str, holds, shown: str = "{:.1e}"):
    """The test of what inactive units of a small network pass on, at σ = 0.1."""

    def test(frame):
        table = studies.probed(frame, PROBE)
        own, told = table.loc[OURS], table.loc[[*RIVALS], number].map(shown.format)
        others = ", ".join(map(" ".join, zip(NAMES, told, strict=True)))
        found = {"others": others, "errors": own["layer"] / own["layer_error"], **own}
        x = float(own[number])
        return studies.observed(bool(holds(x, own)), effect=x, **found)

    return test


def annealed_better(metric: str, by: float = 0.0):
    """The test of "N-ReLU with a σ that falls improves on ReLU"."""

    def test(frame):
        own = frame["activation"].str.contains("linear(", regex=False)
        if not own.any():
            raise InputError("Expected results of N-ReLU with a σ that falls.")
        named = frame.assign(activation=frame["activation"].mask(own, "annealed"))
        return better("annealed", "relu", metric, by=by)(named)

    return test


def loses_less_at_other_rates(frame):
    """Accuracy lost from the middle learning rate to the worst of three."""
    if not {*RATES} <= set(frame["optimizer"]):
        raise InputError("Expected results of three learning rates: alternatives.")
    wide = scores(frame, "accuracy").unstack("optimizer")
    by_rate = wide.groupby(["activation", "seed"]).mean()[RATES]
    lost = 100 * (by_rate[RATES[1]] - by_rate.min(axis=1))
    x = (lost["relu"] - lost[OURS]).dropna()
    return studies.positive(x, own=lost[OURS].mean(), relu=lost["relu"].mean())


COLUMNS = {
    "never": Shown("active on no image, %"),
    "no_gradient": Shown("no gradient into it, %"),
    "silent": Shown("output always 0, %"),
    "shift": Shown("mean of f − ReLU", "{:+.1e}"),
    "layer": Shown("layer mean, noise on − off", "{:+.1e}"),
    "into": Shown("gradient into inactive units", "{:.1e}"),
    "outgoing": Shown("gradient behind them", "{:.1e}"),
}
LEVELS = {"relu": 0.0} | {n_relu(sigma): sigma for sigma in SIGMAS}
LOSS = {"metric": "mean_loss", "margin": 0.005, "split": "train"}

study = studies.study_of(
    __file__,
    profiles={
        "quick": DIGITS,
        "two_cores": MLP,
        "cnn": CNN,
        "paper": MLP + CNN,
        "alternatives": DIGITS.over(optimizer=RATES),
    },
    seeds={"quick": 5, "two_cores": 5, "cnn": 3, "paper": 10, "alternatives": 5},
    probes=studies.probe(PROBE, studies.inactive_units, PROBED),
    claims={
        **{
            f"comparable-{name.lower()}-{s}": no_worse(n_relu(s), rival, margin=MARGIN)
            for name, rival in zip(NAMES, RIVALS, strict=True)
            for s in MODERATE
        },
        **{f"exceeding-relu-{s}": better(n_relu(s), "relu") for s in MODERATE},
        **{
            f"moderate-noise-{s}": best(n_relu(s), among=[*map(n_relu, OTHERS)])
            for s in MODERATE
        },
        "same-mean-unit": passes_on("shift", within_4("error"), "{:+.3f}"),
        "same-mean-network": passes_on("layer", within_4("layer_error")),
        "gradient-flow": passes_on("into", lambda x, _: x > 0),
        "gradient-flow-outgoing": passes_on("outgoing", lambda x, _: x > 0),
        "regularizer": better(OURS, "relu", "gap"),
        "regularizer-annealed": annealed_better("gap"),
        "annealed-accuracy": annealed_better("accuracy", by=-MARGIN),
        "robustness": loses_less_at_other_rates,
        "lightweight": studies.costs_at_most(OURS, 0.05, beside=("relu", "rrelu")),
        "no-divergence": studies.no_divergence("n_relu"),
        "stabilizes": studies.steadier(OURS, "relu"),
        "stabilizes-loss": studies.steadier(OURS, "relu", "loss", split="train"),
        "convergence": no_worse(OURS, "relu", **LOSS),
        "convergence-on-mnist": no_worse(OURS, "relu", where={"data": "mnist"}, **LOSS),
        "no-dead-neurons-noise-on": passes_on("silent", lambda x, _: x == 0),
        "no-dead-neurons-noise-off": studies.no_dead_units([*map(n_relu, MODERATE)]),
        "fewer-dead-neurons": better(OURS, "relu", "dead", split="train"),
        "no-parameters": studies.adds_no_parameters("n_relu"),
    },
    exhibits={
        "dead": studies.scores_table("dead", split="train"),
        "inactive": studies.probe_table(PROBE, PROBED, COLUMNS),
        "noise-levels": studies.metric_over(LEVELS, "σ"),
    },
)
