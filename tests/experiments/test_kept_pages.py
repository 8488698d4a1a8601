"""Every kept page that has its numbers is what they say, and nothing is trained."""

from pathlib import Path

import pytest

import relujax
from relujax.cli._kept import report_from

RESULTS = Path(relujax.__file__).parents[1] / "experiments" / "results"
KEPT = sorted(path.parent for path in RESULTS.glob("*/*/kept.json"))


@pytest.mark.slow
@pytest.mark.parametrize("folder", KEPT, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_a_kept_page_is_made_again(folder, tmp_path, monkeypatch):
    trained = []
    for place in ("relujax.studies._execute.run_tasks", "relujax.engine.run_tasks"):
        monkeypatch.setattr(place, lambda *a, **k: trained.append(a))
    report_from(folder, tmp_path)  # It exits where the page differs.
    assert not trained


def test_there_is_one():
    assert RESULTS / "srelu" / "quick" in KEPT
