"""The vocabulary of a study file: a paper, its grid of cells, its claims, our choices.

A study file (`experiments/<paper>.py`) defines one module-level `study = Study(...)`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from relujax.engine import Cell

Verdict = Literal["supported", "contradicted", "undecided"]


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
    """

    id: str
    quote: str
    where: str
    test: Callable[["pd.DataFrame"], Evidence]
    reported: str = ""
    exploratory: bool = False


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A figure or table of the paper, in its layout, made from our results.

    Attributes:
      title: which one, as in "Figure 1: dead neurons by activation".
      caption: how to read it, and how it differs from the paper's.
      make: `make(results)` returns a figure, or a table whose cells are printed as
        they are; an `InputError` where the results lack what it needs.
    """

    title: str
    caption: str
    make: Callable[["pd.DataFrame"], "Figure | pd.DataFrame"]


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
