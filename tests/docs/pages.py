"""Runs a page of the documentation as its reader does, from first block to last.

```python            runs in this process, all of a page in one namespace
```python title="f"  is written to the file f (in a notebook: %%writefile f)
```sh                lines that start with `relujax` or `python` run
```text              is what the Python blocks since the last such block printed
"""

import ast
import builtins
import json
import linecache
import re
import runpy
import shlex
import sys
from pathlib import Path
from typing import Any, NamedTuple

_FENCE = re.compile(
    r'^```(python|sh|text|toml)(?: title="([^"]+)")?\n(.*?)^```$',
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of a page: its language, the file that it names, and its text."""

    language: str
    file: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The blocks of a Markdown page, or the cells of a notebook."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return [Block(*match) for match in _FENCE.findall(text)]
    cells = json.loads(text)["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    return [_cell(re.sub(r"^%\w.*\n", "", source)) for source in sources]


def _cell(source: str) -> Block:
    if not source.startswith("%%writefile "):
        return Block("python", "", source)
    first, _, rest = source.partition("\n")
    return Block("python", first.split()[1], rest + "\n")


def run(
    page: Path, capsys: Any, monkeypatch: Any, *, commands: bool = True
) -> dict[str, Any]:
    """Run the blocks of a page in the working directory.

    Args:
      page: the page.
      capsys: pytest's, what is printed.
      monkeypatch: pytest's.
      commands: whether shell blocks run, too.

    Returns:
      The names that the page has bound, and `Out`, the values of the last lines.
    """
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
    monkeypatch.syspath_prepend(str(Path.cwd()))
    printed = ""
    for number, block in enumerate(blocks(page)):
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            last = _execute(block.text, f"{page.stem}-{number}.py", namespace)
            namespace.setdefault("Out", []).append(last)
        elif block.language == "sh" and commands:
            for line in block.text.splitlines():
                _command(line, monkeypatch)
            capsys.readouterr()
        printed += capsys.readouterr().out
        if block.language == "text":
            same = without_numbers(block.text) == without_numbers(printed)
            assert same, f"{page.name} shows\n{block.text}for\n{printed}"
            printed = ""
    return namespace


def _execute(code: str, name: str, namespace: dict[str, Any]) -> Any:
    """Run code whose source `inspect` finds; the value of its last line, if any."""
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    tree = ast.parse(code, name)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), name, "eval"), namespace)
    return None


def _command(line: str, monkeypatch: Any) -> None:
    words = shlex.split(line, comments=True)
    if words[:1] == ["python"]:
        monkeypatch.setattr(sys, "argv", words[1:])
        runpy.run_path(words[1], run_name="__main__")
    # `make demo` has a job of its own.
    elif words[:1] == ["relujax"] and words[1] != "demo":
        monkeypatch.setattr(sys, "argv", words)
        _relujax(line)


def _relujax(line: str) -> None:
    from relujax.cli import main

    try:
        main()
    except SystemExit as end:
        assert not end.code, line


def without_numbers(text: str) -> str:
    """Without places in the source, digits and line breaks.

    Another processor rounds differently, and training amplifies that.
    """
    return " ".join(re.sub(r"\(\S+:\d+\)|\d+", "", text).split())
