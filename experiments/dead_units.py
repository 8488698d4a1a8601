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
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from _digits_cnn import CNN, LINKS, X, train
from _page import origin, save
from matplotlib.figure import Figure

import relujax

SEEDS, HIGH, RIGHT = 5, 0.1, 0.01  # learning rates
ILL, CURED = 6, 14  # epochs


NET = CNN().apply
LEAKY = relujax.replace_activations(NET, {"relu": "leaky_relu"})


class Arm(NamedTuple):
    """What is trained from epoch `ILL` on, after recycling or not; how it is drawn."""

    label: str
    apply: Callable[..., Any]
    recycles: bool
    color: str


ARMS = (
    Arm("learning rate put right", NET, False, "#1a1d21"),
    Arm("and ReLU replaced by leaky ReLU", LEAKY, False, "#d55e00"),
    Arm("and dead units recycled", NET, True, "#0072b2"),
)


def histories(seed: int) -> list[np.ndarray]:
    """The curves of each arm; they share the first epochs."""
    keys = jax.random.split(jax.random.key(seed), 4)
    start = jax.jit(CNN().init)(keys[0], X[:1])
    ill, dead, first = train(NET, start, HIGH, ILL, keys[1])
    alive, _ = relujax.recycle(keys[2], ill, dead, LINKS)
    found = []
    for arm in ARMS:
        params = alive if arm.recycles else ill
        _, _, cured = train(arm.apply, params, RIGHT, CURED, keys[3])
        found.append(np.concatenate([first, cured[1:]]))
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
- Date: {origin}

Stuck: the slope is at most 0.001 on every training image. Mean over seeds, with the
least and the greatest of them.

![Stuck units and test accuracy by epoch](dead_units.png)

| from epoch {ill} on | when | stuck units, % | test accuracy, % |
|---|---|---|---|
"""


def page(values: np.ndarray) -> str:
    """The numbers at the turn and at the end; `values` as in `draw`."""
    protocol = {"high": HIGH, "right": RIGHT, "ill": ILL, "cured": CURED}
    text = ABOUT.format(last=len(values) - 1, origin=origin(), **protocol)
    shown = lambda v: f"{v.mean():.1f} [{v.min():.1f}, {v.max():.1f}]"
    rows = [("", "before training", 0, 0), ("", f"epoch {ILL}", 0, ILL)]
    end = f"epoch {ILL + CURED}"
    rows += [(arm.label, end, i, -1) for i, arm in enumerate(ARMS)]
    for label, when, arm, epoch in rows:
        stuck, accuracy = (shown(values[:, arm, epoch, i]) for i in (0, 1))
        text += f"| {label} | {when} | {stuck} | {accuracy} |\n"
    return text


def main() -> None:
    values = 100 * np.array([histories(seed) for seed in range(SEEDS)])
    text = page(values)
    print(text)
    save("dead_units", text, partial(draw, values))


if __name__ == "__main__":
    main()
