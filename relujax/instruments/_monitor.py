"""Dead units over training: births, revivals and times of death."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relujax.errors import InputError
from relujax.instruments._diagnose import diagnoser
from relujax.instruments._diagnosis import Diagnosis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Record(NamedTuple):
    """What a monitor keeps of one diagnosis.

    Attributes:
      epoch: when.
      dead: site id to booleans, `[*seeds, *loops, units]`.
      counts: site id to definition to number of units that meet it.
    """

    epoch: float
    dead: dict[str, np.ndarray]
    counts: dict[str, dict[str, int]]


class Monitor:
    """Diagnoses a network again and again during training, in your own loop.

    ::

      monitor = relujax.Monitor(model.apply, probe_images)
      for epoch in range(epochs):
          params = train(params)
          monitor.record(epoch, params)
          writer.write_scalars(epoch, monitor.metrics())
      monitor.plot().savefig("dead.png")

    It compiles once and keeps a boolean per unit and record. A unit is dead by one
    definition; all of them are counted in `metrics`.

    Args:
      fn: `fn(params, batch)`.
      data: what to probe with: see `diagnose`; not a generator, for it is used again.
      definition: what counts as dead: see `Diagnosis`.
      **settings: those of `diagnose`.

    Raises:
      InputError: as `diagnose`, when recording.

    Examples:
      >>> import jax
      >>> monitor = Monitor(lambda b, x: jax.nn.relu(x + b), np.ones((4, 2)))
      >>> for epoch, bias in enumerate([0.0, -2.0, 0.0]):
      ...     _ = monitor.record(epoch, bias * np.array([[1.0, 0.0]]))
      >>> monitor.table()[["epoch", "dead", "births", "revivals"]].to_numpy()
      array([[0, 0, 0, 0],
             [1, 1, 1, 0],
             [2, 0, 0, 1]])
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        data: Any,
        *,
        definition: str = "never_positive",
        **settings: Any,
    ):
        self.definition = definition
        self.records: list[Record] = []
        self._data = data
        self._diagnose = diagnoser(fn, **settings)

    def record(self, epoch: float, params: Any) -> Diagnosis:
        """Diagnose `params` and remember which units are dead.

        Args:
          epoch: the time of this record, larger than that of the last.
          params: the first argument of the function.

        Returns:
          The whole diagnosis.
        """
        if self.records and epoch <= self.records[-1].epoch:
            raise InputError(
                f"Expected an epoch after {self.records[-1].epoch}, got {epoch}."
            )
        diagnosis = self._diagnose(self._data, params)
        masks = {name: diagnosis.mask(name) for name in diagnosis.definitions}
        dead = diagnosis.mask(self.definition)
        counts = {id: {n: int(m[id].sum()) for n, m in masks.items()} for id in dead}
        self.records.append(Record(epoch, dead, counts))
        return diagnosis

    def time_of_death(self) -> dict[str, np.ndarray]:
        """When the units died that are dead now.

        Returns:
          Site id to the epoch of the first record since which a unit has been dead,
          NaN for the living; `[*seeds, *loops, units]`.
        """
        times: dict[str, np.ndarray] = {}
        for record in self.records:
            for id, dead in record.dead.items():
                before = times.get(id, np.full(dead.shape, np.nan))
                since = np.where(np.isnan(before), record.epoch, before)
                times[id] = np.where(dead, since, np.nan)
        return times

    def table(self) -> "pd.DataFrame":
        """One row per record and site: units, dead, births and revivals.

        Births and revivals are changes since the last record; in the first one, births
        are the units that are dead from the start.
        """
        import pandas as pd

        rows = []
        for i, record in enumerate(self.records):
            for id, dead in record.dead.items():
                before = self.records[i - 1].dead[id] if i else np.zeros_like(dead)
                rows.append(
                    {
                        "epoch": record.epoch,
                        "site": id,
                        "units": dead.size,
                        "dead": int(dead.sum()),
                        "births": int((dead & ~before).sum()),
                        "revivals": int((before & ~dead).sum()),
                    }
                )
        return pd.DataFrame(rows)

    def metrics(self, prefix: str = "dead_units") -> dict[str, float]:
        """The last record as a flat dict of numbers, for TensorBoard or W&B.

        Args:
          prefix: starts every name.

        Returns:
          `{prefix}/{site id}/{name}` to the fraction of units that meet each
          definition, and the number of `births` and `revivals`.
        """
        if not self.records:
            raise InputError("Expected a record first: call .record(epoch, params).")
        last = self.records[-1]
        flat = {}
        for row in self.table().tail(len(last.dead)).to_dict("records"):
            id = str(row["site"])
            for name, count in last.counts[id].items():
                flat[f"{prefix}/{id}/{name}"] = count / row["units"]
            flat[f"{prefix}/{id}/births"] = float(row["births"])
            flat[f"{prefix}/{id}/revivals"] = float(row["revivals"])
        return flat

    def plot(self) -> "Figure":
        """A timeline: fraction of dead units, births and revivals, by epoch."""
        if not self.records:
            raise InputError("Expected a record first: call .record(epoch, params).")
        from relujax.instruments._figures import timeline_figure

        return timeline_figure(self)
