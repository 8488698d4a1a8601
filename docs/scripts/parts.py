"""Pieces of the generated pages."""

import inspect
import re
import tomllib
from functools import partial
from pathlib import Path

from relujax.data import SOURCES, list_datasets
from relujax.engine import TRAININGS
from relujax.networks import MODELS
from relujax.statistics import METRICS as COLUMNS
from relujax.training import METRICS, OBJECTIVES, OPTIMIZERS

_HEADS = {
    "activations": """# Every activation

Left: the value. Right: the derivative; a dot marks what is taken at a jump. Shades:
the middle 50, 80 and 95 % of draws in training. A name on this page is a
[spec](specs.md): `relujax.get("leaky_relu(negative_slope=0.2)")`. All functions keep
the dtype of their input, and no finite input gives NaN, in value or derivative.
""",
    "commands": """# Commands

`relujax --help` lists them. Exit codes: 0 done, 1 a network failed, 2 bad input.
""",
    "metrics": """# Metrics

Metrics are columns of [`Results.frame`](columns.md). The first table lists the columns
that a run has by itself; those of the second are added by
`Cell(metrics=("auroc", ...))`. How to bring your own:
[Own loss, metric or optimiser](../howto/own-parts.md).

## Columns of every run
""",
    "parts": """# Names of data, models, losses and optimisers

What a [`Cell`](api-runs.md#relujax.Cell) takes by name. Numbers in brackets are
written in the [spec](specs.md); import paths and objects of your own work in the same
places.
""",
    "versions": """# Supported versions

The lowest versions that the package declares. pip installs what is missing.

| package | from | needed for |
|---|---|---|
""",
}


def head(page: str) -> str:
    """Title and introduction of a generated page."""
    return _HEADS[page]


def code(text: str) -> str:
    """A formula in a cell of a table, where a bar would end the cell."""
    return f"<code>{_escaped(text)}</code>"


def _escaped(text: str) -> str:
    for char, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", "&#124;"),
        ("*", "&#42;"),
    ):
        text = text.replace(char, entity)
    return text.replace("_", "&#95;")


def activation(name: str, formula: str, found: dict[str, str]) -> list[str]:
    """The section of one activation."""
    rows = [f"| {key} | {_cell(value)} |" for key, value in found.items()]
    return [
        f"## {name}",
        "",
        f"![{name}: value and derivative](pictures/{name}.svg){{ .activation }}",
        "",
        f"| formula | {code(formula)} |",
        "|---|---|",
        *rows,
        "",
        '??? note "The function"',
        "",
        f"    ::: relujax.{name}",
        "        options:",
        "          heading_level: 5  # below the table of contents",
        "",
    ]


def _cell(value: str) -> str:
    return _escaped(value) if re.search(r"[|<*_]", value) else value


def metrics() -> str:
    """The columns of every run, and those that can be asked for."""
    lines = [
        head("metrics"),
        "| column | meaning | unit | better |",
        "|---|---|---|---|",
    ]
    for name, m in COLUMNS.items():
        better = "higher" if m.higher_is_better else "lower"
        lines.append(f"| `{name}` | {m.label} | {m.unit or '–'} | {better} |")
    lines += [
        "",
        "## Metrics by name",
        "",
        "| spec | better | meaning |",
        "|---|---|---|",
    ]
    for name in METRICS:
        part = METRICS.part(name)
        better = "higher" if METRICS.higher_is_better(part) else "lower"
        lines.append(
            f"| {code(_spec(METRICS, name))} | {better} | {_summary(part.factory)} |"
        )
    return "\n".join([*lines, ""])


def names_of_parts() -> str:
    """The data sets, models, objectives, optimisers and trainings that have a name."""
    lines = [head("parts"), "## Data", ""]
    lines += ["| spec | what | size | from |", "|---|---|---|---|"]
    for d in list_datasets():
        words = " | ".join(_cell(text) for text in (d.title, d.size, d.origin))
        lines.append(f"| {code(_spec(SOURCES, d.name))} | {words} |")
    titled = {
        "Models": MODELS,
        "Objectives": OBJECTIVES,
        "Optimisers": OPTIMIZERS,
        "Trainings": TRAININGS,
    }
    for title, registry in titled.items():
        lines += ["", f"## {title}", "", "| spec | what |", "|---|---|"]
        lines += [_row(registry, name) for name in registry]
    return "\n".join([*lines, ""])


def versions(pyproject: Path) -> str:
    """What the package declares."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    lines = [head("versions").rstrip()]
    lines.append(f"| Python | {_floor(project['requires-python'])} | everything |")
    extras = project["optional-dependencies"]
    wanted = {"the package": project["dependencies"]} | {
        f"`relujax[{name}]`": needs
        for name, needs in extras.items()
        if name not in ("test", "docs", "bench")
    }
    for what, needs in wanted.items():
        for need in needs:
            name = re.match(r"[\w.-]+(\[[^]]*\])?", need)[0]
            if not name.startswith("relujax"):
                lines.append(f"| {name} | {_floor(need[len(name) :])} | {what} |")
    return "\n".join([*lines, ""])


def _floor(text: str) -> str:
    found = re.search(r">=\s*([\w.]+)", text)
    return found[1] if found else "any"


def _row(registry, name: str) -> str:
    entry = registry.entry(name)
    return f"| {code(_spec(registry, name))} | {_summary(entry.factory)} |"


def _spec(registry, name: str) -> str:
    taken = registry.entry(name).parameters.items()
    given = [k if p.default is inspect.Parameter.empty else f"{k}={p.default!r}"
             for k, p in taken]  # fmt: skip
    return f"{name}({', '.join(given)})" if given else name


def _summary(factory) -> str:
    while isinstance(factory, partial):
        factory = factory.args[0] if factory.args else factory.func
    text = inspect.getdoc(factory) or ""
    return _cell(text.partition("\n\n")[0].replace("\n", " "))


def plain(text: str) -> str:
    """Text of a terminal without its frames and colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [re.sub(r"[│╭╮╰╯─┌┐└┘]", " ", line).rstrip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line.strip())
