"""Every Python block of the README runs, in order, as one program."""

import re
from pathlib import Path

import pytest
from docs.pages import run

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_python_blocks_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run(ROOT / "README.md", capsys, monkeypatch, commands=False)
    # The cure passes a gradient to every unit, dead ones included.
    assert (names["gradient"]["params"]["layers_0"]["bias"] != 0).all()
    assert names["answer"].startswith(("No activation", "elu"))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing
