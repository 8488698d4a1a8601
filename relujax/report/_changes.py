"""Verdicts that are others than those of the page that was kept before."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relujax import files
from relujax.errors import InputError
from relujax.report._output import FACTS, read_record
from relujax.report._text import code, inline
from relujax.studies import VERDICTS

# A row of the ledger, as pages have it that were kept without `kept.json`.
_ROW = re.compile(
    rf"\| ([\w.-]+) \| ({'|'.join(VERDICTS)})(?: \(exploratory\))? \| .+ \|"
)

Change = Mapping[str, str]
_FIELDS = ("claim", "before", "after", "why")


def changes_at(folder: Path, claims: Sequence[Mapping[str, Any]]) -> list[dict]:
    """What changes where a page is published over the one that is in a folder.

    Args:
      folder: where a page may have been kept before.
      claims: those of the new page, as `report.json` has them.

    Returns:
      The changes that the earlier page lists, then those of its own verdicts: `claim`,
      `before`, `after`, and `why`, as far as the two pages tell.
    """
    before, listed = _before(folder)
    now = {claim["id"]: claim for claim in claims}
    found = []
    for name, old in before.items():
        new = now.get(name)
        after = "withdrawn" if new is None else str(new["verdict"])
        if after != old["verdict"]:
            change = {"claim": name, "before": old["verdict"], "after": after}
            found.append({**change, "why": _why(old, new)})
    return [*listed, *found]


def checked(changes: Any) -> list[dict]:
    """The changes as a file has them.

    Raises:
      TypeError: they are none.
    """
    texts = lambda change: all(isinstance(change[name], str) for name in _FIELDS)
    fit = lambda change: isinstance(change, dict) and set(change) == {*_FIELDS}
    if not isinstance(changes, list) or not all(fit(c) and texts(c) for c in changes):
        raise TypeError("a change of a verdict is none")
    return changes


def section(changes: Sequence[Change]) -> list[str]:
    """The changes as a section of a page; nothing where there are none."""
    if not changes:
        return []
    rows = [
        f"| {code(c['claim'])} | {inline(c['before'])} | {inline(c['after'])} | "
        f"{inline(c['why'])} |"
        for c in changes
    ]
    head = ["| claim | before | since | why |", "|---|---|---|---|"]
    return ["## Verdicts that changed", "\n".join([*head, *rows])]


def _why(old: Mapping[str, Any], new: Mapping[str, Any] | None) -> str:
    """What differs between two judgements of a claim."""
    if new is None:
        return "The study has no such claim any more."
    if new["verdict"] == "not tested" and not old["tested"]:
        return "It was not tested then, either: that was called undecided."
    if new["verdict"] == "not tested":
        return str(new["summary"])
    if old["n"] != new["n"]:
        return f"{old['n']} seeds or draws became {new['n']}."
    if old["measured"] != new["measured"]:
        return f"Measured again: {old['measured']} became {new['measured']}."
    return "The same numbers, by another test or with another correction."


def _before(folder: Path) -> tuple[dict[str, dict], list[dict]]:
    """The judgements of the page in a folder, and the changes that it lists."""
    try:
        facts = read_record(folder / FACTS)
        rows = {row["id"]: row for row in facts["claims"]}
        return rows, checked(facts.get("changes", []))
    except (OSError, files.Refused, KeyError, TypeError, InputError):
        return _in_the_page(folder / "README.md"), []


def _in_the_page(path: Path) -> dict[str, dict]:
    try:
        text = files.read(path).decode(errors="replace")
    except (OSError, files.Refused):  # Publishing will say what is there.
        return {}
    found = {}
    for line in text.splitlines():
        if row := _ROW.fullmatch(line):
            *_, measured, p, n = line.strip("| ").split(" | ")
            found[row[1]] = {
                "verdict": row[2],
                "tested": p != "not tested",
                "measured": measured,
                "n": int(n.split()[0]) if n[:1].isdigit() else 0,
            }
    return found
