"""Every Python block of the README runs, in order, as one program."""

import re
from pathlib import Path

import matplotlib

ROOT = Path(__file__).parents[1]


def test_python_blocks_run(tmp_path, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    printed = capsys.readouterr().out
    # What the page shows under ```text is what its blocks print, but for the numbers:
    # another processor rounds differently, and training amplifies that.
    (shown,) = re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert _without_numbers(shown) == _without_numbers(printed)
    dead, cured = map(int, re.findall(r"(\d+)%", printed))
    assert dead < 30 < 80 < cured


def _without_numbers(text: str) -> str:
    """Without the places in the source, digits and line breaks."""
    return " ".join(re.sub(r"\(\S+:\d+\)|\d+", "", text).split())
