"""The result of a diagnosis: numbers, sentences, a table, a figure, a page."""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relujax.backend import without_missing_backend
from relujax.diagnosis._finite import NotFinite
from relujax.diagnosis._jaxpr.plan import Site
from relujax.diagnosis._prospects import Prospect
from relujax.diagnosis._sentences import headline, summary
from relujax.diagnosis._statistics import (
    Statistics,
    definitions,
    effective_rank,
    scores,
    stable_rank,
)
from relujax.errors import unknown
from relujax.extras import Missing, needs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# What a page of a diagnosis is made with.
_DRAWING = ("pandas", "matplotlib", "jinja2")


class Layer(NamedTuple):
    """One row of the table: a site in one iteration of the scans around it.

    Attributes:
      name: the site's id, and the iteration where there are some: `"scan/relu_0[2]"`.
      seed: which network, or None.
      site: where it is.
      statistics: of its units, shape `[units]`.
    """

    name: str
    seed: int | None
    site: Site
    statistics: Statistics


class Place(NamedTuple):
    """Where a layer is in arrays `[*seeds, *loops, units]` of a site."""

    index: tuple[int, ...]
    name: str
    seed: int | None


def places(id: str, shape: tuple[int, ...], seeded: bool) -> Iterator[Place]:
    """The layers of a site.

    Args:
      id: the site's.
      shape: `[*seeds, *loops]`.
      seeded: whether the first axis is one of seeds.

    >>> [place.name for place in places("scan/relu_0", (2,), False)]
    ['scan/relu_0[0]', 'scan/relu_0[1]']
    """
    for index in np.ndindex(shape):
        seed, iteration = (index[0], index[1:]) if seeded else (None, index)
        where = f"[{', '.join(map(str, iteration))}]" if iteration else ""
        yield Place(index, id + where, seed)


