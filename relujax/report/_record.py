"""`report.json`: a report for programs, and which files belong to it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relujax.analysis import Judgement
from relujax.report import _text


def read_record(folder: Path) -> dict[str, Any]:
    """What `write_record` wrote."""
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `report.json`."""
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / "report.json").write_text(text, encoding="utf-8")


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
        "tested": j.p is not None or j.evidence.holds is not None,
        "n": j.evidence.n,
        "summary": j.evidence.summary,
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


def clear(out: Path) -> None:
    """Remove the tables and figures of an earlier report."""
    try:
        old = read_record(out)
    except (OSError, ValueError):
        return
    files = [f"{n}.{kind}" for n in old.get("tables", []) for kind in ("md", "tex")]
    for figure in old.get("figures", []):
        files += [f"figures/{figure['name']}.{kind}" for kind in ("png", "svg")]
    for name in files:
        (out / name).unlink(missing_ok=True)
