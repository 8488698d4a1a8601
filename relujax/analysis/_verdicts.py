"""From evidence to verdicts: the correction for testing many claims."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from relujax.analysis._paired import holm
from relujax.errors import InputError
from relujax.study import Claim, Evidence, Verdict


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
    """

    claim: Claim
    evidence: Evidence
    verdict: Verdict
    p: float | None = None
    least_p: tuple[float, float] = (0.0, 0.0)


def judge(
    claims: Sequence[Claim], frame: pd.DataFrame, alpha: float = 0.05
) -> list[Judgement]:
    """The verdict on each claim.

    A sampled claim has two one-sided p-values, for it and against it. Twice the smaller
    one is its two-sided p-value; these are corrected by Holm's method over the claims,
    so that the chance of any false verdict among them is at most `alpha`. At most
    `alpha`: supported or contradicted, by the smaller side; else undecided. A claim
    that the results cannot test (its data set was not run) is undecided, says why, and
    does not count in the correction.

    Exploratory claims are corrected among themselves: nothing that is added after
    results were seen changes the verdicts that were planned.
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
    """The verdict without a test; undecided, unless a fact decides."""
    known: dict[bool | None, Verdict] = {True: "supported", False: "contradicted"}
    return Judgement(claim, e, known.get(e.holds, "undecided"))


def _corrected(family: Sequence[Judgement], alpha: float) -> list[Judgement]:
    """The verdicts on claims that are corrected together."""
    raw = np.array([_two_sided(j.evidence) for j in family])
    tested = []
    for i, (j, p) in enumerate(zip(family, holm(raw), strict=True)):
        with_least = lambda p, i=i: holm([*raw[:i], min(1.0, 2 * p), *raw[i + 1 :]])[i]
        least_for, least_against = map(float, map(with_least, j.evidence.least_p))
        tested.append(
            j._replace(
                verdict=_verdict(j.evidence, p, alpha),
                p=float(p),
                least_p=(least_for, least_against),
            )
        )
    return tested


def _evidence(claim: Claim, frame: pd.DataFrame) -> Evidence:
    try:
        return claim.test(frame)
    except InputError as error:
        reason = f"Not tested: the results lack what this claim needs. {error}"
        return Evidence(np.nan, (np.nan, np.nan), None, None, 0, "", reason)


def _tested(e: Evidence) -> bool:
    return e.holds is None and (e.p_for, e.p_against) != (None, None)


def _two_sided(e: Evidence) -> float:
    sides = [p for p in (e.p_for, e.p_against) if p is not None]
    return min(1.0, len(sides) * min(sides))


def _verdict(e: Evidence, p: float, alpha: float) -> Verdict:
    if not p <= alpha:
        return "undecided"
    p_for, p_against = (1.0 if q is None else q for q in (e.p_for, e.p_against))
    return "supported" if p_for < p_against else "contradicted"