def decidable(
    taus: tuple[float, ...], epsilons: tuple[float, ...], with_gradient: bool
) -> tuple[str, ...]:
    """The names of the definitions that can be decided."""
    names = definitions(taus, epsilons)
    return tuple(n for n in names if n != "zero_gradient" or with_gradient)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """What is dead, layer by layer. Made by `relujax.diagnose`.

    Definitions, each a boolean per unit over all the data:

    * `never_active`: its output was 0 every time (all zeros: hard-zero activations
      only).
    * `never_positive`: its pre-activation was never above 0 (any activation).
    * `always_on`: its pre-activation was above 0 every time: it is linear.
    * `saturated`: the slope of the activation was tiny every time.
    * `zero_gradient`: the loss had no gradient into its pre-activation, every time.
    * `dormant_<tau>`: its mean absolute output is at most tau times the mean of its
      layer (Sokar et al. 2023, https://arxiv.org/abs/2302.12902). Relative: a layer of
      tiny outputs throughout has no dormant units; one of zeros has nothing else.
    * `small_<eps>`: its absolute output never reached eps.
    * `not_finite`: its input was NaN or its output NaN or infinite, at least once: then
      none of the others holds of it.

    Attributes:
      sites: what was looked at.
      statistics: site id to `Statistics` on the host, `[*seeds, *loops, units]`.
      examples: how many examples were seen.
      seeded: whether the leading axis is one of seeds.
      with_gradient: whether a loss was given.
      taus: thresholds of dormancy.
      epsilons: thresholds of small output.
      slope: the largest derivative that counts as saturated.
      unit_axes: site id to the axis of its units, or to their axes: members of an
        ensemble, heads and experts with weights of their own have units of their own.
        Wherever there is one axis of units, such are counted row by row.
      prospects: site id to what can bring back a unit that is dead.
      unnamed: `file:line` of elementwise nonlinearities that were not recognised.
      data_not_finite: what of the data is NaN or infinite, if anything.
      doubts: site id to why its units may lie along other axes, if they may.
      single: ids of sites that were left out, as they see one example at a time.
    """

    sites: tuple[Site, ...]
    statistics: Mapping[str, Statistics]
    examples: int
    seeded: bool
    with_gradient: bool
    taus: tuple[float, ...]
    epsilons: tuple[float, ...]
    slope: float
    unit_axes: Mapping[str, int | tuple[int, ...]]
    prospects: Mapping[str, Prospect]
    unnamed: tuple[str, ...] = ()
    data_not_finite: NotFinite | None = None
    doubts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    single: tuple[str, ...] = ()

    @property
    def unit_shapes(self) -> dict[str, tuple[int, ...]]:
        """Site id to how many units lie along each of their axes: `(3, 5)`.

        `numpy.unravel_index(unit, shape)` says which member, and which of its units, a
        unit is.
        """
        found = {}
        for site in self.sites:
            axes = np.atleast_1d(self.unit_axes[site.id])
            found[site.id] = tuple(site.shape[axis] for axis in axes)
        return found

    @property
    def definitions(self) -> tuple[str, ...]:
        """The names of the definitions that this diagnosis can decide."""
        return decidable(self.taus, self.epsilons, self.with_gradient)

    def mask(self, definition: str) -> dict[str, np.ndarray]:
        """Which units meet a definition.

        Args:
          definition: one of `definitions`.

        Returns:
          Site id to booleans, shape `[*seeds, *loops, units]`.

        Raises:
          InputError: the definition is unknown, or needs a loss that was not given.
        """
        if definition not in self.definitions:
            raise unknown("definition of dead", definition, self.definitions)
        test = definitions(self.taus, self.epsilons)[definition]
        return {id: test(s) for id, s in self.statistics.items()}

    def scores(self) -> dict[str, np.ndarray]:
        """Site id to the dormancy scores of its units, `[*seeds, *loops, units]`."""
        return {id: scores(s) for id, s in self.statistics.items()}

    def firing(self) -> dict[str, np.ndarray]:
        """Site id to how often each unit's pre-activation was above 0, a fraction."""
        return {
            id: s.positive / np.maximum(s.count, 1) for id, s in self.statistics.items()
        }

    def histogram(self, bins: int = 10) -> dict[str, np.ndarray]:
        """Site id to how many units fire how often: `bins` equal steps of [0, 1].

        Returns:
          Shape `[*seeds, *loops, bins]`.
        """
        count = lambda f: np.histogram(f, bins, (0.0, 1.0))[0]
        return {k: np.apply_along_axis(count, -1, f) for k, f in self.firing().items()}

    def layers(self) -> Iterator[Layer]:
        """The rows: every site, iteration and seed."""
        for site in self.sites:
            s = self.statistics[site.id]
            for index, name, seed in places(site.id, s.count.shape[:-1], self.seeded):
                part = Statistics(*(np.asarray(x)[index] for x in s))
                yield Layer(name, seed, site, part)

    def table(self) -> "pd.DataFrame":
        """One row per site, iteration and seed: counts by definition, and ranks."""
        needs("Diagnosis.table", "pandas")
        import pandas as pd

        return pd.DataFrame([_row(self, layer) for layer in self.layers()])

    def headline(self) -> str:
        """What there is to say in one sentence: how many units are dead, and where.

        A unit is dead here if its pre-activation was never above 0 and no gradient
        arrived there: as measured, or where there was no loss, by the slope.
        """
        return headline(self)

    def summary(self) -> str:
        """Plain sentences: the headline, and one for every layer.

        Of more than ten layers the ten worst are described, and the others counted.
        """
        return summary(self)

    def to_json(self) -> str:
        """The headline, the sentences and the table as JSON."""
        rows = [_row(self, layer) for layer in self.layers()]
        held = {
            "headline": self.headline(),
            "examples": self.examples,
            "sentences": self.summary().split("\n")[1:],
            "not_recognised": list(self.unnamed),
            "layers": [{k: _or_none(v) for k, v in row.items()} for row in rows],
        }
        return json.dumps(held, indent=2)

    def __repr__(self) -> str:
        return f"<Diagnosis of {len(self.sites)} sites: {self.headline()}>"

    def _repr_html_(self) -> str | None:
        try:
            needs("pictures", *_DRAWING)
        except Missing:
            return None  # The notebook shows the text.
        from relujax.diagnosis._page import fragment

        return fragment(self)

    def plot(self) -> "Figure":
        """Fractions of units by definition, and how often units fire, by layer."""
        needs("Diagnosis.plot", "pandas", "matplotlib")
        without_missing_backend()
        from relujax.diagnosis._figures import diagnosis_figure

        return diagnosis_figure(self)

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page with sentences, figure and table.

        Args:
          path: the file to write; folders that are missing are made.

        Returns:
          The path.
        """
        needs("Diagnosis.report", *_DRAWING)
        from relujax.diagnosis._page import write

        return write(self, Path(path))


def _or_none(value: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _row(diagnosis: Diagnosis, layer: Layer) -> dict[str, Any]:
    s = layer.statistics
    tests = definitions(diagnosis.taus, diagnosis.epsilons)
    row: dict[str, Any] = {"site": layer.name, "activation": layer.site.activation}
    if diagnosis.seeded:
        row["seed"] = layer.seed
    row |= {"source": layer.site.source, "units": s.count.shape[-1]}
    shapes = diagnosis.unit_shapes
    if any(len(shape) > 1 for shape in shapes.values()):
        row["unit_shape"] = " x ".join(map(str, shapes[layer.site.id]))
    row |= {name: int(tests[name](s).sum()) for name in diagnosis.definitions}
    row["mean_firing"] = float(np.mean(s.positive / np.maximum(s.count, 1)))
    row["effective_rank"] = float(effective_rank(s.gram))
    row["stable_rank"] = float(stable_rank(s.gram))
    return row
