"""`report.json`: a report for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from relujax.report import _text
from relujax.studies import Judgement

NAME = "report.json"


def ledger_row(j: Judgement) -> dict:
    """A claim and its verdict."""
    return {
        "id": j.claim.id,
        "quote": j.claim.quote,
        "where": j.claim.where,
        "reported": j.claim.reported,
        "measured": _text.measured(j),
        "verdict": j.verdict,
        "exploratory": j.claim.exploratory,
        "p": j.p,
        "p_or_reason": _text.p_or_reason(j),
        "least_p": j.least_p,
        "tested": j.verdict != "not tested",
        "n": j.evidence.n,
        "summary": j.evidence.summary,
        "notes": j.notes,
    }


def figures_of(groups: Sequence[Mapping[str, Any]]) -> list[dict]:
    """All figures of the page, the paper's own before ours, without their pixels."""
    keys = ("name", "title", "caption", "width")
    return [
        {key: plate[key] for key in keys} | {"task": group.get("task", "")}
        for group in groups
        for plate in group["plates"]
    ]


def exhibit_tables(shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the exhibits that are tables."""
    return [made["id"] for made in shown if made.get("table") is not None]
