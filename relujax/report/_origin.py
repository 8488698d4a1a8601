"""Where the numbers of a report come from: protocol, data and machine."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from relujax.statistics import TASK
from relujax.studies import pooled_names


def protocol_table(frame: pd.DataFrame, profile: str) -> pd.DataFrame:
    """What was trained, and how often."""
    epochs = sorted(frame.groupby("cell")["epoch"].max().unique())
    seeds = frame.groupby("cell")["seed"].nunique()
    low, high = seeds.min(), seeds.max()
    named = frame.assign(data=frame["data"].map(pooled_names(frame["data"].unique())))
    rows = {
        "profile": profile,
        **{c: ", ".join(map(str, named[c].unique())) for c in [*TASK, "activation"]},
        "seeds per cell": str(low) if low == high else f"{low} to {high}",
        "epochs": ", ".join(map(str, epochs)),
        "networks trained": str(int(seeds.sum())),
    }
    return pd.DataFrame({"setting": rows.keys(), "value": rows.values()})


def data_table(provenance: Mapping[str, Any]) -> pd.DataFrame:
    """Source and checksum of each data set, and what is peculiar about it."""
    rows = [
        {
            "data set": name,
            "source": item["source"],
            "training / test examples": _sizes(item),
            "classes": ", ".join(map(str, item.get("classes", ()))) or "–",
            "sha256": item["sha256"],
            "note": item.get("note") or "–",
        }
        for name, item in named(provenance)
    ]
    if not rows:
        return pd.DataFrame({"data set": ["none: a training of one's own"]})
    table = pd.DataFrame(rows).drop_duplicates()
    empty = [name for name in ("classes", "note") if (table[name] == "–").all()]
    return table.drop(columns=empty)


def _sizes(item: Mapping[str, Any]) -> str:
    """The sizes of the parts of a data set."""
    validation = item.get("n_validation", 0)
    chosen = f", {validation} for choices" if validation else ""
    return f"{item['n_train']} / {item['n_test']}{chosen}"


def data_notes(provenance: Mapping[str, Any]) -> list[str]:
    """What a reader must know of the data sets: which are not the published ones."""
    notes = [
        f"{n}: {item['note']}" for n, item in named(provenance) if item.get("note")
    ]
    return list(dict.fromkeys(notes))


def named(provenance: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Each data set under the name that its splits have together."""
    names = pooled_names([item["name"] for item in provenance["data"]])
    return [(names[item["name"]], item) for item in provenance["data"]]


def machine_table(provenance: Mapping[str, Any]) -> pd.DataFrame:
    """Where and how long, with which versions; of several devices, what ran where."""
    rows = {
        **devices(provenance),
        "time in training": training_time(provenance),
        "versions": versions(provenance),
        "commit": provenance["git"] or "not a git checkout",
        "date": provenance["date"],
    }
    return pd.DataFrame({"machine": rows.keys(), "": rows.values()})


def devices(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Each device, in words; of several, how many networks of what ran on it."""
    machines = provenance.get("machines", ())
    if len(machines) < 2:
        return {"device": provenance["device"]}
    return {
        f"device {number}": f"{machine['device']}: {machine['networks']} networks"
        f"{_at(machine['hosts'])}, of {', '.join(machine['activations'])}"
        for number, machine in enumerate(machines, 1)
    }


def _at(hosts: list[str]) -> str:
    """The hosts, in words."""
    more = f" and {len(hosts) - 3} more" if len(hosts) > 3 else ""
    return f" on {', '.join(hosts[:3])}{more}" if hosts else ""


def machine_notes(provenance: Mapping[str, Any]) -> list[str]:
    """What a reader must know of the machines: whether there were several kinds."""
    machines = provenance.get("machines", ())
    backends = sorted({m["backend"] for m in machines if m["backend"]})
    if len(backends) > 1:
        return [
            f"Networks were trained on several backends ({', '.join(backends)}), whose "
            f"numbers differ by more than rounding: see Data and machine."
        ]
    if len(machines) > 1:
        return [
            f"Networks were trained on {len(machines)} devices: see Data and machine."
        ]
    return []


def notes_of(provenance: Mapping[str, Any]) -> list[str]:
    """What a reader must know of data and machines."""
    return [*data_notes(provenance), *machine_notes(provenance)]


def versions(provenance: Mapping[str, Any]) -> str:
    """Packages and their versions, in a line."""
    return ", ".join(f"{k} {v}" for k, v in provenance["versions"].items())


def training_time(provenance: Mapping[str, Any]) -> str:
    """How long the networks took, and what that includes."""
    time = wall_time(provenance["wall_seconds"])
    return f"{time}, with compilation and evaluation; without data, planning and report"


def wall_time(seconds: float) -> str:
    """Seconds in words.

    >>> wall_time(4.2), wall_time(59.6), wall_time(899), wall_time(36_060)
    ('4.2 s', '1 min 0 s', '14 min 59 s', '10 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
