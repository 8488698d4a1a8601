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
    # What the page shows under ```text is what its blocks print.
    for shown in re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        assert _plain(shown) == _plain(printed)


def _plain(text: str) -> str:
    """Without line numbers, which move, and line breaks."""
    return " ".join(re.sub(r"\(\S+:\d+\)", "", text).split())
