"""Metrics of a population to rows of a table."""

from typing import Any

import numpy as np
import pandas as pd

SPLITS = ("train", "test")


def rows(
    seeds: np.ndarray, epochs: np.ndarray, metrics: dict[str, Any]
) -> pd.DataFrame:
    """One row per seed, epoch and split.

    Args:
      seeds: seed ids `[members]`.
      epochs: epoch numbers `[epochs]`.
      metrics: `metrics[split][name]` is `[members, epochs]`, or `[members, epochs, k]`
        for the list-valued `confusion` and `dead`; other names at the top level hold
        for both splits.
    """
    shared = {name: value for name, value in metrics.items() if name not in SPLITS}
    parts = []
    for split in SPLITS:
        table: dict[str, Any] = {
            "seed": np.repeat(seeds, len(epochs)),
            "epoch": np.tile(epochs, len(seeds)),
            "split": split,
        }
        for name, value in {**metrics[split], **shared}.items():
            flat = np.asarray(value).reshape(len(seeds) * len(epochs), *value.shape[2:])
            table[name] = list(flat) if flat.ndim > 1 else flat
        parts.append(pd.DataFrame(table))
    return pd.concat(parts, ignore_index=True)


def mark_diverged(frame: pd.DataFrame) -> pd.DataFrame:
    """Add `diverged`: whether the loss was not finite at this epoch or before."""
    frame = frame.sort_values(["seed", "split", "epoch"], ignore_index=True)
    frame["diverged"] = ~np.isfinite(frame["loss"])
    frame["diverged"] = frame.groupby(["seed", "split"])["diverged"].cummax()
    return frame
