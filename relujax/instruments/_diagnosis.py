"""The result of a diagnosis: numbers, sentences, a table, a figure, a page."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relujax.errors import unknown
from relujax.instruments._sentences import paragraph
from relujax.instruments._sites import Site
from relujax.instruments._statistics import (
    Statistics,
    definitions,
    effective_rank,
    scores,
    stable_rank,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


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


@dataclasses.dataclass(frozen=True, eq=False)
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
      first: ids of the sites that no other activation goes into.
    """

    sites: tuple[Site, ...]
    statistics: Mapping[str, Statistics]
    examples: int
    seeded: bool
    with_gradient: bool
    taus: tuple[float, ...]
    epsilons: tuple[float, ...]
    slope: float
    first: frozenset[str]

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
        import pandas as pd

        return pd.DataFrame([_row(self, layer) for layer in self.layers()])

    def summary(self) -> str:
        """Plain sentences, one paragraph per layer."""
        grouped: dict[str, list[Layer]] = {}
        for layer in self.layers():
            grouped.setdefault(layer.name, []).append(layer)
        return "\n".join(paragraph(self, seeds) for seeds in grouped.values())

    def plot(self) -> "Figure":
        """Fractions of units by definition, and how often units fire, by layer."""
        from relujax.instruments._figures import diagnosis_figure

        return diagnosis_figure(self)

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page with sentences, figure and table.

        Args:
          path: the file to write; folders that are missing are made.

        Returns:
          The path.
        """
        from relujax.instruments._page import write

        return write(self, Path(path))


def _row(diagnosis: Diagnosis, layer: Layer) -> dict[str, Any]:
    s = layer.statistics
    tests = definitions(diagnosis.taus, diagnosis.epsilons)
    row: dict[str, Any] = {"site": layer.name, "activation": layer.site.activation}
    if diagnosis.seeded:
        row["seed"] = layer.seed
    row |= {"source": layer.site.source, "units": s.count.shape[-1]}
    row |= {name: int(tests[name](s).sum()) for name in diagnosis.definitions}
    row["mean_firing"] = float(np.mean(s.positive / np.maximum(s.count, 1)))
    row["effective_rank"] = float(effective_rank(s.gram))
    row["stable_rank"] = float(stable_rank(s.gram))
    return row
