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

from collections.abc import Callable
from dataclasses import replace
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
    observed,
    positive,
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


def grid(
    data: str, model: str, *, epochs: int, batches: int, rate: float = 0.001
) -> list[relujax.Cell]:
    """All activations on one task; `batches` of 128 make an epoch."""
    return [
        relujax.Cell(
            data=data,
            model=model,
            activation=activation,
            optimizer=f"adam(learning_rate={rate})",
            objective="softmax_cross_entropy",
            batch_size=128,
            epochs=epochs,
        )
        for activation in (*RIVALS, *map(n_relu, SIGMAS), annealed(epochs * batches))
    ]


DIGITS = grid("digits", MLP, epochs=20, batches=12)
MNIST_MLP = grid("mnist", MLP, epochs=10, batches=469)
MNIST_CNN = grid("mnist", CNN, epochs=10, batches=469)
RATES = (0.0001, 0.001, 0.01)
ALTERNATIVES = [
    cell
    for rate in RATES
    for cell in grid("digits", MLP, epochs=20, batches=12, rate=rate)
]


class Net(NamedTuple):
    """A small trained network and its data, for claims about single units.

    Attributes:
      act: its activation.
      params: (weights, biases) of three layers, and what each hidden layer's
        activation has learned.
      x: training images, `[n, 64]`.
      y: their classes, `[n]`.
    """

    act: relujax.Activation
    params: tuple[list, list]
    x: jax.Array
    y: jax.Array


class Probe(NamedTuple):
    """Zeros in the network, of which gradients are taken.

    Attributes:
      z1: added to the pre-activations of the first layer.
      z2: and of the second.
      outgoing: added to the weights behind the first layer, for inactive units only.
    """

    z1: jax.Array
    z2: jax.Array
    outgoing: jax.Array


def activate(act, learned, layer, z, key):
    """The output of a hidden layer; noise on, and as in training, if a key is given."""
    if key is None:
        return act.apply(learned[layer], z)
    return act.apply(learned[layer], z, key=jax.random.fold_in(key, layer), train=True)


def forward(act, params, x, key=None, probe=None):
    """Logits, and the pre-activations `[n, 128]` of both hidden layers.

    Args:
      act: the activation.
      params: of a `Net`.
      x: images.
      key: of the noise; without one it is off.
      probe: a `Probe`, or None.
    """
    ((w1, b1), (w2, b2), (w3, b3)), learned = params
    z1 = x @ w1 + b1 + (0 if probe is None else probe.z1)
    h1 = activate(act, learned, 0, z1, key)
    z2 = h1 @ w2 + b2
    if probe is not None:
        z2 += jnp.where(z1 > 0, 0, h1) @ probe.outgoing + probe.z2
    return activate(act, learned, 1, z2, key) @ w3 + b3, (z1, z2)


def loss_of(act, params, x, y, key=None, probe=None):
    """The mean cross-entropy, and the pre-activations of both hidden layers."""
    logits, zs = forward(act, params, x, key, probe)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), zs


@cache
def trained(spec: str = "n_relu(sigma=0.1)") -> Net:
    """A 64-128-128-10 network, trained on the digits for a second or two."""
    act, digits = relujax.get(spec), relujax.load_dataset("digits")
    x, y = digits.transform(jnp.asarray(digits.x_train)), jnp.asarray(digits.y_train)
    x = x.reshape(len(x), -1)
    *keys, key_noise = jax.random.split(jax.random.key(0), 4)
    sizes = [(64, 128), (128, 128), (128, 10)]
    he = jax.nn.initializers.he_normal()
    affine = [
        (he(k, s), jnp.zeros((1, s[1]))) for k, s in zip(keys, sizes, strict=True)
    ]
    params = affine, [act.init((1, 128), jnp.float32) for _ in range(2)]
    adam = optax.adam(1e-2)

    def step(carry, i):
        params, state = carry
        key = jax.random.fold_in(key_noise, i)
        loss = lambda params: loss_of(act, params, x, y, key)
        grads, _ = jax.grad(loss, has_aux=True)(params)
        updates, state = adam.update(grads, state)
        return (optax.apply_updates(params, updates), state), None

    start = params, adam.init(params)
    (params, _), _ = jax.jit(partial(jax.lax.scan, step, length=200))(
        start, jnp.arange(200)
    )
    return Net(act, params, x, y)


