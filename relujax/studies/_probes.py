"""Probes: what a claim measures by training something small.

A probe is a cell of its own, trained and stored by the run with all others; claims and
exhibits read its numbers from the results. A report never trains.
"""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from relujax.engine import Cell, HostTraining
from relujax.errors import InputError
from relujax.parts import Named

#: `measure(activation, seed)`, numbers by name.
Measure = Callable[[str, int], Mapping[str, float]]

_PREFIX = "probe_"
_LABELS = ["cell", "data", "model", "optimizer", "epoch", "split", "diverged"]


def probe(name: str, measure: Measure, activations: Sequence[str]) -> list[Cell]:
    """The cells of a probe, for the profiles of a study.

    Args:
      name: what claims ask for it by.
      measure: `measure(activation, seed)` returns numbers by name. Its keys are made
        of the seed alone, so that the same seed gives the same numbers.
      activations: specs, a cell each; any text will do.
    """
    training = Named(f"{_PREFIX}{name}", HostTraining(measure))
    return [Cell(training=training, activation=a, epochs=1) for a in activations]


def probed(frame: pd.DataFrame, name: str, seed: int | None = None) -> pd.DataFrame:
    """What a probe has measured, a row per activation.

    Args:
      frame: long-form results, as claims and exhibits get them.
      name: of the probe.
      seed: which seed's numbers; those of the first by default.

    Raises:
      InputError: the results lack it.
    """
    rows = frame.attrs.get("probes", {}).get(name, [])
    if not rows:
        raise InputError(f"Expected the probe {name} among the results: run the study.")
    table = pd.DataFrame(rows)
    seed = table["seed"].min() if seed is None else seed
    return table[table["seed"] == seed].set_index("activation").drop(columns="seed")


def set_probes_apart(frame: pd.DataFrame) -> pd.DataFrame:
    """The results without the rows of probes, which go to its `attrs`.

    Other rows have other columns, and nothing that is averaged or drawn is of probes.
    """
    if "model" not in frame:
        return frame
    is_probe = frame["model"].str.startswith(_PREFIX).astype(bool)
    if not is_probe.any():
        return frame
    found, own = {}, frame[is_probe]
    for model, rows in own.groupby("model", sort=False):
        name = str(model).partition("(")[0].removeprefix(_PREFIX)
        numbers = rows.drop(columns=_LABELS, errors="ignore").dropna(axis=1, how="all")
        found[name] = numbers.to_dict("records")
    rest = frame[~is_probe].dropna(axis=1, how="all")
    kept = [c for c in frame if c in rest or own[c].isna().all()]
    rest = frame.loc[~is_probe, kept].reset_index(drop=True)
    rest.attrs["probes"] = found
    return rest
