"""Dead units over training: births, revivals and times of death."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from relujax.backend import without_missing_backend
from relujax.diagnosis._arguments import EPSILONS, TAUS, Axes, Settings, checked
from relujax.diagnosis._diagnose import diagnoser
from relujax.diagnosis._diagnosis import Diagnosis, decidable, places
from relujax.errors import InputError, unknown
from relujax.extras import needs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Record(NamedTuple):
    """What a monitor keeps of one diagnosis.

    Attributes:
      epoch: when.
      dead: site id to booleans, `[*seeds, *loops, units]`.
      not_finite: likewise, the units that gave or took no finite numbers.
      counts: site id to definition to number of units that meet it, `[*seeds, *loops]`.
    """

    epoch: float
    dead: dict[str, np.ndarray]
    not_finite: dict[str, np.ndarray]
    counts: dict[str, dict[str, np.ndarray]]


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
      fn: `fn(params, batch)`, or a model: see `diagnose`.
      data: what to probe with: see `diagnose`; not a generator, for it is used again.
      definition: what counts as dead: see `Diagnosis`.
      loss: see `diagnose`, like all that follow.
      sites: which activations to look at.
      exclude: which to leave out.
      batch_size: examples per batch of arrays.
      unit_axis: the axis of the units, or their axes.
      seed_axis: the axis of stacked networks.
      merge_loops: whether iterations of a `scan` are one layer.
      taus: thresholds of dormancy.
      epsilons: thresholds of small output.
      slope: a derivative up to this size is saturated.
      max_rank_units: the widest site whose ranks are computed.

    Raises:
      InputError: the definition is unknown, or the data can be read only once; and as
        `diagnose`, when recording.

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
        fn: Any,
        data: Any,
        *,
        definition: str = "never_positive",
        loss: Callable[[Any, Any], jax.Array] | None = None,
        sites: str | Collection[str] | None = None,
        exclude: str | Collection[str] | None = None,
        batch_size: int | None = None,
        unit_axis: Axes | Mapping[str, Axes] | None = None,
        seed_axis: int | None = None,
        merge_loops: bool = False,
        taus: Sequence[float] = TAUS,
        epsilons: Sequence[float] = EPSILONS,
        slope: float = 1e-3,
        max_rank_units: int = 1024,
    ):
        settings = checked(
            Settings(
                loss=loss,
                sites=sites,
                exclude=exclude,
                batch_size=batch_size,
                unit_axis=unit_axis,
                seed_axis=seed_axis,
                merge_loops=merge_loops,
                taus=taus,
                epsilons=epsilons,
                slope=slope,
                max_rank_units=max_rank_units,
            )
        )
        if isinstance(data, Iterator):
            raise InputError(
                f"Expected data that every record can read again, arrays or a list of "
                f"batches, got a {type(data).__name__}."
            )
        thresholds = tuple(settings.taus), tuple(settings.epsilons)
        known = decidable(*thresholds, with_gradient=loss is not None)
        if definition not in known:
            raise unknown("definition of dead", definition, known)
        self.definition = definition
        self.records: list[Record] = []
        self._data = data
        self._seeded = seed_axis is not None
        self._diagnose = diagnoser(fn, settings)

    def record(self, epoch: float, params: Any = None) -> Diagnosis:
        """Diagnose `params` and remember which units are dead.

        Args:
          epoch: the time of this record, larger than that of the last.
          params: the first argument of the function, the variables of a Linen module,
            or the Equinox module as it is now. An NNX module, which is trained in
            place, needs none.

        Returns:
          The whole diagnosis.
        """
        if self.records and epoch <= self.records[-1].epoch:
            raise InputError(
                f"Expected an epoch after {self.records[-1].epoch}, got {epoch}."
            )
        diagnosis = self._diagnose(self._data, params)
        masks = {name: diagnosis.mask(name) for name in diagnosis.definitions}
        dead, lost = masks[self.definition], masks["not_finite"]
        counts = {id: {n: m[id].sum(-1) for n, m in masks.items()} for id in dead}
        self.records.append(Record(epoch, dead, lost, counts))
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
        """One row per record and layer, and seed if there are some.

        Columns: `units`, and how many of them are `dead`; `births` and `revivals`
        since the last record (in the first one, births are the units that are dead from
        the start); `ever_dead`, now or at an earlier record (the others are the
        survivors); and `not_finite`, which are neither dead nor revived.
        """
        needs("Monitor.table", "pandas")
        import pandas as pd

        return pd.DataFrame(list(self._rows()))

    def _rows(self) -> Iterator[dict[str, Any]]:
        ever: dict[str, np.ndarray] = {}
        for i, record in enumerate(self.records):
            for id, dead in record.dead.items():
                before = self.records[i - 1].dead[id] if i else np.zeros_like(dead)
                lost = record.not_finite[id]
                ever[id] = ever.get(id, before) | dead
                masks = {
                    "dead": dead,
                    "births": dead & ~before,
                    "revivals": before & ~dead & ~lost,
                    "ever_dead": ever[id],
                    "not_finite": lost,
                }
                for index, name, seed in places(id, dead.shape[:-1], self._seeded):
                    yield {
                        "epoch": record.epoch,
                        "site": name,
                        **({"seed": seed} if self._seeded else {}),
                        "units": dead.shape[-1],
                        **{event: int(m[index].sum()) for event, m in masks.items()},
                    }

    def metrics(self, prefix: str = "dead_units") -> dict[str, float]:
        """The last record as a flat dict of numbers, for TensorBoard or W&B.

        Args:
          prefix: starts every name.

        Returns:
          `{prefix}/{layer}/{name}` to the fraction of units that meet each definition,
          and the number of `births` and `revivals`; with seeds,
          `{prefix}/seed_0/{layer}/{name}` and so on.
        """
        self._check_records()
        last = self.records[-1]
        rows = {(r["site"], r.get("seed")): r for r in self._rows()}  # the last stay
        flat = {}
        for id, dead in last.dead.items():
            for index, name, seed in places(id, dead.shape[:-1], self._seeded):
                where = f"seed_{seed}/{name}" if self._seeded else name
                for definition, count in last.counts[id].items():
                    flat[f"{prefix}/{where}/{definition}"] = float(
                        count[index] / dead.shape[-1]
                    )
                for event in ("births", "revivals"):
                    flat[f"{prefix}/{where}/{event}"] = float(rows[name, seed][event])
        return flat

    def plot(self) -> "Figure":
        """A timeline: fractions of units that are dead, born, revived, ever dead."""
        self._check_records()
        needs("Monitor.plot", "pandas", "matplotlib")
        without_missing_backend()
        from relujax.diagnosis._figures import timeline_figure

        return timeline_figure(self)

    def _check_records(self) -> None:
        if not self.records:
            raise InputError("Expected a record first: call .record(epoch, params).")
