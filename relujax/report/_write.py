"""Writing a report: a function of stored results, none of which is trained again."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from relujax import files
from relujax.errors import InputError
from relujax.report import _text
from relujax.report._captions import comparisons_caption, summary_caption
from relujax.report._exhibits import Made, make_exhibits
from relujax.report._origin import data_table, machine_table, notes_of, protocol_table
from relujax.report._output import Output, earlier
from relujax.report._plates import overview_plate, seeds_plate, task_plates
from relujax.report._record import NAME, exhibit_tables, figures_of, ledger_row
from relujax.report._style import Plate, data_uri, png, slug, styles, svg
from relujax.statistics import (
    by_kind,
    conclusion,
    diverged,
    know_metrics,
    metric_of,
    paired_comparisons,
    primary_metric,
    summary,
    task_label,
    tasks,
)
from relujax.studies import VERDICTS, Judgement, Study, judge, pool_splits, promise

DRAWN = 40  # activations in a figure; of more, the best are drawn
DETAILED = 8  # more tasks than these have no figures of their own, but an overview


def write(
    study: Study,
    profile: str,
    frame: pd.DataFrame,
    provenance: Mapping[str, Any],
    out_dir: str | Path,
    *,
    alpha: float = 0.05,
    note: str = "",
    mark: str = "",
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
        It lists every file with its hash; those that an earlier report there lists,
        and that have not changed since, are removed, and nothing else.
      alpha: the family-wise error rate of the verdicts.
      note: what a reader must know first, a sentence.
      mark: names everything that the report is made of; see `current`.

    Raises:
      InputError: the results are empty, or lack the baseline.
    """
    know_metrics(frame)
    if frame.empty:
        raise InputError(f"No results of {study.id!r} to report: run the study first.")
    out = Output(Path(out_dir))
    protocol = protocol_table(frame, profile)
    networks = len(frame.drop_duplicates(["cell", "seed"]))
    judgements = judge(study.claims, frame, alpha)
    exhibits = make_exhibits(study.exhibits, frame)
    # Claims and exhibits see every split; the rest, the mean over a data set's splits.
    frame = pool_splits(frame)
    kinds = [Kind.of(part, study.baseline, alpha) for part in by_kind(frame)]
    sentence = " ".join(kind.sentence for kind in kinds)
    tables = _tables(study, frame, kinds, judgements, alpha)
    out.clear(earlier(out.folder / NAME))
    for name, (table, caption) in tables.items():
        _write_table(out, study, name, table, caption)
    sections = _sections(frame, kinds, study.baseline, out)
    shown = _shown(exhibits, out, study)
    page = template("report.html.j2").render(
        study=study,
        exhibits_title=_exhibits_title(study),
        profile=profile,
        provenance=provenance,
        sentence=sentence,
        notes=[*filter(None, [note]), *_notes(provenance, frame)],
        contents=_contents(study, sections),
        exhibits=shown,
        **_verdicts(judgements, alpha),
        summary=tables["summary"],
        comparisons=[tables[kind.name] for kind in kinds if kind.name in tables],
        sections=sections,
        protocol=protocol,
        data=data_table(provenance),
        machine=machine_table(provenance),
    )
    out.write("report.html", page)
    record = {
        **_about(study, profile, alpha),
        "sentence": sentence,
        "networks": networks,
        "claims": [ledger_row(j) for j in judgements],
        "tables": [*tables, *exhibit_tables(shown)],
        "figures": figures_of([*shown, *sections]),
        "provenance": dict(provenance),
        "mark": mark,
        "files": out.written,
    }
    files.write_json(out.folder / NAME, record)
    return out.folder / "report.html"


def _tables(
    study: Study,
    frame: pd.DataFrame,
    kinds: Sequence["Kind"],
    judgements: Sequence[Judgement],
    alpha: float,
) -> dict[str, tuple[pd.DataFrame, str]]:
    """The tables by name, each with its caption; none without rows."""
    claims = _text.claims_text(judgements, of_paper=bool(study.paper))
    baseline = study.baseline
    ended = summary(frame, baseline)
    found = {
        "summary": (_text.summary_text(ended, frame), summary_caption(frame, ended)),
        **{
            kind.name: (
                kind.text(baseline, alpha),
                comparisons_caption(kind.frame, kind.metric, baseline, alpha),
            )
            for kind in kinds
        },
        "claims": (claims, _text.claims_caption(judgements, alpha)),
    }
    return {name: pair for name, pair in found.items() if len(pair[0])}


def _about(study: Study, profile: str, alpha: float) -> dict[str, Any]:
    """What the record says of a study whose file is not at hand."""
    return {
        "study": study.id,
        "profile": profile,
        "question": study.question,
        "paper": study.paper and asdict(study.paper),
        "alpha": alpha,
    }


