"""Metrics of a population to rows of a table."""

from typing import Any

import numpy as np
import pandas as pd

SPLITS = ("train", "test")


def to_rows(epochs: np.ndarray, metrics: dict[str, Any]) -> pd.DataFrame:
    """One row per member, epoch and split.

    Args:
      epochs: epoch numbers `[epochs]`.
      metrics: `metrics[split][name]` is `[members, epochs]`, or `[members, epochs, k]`
        for the list-valued `confusion` and `dead`; other names at the top level hold
        for both splits.
    """
    shared = {name: value for name, value in metrics.items() if name not in SPLITS}
    members = len(metrics["train"]["loss"])
    parts = []
    for split in SPLITS:
        table: dict[str, Any] = {
            "member": np.repeat(np.arange(members), len(epochs)),
            "epoch": np.tile(epochs, members),
            "split": split,
        }
        for name, value in {**metrics[split], **shared}.items():
            flat = value.reshape(members * len(epochs), *value.shape[2:])
            table[name] = list(flat) if flat.ndim > 1 else flat
        parts.append(pd.DataFrame(table))
    return pd.concat(parts, ignore_index=True)


def mark_diverged(frame: pd.DataFrame) -> pd.DataFrame:
    """Add `diverged`: whether a loss was not finite at this epoch or before.

    `diverged_step` of the epoch where it happened becomes that of all later ones.
    """
    frame = frame.sort_values(["member", "split", "epoch"], ignore_index=True)
    network = [frame["member"], frame["split"]]
    frame["diverged_step"] = frame["diverged_step"].groupby(network).ffill()
    bad = frame["diverged_step"].notna() | ~np.isfinite(frame["loss"])
    return frame.assign(diverged=bad.groupby(network).cummax())
