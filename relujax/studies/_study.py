"""The vocabulary of a study file: a paper, its grid of cells, its claims, our choices.

A study file (`experiments/<paper>.py`) defines one module-level `study = Study(...)`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from relujax.errors import InputError, unknown
from relujax.studies._study_checks import check_study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from relujax.engine import Cell
    from relujax.studies._results import Results

Verdict = Literal[
    "supported", "contradicted", "not reproduced", "undecided", "not tested"
]

#: What a claim is about: the mean over seeds, or the median seed.
Estimand = Literal["mean", "median"]

#: Where the words of a quote stand: in the paper, in a summary that somebody else wrote
#: (which is nothing the authors said), or in a text or formula as a program read it.
Source = Literal["abstract", "body", "aggregator", "extraction"]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a study reproduces."""

    title: str
    authors: str
    year: int | None = None
    url: str = ""


class Evidence(NamedTuple):
    """What the results say of one claim, before correction for multiple tests.

    Attributes:
      effect: the effect size, in `unit`, positive in the direction of the claim.
      interval: its 95 % confidence interval.
      p_for: one-sided p-value of "no effect in the direction of the claim"; None for
        a claim that is settled without a test, or could not be tested.
      p_against: one-sided p-value of "no effect in the opposite direction".
      n: number of independent units: seeds, however many tasks each was trained on.
      unit: the unit of `effect`, such as "accuracy, percentage points".
      summary: one sentence in words for the ledger.
      holds: the outcome of a claim that is settled without a test.
      least_p: the smallest that `p_for` and `p_against` can be, whatever the effect; 0
        where there is no such bound.
      observed: whether `holds` was seen in a sample (of trained networks, of draws) and
        might be otherwise in another; else, a computation settles it for good.
      counted: what `n` counts, if not seeds: "repeats" of a measurement.
      sign_p: the one-sided p-values for and against of a sign test, which assumes
        nothing of the distribution; NaN where there is none.
      skewed: whether the differences visibly are, so that mean and median differ.
      error: the standard error of `effect`, in its unit; NaN where it is unknown.
      df: degrees of freedom of `error`; `n - 1` if NaN.
      values: what the `finding` of the claim names besides the effect.
    """

    effect: float
    interval: tuple[float, float]
    p_for: float | None
    p_against: float | None
    n: int
    unit: str
    summary: str
    holds: bool | None = None
    least_p: tuple[float, float] = (0.0, 0.0)
    observed: bool = False
    counted: str = "seeds"
    sign_p: tuple[float, float] = (float("nan"), float("nan"))
    skewed: bool = False
    error: float = float("nan")
    df: float = float("nan")
    values: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence or number of the paper and the test that decides it.

    Attributes:
      id: short name, unique in the study.
      quote: the paper's sentence, word for word.
      where: section, table or figure of the paper.
      test: `test(results) -> Evidence`, a function of the long-form results table.
      reported: the paper's own number, as text; empty when it gives none.
      exploratory: whether the claim, or a margin in its test, was set after results had
        been seen. Such claims are corrected among themselves, shown as what they are,
        and outside of what is promised of the others.
      source: where the words stand. What an aggregator wrote is not the paper's, and
        an extraction may have lost a sign.
      estimand: "mean", or "median" to be decided by the sign test alone, which holds
        whatever the distribution and needs more seeds.
      under_our_choices: whether the outcome hangs on something that the paper leaves
        open and we chose (a learning rate, a β, a depth). Results against such a claim
        say that it was "not reproduced"; only those against a claim whose conditions
        the paper states, or that is meant for all, say "contradicted".
      finding: the sentence of the ledger, a format string of `effect`, `n` and what
        the evidence has as `values`, as in "ends at {mean:.1f} %"; that of the test
        if it is empty.
      unit: the unit of the effect; that of the test if it is empty.
    """

    id: str
    quote: str
    where: str
    test: Callable[["pd.DataFrame"], Evidence]
    reported: str = ""
    exploratory: bool = False
    source: Source = "body"
    estimand: Estimand = "mean"
    under_our_choices: bool = False
    finding: str = ""
    unit: str = ""

    def evidence(self, frame: "pd.DataFrame") -> Evidence:
        """What the results say, in the words of the claim."""
        e = self.test(frame)
        if not isinstance(e, Evidence):
            return e  # `judge` says what is wrong.
        if self.finding:
            named = {"effect": e.effect, "n": e.n, **e.values}
            e = e._replace(summary=self.finding.format(**named))
        return e._replace(unit=self.unit or e.unit)


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A figure or table of the paper, in its layout, made from our results.

    Attributes:
      title: which one, as in "Figure 1: dead neurons by activation".
      caption: how to read it, and how it differs from the paper's; `{seeds}` in it
        becomes the number of seeds that ran, such as "20 seeds".
      make: `make(results)` returns a figure, or a table whose cells are printed as
        they are; an `InputError` where the results lack what it needs.
      first: whether it answers the question of the study, and is shown right below it.
    """

    title: str
    caption: str
    make: Callable[["pd.DataFrame"], "Figure | pd.DataFrame"]
    first: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something the paper leaves open, what we chose, and what else was tried."""

    what: str
    chosen: str
    why: str
    tried: str = "nothing else"


@dataclass(frozen=True, kw_only=True)
class Study:
    """A paper's protocol and claims, ready to run.

    Attributes:
      id: short name: the folder under `runs/`.
      paper: what is reproduced; None when it is no paper.
      question: the question that the report answers, one sentence.
      baseline: the activation spec that the others are compared with.
      profiles: profile name to its cells: `quick` (about a minute on two cores, from
        embedded data) and `paper` (the paper's own protocol).
      seeds: profile name to the default number of seeds.
      claims: what the results are tested against.
      exhibits: the paper's own figures and tables, shown before ours.
      choices: what the paper leaves open.
      probes: cells of `relujax.studies.probe`, run with every profile.

    Raises:
      InputError: a field is not of its kind; the id or the name of a profile cannot be
        that of a folder; or two claims have the same id.
    """

    id: str
    paper: Paper | None = None
    question: str
    baseline: str
    profiles: Mapping[str, Sequence["Cell"]] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    claims: Sequence[Claim] = field(default=())
    exhibits: Sequence[Exhibit] = field(default=())
    choices: Sequence[Choice] = field(default=())
    probes: Sequence["Cell"] = field(default=())

    def __post_init__(self) -> None:
        check_study(self)

    def cells_of(self, profile: str) -> Sequence["Cell"]:
        """What a profile runs: its grid, and the probes of the study.

        Raises:
          InputError: there is no such profile.
        """
        if profile not in self.profiles:
            raise unknown(f"profile of study {self.id}:", profile, self.profiles)
        return [*self.profiles[profile], *self.probes]

    def seeds_of(self, profile: str) -> int:
        """How many seeds a profile has by default.

        Raises:
          InputError: there is no such profile, or the study does not say.
        """
        self.cells_of(profile)
        if profile not in self.seeds:
            raise InputError(
                f"Expected the number of seeds, as study {self.id} has none for "
                f"profile {profile!r}: give it, or add it to seeds={{...}}."
            )
        return self.seeds[profile]

    def run(
        self,
        profile: str = "quick",
        seeds: int | Sequence[int] | None = None,
        *,
        out: str | Path = "runs",
        **how: Any,
    ) -> "Results":
        """Run a profile, or what is missing of it; see `relujax.run`.

        Args:
          profile: which grid.
          seeds: how many, or a list of ids; the study's own number by default.
          out: the folder of all studies: results go to `<out>/<id>`.
          **how: `plan`, `keep`, `log`, `stale`, `checkpoint_every`, `root`, `data_dir`,
            `progress`, `where`, `cluster`, `mix`, as in `relujax.run`.
        """
        from relujax.studies._execute import How
        from relujax.studies._run import run_study

        return run_study(self, profile, seeds, Path(out), How(**how))
