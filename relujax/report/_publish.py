"""A report as a small folder of Markdown and figures, for version control."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from relujax.analysis import judge
from relujax.report._origin import named, training_time, versions
from relujax.report._record import read_record
from relujax.report._style import slug
from relujax.study import Study

_TABLES = {
    "claims": "Claims and verdicts",
    "summary": "All activations",
    "comparisons": "Against the baseline",
    "comparisons-regression": "Against the baseline, regression",
}

#: Figures that are copied besides the exhibits, by the end of their name.
_FIGURES = (
    "overview",
    "overview-regression",
    "seeds",
    "seeds-regression",
    "accuracy",
    "mse",
    "loss",
    "signal",
)

_LONGEST = 80  # lines of a table that is copied

# Few colours are enough for flat drawings and make a third of the bytes.
_COLORS = 128


def publish(
    study: Study,
    profile: str,
    frame: pd.DataFrame,
    provenance: Mapping[str, Any],
    report: Path,
    out: Path,
) -> Path:
    """Copy a written report's tables and main figures, and say where they come from.

    Copied is what its `report.json` names, not whatever else lies in the folder: all
    exhibits, and of our own figures those of scores, losses and signals.

    Args:
      study: what was run.
      profile: which grid of it.
      frame: long-form results, as for `write`.
      provenance: as for `write`.
      report: the folder that `write` has written.
      out: receives `README.md` and `figures/`; what it held before is replaced.

    Returns:
      The path of `README.md`.
    """
    shutil.rmtree(out, ignore_errors=True)
    (out / "figures").mkdir(parents=True)
    record = read_record(report)
    tables, figures = record["tables"], {f["name"]: f for f in record["figures"]}
    exhibits = {slug(exhibit.title): exhibit for exhibit in study.exhibits}
    title = study.paper.title if study.paper else study.id
    parts = [f"# {title}", f"Profile `{profile}`: {study.question}"]
    parts.append(_origin(provenance))
    parts += _table(report, tables, "claims", _TABLES["claims"])
    found = judge(study.claims, frame)
    parts.append("\n".join(f"- `{j.claim.id}`: {j.evidence.summary}" for j in found))
    for name, exhibit in exhibits.items():
        parts += _table(report, tables, name, exhibit.title)
        if name in figures:
            parts += _figure(report, out, figures[name])
    for name in ("summary", "comparisons", "comparisons-regression"):
        parts += _table(report, tables, name, _TABLES[name])
    for name, figure in figures.items():
        if name.endswith(_FIGURES) and name not in exhibits:
            parts += _figure(report, out, figure)
    path = out / "README.md"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def _origin(provenance: Mapping[str, Any]) -> str:
    """Command, date, machine and data, as a list."""
    lines = [
        f"- Command: `{provenance['command']}`",
        f"- Date: {provenance['date']}; revision: {provenance['git'] or 'none'}",
        f"- Machine: {provenance['device']}",
        f"- Time in training: {training_time(provenance)}",
        f"- Versions: {versions(provenance)}",
    ]
    for name, item in named(provenance):
        lines.append(
            f"- Data `{name}`: {item['source']} {item['n_train']} training and "
            f"{item['n_test']} test examples, sha256 `{item['sha256']}`. "
            f"{item.get('note', '')}".strip()
        )
    # The splits of a data set are of one origin.
    return "\n".join(dict.fromkeys(lines))


def _table(report: Path, tables: list[str], name: str, title: str) -> list[str]:
    if name not in tables:
        return []
    text = (report / f"{name}.md").read_text(encoding="utf-8").strip()
    # A table of hundreds of rows is for the report.
    return [f"## {title}", text] if len(text.splitlines()) <= _LONGEST else []


def _figure(report: Path, out: Path, figure: Mapping[str, Any]) -> list[str]:
    name = f"{figure['name']}.png"
    drawn = Image.open(report / "figures" / name).convert("RGB")
    small = drawn.quantize(_COLORS, dither=Image.Dither.NONE)
    small.save(out / "figures" / name, optimize=True)
    title = ": ".join(filter(None, (figure["title"], figure["task"])))
    return [f"## {title}", f"![{title}](figures/{name})", figure["caption"]]
