"""A report as a small folder of Markdown and figures, for version control."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from relujax.analysis import judge
from relujax.report._style import slug
from relujax.study import Study

_TABLES = {
    "claims": "Claims and verdicts",
    "summary": "All activations",
    "comparisons": "Against the baseline",
}

#: Figures that are copied besides the exhibits, by the end of their file name.
_FIGURES = ("overview", "accuracy", "mse", "loss", "signal")

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
    exhibits = {slug(exhibit.title): exhibit for exhibit in study.exhibits}
    title = study.paper.title if study.paper else study.id
    parts = [f"# {title}", f"Profile `{profile}`: {study.question}"]
    parts.append(_origin(provenance))
    parts += _table(report, "claims", _TABLES["claims"])
    found = judge(study.claims, frame)
    parts.append("\n".join(f"- `{j.claim.id}`: {j.evidence.summary}" for j in found))
    for name, exhibit in exhibits.items():
        parts += _table(report, name, exhibit.title)
        parts += _figure(report, out, name, exhibit.title, exhibit.caption)
    for name in ("summary", "comparisons"):
        parts += _table(report, name, _TABLES[name])
    for path in sorted((report / "figures").glob("*.png")):
        if path.stem.endswith(_FIGURES) and path.stem not in exhibits:
            words = path.stem.replace("-", " ").capitalize()
            parts += _figure(report, out, path.stem, words, "")
    path = out / "README.md"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def _origin(provenance: Mapping[str, Any]) -> str:
    """Command, date, machine and data, as a list."""
    versions = ", ".join(f"{k} {v}" for k, v in provenance["versions"].items())
    lines = [
        f"- Command: `{provenance['command']}`",
        f"- Date: {provenance['date']}; revision: {provenance['git'] or 'none'}",
        f"- Training time: {float(provenance['wall_seconds']) / 60:.0f} minutes on "
        f"{provenance['device']}",
        f"- Versions: {versions}",
    ]
    for item in provenance["data"]:
        lines.append(
            f"- Data: {item['source']} {item['n_train']} training and {item['n_test']} "
            f"test examples, sha256 `{item['sha256']}`. {item.get('note', '')}".strip()
        )
    # The splits of a data set are of one origin.
    return "\n".join(dict.fromkeys(lines))


def _table(report: Path, name: str, title: str) -> list[str]:
    path = report / f"{name}.md"
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8").strip()
    # A table of hundreds of rows is for the report.
    return [f"## {title}", text] if len(text.splitlines()) <= _LONGEST else []


def _figure(report: Path, out: Path, name: str, title: str, caption: str) -> list[str]:
    path = report / "figures" / f"{name}.png"
    if not path.is_file():
        return []
    small = Image.open(path).convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE)
    small.save(out / "figures" / path.name, optimize=True)
    return [f"## {title}", f"![{title}](figures/{path.name})", *filter(None, [caption])]
