"""A report as a small folder of Markdown and figures, for version control."""

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from relujax import files
from relujax.errors import InputError
from relujax.report._changes import Change, changes_at, section
from relujax.report._kept import keep
from relujax.report._origin import devices, named, training_time, versions
from relujax.report._output import FIGURES, Output, earlier, read_record
from relujax.report._record import NAME
from relujax.report._style import slug
from relujax.report._text import code, inline
from relujax.studies import VERDICTS, Judgement, Study, judge

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

#: Lists the files of a published report, with their hashes.
_MANIFEST = "manifest.json"

#: How a README begins that was published before there were manifests.
_PUBLISHED = re.compile(r"# .+\n\nProfile `[^`\n]+`: .+\n\n(?:.+\n\n){0,2}- Command: `")

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
    *,
    changes: Sequence[Change] | None = None,
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
      out: receives `README.md`, `figures/`, `results.parquet` and `kept.json`, of
        which the page can be made again, and `manifest.json`, which lists them: what
        an earlier report there lists is replaced, and nothing else is touched.
      changes: of verdicts, which the page lists; by default those since the earlier
        report in `out`.

    Returns:
      The path of `README.md`.

    Raises:
      InputError: `out` holds something else than a published report.
    """
    record = read_record(report / NAME)
    if changes is None:
        changes = changes_at(out, record["claims"])
    kept = _opened(out)
    tables, figures = record["tables"], {f["name"]: f for f in record["figures"]}
    exhibits = {slug(exhibit.title): exhibit for exhibit in study.exhibits}
    title = study.paper.title if study.paper else study.id
    parts = [f"# {inline(title)}", f"Profile `{profile}`: {inline(study.question)}"]
    found = judge(study.claims, frame)
    parts += [inline(record["sentence"]), _tally(found), _origin(provenance)]
    parts += _table(report, tables, "claims", _TABLES["claims"])
    said = [" ".join([j.evidence.summary, *j.notes]) for j in found]
    lines = [
        f"- {code(j.claim.id)}: {inline(s)}" for j, s in zip(found, said, strict=True)
    ]
    parts.append("\n".join(lines))
    parts += section(changes)
    for name, exhibit in exhibits.items():
        parts += _table(report, tables, name, exhibit.title)
        if name in figures:
            parts += _figure(report, kept, figures[name])
    for name in ("summary", "comparisons", "comparisons-regression"):
        parts += _table(report, tables, name, _TABLES[name])
    for name, figure in figures.items():
        if name.endswith(_FIGURES) and name not in exhibits:
            parts += _figure(report, kept, figure)
    parts += _choices(study)
    keep(study, profile, frame, provenance, {**record, "changes": changes}, kept)
    kept.write("README.md", "\n\n".join(filter(None, parts)) + "\n")
    files.write_json(out / _MANIFEST, {"files": kept.written})
    return out / "README.md"


def _tally(found: Sequence[Judgement]) -> str:
    """How many claims have each verdict, in a line; empty without claims."""
    counts = Counter(j.verdict for j in found)
    shown = [f"{counts[v]} {v}" for v in VERDICTS if counts[v]]
    return f"**{len(found)} claims:** {', '.join(shown)}." if found else ""


def _choices(study: Study) -> list[str]:
    """What the paper leaves open, as a list."""
    if not study.choices:
        return []
    lines = [
        f"- **{inline(c.what)}**: {inline(c.chosen)}. {inline(c.why)} Tried as well: "
        f"{inline(c.tried)}."
        for c in study.choices
    ]
    return ["## What is left open, and what we chose", "\n".join(lines)]


def _opened(out: Path) -> Output:
    """The folder to publish to, without what an earlier report there has listed."""
    held = files.entries(out)
    listed = earlier(out / _MANIFEST)
    if held and listed is None and not _is_published(out / "README.md"):
        raise InputError(
            f"Expected an empty folder or a published report in {files.shown(out)}, "
            "got other files: nothing is written there."
        )
    kept = Output(out)
    kept.clear(listed)
    return kept


def _is_published(readme: Path) -> bool:
    try:
        text = files.read(readme).decode(errors="replace")
    except (OSError, files.Refused):
        return False
    return _PUBLISHED.match(text) is not None


def _origin(provenance: Mapping[str, Any]) -> str:
    """Command, date, machine and data, as a list."""
    lines = [
        f"- Command: {code(provenance['command'])}",
        f"- Date: {provenance['date']}; revision: {provenance['git'] or 'none'}",
        *(f"- Machine: {inline(device)}" for device in devices(provenance).values()),
        f"- Time in training: {training_time(provenance)}",
        f"- Versions: {inline(versions(provenance))}",
    ]
    for name, item in named(provenance):
        lines.append(
            f"- Data {code(name)}: {inline(item['source'])} {item['n_train']} training "
            f"and {item['n_test']} test examples, sha256 {code(item['sha256'])}. "
            f"{inline(item.get('note', ''))}".strip()
        )
    # The splits of a data set are of one origin.
    return "\n".join(dict.fromkeys(lines))


def _table(report: Path, tables: list[str], name: str, title: str) -> list[str]:
    if name not in tables:
        return []
    text = files.read(report / f"{name}.md").decode().strip()
    # A table of hundreds of rows is for the report.
    return [f"## {inline(title)}", text] if len(text.splitlines()) <= _LONGEST else []


def _figure(report: Path, kept: Output, figure: Mapping[str, Any]) -> list[str]:
    name = f"{files.checked_name(figure['name'], 'the name of a figure')}.png"
    drawn = Image.open(io.BytesIO(files.read(report / FIGURES / name))).convert("RGB")
    small = io.BytesIO()
    quantized = drawn.quantize(_COLORS, dither=Image.Dither.NONE)
    quantized.save(small, format="png", optimize=True)
    kept.write(name, small.getvalue(), figure=True)
    title = inline(": ".join(filter(None, (figure["title"], figure["task"]))))
    label = re.sub(r"([\[\]])", r"\\\1", title)
    caption = inline(figure["caption"])
    return [f"## {title}", f"![{label}]({FIGURES}/{name})", caption]
