"""From evidence to verdicts: the correction for testing many claims."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from relujax.errors import InputError, first_line, short
from relujax.statistics import (
    RARE,
    Decisions,
    decide,
    holm,
    on_median,
    seeds_for_means,
    smallest_effect,
    smallest_median,
    two_sided,
    why_fragile,
)
from relujax.studies._study import Claim, Evidence, Verdict

#: The verdicts in the order in which they are counted.
VERDICTS: tuple[Verdict, ...] = (
    "supported",
    "contradicted",
    "not reproduced",
    "undecided",
    "not tested",
)


class Judgement(NamedTuple):
    """A claim, what the results say of it, and the verdict.

    Attributes:
      claim: the claim.
      evidence: what its test returned.
      verdict: supported, contradicted or undecided.
      p: the two-sided p-value, corrected over the tested claims of its kind (planned or
        exploratory); None for a claim that is settled without a test or could not be
        tested.
      least_p: the smallest that `p` could be were the claim supported, and were it
        contradicted, with so many seeds and the other claims being what they are. Above
        α, that verdict is out of reach.
      p_median: the two-sided p-value of the sign test, corrected likewise; None where
        there is none.
      median_verdict: what the sign test says of the median, whatever the distribution.
      fragile: why a verdict on a mean may be false more often than is promised; empty
        where it is not.
      smallest_effect: the smallest effect, in the evidence's unit and beyond any margin
        of the claim, that so many seeds would show with a chance of 80 %; infinite
        where none is large enough, NaN where the spread is not known.
      on_median: `median_verdict` in a clause, for a verdict on a mean.
    """

    claim: Claim
    evidence: Evidence
    verdict: Verdict
    p: float | None = None
    least_p: tuple[float, float] = (0.0, 0.0)
    p_median: float | None = None
    median_verdict: Verdict = "not tested"
    fragile: str = ""
    smallest_effect: float = np.nan
    on_median: str = ""

    @property
    def notes(self) -> list[str]:
        """What a reader must know beside the verdict, in sentences."""
        notes = [f"Fragile: {self.fragile}."] if self.fragile else []
        if self.on_median:
            notes.append(f"{self.on_median[0].upper()}{self.on_median[1:]}.")
        if self.verdict == "undecided":
            notes.append(_shown(self.evidence, self.smallest_effect))
        if self.verdict == "not reproduced":
            notes.append(
                "Not reproduced under our choices: the outcome hangs on what the paper "
                "leaves open."
            )
        return [*notes, *_SOURCES.get(self.claim.source, ())]


def _shown(e: Evidence, smallest: float) -> str:
    """What so many seeds would have shown, for a claim that is undecided."""
    if not np.isfinite(smallest):
        one = e.counted.removesuffix("s")
        few = f"One {one} shows" if e.n == 1 else f"These {e.n} {e.counted} show"
        return f"{few} no effect, of whatever size, in this many claims."
    amount = f"{smallest:.2g} {e.unit}".strip()
    return (
        f"With a chance of 80 %, {e.n} {e.counted} would show an effect of {amount} or "
        "more, counted from the margin where one is claimed."
    )


_SOURCES = {
    "aggregator": ("The words are those of a summary by others, not the paper's.",),
    "extraction": ("The words are as a program read them from the paper's file.",),
}


def promise(judgements: Sequence[Judgement], alpha: float = 0.05) -> str:
    """What error rate the verdicts have, in sentences for beside them."""
    planned = [j for j in judgements if j.p is not None and not j.claim.exploratory]
    fragile = sum(bool(j.fragile) for j in judgements)
    count = f"{len(planned)} planned claim{'' if len(planned) == 1 else 's'}"
    rate, seeds = f"{100 * alpha:g} %", seeds_for_means(max(len(planned), 1), alpha)
    text = (
        f"The chance of any false verdict on the {count} tested "
        f"is at most {rate} (Holm), for means of differences that are normal, or "
        "symmetric from twenty seeds on. Verdicts of the sign test, on the median "
        f"seed, have at most {rate} whatever the distribution."
    )
    if fragile:
        some = f"{fragile} verdicts are" if fragile > 1 else "One verdict is"
        text += (
            f" {some} fragile: where differences are skewed, or seeds fewer than the "
            f"{seeds} that show failures of one network in {RARE}, a verdict on a mean "
            "may be false more often."
        )
    return text


def judge(
    claims: Sequence[Claim], frame: pd.DataFrame, alpha: float = 0.05
) -> list[Judgement]:
    """The verdict on each claim.

    A sampled claim has two one-sided p-values, for it and against it. Twice the smaller
    one is its two-sided p-value; these are corrected by Holm's method over the claims,
    so that the chance of any false verdict among them is at most `alpha`. At most
    `alpha`: supported or contradicted, by the smaller side; else undecided, with the
    smallest effect that so many seeds would have shown. What goes against a claim that
    hangs on our choices is not reproduced. A claim that the results cannot test (its
    data set was not run, a value is not finite) is not tested, says why, and does not
    count in the correction.

    The chance holds as far as the tests of means do: they take differences as normal or
    as symmetric. Where differences are visibly skewed, or seeds too few to show rare
    failures, a verdict on a mean is *fragile*. Beside it stands what the sign tests,
    corrected likewise, say of the median; they assume nothing.

    Exploratory claims are corrected among themselves: nothing that is added after
    results were seen changes the verdicts that were planned. Where seeds are added
    because the first ones left a claim undecided, `alpha` is that look's share
    (`relujax.statistics.stopping_levels`).

    Claims that share seeds depend on each other; Holm's method holds all the same.
    (`step_down` knows how they depend and decides nothing with five seeds.)
    """
    found = [_settled(claim, _evidence(claim, frame)) for claim in claims]
    for late in (False, True):
        of_kind = [i for i, claim in enumerate(claims) if claim.exploratory == late]
        family = [i for i in of_kind if _tested(found[i].evidence)]
        corrected = _corrected([found[i] for i in family], alpha)
        for i, judgement in zip(family, corrected, strict=True):
            found[i] = judgement
    return found


def _settled(claim: Claim, e: Evidence) -> Judgement:
    """The verdict without a test: a fact decides, or nothing is tested."""
    side = {True: 1, False: -1}.get(e.holds) if e.holds is not None else None
    return Judgement(claim, e, "not tested" if side is None else _verdict(claim, side))


def _verdict(claim: Claim, side: int) -> Verdict:
    if side == 0:
        return "undecided"
    against = "not reproduced" if claim.under_our_choices else "contradicted"
    return "supported" if side > 0 else against


def _corrected(family: Sequence[Judgement], alpha: float) -> list[Judgement]:
    """The verdicts on claims that are corrected together."""
    mean = np.array([_sides(j.evidence) for j in family]).reshape(-1, 2)
    sign = np.array([j.evidence.sign_p for j in family], float).reshape(-1, 2)
    median = np.array([[j.claim.estimand == "median"] for j in family]).reshape(-1, 1)
    tests = np.where(median, sign, mean)
    found = decide(tests, sign, alpha)
    return [_judged(j, i, found, two_sided(tests), alpha) for i, j in enumerate(family)]


def _judged(
    j: Judgement, i: int, found: Decisions, raw: np.ndarray, alpha: float
) -> Judgement:
    """Claim `i` of its family; `raw`: the two-sided p-values, uncorrected."""
    e, tests = j.evidence, int(np.isfinite(raw).sum())
    side, side_median = int(found.side[i]), int(found.side_median[i])
    of_mean, has_signs = j.claim.estimand == "mean", not np.isnan(found.p_median[i])
    least = e.least_p if of_mean else (2.0**-e.n, 2.0**-e.n)
    with_least = lambda p: float(holm([*raw[:i], min(1.0, 2 * p), *raw[i + 1 :]])[i])
    least_p = (with_least(least[0]), with_least(least[1]))
    smallest = np.inf
    if min(least_p) <= alpha:
        smallest = _smallest(e, of_mean, float(found.level[i]))
    fragile = clause = ""
    if side and of_mean:
        fragile = why_fragile(e.skewed, e.n, tests, alpha)
        clause = on_median(side, side_median, e.n, tests, alpha) if has_signs else ""
    return j._replace(
        verdict=_verdict(j.claim, side),
        p=float(found.p[i]),
        least_p=least_p,
        p_median=float(found.p_median[i]) if has_signs else None,
        median_verdict=_verdict(j.claim, side_median) if has_signs else "not tested",
        fragile=fragile,
        smallest_effect=smallest,
        on_median=clause,
    )


def _smallest(e: Evidence, of_mean: bool, level: float) -> float:
    if of_mean:
        df = e.n - 1 if np.isnan(e.df) else e.df
        return smallest_effect(e.error, df, alpha=level)
    return smallest_median(e.error * np.sqrt(e.n), e.n, alpha=level)


def _evidence(claim: Claim, frame: pd.DataFrame) -> Evidence:
    try:
        e = claim.evidence(frame)
    except InputError as error:
        return _nothing(f"the results lack what this claim needs. {error}")
    except Exception as error:  # An author's own code: the other claims stand.
        return _nothing(f"its test raised {type(error).__name__}: {first_line(error)}")
    if not isinstance(e, Evidence):
        return _nothing(f"expected Evidence from its test, got {short(e)}.")
    asked = e.sign_p if claim.estimand == "median" else (e.p_for, e.p_against)
    if e.holds is None and np.isnan([p for p in asked if p is not None]).any():
        reason = "Not tested: a value is not finite, or no test fits the claim. "
        reason += e.summary
        return e._replace(p_for=None, p_against=None, summary=reason)
    return e


def _nothing(reason: str) -> Evidence:
    """The evidence of a claim that could not be tested."""
    why = f"Not tested: {reason}"
    return Evidence(np.nan, (np.nan, np.nan), None, None, 0, "", why)


def _tested(e: Evidence) -> bool:
    return e.holds is None and (e.p_for, e.p_against) != (None, None)


def _sides(e: Evidence) -> tuple[float, float]:
    """The one-sided p-values; a claim with one side spends its whole level on it."""
    if e.p_for is None or e.p_against is None:
        one = lambda p: 1.0 if p is None else p / 2
        return one(e.p_for), one(e.p_against)
    return e.p_for, e.p_against