class Inactive(NamedTuple):
    """What is measured of the inactive pre-activations of a trained network.

    Attributes:
      shift: the mean of f(z) - ReLU(z) over them, as trained.
      error: its standard error, of the noise.
      layer: the mean output of the second layer, noise on minus noise off.
      layer_error: its standard error.
      layer_off: the mean output of the second layer, noise off.
      into: the largest gradient of the loss into one of them.
      outgoing: the largest gradient into an outgoing weight, through outputs of
        inactive units only.
      never: share of the units that are active on no image, noise off.
      no_gradient: share of the units into which no image sends a gradient.
      silent: share of the units whose output is 0 on every image, as trained.
      count: inactive pre-activations.
      share: of all pre-activations.
    """

    shift: float
    error: float
    layer: float
    layer_error: float
    layer_off: float
    into: float
    outgoing: float
    never: float
    no_gradient: float
    silent: float
    count: int
    share: float


@cache
def measured(spec: str) -> Inactive:
    """The network of `trained(spec)`, looked into."""
    act, params, x, y = trained(spec)
    learned = params[1]
    _, zs = forward(act, params, x)
    off = [z <= 0 for z in zs]
    outputs = lambda key: [activate(act, learned, i, z, key) for i, z in enumerate(zs)]
    count = int(sum(o.sum() for o in off))

    def shift(key):
        pairs = zip(off, outputs(key), strict=True)
        return sum(jnp.where(o, h, 0).sum() for o, h in pairs) / count

    def layer(key):
        _, (_, z2) = forward(act, params, x[:200], key)
        return activate(act, learned, 1, z2, key).mean()

    shifts = over_keys(shift, 20)
    quiet, layers = float(layer(None)), over_keys(layer, 200)
    key = jax.random.key(3)
    first, second = map(jnp.zeros_like, zs)
    zeros = Probe(first, second, jnp.zeros((128, 128)))
    loss = lambda probe: loss_of(act, params, x, y, key, probe)
    # Pre-activations of the same program: in another, rounding may differ, and a unit
    # that is just active here could be inactive there.
    (into_1, into_2, outgoing), noisy = jax.jit(jax.grad(loss, has_aux=True))(zeros)
    pairs = list(zip((into_1, into_2), noisy, strict=True))
    share = lambda flags: float(jnp.concatenate(flags).mean())
    return Inactive(
        shift=shifts.mean(),
        error=shifts.std(ddof=1) / np.sqrt(len(shifts)),
        layer=layers.mean() - quiet,
        layer_error=layers.std(ddof=1) / np.sqrt(len(layers)),
        layer_off=quiet,
        into=max(float(jnp.abs(jnp.where(z <= 0, g, 0)).max()) for g, z in pairs),
        outgoing=float(jnp.abs(outgoing).max()),
        never=share([o.all(axis=0) for o in off]),
        no_gradient=share([(g == 0).all(axis=0) for g, _ in pairs]),
        silent=share([(h == 0).all(axis=0) for h in outputs(key)]),
        count=count,
        share=share([jnp.ravel(o) for o in off]),
    )


def over_keys(f: Callable, draws: int) -> np.ndarray:
    """`f(key)` for as many keys."""
    keys = jax.random.split(jax.random.key(draws), draws)
    return np.asarray(jax.lax.map(jax.jit(f), keys), np.float64)


def keeps_the_mean_of_a_unit(_frame):
    """The mean of f(z) - ReLU(z) over the negative z of a trained network."""
    m = measured(n_relu(0.1))
    others = ", ".join(
        f"{name} {measured(spec).shift:+.3f}"
        for name, spec in zip(NAMES, RIVALS, strict=True)
    )
    return observed(
        abs(m.shift) < 4 * m.error,
        f"Given its input: over {m.count:,} inactive pre-activations of a trained "
        f"network and 20 draws, the mean of f - ReLU at σ = 0.1 is {m.shift:+.1e}, "
        f"with a standard error of {m.error:.1e}. Of the others: {others}.",
        effect=m.shift,
        unit="mean of f - ReLU",
    )


