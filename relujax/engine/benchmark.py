"""The five workloads that plans are compared on, and what they take on this machine.

Images and tables are drawn at random: how long training takes does not depend on what
is learned, and no file has to be there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from relujax.data import Dataset, Transform, from_arrays, load_dataset
from relujax.engine import (
    Cell,
    Plan,
    PlanChoice,
    candidates,
    choose,
    seconds_per_step,
)


class Workload(NamedTuple):
    """Something to train.

    Attributes:
      name: what it is called in the table.
      cell: what is trained; its `data` names no data set.
      data: `mnist` (60,000 images of 28 × 28), `wdbc` or `narrow` (500 × 5).
      seeds: size of the population.
    """

    name: str
    cell: Cell
    data: str
    seeds: int

    @property
    def steps(self) -> int:
        """Updates of the whole training of one network."""
        return self.cell.epochs * -(-_EXAMPLES[self.data] // self.cell.batch_size)


_EXAMPLES = {"mnist": 60_000, "wdbc": 455, "narrow": 400}


def _wdbc(model: str, batch_size: int, epochs: int) -> Cell:
    return Cell(
        data="wdbc",
        model=model,
        activation="relu",
        objective="binary_cross_entropy",
        batch_size=batch_size,
        epochs=epochs,
    )


WORKLOADS = (
    Workload(
        "MLP 784-512-512-10, batch 128, 10 epochs",
        Cell(data="mnist", model="mlp", activation="relu"),
        "mnist",
        10,
    ),
    Workload(
        "CNN 32-64 + 512-512, batch 128, 10 epochs",
        Cell(data="mnist", model="cnn", activation="relu"),
        "mnist",
        4,
    ),
    Workload(
        "WDBC MLP 30-512-512-1, batch 32, 50 epochs",
        _wdbc("mlp", 32, 50),
        "wdbc",
        100,
    ),
    Workload(
        "deep MLP, width 8, depth 30, full batch, 100 epochs",
        Cell(
            data="narrow",
            model="deep_mlp(depth=30.0)",
            activation="relu",
            objective="mse",
            batch_size=400,
            epochs=100,
            evaluate_every=100,
        ),
        "narrow",
        100,
    ),
    Workload(
        "small MLP 30-16-8-1, batch 64, 20 epochs",
        _wdbc("mlp(hidden=(16, 8))", 64, 20),
        "wdbc",
        1_000,
    ),
)


class Speed(NamedTuple):
    """What a workload takes here.

    Attributes:
      workload: which.
      plans: plan to seconds of one update of one network.
      choice: what a run of this workload alone takes, and why.
    """

    workload: Workload
    plans: dict[Plan, float]
    choice: PlanChoice

    def seeds_per_hour(self, plan: Plan) -> float:
        """Networks that are trained to the end in an hour."""
        return 3600 / (self.plans[plan] * self.workload.steps)


def speeds(workloads: Sequence[Workload] = WORKLOADS) -> Iterator[Speed]:
    """Measure every plan on every workload, and ask what a run would take."""
    for workload in workloads:
        data, cell, seeds = _data(workload.data), workload.cell, workload.seeds
        found = seconds_per_step(cell, data, plans(seeds), seeds)
        yield Speed(workload, found, choose(cell, data, seeds))


def plans(seeds: int) -> list[Plan]:
    """What is measured for so many seeds.

    Those that a run chooses from, both on one device, a loop on the host (one network
    per call), and a `vmap` in chunks of half as many as it has otherwise.
    """
    half = max(1, min(seeds, 16) // 2)
    one = [Plan("map"), Plan("vmap"), Plan("map", chunk=1), Plan("vmap", chunk=half)]
    return list(dict.fromkeys([*candidates(), *one]))


def _data(name: str) -> Dataset:
    if name == "wdbc":
        return load_dataset("wdbc")
    if name == "narrow":
        return _narrow()
    return _images()


def _images() -> Dataset:
    """Noise in the shape of MNIST."""
    n, m = _EXAMPLES["mnist"], 10_000
    shape = (n, 28, 28, 1)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    labels = np.arange(n) % 10
    data = from_arrays(images, labels, images[:m], labels[:m])
    return replace(data, transform=Transform(scale=255.0))


def _narrow() -> Dataset:
    x = np.random.default_rng(0).normal(size=(500, 5))
    y = x.sum(1)
    return from_arrays(x[:400], y[:400], x[400:], y[400:])
