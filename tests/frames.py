"""Synthetic results in the shape that the engine stores."""

import numpy as np
import pandas as pd

from relujax import Cell
from relujax.studies import (
    Choice,
    Claim,
    Paper,
    Study,
    best,
    better,
    equivalent,
    set_probes_apart,
    settled,
)

SCORES = ["precision_macro", "recall_macro", "f1_macro"]
SCORES += [name.replace("macro", "weighted") for name in SCORES]


def results(
    activations=("relu", "elu", "arelu"),
    *,
    data=("wdbc",),
    models=("mlp(width=512, depth=2)",),
    seeds=10,
    epochs=4,
    n_test=114,
    classes=2,
    layers=2,
    accuracy=None,
    diverge=(),
    key=0,
):
    """A frame whose activations have the given mean test accuracies (default 0.97).

    `diverge` holds (activation, seed) pairs; test accuracy is a lattice of `n_test`.
    """
    accuracy = accuracy or {}
    rng = np.random.default_rng(key)
    rows = []
    for task in [(d, m) for d in data for m in models]:
        for activation in activations:
            rate = accuracy.get(activation, 0.97)
            dying = rng.uniform(0, 0.3, layers)
            speed = rng.uniform(1.5, 3.0) / max(epochs, 1)
            for seed in range(seeds):
                failed = (activation, seed) in diverge
                slope = 0.1
                before, ever = np.zeros(layers), np.zeros(layers)
                for epoch in range(epochs + 1):
                    loss = 0.7 * np.exp(-speed * epoch + rng.normal(0, 0.08))
                    for split in ("train", "test"):
                        error = (1 - rate) + 0.4 * np.exp(-6 * epoch / max(epochs, 1))
                        error = error / 3 if split == "train" else error
                        wrong = rng.binomial(n_test, min(error, 0.5))
                        value = np.nan if failed and epoch else 1 - wrong / n_test
                        confusion = np.eye(classes) * (n_test - wrong) // classes
                        confusion[0, -1] += wrong
                        dead = dying * (1 - np.exp(-epoch)) + rng.uniform(0, 0.02)
                        births = np.maximum(dead - before, 0)
                        revivals = np.maximum(before - dead, 0)
                        ever = np.maximum(ever, dead)
                        rows.append(
                            dict(
                                cell="/".join([*task, activation]),
                                data=task[0],
                                model=task[1],
                                activation=activation,
                                optimizer="adam(learning_rate=0.001)",
                                seed=seed,
                                epoch=epoch,
                                split=split,
                                loss=loss * (1.2 if split == "test" else 1.0),
                                accuracy=value,
                                **dict.fromkeys(SCORES, value),
                                mse=np.nan,
                                r2=np.nan,
                                confusion=confusion.astype(int).ravel().tolist(),
                                dead=dead.tolist(),
                                births=births.tolist(),
                                revivals=revivals.tolist(),
                                ever_dead=ever.tolist(),
                                signal=slope if "arelu" in activation else np.nan,
                                running_loss=loss * 1.3 if epoch else np.nan,
                                diverged=bool(failed and epoch == epochs),
                            )
                        )
                    slope, before = loss * 1.3, dead
    return pd.DataFrame(rows)


def probed(study, frame):
    """The frame with what the probes of a study measure, of seed 0."""
    rows = []
    for cell in study.probes:
        part = cell.parts["training"]
        training = part.factory(**dict(part.static), **part.numeric)
        numbers = training.train(cell.activation, 0)
        labels = {"cell": cell.training, "model": cell.training, "seed": 0}
        labels |= {"activation": cell.activation, "epoch": 1, "split": "test"}
        rows.append({**labels, "diverged": False, **numbers})
    return set_probes_apart(pd.concat([frame, pd.DataFrame(rows)], ignore_index=True))


def regression(activations=("relu", "elu"), **kwargs):
    """The same for a regression task."""
    frame = results(activations, **kwargs)
    frame["mse"], frame["r2"] = frame["loss"] * 2, 1 - frame["loss"]
    frame[["accuracy", *SCORES]] = np.nan
    frame["confusion"] = None
    return frame


PROVENANCE = {
    "command": "relujax run experiments/srelu.py --profile quick",
    "date": "2026-01-31T12:00:00+00:00",
    "versions": {"relujax": "0.1.0", "jax": "0.10.2", "python": "3.11.13"},
    "device": "cpu, 2 cores",
    "wall_seconds": 83.4,
    "data": [
        {
            "name": "wdbc",
            "source": "scikit-learn load_breast_cancer",
            "sha256": "9f" * 32,
            "n_train": 455,
            "n_test": 114,
        }
    ],
    "git": "d86b88e",
}


CELL = Cell(
    data="wdbc",
    model="mlp(hidden=(4,))",
    activation="relu",
    objective="binary_cross_entropy",
)


def study(baseline="relu", claims=(), **kwargs):
    """A study around synthetic results."""
    return Study(
        id="srelu",
        paper=Paper(
            title="SReLU: a synthetic stand-in for a paper",
            authors="A. Author and B. Author",
            year=2024,
            url="https://example.org/paper",
        ),
        question="Does a smoother rectifier train a better classifier than ReLU?",
        baseline=baseline,
        profiles={"quick": [CELL]},
        seeds={"quick": 10},
        claims=claims,
        choices=(
            Choice(
                what="Weight initialisation",
                chosen="He normal",
                why="The paper names none; its framework's default is close to it.",
                tried="PyTorch's default",
            ),
            Choice(what="β of SReLU", chosen="1", why="Its Figure 1 draws 1."),
        ),
        **kwargs,
    )


CLAIMS = (
    Claim(
        id="elu-worse",
        quote="ReLU outperforms ELU on tabular data by a wide margin.",
        where="Section IV, Table 2",
        test=better("relu", "elu"),
        reported="98.2 % against 95.6 %",
    ),
    Claim(
        id="arelu-better",
        quote="The adaptive slope improves the accuracy.",
        where="Abstract",
        test=better("arelu", "relu"),
    ),
    Claim(
        id="elu-best",
        quote="ELU achieves the best accuracy of all <activations> & more.",
        where="Section V",
        test=best("elu"),
        reported="96.1 %",
    ),
    Claim(
        id="same-function",
        quote="SReLU is a new function.",
        where="Section III, equation 4",
        test=lambda frame: settled(False, "SReLU(β) equals ELU(α = β) to 1 ulp."),
    ),
    Claim(
        id="not-run",
        quote="On MNIST the result is the same.",
        where="Table 3",
        test=equivalent("arelu", "relu", margin=0.005, where={"data": "mnist"}),
    ),
)
