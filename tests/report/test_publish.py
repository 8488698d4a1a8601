import re

from frames import CLAIMS, PROVENANCE, results, study
from matplotlib.figure import Figure

from relujax import Exhibit, report


def drawn(frame):
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot(frame["loss"].head())
    return figure


EXHIBITS = [
    Exhibit(title="Figure 1: the loss", caption="Mean of all.", make=drawn),
    Exhibit(title="Table 1", caption="All seeds.", make=lambda f: f[["seed"]].head(2)),
]


def test_a_published_report_is_small_and_whole(tmp_path):
    frame = results(["relu", "elu", "arelu"])
    asked = study(claims=CLAIMS, exhibits=EXHIBITS)
    page = report.write(asked, "quick", frame, PROVENANCE, tmp_path / "report")
    out = tmp_path / "kept"
    (out / "figures").mkdir(parents=True)
    (out / "figures" / "old.png").touch()
    path = report.publish(asked, "quick", frame, PROVENANCE, page.parent, out)
    text = path.read_text()
    assert PROVENANCE["command"] in text and "9f" * 32 in text
    assert "- Machine: cpu, 2 cores\n- Time in training: 1 min 23 s, with comp" in text
    assert all(claim.quote in text for claim in CLAIMS if "<" not in claim.quote)
    assert "`same-function`: SReLU(β) equals ELU" in text
    assert (
        text.index("## Claims") < text.index("## Figure 1") < text.index("## All act")
    )
    assert "| seed |" in text and "Mean of all." in text
    images = set(re.findall(r"\]\((figures/[^)]+)\)", text))
    assert images == {f"figures/{p.name}" for p in (out / "figures").iterdir()}
    names = {image.removeprefix("figures/") for image in images}
    assert {"figure-1-the-loss.png", "accuracy.png", "signal.png"} <= names
    for name in names:
        whole = page.parent / "figures" / name
        assert (out / "figures" / name).stat().st_size < whole.stat().st_size
    captions = re.findall(r"\]\(figures/[^)]+\)\n\n(.*)", text)
    assert len(captions) == len(images)
    assert all(words and not words.startswith("#") for words in captions)


def test_figures_of_an_earlier_report_are_neither_kept_nor_published(tmp_path):
    folder, figures = tmp_path / "report", tmp_path / "report" / "figures"
    asked = study(exhibits=EXHIBITS)
    for data in [("wdbc(split=0)", "digits"), ("wdbc(split=0)", "wdbc(split=1)")]:
        frame = results(["relu", "elu"], seeds=2, data=data)
        report.write(asked, "quick", frame, PROVENANCE, folder)
        (figures / "mine-accuracy.png").touch()  # Not ours to remove.
    names = {path.stem for path in figures.iterdir()}
    assert not any(name.startswith(("wdbc", "digits")) for name in names)
    assert {"accuracy", "mine-accuracy", "table-1"} - names == {"table-1"}
    out = tmp_path / "kept"
    report.publish(asked, "quick", frame, PROVENANCE, folder, out)
    kept = {path.stem for path in (out / "figures").iterdir()}
    assert kept == {"figure-1-the-loss", "accuracy", "loss"}

    report.write(study(), "quick", frame, PROVENANCE, folder)
    assert not (folder / "table-1.md").exists()
    assert not (figures / "figure-1-the-loss.svg").exists()


def test_figures_of_several_tasks_are_told_apart_and_exhibits_are_all_kept(tmp_path):
    frame = results(["relu", "elu"], seeds=3, data=("wdbc", "digits"))
    errors = Exhibit(
        title="Figure 4: confusion matrices",
        caption="On WDBC.",
        make=lambda f: report.confusion_figure(f[f["data"] == "wdbc"], "relu"),
    )
    asked = study(exhibits=[errors])
    page = report.write(asked, "quick", frame, PROVENANCE, tmp_path / "report")
    out = tmp_path / "kept"
    text = report.publish(
        asked, "quick", frame, PROVENANCE, page.parent, out
    ).read_text()
    assert "## Test accuracy per activation: wdbc\n" in text
    assert "## Test accuracy per activation: digits\n" in text
    assert (out / "figures" / "figure-4-confusion-matrices.png").exists()
