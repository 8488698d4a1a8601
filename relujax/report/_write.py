"""Writing a report: a pure function of stored results. Nothing here trains."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from relujax.analysis import (
    METRICS,
    Judgement,
    conclusion,
    judge,
    paired_comparisons,
    primary_metric,
    summary,
)
from relujax.analysis._results import TASK, diverged, task_label, tasks
from relujax.errors import InputError
from relujax.report import _text
from relujax.report._exhibits import Made, make_exhibits
from relujax.report._plates import overview_plate, task_plates
from relujax.report._style import Plate, save, slug, styles
from relujax.study import Study

DETAILED = 8  # tasks with figures of their own; more are compared in one overview


def write(
    study: Study,
    profile: str,
    frame: pd.DataFrame,
    provenance: Mapping[str, Any],
    out_dir: str | Path,
    *,
    alpha: float = 0.05,
) -> Path:
    """Write the report of a study and return the path of its `report.html`.

    Args:
      study: its paper, question, baseline, claims and choices.
      profile: the name of the profile that was run.
      frame: long-form results, one row per cell, seed, epoch and split.
      provenance: command, date, versions, device, wall_seconds, data and git.
      out_dir: receives `report.html`, `summary`, `comparisons` and `claims` as `.md`
        and `.tex`, and each figure as PNG and SVG under `figures/`.
      alpha: the family-wise error rate of the verdicts.

    Raises:
      InputError: the results are empty, or lack the baseline.
    """
    if frame.empty:
        raise InputError(f"No results of {study.id!r} to report: run the study first.")
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    metric, baseline = primary_metric(frame), study.baseline
    sentence = conclusion(frame, metric, baseline, alpha=alpha)
    compared = paired_comparisons(frame, metric, baseline)
    judgements = judge(study.claims, frame, alpha)
    ended = summary(frame, baseline)
    captions = {
        "summary": _summary_caption(frame, ended),
        "comparisons": _comparisons_caption(metric, baseline, alpha),
        "claims": f"Claims of the paper and verdicts at α = {alpha:g} (Holm).",
    }
    tables = {
        "summary": _text.summary_text(ended, frame),
        "comparisons": _text.comparisons_text(compared, metric, baseline, alpha),
        "claims": _text.claims_text(judgements),
    }
    for name, table in tables.items():
        _write_table(out, study, name, table, captions[name])
    sections = _sections(frame, compared, baseline, out / "figures")
    exhibits = make_exhibits(study.exhibits, frame)
    page = _template().render(
        study=study,
        profile=profile,
        provenance=provenance,
        sentence=sentence,
        notes=_notes(frame),
        contents=_contents(study, exhibits, sections),
        exhibits=[_exhibit(made, out, study) for made in exhibits],
        judgements=judgements,
        tally=_tally(judgements),
        tested=sum(j.p is not None for j in judgements),
        alpha=alpha,
        measured=_text.measured,
        p_value=_text.p_value,
        summary=tables["summary"],
        summary_caption=captions["summary"],
        comparisons=tables["comparisons"],
        comparisons_caption=captions["comparisons"],
        sections=sections,
        protocol=_protocol(frame, profile),
        data=_data(provenance),
        machine=_machine(provenance),
    )
    path = out / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _template() -> jinja2.Template:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("relujax.report", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    ).get_template("report.html.j2")


def _write_table(
    out: Path, study: Study, name: str, table: pd.DataFrame, caption: str
) -> None:
    if table.empty:
        return
    text = f"{_text.markdown(table)}\n\n{caption}\n"
    (out / f"{name}.md").write_text(text, encoding="utf-8")
    tex = _text.latex(table, caption, f"tab:{slug(study.id)}-{name}")
    (out / f"{name}.tex").write_text(tex, encoding="utf-8")


def _sections(
    frame: pd.DataFrame, compared: pd.DataFrame, baseline: str, folder: Path
) -> list[dict]:
    every = tasks(frame)
    look = styles(list(frame["activation"].unique()), baseline)
    sections = []
    if len(every) > 1 and len(compared):
        plate = overview_plate(frame, compared, look, baseline)
        sections.append(_section("overview-section", "All tasks", [plate], folder))
    for task in every[:DETAILED]:
        label = task_label(task, every)
        title = f"Figures: {label}" if len(every) > 1 else "Figures"
        plates = task_plates(frame, compared, task, look, baseline)
        if not plates:
            continue  # Every seed diverged: the notes say so.
        sections.append(_section(f"figures-{slug(label)}", title, plates, folder))
    return sections


def _section(name: str, title: str, plates: Sequence[Plate], folder: Path) -> dict:
    items = [_item(plate, folder) for plate in plates]
    return {"id": name, "title": title, "plates": items}


def _item(plate: Plate, folder: Path) -> dict:
    return {
        "name": plate.name,
        "title": plate.title,
        "caption": plate.caption,
        "uri": save(plate, folder),
        "width": round(96 * plate.figure.get_figwidth()),
    }


def _exhibit(made: Made, out: Path, study: Study) -> dict:
    """What the template needs of an exhibit, whose files are written."""
    if isinstance(made, Plate):
        return {"plates": [_item(made, out / "figures")]}
    name = slug(made.exhibit.title)
    if made.table is not None:
        _write_table(out, study, name, made.table, made.exhibit.caption)
    return {"id": name, "plates": [], **made._asdict()}


def _contents(
    study: Study, exhibits: Sequence[Made], sections: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    claims = [("claims", "Claims and verdicts")] if study.paper else []
    shown = [("exhibits", "The paper’s figures and tables")] if exhibits else []
    return [
        *claims,
        *shown,
        ("tables", "Tables"),
        *((section["id"], section["title"]) for section in sections),
        ("protocol", "Protocol and choices"),
        ("provenance", "Data and machine"),
        ("rerun", "How to run it again"),
    ]


def _tally(judgements: Sequence[Judgement]) -> list[tuple[str, int]]:
    counts = Counter(j.verdict for j in judgements)
    order = ("supported", "contradicted", "undecided")
    return [(verdict, counts[verdict]) for verdict in order if counts[verdict]]


def _notes(frame: pd.DataFrame) -> list[str]:
    notes = []
    lost = frame[diverged(frame)].drop_duplicates(["cell", "seed"])
    if len(lost):
        counts = lost["activation"].value_counts()
        names = ", ".join(f"{name}: {count}" for name, count in counts.items())
        networks = "network" if len(lost) == 1 else "networks"
        notes.append(
            f"{len(lost)} trained {networks} diverged ({names}), left out of every "
            "mean and test, which flatters the activations concerned."
        )
    seeds = frame["seed"].nunique()
    if seeds < 5:
        notes.append(
            f"These results have {seeds} seed{'s' * (seeds != 1)}: too few to decide "
            "much. At least ten are advisable."
        )
    count = len(tasks(frame))
    if count > DETAILED:
        notes.append(
            f"The first {DETAILED} of {count} tasks have figures of their own; the "
            "overview and the tables hold all."
        )
    return notes


def _summary_caption(frame: pd.DataFrame, ended: pd.DataFrame) -> str:
    limits = ", ".join(f"{x:.3g}" for x in ended["loss_threshold"].unique()[:4])
    several = ended["loss_threshold"].nunique() > 4
    return (
        "Mean over seeds [95 % confidence interval] at the last epoch. Dead units are "
        "the mean over hidden layers. Epochs to loss: median over seeds of the first "
        "epoch with a training loss of at most what the baseline has after half of its "
        f"epochs ({limits}{', …' if several else ''})."
    )


def _comparisons_caption(metric: str, baseline: str, alpha: float) -> str:
    return (
        f"Differences in test {METRICS[metric].label} from {baseline}, paired by seed, "
        "with 95 % confidence intervals; d_z is the mean difference in standard "
        "deviations of the differences; better, equal and worse count seeds. p is "
        f"two-sided; an asterisk marks p ≤ {alpha:g} after Holm’s correction over this "
        "table."
    )


def _protocol(frame: pd.DataFrame, profile: str) -> pd.DataFrame:
    epochs = sorted(frame.groupby("cell")["epoch"].max().unique())
    seeds = frame.groupby("cell")["seed"].nunique()
    low, high = seeds.min(), seeds.max()
    rows = {
        "profile": profile,
        **{c: _listing(frame[c]) for c in [*TASK, "activation"]},
        "seeds per cell": str(low) if low == high else f"{low} to {high}",
        "epochs": ", ".join(map(str, epochs)),
        "networks trained": str(int(seeds.sum())),
    }
    return pd.DataFrame({"setting": rows.keys(), "value": rows.values()})


def _listing(column: pd.Series) -> str:
    return ", ".join(map(str, column.unique()))


def _data(provenance: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "data set": item["name"],
                "source": item["source"],
                "training / test examples": f"{item['n_train']} / {item['n_test']}",
                "sha256": item["sha256"],
            }
            for item in provenance["data"]
        ]
    )


def _machine(provenance: Mapping[str, Any]) -> pd.DataFrame:
    seconds = float(provenance["wall_seconds"])
    wall = f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
    versions = ", ".join(f"{k} {v}" for k, v in provenance["versions"].items())
    rows = {
        "device": provenance["device"],
        "wall time": wall,
        "versions": versions,
        "commit": provenance["git"] or "not a git checkout",
        "date": provenance["date"],
    }
    return pd.DataFrame({"machine": rows.keys(), "": rows.values()})
