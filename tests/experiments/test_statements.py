"""Every statement of the papers has an answer, and every claim a statement."""

import difflib
import importlib.util
import os
import re
import tomllib
from pathlib import Path

import pytest

import relujax

ROOT = Path(relujax.__file__).parents[1]
EXPERIMENTS = ROOT / "experiments"
#: A folder with the texts of the papers, which are not ours to publish.
PAPERS = os.environ.get("RELUJAX_PAPERS")
SOURCES = {"abstract", "body", "table", "aggregator", "extraction"}
ANSWERS = {"claims", "exhibits", "tests"}
KEYS = {"id", "quote", "where", "source", "note", "untested"} | ANSWERS


def words(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


STUDIES = {
    path.stem: said
    for path in EXPERIMENTS.glob("*.toml")
    if "statements" in (said := words(path))  # Of a paper.
}
READ = {path.stem: words(path) for path in EXPERIMENTS.glob("statements/*.toml")}
LISTS = {name: read["statements"] for name, read in READ.items()}
by_study = pytest.mark.parametrize("name", sorted(STUDIES))


def claims(name):
    """The claims of a study, with the quote of their statement: `name/id` to both."""
    return {
        f"{name}/{id}": {
            "quote": said["quote"],
            **(own if isinstance(own, dict) else {}),
        }
        for said in STUDIES[name]["statements"]
        for id, own in said.get("claims", {}).items()
    }


CLAIMS = {id: own for name in STUDIES for id, own in claims(name).items()}
#: Claim to the statements that name it.
NAMED: dict[str, list[dict]] = {}
for name, statements in LISTS.items():
    for statement in statements:
        for claim in statement.get("claims", ()):
            full = claim if "/" in claim else f"{name}/{claim}"
            NAMED.setdefault(full, []).append(statement)


def test_every_paper_has_a_list():
    assert set(LISTS) == set(STUDIES)
    assert all(read["read"] and read["left_out"] for read in READ.values())


@by_study
def test_every_statement_has_a_place_and_an_answer(name):
    ids = [statement["id"] for statement in LISTS[name]]
    assert len(set(ids)) == len(ids)
    for statement in LISTS[name]:
        assert set(statement) <= KEYS, statement["id"]
        assert re.fullmatch(r"[a-z0-9-]+", statement["id"])
        assert len(statement["quote"].split()) >= 2 and statement["where"]
        assert statement.get("source", "body") in SOURCES
        answered = any(statement.get(kind) for kind in ANSWERS)
        assert answered != bool(statement.get("untested")), statement["id"]


@by_study
def test_answers_exist(name):
    for statement in LISTS[name]:
        shown = set(statement.get("exhibits", ()))
        assert shown <= set(STUDIES[name].get("exhibits", {})), statement["id"]
        for test in statement.get("tests", ()):
            file, function = test.split("::")
            text = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert f"\ndef {function}(" in text, test
    assert set(NAMED) <= set(CLAIMS)


@by_study
def test_every_claim_answers_a_statement(name):
    for id, claim in claims(name).items():
        assert id in NAMED or claim.get("exploratory"), id


def plain(text):
    """Without the breaks and gaps that were made in copying."""
    return re.sub(r" ([.,])", r"\1", " ".join(text.split()))


def common(a, b):
    a, b = plain(a), plain(b)
    match = difflib.SequenceMatcher(None, a, b, autojunk=False).find_longest_match()
    return match.size / min(len(a), len(b))


@by_study
def test_the_quote_of_a_claim_stands_in_a_statement_that_names_it(name):
    """Much of the shorter one of both: nothing is answered by a claim on another."""
    for id, claim in claims(name).items():
        homes = NAMED.get(id, ())
        in_a_table = any(s.get("source") == "table" for s in homes)
        shares = [common(claim["quote"], s["quote"]) for s in homes]
        assert not homes or in_a_table or max(shares) > 0.4, id


@pytest.mark.skipif(not PAPERS, reason="RELUJAX_PAPERS is not set")
@by_study
def test_quotes_are_word_for_word(name):
    texts = [p.read_text(encoding="utf-8") for p in sorted(Path(PAPERS).glob("*.txt"))]
    title = STUDIES[name]["paper"]["title"]
    (text,) = (plain(t) for t in texts if title in plain(t)[:300])
    for statement in LISTS[name]:
        assert plain(statement["quote"]) in text, statement["id"]


def test_the_page_counts_what_it_lists():
    path = ROOT / "docs/scripts/statements.py"
    spec = importlib.util.spec_from_file_location("statements_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.page(EXPERIMENTS)
    rows = [line for line in page.splitlines() if line.startswith("| “")]
    assert len(rows) == sum(map(len, LISTS.values()))
    assert all(re.fullmatch(r"\| .+ \| .+ \| \S.+ \|", row) for row in rows)
    (total,) = re.findall(r"\| \*\*all\*\* \| (.+) \|", page)
    count, *parts = map(int, total.split(" | "))
    assert count == len(rows) == sum(parts)
