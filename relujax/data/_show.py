"""What a data set looks like in a terminal and in a notebook; no array is dumped."""

from collections.abc import Mapping
from html import escape

import numpy as np

from relujax.data._dataset import Dataset

# Classes that a table lists; the rest are counted.
_LISTED = 20


def one_line(data: Dataset) -> str:
    """Name, task, sizes, shape and classes: the `repr` of a data set."""
    return f"<{data.name}: {data.task}, {_sizes(data)}, {_outputs(data)}>"


def facts(data: Dataset) -> Mapping[str, str]:
    """Heading to words: what there is to say of a data set."""
    origin = data.provenance
    return {
        "task": f"{data.task}, {_outputs(data)}",
        "examples": _sizes(data),
        "from": origin.source,
        "sha256": origin.sha256,
        "documented at": origin.url,
        "note": origin.note,
    }


def class_counts(data: Dataset) -> list[tuple[str, dict[str, int]]]:
    """Name of each class, and its number of examples by part; none for regression."""
    if data.classes is None:
        return []
    counts = {
        part: np.bincount(y[(y >= 0) & (y < data.classes)], minlength=data.classes)
        for part, _, y in data.parts()
    }
    return [
        (class_name(data, label), {part: int(n[label]) for part, n in counts.items()})
        for label in range(data.classes)
    ]


def class_name(data: Dataset, label: int) -> str:
    """The name of a class; its number if it has none."""
    names = data.class_names
    return names[label] if names and label < len(names) else str(label)


def html(data: Dataset) -> str:
    """The facts and the classes as two tables, for a notebook."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(heading)}</th>"
        f"<td style='text-align:left'>{escape(words)}</td></tr>"
        for heading, words in facts(data).items()
        if words
    )
    title = f"<caption><b>{escape(data.name)}</b></caption>"
    return f"<table>{title}{rows}</table>{_class_table(data)}"


def _class_table(data: Dataset) -> str:
    counted = class_counts(data)
    if not counted:
        return ""
    parts = [part for part, _, _ in data.parts()]
    cells = [["class", *parts]]
    cells += [[name, *(f"{n[p]:,}" for p in parts)] for name, n in counted[:_LISTED]]
    if len(counted) > _LISTED:
        cells.append([f"and {len(counted) - _LISTED:,} more", *("" for _ in parts)])
    rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in cells)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _sizes(data: Dataset) -> str:
    counts = [f"{len(x):,} {part}" for part, x, _ in data.parts()]
    return f"{' + '.join(counts)}, each {' x '.join(map(str, data.shape))}"


def _outputs(data: Dataset) -> str:
    return "one number" if data.classes is None else f"{data.classes:,} classes"
