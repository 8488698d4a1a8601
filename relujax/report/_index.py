"""One page over the reports of all studies: the ledger of all claims."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relujax import files
from relujax.report._origin import data_notes, wall_time
from relujax.report._output import read_record
from relujax.report._record import NAME
from relujax.report._style import data_uri
from relujax.report._text import CHOSEN_RIVAL
from relujax.report._write import tally, template


def write_index(
    reports: Sequence[Path],
    out: Path,
    *,
    skipped: Mapping[str, str],
    command: str = "relujax report",
) -> Path:
    """Write `report.html` over the reports of several studies; return its path.

    A study that was run in several profiles is in the ledger once, with the one that
    trained the most networks; the page links to the others.

    Args:
      reports: each study's `report.html`, as `write` returns it.
      out: the folder that the page is written to; its links are relative to it.
      skipped: what could not be reported, and why.
      command: the command line that writes it.
    """
    studies = _by_study([_entry(path, out) for path in reports])
    claims = [claim for entry in studies for claim in entry["claims"]]
    page = template("index.html.j2").render(
        studies=studies,
        tally=tally(claim["verdict"] for claim in claims),
        claims=len(claims),
        untested=sum(not claim["tested"] for claim in claims),
        networks=sum(entry["networks"] for entry in studies),
        notes=_notes(studies),
        chosen_rival=CHOSEN_RIVAL,
        alphas=sorted({entry["alpha"] for entry in studies}),
        skipped=skipped,
        command=command,
    )
    path = out / "report.html"
    files.write(path, page)
    return path


def _entry(path: Path, out: Path) -> dict[str, Any]:
    """What the page shows of one report."""
    record = read_record(path.with_name(NAME))
    figure = next(iter(record["figures"]), None)
    if figure is not None:
        picture = path.parent / "figures" / f"{figure['name']}.svg"
        figure["uri"] = data_uri(files.read(picture))
    provenance = record["provenance"]
    return record | {
        "figure": figure,
        "link": path.relative_to(out).as_posix(),
        "tally": tally(claim["verdict"] for claim in record["claims"]),
        "wall_time": wall_time(provenance["wall_seconds"]),
        "notes": data_notes(provenance),
    }


def _notes(studies: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What must be known of the data, to the studies that used them."""
    notes: dict[str, list[str]] = {}
    for study in studies:
        for note in study["notes"]:
            notes.setdefault(note, []).append(study["study"])
    return notes


def _by_study(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per study, its fullest; `others` holds those of other profiles."""
    studies: dict[str, list[dict[str, Any]]] = {}
    for entry in sorted(entries, key=lambda e: e["networks"], reverse=True):
        studies.setdefault(entry["study"], []).append(entry)
    return [
        {**most, "others": others} for _, (most, *others) in sorted(studies.items())
    ]
