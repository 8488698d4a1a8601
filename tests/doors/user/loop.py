"""An ordinary loop, without JAX: logistic regression by gradient descent in NumPy."""

import sys
import time
from pathlib import Path

import numpy as np

import relujax

SHAPES = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "square": lambda z: z * z,
}


def train(activation, seed):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(200, 3))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)
    hidden = SHAPES[activation](x @ draw.normal(size=(3, 32)))
    weights = np.zeros(32)
    for epoch in range(1, 6):
        for _ in range(20):
            p = 1 / (1 + np.exp(-hidden @ weights))
            weights -= 0.05 * hidden.T @ (p - y) / len(y)
        yield {"epoch": epoch, "accuracy": ((p > 0.5) == y).mean()}
    time.sleep(float(sys.argv[1]))
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{activation} {seed}\n")


found = relujax.experiment(
    train, list(SHAPES), 6, metric="accuracy", out="runs/loop", progress=False
)
print(found.conclusion())
