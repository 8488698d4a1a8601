"""A network driven to death, and what brings it back: the figure of the tutorial.

  python experiments/dead_units.py

The CNN of Flax's MNIST example on scikit-learn's digits, trained by Adam for six epochs
at a learning rate ten times too high (0.1), then at the right one (0.01) in three ways:
as it is, with leaky ReLUs instead of its ReLUs, and with its dead units recycled (Sokar
et al. 2023). Five seeds; about four minutes. A unit counts as stuck when its
slope is (next to) zero on every training image, so that no gradient can move it. Writes
`experiments/results/dead_units/`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import flax
import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import optax
from flax import linen as nn
from matplotlib.figure import Figure

import relujax

FOLDER = Path(__file__).parent / "results" / "dead_units"
SEEDS = 5
HIGH, RIGHT = 0.1, 0.01
ILL, CURED = 6, 14  # epochs


class CNN(nn.Module):
    """Flax's MNIST example, as it is."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(features=32, kernel_size=(3, 3))(x))
        x = nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = nn.relu(nn.Conv(features=64, kernel_size=(3, 3))(x))
        x = nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = nn.relu(nn.Dense(features=256)(x.reshape((x.shape[0], -1))))
        return nn.Dense(features=10)(x)


def link(above: str, below: str) -> relujax.Link:
    kernel = "params/{}/kernel".format
    return relujax.Link(kernel(above), kernel(below), f"params/{above}/bias")


LINKS = {
    "CNN/relu_0": link("Conv_0", "Conv_1"),
    "CNN/relu_1": link("Conv_1", "Dense_0"),
    "CNN/relu_2": link("Dense_0", "Dense_1"),
}


class Arm(NamedTuple):
    """What is done from epoch `ILL` on, and how it is drawn."""

    label: str
    apply: Callable[..., Any]
    recycles: bool
    color: str


ARMS = (
    Arm("learning rate put right", CNN().apply, False, "#1a1d21"),
    Arm(
        "and ReLU replaced by leaky ReLU",
        relujax.replace_activations(CNN().apply, {"relu": "leaky_relu"}),
        False,
        "#d55e00",
    ),
    Arm("and dead units recycled", CNN().apply, True, "#0072b2"),
)

digits = relujax.load_dataset("digits")
X, Y = jnp.asarray(digits.transform(digits.x_train)), jnp.asarray(digits.y_train)
X_TEST, Y_TEST = digits.transform(digits.x_test), digits.y_test


@partial(jax.jit, static_argnames="apply")
def step(apply, params, state, rate, batch):
    loss = optax.softmax_cross_entropy_with_integer_labels
    mean = lambda p: loss(apply(p, X[batch]), Y[batch]).mean()
    updates, state = optax.adam(rate).update(jax.grad(mean)(params), state)
    return optax.apply_updates(params, updates), state


def train_epoch(apply, params, state, rate, key):
    """One pass over the training images in batches of 64.

    A loop on the host: `flax.linen.Conv` inside `lax.scan` is slow on a CPU.
    """
    for batch in jax.random.permutation(key, len(X))[: len(X) // 64 * 64].reshape(
        -1, 64
    ):
        params, state = step(apply, params, state, rate, batch)
    return params, state


class History(NamedTuple):
    """One network over some epochs.

    Attributes:
      params: its parameters at the end.
      monitor: its dead units.
      accuracy: its test accuracy before and after each epoch.
    """

    params: Any
    monitor: relujax.Monitor
    accuracy: list[float]

    def curves(self) -> np.ndarray:
        """Fraction of units that are stuck, and accuracy: `[epochs + 1, 2]`."""
        sums = self.monitor.table().groupby("epoch")[["dead", "units"]].sum()
        return np.stack([sums["dead"] / sums["units"], self.accuracy], -1)


