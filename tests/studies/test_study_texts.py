"""A study in two files: its code, and its words beside it."""

from pathlib import Path

import pytest
from frames import CELL, results

import relujax
from relujax.studies import best, better, judge, observed, study_of

WORDS = """
question = "does it?"
baseline = "relu"

[paper]
title = "A paper"
authors = "A. Author"

[[statements]]
quote = "It is better."
source = "abstract"
claims.better = "Abstract"
claims.best = { where = "Section II", exploratory = true }

[statements.claims.seen]
where = "Figure 1"
finding = "{count} of {n} were seen, by {effect:.1f}."
unit = "points"

[[choices]]
what = "rate"
chosen = "0.1"
why = "The paper does not say."

[exhibits.table]
title = "Table 1"
caption = "Means over {seeds}."
"""
TESTS = {
    "best": best("elu"),
    "seen": lambda frame: observed(True, effect=1.26, n=3, count=2),
    "better": better("elu", "relu"),
}


@pytest.fixture
def study(tmp_path: Path):
    def make(words=WORDS, claims=TESTS, exhibits=("table",)):
        (tmp_path / "paper.toml").write_text(words, encoding="utf-8")
        return study_of(
            tmp_path / "paper.py",
            profiles={"quick": [CELL]},
            seeds={"quick": 2},
            claims=claims,
            exhibits={id: lambda frame: frame for id in exhibits},
        )

    return make


def test_words_and_code_make_a_study(study):
    made = study()
    assert (made.id, made.question, made.paper.title) == (
        "paper",
        "does it?",
        "A paper",
    )
    assert [claim.id for claim in made.claims] == list(TESTS)
    by_id = {claim.id: claim for claim in made.claims}
    assert {claim.quote for claim in made.claims} == {"It is better."}
    assert {claim.source for claim in made.claims} == {"abstract"}
    assert [id for id, claim in by_id.items() if claim.exploratory] == ["best"]
    assert by_id["best"].where == "Section II" and by_id["better"].where == "Abstract"
    assert made.choices[0].tried == "nothing else"
    assert made.exhibits[0].caption == "Means over {seeds}."


def test_a_finding_is_filled_in_with_what_the_test_found(study):
    (found,) = (j for j in judge(study().claims, results()) if j.claim.id == "seen")
    assert found.evidence.summary == "2 of 3 were seen, by 1.3."
    assert found.evidence.unit == "points" and found.verdict == "supported"


def test_tests_and_exhibits_see_a_view_of_the_results(tmp_path):
    (tmp_path / "paper.toml").write_text(WORDS, encoding="utf-8")
    made = study_of(
        tmp_path / "paper.py",
        profiles={"quick": [CELL]},
        seeds={"quick": 2},
        claims=TESTS,
        exhibits={"table": lambda frame: frame},
        view=lambda frame: frame[frame["seed"] < 4],
    )
    (e, *_) = (claim.test(results()) for claim in made.claims if claim.id == "better")
    assert e.n == 4 and made.exhibits[0].make(results())["seed"].max() == 3


def test_a_finding_that_names_what_the_test_lacks_leaves_the_claim_untested(study):
    words = WORDS.replace("{count}", "{others}")
    (found,) = (
        j for j in judge(study(words).claims, results()) if j.claim.id == "seen"
    )
    assert found.verdict == "not tested" and "others" in found.evidence.summary


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("question =", "questions ="), "got questions|got 'questions'"),
        (('where = "Figure 1"', 'place = "Figure 1"'), "place"),
        (('claims.better = "Abstract"', ""), "words for 'better'"),
        (("claims.better =", 'claims.worse = "Here"\nclaims.better ='), "'worse'"),
        (("[exhibits.table]", "[exhibits.figure]"), "words for 'table'"),
        (('why = "The paper does not say."', ""), "why"),
        (("[paper]", "[paper"), "Cannot read"),
    ],
    ids=["key", "field", "silent", "untested", "exhibit", "missing", "syntax"],
)
def test_what_does_not_fit_is_said_in_one_sentence(study, change, message):
    with pytest.raises(relujax.InputError, match=message):
        study(WORDS.replace(*change))


def test_words_that_are_not_there_are_asked_for(tmp_path):
    with pytest.raises(relujax.InputError, match=r"nothing\.toml"):
        study_of(tmp_path / "nothing.py", profiles={}, seeds={}, claims={})
