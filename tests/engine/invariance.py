"""Run by `test_devices.py`: a seed's numbers, bit by bit, whoever else is trained."""

from dataclasses import replace

import jax
import pandas as pd

from relujax import Cell, load_dataset
from relujax.engine import Member, Plan, one_device_per_core, train_population

MLP = Cell(
    data="wdbc",
    model="mlp(hidden=(16, 8), dropout=0.3)",
    activation="n_relu",
    optimizer="adam(learning_rate=0.01)",
    objective="binary_cross_entropy",
    batch_size=64,
    epochs=2,
)
CNN = Cell(
    data="digits",
    model="cnn(filters=(4,), hidden=(16,), dropout=0.1)",
    activation="relu",
    epochs=1,
)
SEED = 9
OTHERS = (0, SEED, 5, 2)


def numbers(cell: Cell, data, seeds, chunk=None, devices=1) -> pd.DataFrame:
    """All that is known of `SEED`, trained among `seeds`."""
    members = [Member(cell, seed) for seed in seeds]
    plan = Plan("map", chunk=chunk, devices=devices)
    chunks = train_population(members, data, root=0, plan=plan)
    frame = pd.concat([rows for _, rows in chunks], ignore_index=True)
    own = frame[frame["seed"] == SEED].drop(columns="member")
    lists = [name for name in own if own[name].dtype == object]
    return own.astype(dict.fromkeys(lists, str)).reset_index(drop=True)


if __name__ == "__main__":
    one_device_per_core()
    for name, cell, devices in (("mlp", MLP, 1), ("cnn", CNN, 1), ("cores", MLP, 2)):
        if devices > jax.local_device_count():
            continue
        data = load_dataset(cell.data)
        data = replace(data, x_train=data.x_train[:300], y_train=data.y_train[:300])
        alone = numbers(cell, data, [SEED], devices=devices)
        for found in (
            numbers(cell, data, OTHERS, devices=devices),
            numbers(cell, data, OTHERS, chunk=1, devices=devices),
            numbers(cell, data, OTHERS, chunk=20, devices=devices),
        ):
            pd.testing.assert_frame_equal(found, alone, check_exact=True)
        print(name)
