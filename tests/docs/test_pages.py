"""Every command and snippet of the documentation works, in the order of its page."""

import re
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from docs.pages import blocks, run

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in (ROOT / "docs").rglob("*.md") if blocks(p))
TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.ipynb"))


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT / "docs"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A reader's folder; what the page imports from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    before = set(sys.modules)
    yield tmp_path
    plt.close("all")
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_snippets_of_a_page_run(page, folder, capsys, monkeypatch):
    run(page, capsys, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=_name)
def test_a_tutorial_runs_and_draws(page, folder, capsys, monkeypatch):
    shown = run(page, capsys, monkeypatch)["Out"]
    figures = [plt.figure(number) for number in plt.get_fignums()]
    figures += [value for value in shown if isinstance(value, Figure)]
    assert figures and all(axes.has_data() for f in figures for axes in f.axes)


def test_the_messages_of_the_index_are_those_of_the_package():
    sources = " ".join(p.read_text() for p in (ROOT / "relujax").rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?r?"', "", sources).replace("{STREAM!r}", "'activation'")
    rows = (ROOT / "docs/howto/errors.md").read_text().split("|---|---|---|\n")[1]
    for row in rows.splitlines():
        for phrase in re.findall(r"`([^`]+)`", row.split("|")[1]):
            for part in re.split(r"\s*\.\.\.\s*", phrase):
                assert part.strip("']") in said, phrase


def test_the_blocks_of_a_page_are_told_apart(folder, capsys, monkeypatch):
    page = Path("page.md")
    page.write_text(
        '```python title="mine.py"\nX = 3\n```\n'
        "```python\nfrom mine import X\nprint('x is', X)\n```\n"
        "```text\nx is 4\n```\n"
        "```python\nprint('y')\n```\n```text\nz\n```\n"
    )
    with pytest.raises(AssertionError, match="shows\nz\nfor\ny\n"):
        run(page, capsys, monkeypatch)
    assert blocks(page)[0].file == "mine.py"
