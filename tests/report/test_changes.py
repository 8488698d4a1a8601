"""Verdicts that differ between two kept pages."""

import json

import pytest
from frames import CLAIMS, PROVENANCE, results, study

from relujax import report
from relujax.cli._kept import report_from
from relujax.report._changes import changes_at, checked

OLD = """# A

| claim | verdict | the paper | reported | measured | p, Holm | n |
|---|---|---|---|---|---|---|
| stays | supported | “a | b” (I) | – | +1 [0, 2] points | 0.01 | 5 seeds |
| turns | contradicted (exploratory) | “c” (II) | – | −1 points | 0.02 | 5 seeds |
| grows | undecided | “d” (III) | – | 0 [−1, 1] points | 1 | 5 seeds |
| blank | undecided | “e” (IV) | – | – | not tested | – |
| lost | supported | “g” (VI) | – | +1 points | 0.01 | 5 seeds |
| gone | supported | “f” (V) | – | 0 largest difference | computed | – |

- `turns`: no row | of | the | ledger.
"""


def claim(id, verdict, measured, n):
    tested = verdict != "not tested"
    return {
        "id": id,
        "verdict": verdict,
        "measured": measured,
        "n": n,
        "tested": tested,
    }


NEW = [
    claim("stays", "supported", "+2 [1, 3] points", 10),
    claim("turns", "supported", "+1 [0, 2] points", 5),
    claim("grows", "contradicted", "−1 [−2, −0.5] points", 20),
    claim("blank", "not tested", "–", 0),
    {**claim("lost", "not tested", "–", 0), "summary": "Not tested: no torch."},
    claim("new", "supported", "+1 points", 5),
]


def test_changes_are_told_with_what_the_pages_say(tmp_path):
    (tmp_path / "README.md").write_text(OLD)
    found = {
        c["claim"]: (c["before"], c["after"], c["why"])
        for c in changes_at(tmp_path, NEW)
    }
    assert found == {
        "turns": (
            "contradicted",
            "supported",
            "Measured again: −1 points became +1 [0, 2] points.",
        ),
        "grows": ("undecided", "contradicted", "5 seeds or draws became 20."),
        "blank": (
            "undecided",
            "not tested",
            "It was not tested then, either: that was called undecided.",
        ),
        "lost": ("supported", "not tested", "Not tested: no torch."),
        "gone": ("supported", "withdrawn", "The study has no such claim any more."),
    }


def test_the_numbers_may_stay_where_the_test_changes(tmp_path):
    facts = {"claims": NEW, "changes": []}
    (tmp_path / "kept.json").write_text(json.dumps(facts))
    now = [{**NEW[0], "verdict": "undecided"}, *NEW[1:]]
    (change,) = changes_at(tmp_path, now)
    assert change["claim"] == "stays" and "by another test" in change["why"]


def test_nothing_was_kept_before(tmp_path):
    assert changes_at(tmp_path / "none", NEW) == []


@pytest.mark.parametrize("damaged", [None, [3], [{}], [{"claim": "a"}], {"claim": "a"}])
def test_what_is_no_list_of_changes_is_refused(damaged):
    with pytest.raises(TypeError):
        checked(damaged)


@pytest.mark.slow
def test_a_page_lists_them_again_and_is_made_again(tmp_path, monkeypatch):
    asked, frame = study(claims=CLAIMS), results(["relu", "elu", "arelu"])
    page = report.write(asked, "quick", frame, PROVENANCE, tmp_path / "report")
    out = tmp_path / "kept"
    out.mkdir()
    head = f"# A\n\nProfile `quick`: q\n\n- Command: `x`\n\n{OLD.partition(chr(10))[2]}"
    (out / "README.md").write_text(head)
    for _ in range(2):  # The second time, nothing changes, and the list stays.
        made = report.publish(asked, "quick", frame, PROVENANCE, page.parent, out)
        text = made.read_text()
        assert "## Verdicts that changed" in text
        assert text.count("| `gone` | supported | withdrawn |") == 1
    monkeypatch.setattr("relujax.cli._kept._study", lambda *_: asked)
    report_from(out, tmp_path / "runs")  # It exits where the page differs.
