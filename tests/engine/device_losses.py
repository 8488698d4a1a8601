"""Run by `test_devices.py`: the losses of a few seeds on the devices there are."""

import json
import sys

import jax
import pandas as pd

from relujax import Cell, load_dataset
from relujax.engine import Member, Plan, train_population

SEEDS = (0, 5, 2, 9, 7)  # No multiple of 2 or of 8.
CELL = Cell(
    data="wdbc",
    model="mlp(hidden=(6,), dropout=0.3)",
    activation="n_relu",
    optimizer="adam(learning_rate=0.01)",
    objective="binary_cross_entropy",
    batch_size=64,
    epochs=2,
)


def losses(mapping, devices: int, seeds=SEEDS) -> dict[str, list[str]]:
    """Every loss of every seed, to the bit."""
    plan = Plan(mapping, devices=devices)
    members = [Member(CELL, seed) for seed in seeds]
    chunks = train_population(members, load_dataset("wdbc"), root=0, plan=plan)
    frame = pd.concat([rows for _, rows in chunks], ignore_index=True)
    by_seed = frame.sort_values(["seed", "split", "epoch"]).groupby("seed")["loss"]
    return {str(seed): [float(x).hex() for x in rows] for seed, rows in by_seed}


if __name__ == "__main__":
    count = jax.local_device_count()
    found = {mapping: losses(mapping, count) for mapping in ("map", "vmap")}
    json.dump({"devices": count, **found}, sys.stdout)
