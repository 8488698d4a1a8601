"""The page of every statement: from experiments/statements/*.toml."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEAD = """# Every statement of the papers

Each line is a sentence of one of the five papers that can be true or false, and says
what answers it: claims of a [study](study.md), whose verdicts stand in the ledgers in
`experiments/results`; figures and tables of the study (exhibits), where there is
something to look at and no yes or no; or tests of the package, for formulas, data and
protocols. What has none of these says why. What a paper says twice is two lines.

The table counts a line once, by the first kind of answer that it has.

A quote is the paper's, word for word, with formulas as they are in the text that was
read. `arelu/beats-relu` is the claim of another study.
"""
#: The kinds of answer, in the order in which a statement is counted.
KINDS = {
    "claims": "claim",
    "exhibits": "exhibit",
    "tests": "test",
    "untested": "not tested",
}


def read(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def papers(experiments: Path) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    """Each study with a list of statements: its name, its paper, the list."""
    for path in sorted((experiments / "statements").glob("*.toml")):
        yield path.stem, read(experiments / path.name)["paper"], read(path)


def kind(statement: dict[str, Any]) -> str:
    """The first kind of answer that a statement has."""
    return next(name for key, name in KINDS.items() if statement.get(key))


def page(experiments: Path) -> str:
    """The page, with the tally on top."""
    found = list(papers(experiments))
    names = [*KINDS.values()]
    lines = [_HEAD, f"| paper | statements | {' | '.join(names)} |"]
    lines += ["|---" * (2 + len(names)) + "|"]
    total: Counter[str] = Counter()
    for name, paper, words in found:
        count = Counter(map(kind, words["statements"]))
        total += count
        lines.append(_row(f"[{paper['title']}](#{name})", count, names))
    lines += [_row("**all**", total, names), ""]
    for name, paper, words in found:
        lines += _section(name, paper, words)
    return "\n".join([*lines, ""])


def _row(title: str, count: Counter[str], names: list[str]) -> str:
    numbers = [count.total(), *(count[name] for name in names)]
    return f"| {title} | {' | '.join(map(str, numbers))} |"


def _section(name: str, paper: dict[str, str], words: dict[str, Any]) -> list[str]:
    year = f", {paper['year']}" if "year" in paper else ""
    lines = [f"## {name}", "", f"{paper['authors']}: *{paper['title']}*{year}.", ""]
    lines += [f"Read: {words['read']}. Left out: {words['left_out']}.", ""]
    lines += ["| statement | place | answer |", "|---|---|---|"]
    for each in words["statements"]:
        source = each.get("source", "body")
        place = each["where"] + _SOURCES.get(source, "")
        lines.append(f"| “{_cell(each['quote'])}” | {_cell(place)} | {_answer(each)} |")
    return [*lines, ""]


_SOURCES = {
    "aggregator": " (others' words)",
    "extraction": " (as a program read it)",
}


def _answer(statement: dict[str, Any]) -> str:
    parts = []
    for key in ("claims", "exhibits"):
        names = ", ".join(f"`{name}`" for name in statement.get(key, ()))
        parts += [f"{key}: {names}"] * bool(names)
    tests = [name.rpartition("::")[2] for name in statement.get("tests", ())]
    parts += [f"tests: {', '.join(f'`{name}`' for name in tests)}"] * bool(tests)
    parts += [_cell(statement[key]) for key in ("note", "untested") if key in statement]
    return "; ".join(parts)


def _cell(text: str) -> str:
    """Text in a cell of a table, where a bar would end the cell."""
    for char, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", "&#124;"),
        ("*", "&#42;"),
        ("_", "&#95;"),
        ("[", "&#91;"),
        ("\\", "&#92;"),
    ):
        text = text.replace(char, entity)
    return " ".join(text.split())
