"""The result of a diagnosis: numbers, sentences, a table, a figure, a page."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relujax.errors import unknown
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
    """One row of the table: a site in one iteration of the scans around it."""

    site: Site
    iteration: tuple[int, ...]
    seed: int | None
    statistics: Statistics

    @property
    def name(self) -> str:
        where = f"[{', '.join(map(str, self.iteration))}]" if self.iteration else ""
        return self.site.id + where


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

    Attributes:
      sites: what was looked at.
      statistics: site id to `Statistics` on the host, `[*seeds, *loops, units]`.
      examples: how many examples were seen.
      seeded: whether the leading axis is one of seeds.
      with_gradient: whether a loss was given.
      taus: thresholds of dormancy.
      epsilons: thresholds of small output.
    """

    sites: tuple[Site, ...]
    statistics: Mapping[str, Statistics]
    examples: int
    seeded: bool
    with_gradient: bool
    taus: tuple[float, ...]
    epsilons: tuple[float, ...]

    @property
    def definitions(self) -> tuple[str, ...]:
        """The names of the definitions that this diagnosis can decide."""
        names = definitions(self.taus, self.epsilons)
        return tuple(n for n in names if n != "zero_gradient" or self.with_gradient)

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
            for index in np.ndindex(s.count.shape[:-1]):
                seed = index[0] if self.seeded else None
                iteration = index[1:] if self.seeded else index
                part = Statistics(*(np.asarray(x)[index] for x in s))
                yield Layer(site, iteration, seed, part)

    def table(self) -> "pd.DataFrame":
        """One row per site, iteration and seed: counts by definition, and ranks."""
        import pandas as pd

        return pd.DataFrame([_row(self, layer) for layer in self.layers()])

    def summary(self) -> str:
        """Plain sentences, one paragraph per layer."""
        grouped: dict[str, list[Layer]] = {}
        for layer in self.layers():
            grouped.setdefault(layer.name, []).append(layer)
        return "\n".join(_sentence(self, seeds) for seeds in grouped.values())

    def plot(self) -> "Figure":
        """Fractions of units by definition, and how often units fire, by layer."""
        from relujax.instruments._figures import diagnosis_figure

        return diagnosis_figure(self)

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page with sentences, figure and table.

        Args:
          path: the file to write.

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


def _sentence(diagnosis: Diagnosis, seeds: list[Layer]) -> str:
    """What there is to say about one layer."""
    first = seeds[0]
    tests = definitions(diagnosis.taus, diagnosis.epsilons)
    units = first.statistics.count.shape[-1]
    head = f"{first.name} ({first.site.source}):"
    if not any(layer.statistics.count.any() for layer in seeds):
        return f"{head} never ran."
    if any(np.isnan(layer.statistics.total).any() for layer in seeds):
        return f"{head} some outputs are not numbers; the network has diverged."
    masks = [tests["never_positive"](layer.statistics) for layer in seeds]
    counts = [int(mask.sum()) for mask in masks]
    examples = f"{diagnosis.examples:,} example{'s' * (diagnosis.examples != 1)}"
    if len(seeds) > 1:
        spread = f"{np.mean(counts):.1f} (from {min(counts)} to {max(counts)})"
        sentence = f"{spread} of {units:,} units never fire on {examples}"
        sentence += f", over {len(seeds)} seeds"
    elif counts[0]:
        fire = "fires" if counts[0] == 1 else "fire"
        sentence = f"{counts[0]:,} of {units:,} units never {fire} on {examples}"
    else:
        sentence = f"each of {units:,} units fires on some of {examples}"
    if sum(counts):
        sentence += _outlook(diagnosis, seeds, masks)
    linear = np.mean([tests["always_on"](layer.statistics).sum() for layer in seeds])
    if linear:
        sentence += f"; {linear:g} always {'fires' if linear == 1 else 'fire'}"
    return f"{head} {sentence}."


def _outlook(diagnosis: Diagnosis, seeds: list[Layer], masks: list[np.ndarray]) -> str:
    """Whether the units that never fire can come back."""
    if seeds[0].site.ruled:
        return "; a derivative rule around them decides whether they can recover"
    pairs = list(zip(seeds, masks, strict=True))
    held = lambda values: all(np.all(v) for v in values)
    if diagnosis.with_gradient:
        still = held(layer.statistics.gradient[m] == 0 for layer, m in pairs)
        reason = "their incoming gradient is zero"
    else:
        still = held(layer.statistics.steep[m] == 0 for layer, m in pairs)
        reason = "their slope is zero there, so no gradient reaches them"
    if not still:
        return "; a gradient still reaches some of them: they may recover"
    return f"; {reason}: they cannot recover by themselves"
