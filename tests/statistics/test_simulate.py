"""The published table in a small form: the promise, and who breaks it without marks."""

import sys
from pathlib import Path

import numpy as np
import pytest

from relujax.statistics import simulate


def limit(families):
    """The share of families that chance may show where 5 % are promised."""
    return 0.05 + 3 * np.sqrt(0.05 * 0.95 / families)


@pytest.mark.slow
@pytest.mark.parametrize("kind", simulate.KINDS)
def test_what_is_not_fragile_keeps_the_promise(kind):
    for n, families in ((3, 100), (10, 100), (20, 12)):
        found = simulate.family_errors(kind, n, families)
        for name in ("firm", "median", "firm_margin", "median_margin"):
            assert found[name] <= limit(families)
        if kind == "normal":
            assert found["mean"] <= limit(families) and found["coverage"] > 0.93


def test_the_draws_have_the_mean_and_the_median_that_they_say():
    rng = np.random.default_rng(0)
    for draw, median in simulate.KINDS.values():
        d = draw(rng, (400_000,))
        share = ((d > median).mean() + 1 - (d < median).mean()) / 2
        assert share == pytest.approx(0.5, abs=0.003)
        if draw is not simulate.heavy:
            assert d.mean() == pytest.approx(0, abs=5 * d.std() / np.sqrt(d.size))


def test_fragile_marks_are_needed():
    # As the means of failing networks are judged: nearly every family is wrong.
    found = simulate.family_errors("7 % fail by 50 sd", 10, 50)
    assert found["mean"] == 1 and found["firm"] == 0


def test_with_the_seeds_that_it_takes_failures_show():
    found = simulate.family_errors("normal", 50, 200, 1)
    assert 0 < found["firm"] <= limit(200)
    for kind in ("skewed (lognormal)", "7 % fail by 50 sd"):
        found = simulate.family_errors(kind, 50, 200, 1)
        assert found["firm"] <= limit(200) < found["mean"]


@pytest.mark.slow
def test_the_command_writes_the_tables(tmp_path, monkeypatch):
    monkeypatch.setattr(simulate, "SEEDS", (3, 5))
    path = tmp_path / "docs" / "table.md"
    monkeypatch.setattr(sys, "argv", ["simulate", str(path), "--families", "8"])
    simulate.main()
    text = path.read_text(encoding="utf-8")
    assert text.count("| 7 % fail by 50 sd |") == 3
    assert "{" not in text and text.endswith("|\n")


def test_the_kept_table_has_the_words_of_the_command():
    kept = Path(__file__).parents[2] / "docs" / "statistics-simulation.md"
    text = kept.read_text(encoding="utf-8")
    words = [part for part in simulate.TEXT.split("\n\n") if "{" not in part]
    assert len(words) > 8 and all(part.strip() in text for part in words)
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    kinds = [row for row in rows if row[0].removeprefix("| ") in simulate.KINDS]
    judged = [row for row in kinds if len(row) == 9]
    assert len(judged) == len(simulate.KINDS) * (len(simulate.SEEDS) + 1)
    # The promise: not fragile, the median, and both with a margin.
    assert all(float(row[i]) <= 5 for row in judged for i in (3, 4, 6, 7))