def _verdicts(judgements: Sequence[Judgement], alpha: float) -> dict[str, Any]:
    """What the page needs to show claims and their verdicts."""
    return {
        "judgements": judgements,
        "tally": tally(j.verdict for j in judgements),
        "promise": promise(judgements, alpha),
        "exploratory": sum(j.claim.exploratory for j in judgements),
        "chosen_rival": _text.CHOSEN_RIVAL,
        "alpha": alpha,
        "measured": _text.measured,
        "count": _text.count,
        "out_of_reach": _text.out_of_reach,
        "p_value": _text.p_value,
    }


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
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("relujax.report", package_path=""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["web"] = web
    return environment.get_template(name)


def web(url: str) -> str:
    """A link that a page may have; empty for anything but a web address.

    >>> web("https://arxiv.org/abs/1"), web("javascript:alert(1)")
    ('https://arxiv.org/abs/1', '')
    """
    return url if re.fullmatch(r"https?://[^\s\"'<>\\]+", str(url)) else ""


def _write_table(
    out: Output, study: Study, name: str, table: pd.DataFrame, caption: str
) -> None:
    out.write(f"{name}.md", f"{_text.markdown(table)}\n\n{_text.inline(caption)}\n")
    tex = _text.latex(table, caption, f"tab:{slug(study.id)}-{name}")
    out.write(f"{name}.tex", tex)


def _sections(
    frame: pd.DataFrame, kinds: Sequence[Kind], baseline: str, out: Output
) -> list[dict]:
    frame, kinds = _drawn(frame, kinds, baseline)
    every = tasks(frame)
    look = styles(list(frame["activation"].unique()), baseline)
    compared = pd.concat([kind.compared for kind in kinds])
    sections = []
    several = [k for k in kinds if len(tasks(k.frame)) > 1 and len(k.compared)]
    overviews = [overview_plate(k.frame, k.compared, look, baseline) for k in several]
    if len(every) > DETAILED:
        overviews += [seeds_plate(kind.frame, look, baseline) for kind in several]
    if overviews:
        sections.append(_section("overview-section", "All tasks", overviews, out))
    for task in [] if len(every) > DETAILED else every:
        label = task_label(task, every)
        title = f"Figures: {label}" if len(every) > 1 else "Figures"
        plates = task_plates(frame, compared, task, look, baseline)
        if not plates:
            continue  # Every seed diverged: the notes say so.
        section = _section(f"figures-{slug(label)}", title, plates, out)
        sections.append(section | {"task": label if len(every) > 1 else ""})
    return sections


def _drawn(
    frame: pd.DataFrame, kinds: Sequence[Kind], baseline: str
) -> tuple[pd.DataFrame, list[Kind]]:
    """What figures show: all activations or, of many, the baseline and the best."""
    if frame["activation"].nunique() <= DRAWN:
        return frame, list(kinds)
    found = []
    for kind in kinds:
        better = kind.compared.groupby("activation")["difference"].mean()
        better = (
            better if metric_of(kind.metric, kind.frame).higher_is_better else -better
        )
        names = {baseline, *better.nlargest(DRAWN - 1).index}
        rows, compared = kind.frame, kind.compared
        rows = rows[rows["activation"].isin(names)]
        compared = compared[compared["activation"].isin(names)]
        found.append(kind._replace(frame=rows, compared=compared))
    return pd.concat([kind.frame for kind in found]), found


def _section(name: str, title: str, plates: Sequence[Plate], out: Output) -> dict:
    items = [_item(plate, out) for plate in plates]
    return {"id": name, "title": title, "plates": items}


def _item(plate: Plate, out: Output) -> dict:
    code = svg(plate.figure)
    out.write(f"{plate.name}.png", png(plate.figure), figure=True)
    out.write(f"{plate.name}.svg", code, figure=True)
    return {
        "name": plate.name,
        "title": plate.title,
        "caption": plate.caption,
        "uri": data_uri(code),
        "width": round(96 * plate.figure.get_figwidth()),
    }


def _shown(exhibits: Sequence[Made], out: Output, study: Study) -> list[dict]:
    """What the template needs of the exhibits, whose files are written."""
    both = zip(exhibits, study.exhibits, strict=True)
    return [{**_exhibit(made, out, study), "first": e.first} for made, e in both]


def _exhibit(made: Made, out: Output, study: Study) -> dict:
    if isinstance(made, Plate):
        return {"plates": [_item(made, out)]}
    name = slug(made.exhibit.title)
    if made.table is not None:
        _write_table(out, study, name, made.table, made.exhibit.caption)
    return {"id": name, "plates": [], **made._asdict()}


def _contents(
    study: Study, sections: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    wanted = study.paper or study.claims
    claims = [("claims", "Claims and verdicts")] if wanted else []
    below = any(not exhibit.first for exhibit in study.exhibits)
    shown = [("exhibits", _exhibits_title(study))] if below else []
    return [
        *claims,
        *shown,
        ("tables", "Tables"),
        *((section["id"], section["title"]) for section in sections),
        ("protocol", "Protocol and choices"),
        ("provenance", "Data and machine"),
        ("rerun", "How to run it again"),
    ]


def _exhibits_title(study: Study) -> str:
    return f"The {'paper' if study.paper else 'study'}’s figures and tables"


def tally(verdicts: Iterable[str]) -> list[tuple[str, int]]:
    """How many claims have each verdict; verdicts without any are left out."""
    counts = Counter(verdicts)
    return [(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]]


def _notes(provenance: Mapping[str, Any], frame: pd.DataFrame) -> list[str]:
    notes = notes_of(provenance)
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
    many = frame["activation"].nunique()
    if many > DRAWN:
        notes.append(
            f"Figures show the baseline and the best of {many} activations, {DRAWN} in "
            "all; the tables have every one."
        )
    count = len(tasks(frame))
    if count > DETAILED:
        notes.append(
            f"With {count} tasks, none has figures of its own: one overview has their "
            "means, another every seed."
        )
    return notes
