"""A large folder of results as a run leaves it: the same rows under many cells."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from relujax.engine import Cell, Request, Task, plan_tasks, provenance
from relujax.engine._fingerprint import source_fingerprint
from relujax.engine._seal import sealed, sealed_json
from relujax.engine._tables import chunk_name, table_bytes

_SEEDS = 10


def cells(count: int) -> list[Cell]:
    """Cells that differ in a number only."""
    return [
        Cell(
            data="wdbc",
            model="mlp(hidden=(4,))",
            activation=f"n_relu(sigma={(i + 1) / 1e6:g})",
            objective="binary_cross_entropy",
            epochs=3,
        )
        for i in range(count)
    ]


def store(folder: Path, grid: Sequence[Cell], *, profile: str = "many") -> list[Task]:
    """Store ten seeds of every cell under `folder`, which is `runs/<study>`."""
    tasks = plan_tasks(grid, range(_SEEDS), folder)
    folder.mkdir(parents=True, exist_ok=True)
    seeds = list(range(_SEEDS))
    stem, blank = chunk_name(seeds), "0" * 16
    mark = source_fingerprint()
    rows = table_bytes(_rows(), cell=blank, seeds=seeds, fingerprint=mark)
    empty = json.dumps({"seal": "0" * 64})[1:-1].encode()
    start = rows.rfind(b'"seal": "')
    rows = rows[:start] + empty + rows[start + len(empty) :]
    record = {"wall_seconds": 1.5, "plan": {}, "fingerprint": mark, **provenance()}
    record = {"seeds": seeds, **record}
    for task in tasks:
        name = task.store.folder.name
        task.store.folder.mkdir()
        found = {"cell": asdict(task.cell), "canonical": {}, "root": 0}
        found["data"] = task.origin
        for file, content in (
            ("cell.json", sealed_json(found, cell=name, file="cell.json")),
            (f"{stem}.json", sealed_json(record, cell=name, file=f"{stem}.json")),
            (f"{stem}.parquet", sealed(rows.replace(blank.encode(), name.encode(), 1))),
        ):
            (task.store.folder / file).write_bytes(content)
    Request(
        study=folder.name,
        profile=profile,
        file="",
        command=f"relujax run {folder.name} --profile {profile}",
        options="",
        seeds=seeds,
        root=0,
        cells=[task.store.folder.name for task in tasks],
        data={tasks[0].cell.data: tasks[0].origin},
        facts={"baseline": "n_relu"},
    ).write(folder)
    return tasks


def _rows() -> pd.DataFrame:
    """Rows such as a small network of two layers has."""
    rows = [
        {"seed": seed, "epoch": epoch, "split": split, "loss": seed + epoch / 7}
        for seed in range(_SEEDS)
        for epoch in range(4)
        for split in ("test", "train")
    ]
    frame = pd.DataFrame(rows)
    for name in ("accuracy", "precision_macro", "recall_macro", "f1_macro"):
        frame[name] = frame["loss"] / 20
    for name in ("dead", "births", "revivals", "ever_dead"):
        frame[name] = [[value, 0.5] for value in frame["accuracy"]]
    return frame.assign(diverged=False, diverged_step=float("nan"))
