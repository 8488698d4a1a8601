"""Synthetic results in the shape that the engine stores."""

import numpy as np
import pandas as pd

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
            speed = rng.uniform(1.5, 3.0) / epochs
            for seed in range(seeds):
                failed = (activation, seed) in diverge
                slope = 0.1
                for epoch in range(epochs + 1):
                    loss = 0.7 * np.exp(-speed * epoch + rng.normal(0, 0.08))
                    for split in ("train", "test"):
                        error = (1 - rate) + 0.4 * np.exp(-6 * epoch / epochs)
                        error = error / 3 if split == "train" else error
                        wrong = rng.binomial(n_test, min(error, 0.5))
                        value = np.nan if failed and epoch else 1 - wrong / n_test
                        confusion = np.eye(classes) * (n_test - wrong) // classes
                        confusion[0, -1] += wrong
                        dead = dying * (1 - np.exp(-epoch)) + rng.uniform(0, 0.02)
                        rows.append(
                            dict(
                                cell=f"{hash((task, activation)):x}",
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
                                signal=slope if "arelu" in activation else np.nan,
                                running_loss=loss * 1.3 if epoch else np.nan,
                                diverged=bool(failed and epoch == epochs),
                            )
                        )
                    slope = loss * 1.3
    return pd.DataFrame(rows)


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