def keeps_the_mean_of_a_network(_frame):
    """The mean over the noise of the second layer's output, against noise off."""
    m = measured(n_relu(0.1))
    return observed(
        abs(m.layer) < 4 * m.layer_error,
        f"In a network: the mean output of a second hidden layer is {m.layer_off:.4f} "
        f"with the noise off and {m.layer / m.layer_error:.0f} standard errors higher "
        f"({m.layer:+.1e}) with σ = 0.1 below it, as for any convex function of a "
        f"noisy input.",
        effect=m.layer,
        unit="noise on minus noise off, mean output of a layer",
    )


def keeps_gradients_flowing(_frame):
    """The gradient of the loss into every inactive pre-activation."""
    m = measured(n_relu(0.1))
    others = ", ".join(
        f"{name} {measured(spec).into:.1e}"
        for name, spec in zip(NAMES, RIVALS, strict=True)
    )
    return observed(
        m.into > 0,
        f"{100 * m.share:.0f} % of the pre-activations of a trained network are "
        f"inactive; the largest gradient of the loss into any of them, noise on, is "
        f"{m.into:g} ({others}). A unit of the first layer that is never active "
        f"cannot learn its way back.",
        effect=m.into,
        unit="largest gradient into an inactive unit",
    )


def feeds_outgoing_weights(_frame):
    """The gradient into the weights behind inactive units, through these units only."""
    m = measured(n_relu(0.1))
    others = ", ".join(
        f"{name} {measured(spec).outgoing:.1e}"
        for name, spec in zip(NAMES, RIVALS, strict=True)
    )
    return observed(
        m.outgoing > 0,
        f"Noise on, the largest gradient into a weight behind the first layer through "
        f"inactive units is {m.outgoing:.1e} ({others}): what lies behind an inactive "
        f"unit learns from its noise, the unit itself does not.",
        effect=m.outgoing,
        unit="largest gradient through inactive units",
    )


def no_output_is_zero(_frame):
    """The units of a trained network whose output is 0 on every image, noise on."""
    m = measured(n_relu(0.1))
    return observed(
        m.silent == 0,
        f"Noise on, {100 * m.silent:.1f} % of the units of a trained network have an "
        f"output of 0 on every image, although {100 * m.never:.1f} % are active on "
        f"none. By 'its output is always 0' no unit can be dead: the definition "
        f"decides, not the training.",
        effect=100 * m.silent,
        unit="% of the units",
    )


