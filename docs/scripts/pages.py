"""Pages that follow the code: run by MkDocs at every build."""

import io
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import mkdocs_gen_files

import relujax
from relujax.activations import REGISTRY
from relujax.report import facts, write_portrait

sys.path.insert(0, str(Path(__file__).parent))

import parts
import statements
import tutorials

ROOT = Path(__file__).parents[2]
COMMANDS = (
    *("demo", "run", "compare", "sweep", "status", "report", "list", "show"),
    *("gallery", "bench", "diagnose", "data", "new"),
)


def activations() -> str:
    """Every activation: picture, formula, facts, and the docstring of its function."""
    lines = [
        parts.head("activations"),
        "| activation | formula | derivative at kinks |",
    ]
    lines += ["|---|---|---|"]
    sections: list[str] = []
    for name in relujax.names(gated=True):
        known, act = REGISTRY.definition(name), relujax.get(name)
        properties = relujax.properties(act)
        found = facts(act, properties)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.svg"
            write_portrait(act, properties, path)
            picture = path.read_bytes()
        with mkdocs_gen_files.open(f"reference/pictures/{name}.svg", "wb") as file:
            file.write(picture)
        kinks = found["derivative at kinks"]
        lines.append(f"| [`{name}`](#{name}) | {parts.code(known.formula)} | {kinks} |")
        sections += parts.activation(name, known.formula, found)
    return "\n".join([*lines, "", *sections])


def commands() -> str:
    """What `--help` says of each command."""
    lines = [parts.head("commands")]
    for name in COMMANDS:
        lines += [f"## relujax {name}", "", "```text", _help(name), "```", ""]
    return "\n".join(lines)


def _help(command: str) -> str:
    from relujax.cli import main

    argv, printed = sys.argv, io.StringIO()
    sys.argv = ["relujax", command, "--help"]
    try:
        with redirect_stdout(printed):
            main()
    except SystemExit:
        pass
    finally:
        sys.argv = argv
    return parts.plain(printed.getvalue())


def write(path: str, text: str) -> None:
    """Write a page of the site."""
    with mkdocs_gen_files.open(path, "w", encoding="utf-8") as file:
        file.write(text)


write("reference/activations.md", activations())
write("reference/metrics.md", parts.metrics())
write("reference/parts.md", parts.names_of_parts())
write("reference/versions.md", parts.versions(ROOT / "pyproject.toml"))
write("reference/commands.md", commands())
write("statements.md", statements.page(ROOT / "experiments"))
for notebook in sorted((ROOT / "docs/tutorials").glob("*.ipynb")):
    body, pictures = tutorials.executed(notebook)
    write(f"tutorials/{notebook.stem}.md", body)
    for path, content in pictures.items():
        with mkdocs_gen_files.open(f"tutorials/{path}", "wb") as file:
            file.write(content)
