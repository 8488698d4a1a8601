"""Metrics of a population to rows of a table.

The long-form results have one row per network, epoch (0 is before training) and split:

* `seed`, `epoch`, `split` ("train", "test", "validation"); stored results also have
  `cell`, `data`, `model`, `activation` and `optimizer`.
* `loss`, and by task `accuracy`, `precision_*`, `recall_*`, `f1_*` (`macro`,
  `weighted`) and `confusion` (counts by row, flattened), or `mse` and `r2`: in
  evaluation mode, over every example of the split.
* `dead`, `births`, `revivals`, `ever_dead`: a list each, one fraction per activation
  layer. A unit is dead when its pre-activation is positive on no example of the split;
  births are dead now but were not an epoch ago (at epoch 0: dead from the start),
  revivals the reverse; `ever_dead` have been dead at this epoch or before, so that one
  minus it is the survival curve. `small_<tolerance>`, likewise: the fraction of units
  whose output is smaller than the tolerance on every example.
* `running_loss`, the mean training loss during the epoch; `signal`, what loss-driven
  activations were fed during it.
* `diverged`, whether a loss was not finite at this epoch or before, on either split;
  `diverged_step`, the first step, from 0, whose loss was not, or would have been.
* `best_epoch`, where there is a validation part: the epoch so far whose loss on it is
  the lowest. Training may have ended early: the rows end there.
"""

from typing import Any

import numpy as np
import pandas as pd

PER_LAYER = ("dead", "births", "revivals", "ever_dead", "small_")


def to_rows(epochs: np.ndarray, metrics: dict[str, Any]) -> pd.DataFrame:
    """One row per member, epoch and split.

    Args:
      epochs: epoch numbers `[epochs]`.
      metrics: `metrics[split][name]` is `[members, epochs]`, or `[members, epochs, k]`
        for the list-valued ones; other names at the top level hold for all splits.
        Rows beyond `trained`, the epochs that a member was trained for, are left out.
    """
    shared = {k: value for k, value in metrics.items() if not isinstance(value, dict)}
    trained = shared.pop("trained", None)
    parts = []
    for split, scores in metrics.items():
        if not isinstance(scores, dict):
            continue
        scores = {**scores, **shared}
        members = len(next(iter(scores.values())))
        table: dict[str, Any] = {
            "member": np.repeat(np.arange(members), len(epochs)),
            "epoch": np.tile(epochs, members),
            "split": split,
        }
        layers = scores.pop("layers", None)
        for name, value in scores.items():
            flat = value.reshape(members * len(epochs), *value.shape[2:])
            if layers is not None and name.startswith(PER_LAYER):
                # The rows beyond are room for more layers.
                table[name] = [
                    row[:n] for row, n in zip(flat, layers.flat, strict=True)
                ]
            else:
                table[name] = list(flat) if flat.ndim > 1 else flat
        frame = pd.DataFrame(table)
        if trained is not None:
            frame = frame[frame["epoch"] < trained.ravel() + 0.5]
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def mark_diverged(frame: pd.DataFrame) -> pd.DataFrame:
    """Add `diverged`: whether a loss was not finite at this epoch or before.

    `diverged_step` becomes the first such step, at this epoch and all later ones.
    """
    frame = frame.sort_values(["member", "split", "epoch"], ignore_index=True)
    network = [frame["member"], frame["split"]]
    # All losses after the first bad one are bad, too: every epoch has found a step.
    known = frame["diverged_step"].groupby(network).ffill()
    frame["diverged_step"] = known.groupby(network).cummin()
    return frame.assign(diverged=frame["diverged_step"].notna())