def no_unit_is_dead(frame: pd.DataFrame):
    """Units of trained N-ReLU networks that are active on no training image."""
    dead = scores(frame, "dead", "train").unstack("activation")
    ours = dead.reindex(columns=[n_relu(sigma) for sigma in MODERATE])
    mean, worst = float(ours.mean().mean()), float(ours.max().max())
    return observed(
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
    return observed(
        not networks.any(),
        f"{int(networks.sum())} of {len(networks)} networks with N-ReLU diverged.",
        effect=float(networks.mean()),
        unit="share of networks that diverged",
    )


def operations(spec: str) -> float:
    """Arithmetic operations of XLA for one value and its derivative, as trained."""
    act = relujax.get(spec)
    params = act.init((), jnp.float32)

    def both(z, key):
        y, pull = jax.vjp(lambda z: act.apply(params, z, key=key, train=True), z)
        return y, pull(jnp.ones_like(y))

    compiled = jax.jit(both).lower(jnp.ones(1000), jax.random.key(0)).compile()
    cost = compiled.cost_analysis() or {}
    return (cost.get("flops", 0.0) + cost.get("transcendentals", 0.0)) / 1000


def is_lightweight(_frame):
    """The operations of the MLP's N-ReLUs, as a part of its matrix products."""
    units, products = 2 * 512, 3 * 2 * (784 * 512 + 512 * 512 + 512 * 10)
    counts = {spec: operations(spec) for spec in ("relu", "rrelu", n_relu(0.1))}
    part = units * counts[n_relu(0.1)] / products
    told = ", ".join(f"{spec} {count:.0f}" for spec, count in counts.items())
    return settled(
        part < 0.05,
        f"Operations for one value and its derivative, random numbers included: "
        f"{told}. In the MLP N-ReLU's make {100 * part:.1f} % of the matrix products "
        f"of an update; we take less than 5 % for lightweight.",
        effect=100 * part,
        unit="% of the matrix products",
    )


def annealed_better(metric: str, by: float = 0.0) -> Callable:
    """The test of "N-ReLU with a σ that falls improves on ReLU"."""

    def test(frame: pd.DataFrame):
        own = frame["activation"].str.contains("linear(", regex=False)
        if not own.any():
            raise InputError("Expected results of N-ReLU with a σ that falls.")
        named = frame.assign(activation=frame["activation"].mask(own, "annealed"))
        return better("annealed", "relu", metric, by=by)(named)

    return test


def loses_less_at_other_rates(frame: pd.DataFrame):
    """Accuracy lost from the middle learning rate to the worst of three."""
    own = n_relu(0.1)
    rates = [f"adam(learning_rate={rate})" for rate in RATES]
    if not {*rates} <= set(frame["optimizer"]):
        raise InputError("Expected results of three learning rates: alternatives.")
    wide = scores(frame, "accuracy").unstack("optimizer")
    by_rate = wide.groupby(["activation", "seed"]).mean()[rates]
    lost = 100 * (by_rate[rates[1]] - by_rate.min(axis=1))
    x = (lost["relu"] - lost[own]).dropna()
    return positive(
        x,
        f"From a learning rate of {RATES[1]:g} to the worst of {RATES[0]:g} and "
        f"{RATES[2]:g}, {own} loses {lost[own].mean():.2f} percentage points of test "
        f"accuracy and ReLU {lost['relu'].mean():.2f}.",
        unit="percentage points lost less",
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
    *(
        relujax.Claim(
            id=f"moderate-noise-{sigma}",
            quote="moderate noise levels ($\\sigma \\approx 0.05$–$0.10$) yield "
            "accuracy comparable to or slightly better than ReLU and other smooth "
            "activations",
            where=f"TL;DR ({sigma} above the other noise levels)",
            test=best(n_relu(sigma), among=[n_relu(s) for s in (0.01, 0.2, 0.5)]),
        )
        for sigma in MODERATE
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
        where="Abstract (into inactive units)",
        test=keeps_gradients_flowing,
    ),
    relujax.Claim(
        id="gradient-flow-outgoing",
        quote="This expectation-aligned formulation maintains gradient flow in "
        "inactive regions",
        where="Abstract (into the weights behind inactive units)",
        test=feeds_outgoing_weights,
    ),
    relujax.Claim(
        id="regularizer",
        quote="acts as an annealing-style regularizer during training",
        where="Abstract (a smaller generalisation gap than ReLU, σ = 0.1)",
        test=better(n_relu(0.1), "relu", "gap"),
    ),
    relujax.Claim(
        id="regularizer-annealed",
        quote="acts as an annealing-style regularizer during training",
        where="Abstract (a smaller gap than ReLU, σ falling from 0.1 to 0)",
        test=annealed_better("gap"),
    ),
    relujax.Claim(
        id="annealed-accuracy",
        quote="acts as an annealing-style regularizer during training",
        where="Abstract (σ falling from 0.1 to 0: no worse than ReLU; margin 0.2)",
        test=annealed_better("accuracy", by=-MARGIN),
    ),
    relujax.Claim(
        id="robustness",
        quote="lightweight Gaussian noise injection offers a simple yet effective "
        "mechanism to enhance optimization robustness",
        where="Abstract (less lost than by ReLU at other learning rates, σ = 0.1)",
        test=loses_less_at_other_rates,
    ),
    relujax.Claim(
        id="lightweight",
        quote="lightweight Gaussian noise injection",
        where="Abstract (operations)",
        test=is_lightweight,
    ),
    relujax.Claim(
        id="no-divergence",
        quote="with stable convergence",
        where="Abstract (no network diverges)",
        test=none_diverges,
    ),
    *(
        relujax.Claim(
            id=name,
            quote="with stable convergence",
            where=f"Abstract (as fast as ReLU, σ = 0.1; margin 0.005; {data})",
            test=no_worse(
                n_relu(0.1),
                "relu",
                "mean_loss",
                margin=LOSS_MARGIN,
                split="train",
                where=where,
            ),
        )
        for name, data, where in (
            ("convergence", "on all data", None),
            ("convergence-on-mnist", "on MNIST", {"data": "mnist"}),
        )
    ),
    relujax.Claim(
        id="no-dead-neurons-noise-on",
        quote="no dead neurons observed",
        where="Abstract (noise on: no output is always 0; a small network)",
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


def never_active(frame: pd.DataFrame) -> pd.DataFrame:
    """Units that are active on no training image, noise off, of all networks."""
    never = 100 * scores(frame, "dead", "train")
    rows = []
    for (_, model, _, activation), values in never.groupby(
        level=["data", "model", "optimizer", "activation"], sort=False
    ):
        found = mean_interval(values, bounds=(0, 100))
        text = f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
        name = model.partition("(")[0]
        rows.append({"model": name, "activation": activation, "never active, %": text})
    return pd.DataFrame(rows)


def looked_into(_frame: pd.DataFrame) -> pd.DataFrame:
    """Inactive units of one small trained network per activation."""
    rows = []
    for spec in (*RIVALS, *map(n_relu, MODERATE)):
        m = measured(spec)
        rows.append(
            {
                "activation": spec,
                "active on no image, %": f"{100 * m.never:.1f}",
                "no gradient into it, %": f"{100 * m.no_gradient:.1f}",
                "output always 0, %": f"{100 * m.silent:.1f}",
                "mean of f − ReLU": f"{m.shift:+.1e}",
                "layer mean, noise on − off": f"{m.layer:+.1e}",
                "gradient into inactive units": f"{m.into:.1e}",
                "gradient behind them": f"{m.outgoing:.1e}",
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
        title="Dead units",
        caption="In percent of the hidden units, on the training images, noise off: "
        "mean over seeds [95 % interval].",
        make=never_active,
    ),
    relujax.Exhibit(
        title="Dead units by three definitions, and what inactive units pass on",
        caption="Measured in one 64-128-128-10 network per activation, trained on the "
        "digits (Adam at 0.01, 200 full-batch updates), on its training images. Active "
        "on no image: noise off. No gradient into it, and output always 0: as trained, "
        "with the noise on. Mean of f − ReLU: over inactive pre-activations, as "
        "trained; layer mean: output of the second layer. Gradients: the largest into "
        "an inactive pre-activation, and into a weight behind the first layer through "
        "inactive units only.",
        make=looked_into,
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
        tried="0.0001 and 0.01, on the digits: the profile alternatives",
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
        tried="σ falling linearly from 0.1 to 0, for 'annealing-style': the claims "
        "regularizer-annealed and annealed-accuracy",
    ),
    relujax.Choice(
        what="Derivative below 0",
        chosen="0, that of the formula",
        why="The abstract names no surrogate. With one, it would no longer be N-ReLU "
        "that is tested.",
    ),
    relujax.Choice(
        what="Gradient flow in inactive regions",
        chosen="into inactive pre-activations (gradient-flow), and into the weights "
        "behind inactive units (gradient-flow-outgoing)",
        why="The first is what a dead unit lacks; the second is all that noise in "
        "place of a zero can give.",
    ),
    relujax.Choice(
        what="Lightweight, optimization robustness",
        chosen="less than 5 % of the operations of the MLP's matrix products; less "
        "accuracy lost than by ReLU at a learning rate ten times smaller or larger",
        why="The abstract says neither what is counted nor what is varied.",
    ),
    relujax.Choice(
        what="Comparable",
        chosen="at most 0.2 percentage points worse (20 of 10,000 images)",
        why="The abstract gives no margin; seeds of one network differ by about 0.1.",
    ),
    relujax.Choice(
        what="Stable convergence",
        chosen="no divergence, and a training loss, averaged over the epochs, at most "
        "0.005 above ReLU's: on all data (convergence) and on MNIST alone "
        "(convergence-on-mnist)",
        why="The abstract does not say what it means. The second claim was set after "
        "the first had been seen to fail on the digits, whose losses are larger.",
    ),
]

# Set, or given their margin, after results had been seen.
EXPLORATORY = {
    "convergence-on-mnist",
    "moderate-noise-0.05",
    "regularizer-annealed",
    "annealed-accuracy",
}

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
        "alternatives": ALTERNATIVES,
    },
    seeds={"quick": 5, "two_cores": 5, "cnn": 3, "paper": 10, "alternatives": 5},
    claims=[replace(claim, exploratory=claim.id in EXPLORATORY) for claim in CLAIMS],
    exhibits=EXHIBITS,
    choices=CHOICES,
)