def train(apply, params, rate: float, epochs: int, key) -> History:
    monitor = relujax.Monitor(apply, X, definition="saturated", max_rank_units=0)
    state, accuracy = optax.adam(rate).init(params), []
    for epoch in range(epochs + 1):
        if epoch:
            folded = jax.random.fold_in(key, epoch)
            params, state = train_epoch(apply, params, state, rate, folded)
        monitor.record(epoch, params)
        hits = apply(params, X_TEST).argmax(-1) == Y_TEST
        accuracy.append(float(hits.mean()))
    return History(params, monitor, accuracy)


def histories(seed: int) -> list[np.ndarray]:
    """The curves of each arm; they share the first epochs."""
    keys = jax.random.split(jax.random.key(seed), 4)
    net, params = CNN().apply, jax.jit(CNN().init)(keys[0], X[:1])
    ill = train(net, params, HIGH, ILL, keys[1])
    found = []
    for arm in ARMS:
        params = ill.params
        if arm.recycles:
            dead = ill.monitor.records[-1].dead
            params, _ = relujax.recycle(keys[2], params, dead, LINKS)
        cured = train(arm.apply, params, RIGHT, CURED, keys[3])
        found.append(np.concatenate([ill.curves(), cured.curves()[1:]]))
    return found


def draw(values: np.ndarray) -> Figure:
    """Two panels; `values` is `[seeds, arms, epochs, 2]`, in per cent."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    panels = figure.subplots(1, 2)
    labels = ("units that no gradient can move, %", "test accuracy, %")
    for i, (axes, label) in enumerate(zip(panels, labels, strict=True)):
        for j, arm in enumerate(ARMS):
            curves = values[:, j, :, i]
            axes.plot(curves.T, color=arm.color, lw=0.6, alpha=0.4)
            axes.plot(curves.mean(0), color=arm.color, lw=2, label=arm.label)
        axes.set(xlabel="epoch", ylabel=label, ylim=(0, 104))
        axes.axvspan(0, ILL, color="#dfe3e8", alpha=0.6, lw=0, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].text(0.4, 25, "learning\nrate 10 ×\ntoo high", color="#5b6470")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return figure


ABOUT = """# A network driven to death, and what brings it back

- Command: `python experiments/dead_units.py`
- scikit-learn's digits, Flax's MNIST CNN, seeds 0 to {last}; Adam at {high} for {ill}
  epochs, then at {right} for {cured}
- Date: {date}; JAX {jax}, Flax {flax}, relujax {relujax}

Stuck: the slope is at most 0.001 on every training image. Mean over seeds, with the
least and the greatest of them.

![Stuck units and test accuracy by epoch](dead_units.png)

| from epoch {ill} on | when | stuck units, % | test accuracy, % |
|---|---|---|---|
"""


def page(values: np.ndarray) -> str:
    """The numbers at the turn and at the end; `values` as in `draw`."""
    text = ABOUT.format(
        last=len(values) - 1,
        high=HIGH,
        right=RIGHT,
        ill=ILL,
        cured=CURED,
        date=datetime.now(UTC).date(),
        jax=jax.__version__,
        flax=flax.__version__,
        relujax=relujax.__version__,
    )
    shown = lambda v: f"{v.mean():.1f} [{v.min():.1f}, {v.max():.1f}]"
    rows = [
        ("", 0, 0),
        ("", 0, ILL),
        *((arm.label, i, -1) for i, arm in enumerate(ARMS)),
    ]
    names = {0: "before training", ILL: f"epoch {ILL}", -1: f"epoch {ILL + CURED}"}
    for label, arm, epoch in rows:
        stuck, accuracy = (shown(values[:, arm, epoch, i]) for i in (0, 1))
        text += f"| {label} | {names[epoch]} | {stuck} | {accuracy} |\n"
    return text


def main() -> None:
    values = 100 * np.array([histories(seed) for seed in range(SEEDS)])
    text = page(values)
    print(text)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "README.md").write_text(text, encoding="utf-8")
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "relujax"}):
        figure = draw(values)
        figure.savefig(FOLDER / "dead_units.svg", metadata={"Date": None})
        figure.savefig(FOLDER / "dead_units.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
