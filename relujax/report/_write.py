"""Writing a report: a pure function of stored results. Nothing here trains."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from relujax.analysis import (
    METRICS,
    conclusion,
    judge,
    paired_comparisons,
    pool_splits,
    primary_metric,
    summary,
)
from relujax.analysis._results import by_kind, diverged, task_label, tasks
from relujax.errors import InputError
from relujax.report import _text
from relujax.report._exhibits import Made, make_exhibits
from relujax.report._origin import data_notes, data_table, machine_table, protocol_table
from relujax.report._plates import overview_plate, seeds_plate, task_plates
from relujax.report._record import (
    clear,
    exhibit_tables,
    figures_of,
    ledger_row,
    write_record,
)
from relujax.report._style import Plate, save, slug, styles
from relujax.study import Study

DETAILED = 8  # more tasks than these have no figures of their own, but an overview


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
        and `.tex`, each figure as PNG and SVG under `figures/`, and `report.json`: the
        ledger for programs, from which `write_index` makes one page over all reports.
        It names the tables and figures; those that an earlier report there names are
        removed, and nothing else.
      alpha: the family-wise error rate of the verdicts.

    Raises:
      InputError: the results are empty, or lack the baseline.
    """
    if frame.empty:
        raise InputError(f"No results of {study.id!r} to report: run the study first.")
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    protocol = protocol_table(frame, profile)
    networks = len(frame.drop_duplicates(["cell", "seed"]))
    judgements = judge(study.claims, frame, alpha)
    exhibits = make_exhibits(study.exhibits, frame)
    # Claims and exhibits see every split; the rest, the mean over a data set's splits.
    frame = pool_splits(frame)
    baseline = study.baseline
    kinds = [Kind.of(part, baseline, alpha) for part in by_kind(frame)]
    sentence = " ".join(kind.sentence for kind in kinds)
    ended = summary(frame, baseline)
    captions = {
        "summary": _summary_caption(frame, ended),
        **{kind.name: _comparisons_caption(kind, baseline, alpha) for kind in kinds},
        "claims": _text.claims_caption(judgements, alpha),
    }
    tables = {
        "summary": _text.summary_text(ended, frame),
        **{kind.name: kind.text(baseline, alpha) for kind in kinds},
        "claims": _text.claims_text(judgements),
    }
    tables = {name: table for name, table in tables.items() if len(table)}
    clear(out)
    for name, table in tables.items():
        _write_table(out, study, name, table, captions[name])
    sections = _sections(frame, kinds, baseline, out / "figures")
    shown = [_exhibit(made, out, study) for made in exhibits]
    page = template("report.html.j2").render(
        study=study,
        profile=profile,
        provenance=provenance,
        sentence=sentence,
        notes=[*data_notes(provenance), *_notes(frame)],
        contents=_contents(study, exhibits, sections),
        exhibits=shown,
        judgements=judgements,
        tally=tally(j.verdict for j in judgements),
        planned=sum(j.p is not None and not j.claim.exploratory for j in judgements),
        exploratory=sum(j.claim.exploratory for j in judgements),
        chosen_rival=_text.CHOSEN_RIVAL,
        alpha=alpha,
        measured=_text.measured,
        count=_text.count,
        out_of_reach=_text.out_of_reach,
        p_value=_text.p_value,
        summary=tables["summary"],
        summary_caption=captions["summary"],
        comparisons=[
            (tables[kind.name], captions[kind.name])
            for kind in kinds
            if kind.name in tables
        ],
        sections=sections,
        protocol=protocol,
        data=data_table(provenance),
        machine=machine_table(provenance),
    )
    path = out / "report.html"
    path.write_text(page, encoding="utf-8")
    record = {
        "study": study.id,
        "profile": profile,
        "question": study.question,
        "paper": study.paper and asdict(study.paper),
        "sentence": sentence,
        "networks": networks,
        "alpha": alpha,
        "claims": [ledger_row(j) for j in judgements],
        "tables": [*tables, *exhibit_tables(shown)],
        "figures": figures_of([*shown, *sections]),
        "provenance": dict(provenance),
    }
    write_record(out, record)
    return path


class Kind(NamedTuple):
    """The classification tasks of the results, or those of regression.

    Attributes:
      name: of the table of comparisons.
      frame: the rows.
      metric: what is compared.
      compared: the comparisons with the baseline.
      sentence: what they say.
    """

    name: str
    frame: pd.DataFrame
    metric: str
    compared: pd.DataFrame
    sentence: str

    @classmethod
    def of(cls, frame: pd.DataFrame, baseline: str, alpha: float) -> "Kind":
        metric = primary_metric(frame)
        return cls(
            "comparisons-regression" if metric == "mse" else "comparisons",
            frame,
            metric,
            paired_comparisons(frame, metric, baseline),
            conclusion(frame, metric, baseline, alpha=alpha),
        )

    def text(self, baseline: str, alpha: float) -> pd.DataFrame:
        """The table of comparisons in words."""
        return _text.comparisons_text(self.compared, self.metric, baseline, alpha)


def template(name: str) -> jinja2.Template:
    """One of the pages in this folder."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("relujax.report", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    ).get_template(name)


def _write_table(
    out: Path, study: Study, name: str, table: pd.DataFrame, caption: str
) -> None:
    text = f"{_text.markdown(table)}\n\n{caption}\n"
    (out / f"{name}.md").write_text(text, encoding="utf-8")
    tex = _text.latex(table, caption, f"tab:{slug(study.id)}-{name}")
    (out / f"{name}.tex").write_text(tex, encoding="utf-8")


def _sections(
    frame: pd.DataFrame, kinds: Sequence[Kind], baseline: str, folder: Path
) -> list[dict]:
    every = tasks(frame)
    look = styles(list(frame["activation"].unique()), baseline)
    compared = pd.concat([kind.compared for kind in kinds])
    sections = []
    several = [k for k in kinds if len(tasks(k.frame)) > 1 and len(k.compared)]
    overviews = [overview_plate(k.frame, k.compared, look, baseline) for k in several]
    if len(every) > DETAILED:
        overviews += [seeds_plate(kind.frame, look, baseline) for kind in several]
    if overviews:
        sections.append(_section("overview-section", "All tasks", overviews, folder))
    for task in [] if len(every) > DETAILED else every:
        label = task_label(task, every)
        title = f"Figures: {label}" if len(every) > 1 else "Figures"
        plates = task_plates(frame, compared, task, look, baseline)
        if not plates:
            continue  # Every seed diverged: the notes say so.
        section = _section(f"figures-{slug(label)}", title, plates, folder)
        sections.append(section | {"task": label if len(every) > 1 else ""})
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


def tally(verdicts: Iterable[str]) -> list[tuple[str, int]]:
    """How many claims have each verdict; verdicts without any are left out."""
    counts = Counter(verdicts)
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
    if frame["data"].str.contains("splits=").any():
        notes.append(
            "Data sets with repeated splits: tables and figures show the mean over the "
            "splits, with its interval over seeds. Claims on them also count the "
            "choice of the split as chance."
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
            f"With {count} tasks, none has figures of its own: one overview has their "
            "means, another every seed."
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


def _comparisons_caption(kind: Kind, baseline: str, alpha: float) -> str:
    label = METRICS[kind.metric].label
    return (
        f"Differences in test {label} from {baseline}, paired by seed, "
        "with 95 % confidence intervals; d_z is the mean difference in standard "
        "deviations of the differences; better, equal and worse count seeds. p is "
        f"two-sided; an asterisk marks p ≤ {alpha:g} after Holm’s correction over this "
        "table."
    )
