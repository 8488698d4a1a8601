import re

import pandas as pd
import pytest
import typer
from frames import CLAIMS, PROVENANCE, results, study
from matplotlib.figure import Figure

from relujax import Exhibit, InputError, report
from relujax.cli._kept import _study, report_from
from relujax.cli._study_file import load_study
from relujax.report import Kept
from relujax.report._kept import _of_one_type


def drawn(frame):
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot(frame["loss"].head())
    return figure


EXHIBITS = [
    Exhibit(title="Figure 1: the loss", caption="Mean of all.", make=drawn),
    Exhibit(title="Table 1", caption="All seeds.", make=lambda f: f[["seed"]].head(2)),
]


def test_a_published_report_is_small_and_whole(tmp_path, figures):
    frame = results(["relu", "elu", "arelu"])
    asked = study(claims=CLAIMS, exhibits=EXHIBITS)
    page = report.write(asked, "quick", frame, PROVENANCE, tmp_path / "report")
    out = tmp_path / "kept"
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
    pictures = {path.name for path in (page.parent / "figures").glob("*.png")}
    ours = pictures & {"accuracy.png", "loss.png", "signal.png"}
    assert names == {"figure-1-the-loss.png", *ours} and "accuracy.png" in ours
    for name in names:
        whole = page.parent / "figures" / name
        assert (out / "figures" / name).stat().st_size < whole.stat().st_size
    captions = re.findall(r"\]\(figures/[^)]+\)\n\n(.*)", text)
    assert len(captions) == len(images)
    assert all(words and not words.startswith("#") for words in captions)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_report_that_was_published_before_there_were_manifests_is_replaced(tmp_path):
    frame = results(["relu", "elu"], seeds=2, epochs=1)
    page = report.write(study(), "quick", frame, PROVENANCE, tmp_path / "report")
    args = (study(), "quick", frame, PROVENANCE, page.parent, tmp_path / "kept")
    first = report.publish(*args).read_text()
    (tmp_path / "kept/manifest.json").unlink()
    (tmp_path / "kept/figures/old.png").touch()
    assert report.publish(*args).read_text() == first
    assert (tmp_path / "kept/figures/old.png").exists()


STUDY_FILE = """
import relujax
from relujax.studies import better, probe, probed, observed

def measured(frame):
    return observed(True, effect=float(probed(frame, "sizes")["size"].max()))

study = relujax.Study(
    id="tiny",
    question="does a probe travel?",
    baseline="relu",
    claims=[
        relujax.Claim(id="a", quote="Better.", where="1", test=better("elu", "relu")),
        relujax.Claim(id="b", quote="Measured.", where="2", test=measured),
    ],
    choices=[relujax.Choice(what="rate", chosen="0.1", why="It is not said.")],
)
"""


@pytest.fixture
def kept(tmp_path, without_figures):
    """A published page with its numbers, and the file of its study."""
    file = tmp_path / "tiny.py"
    file.write_text(STUDY_FILE)
    tiny = load_study(file)
    frame = results(["relu", "elu"], seeds=6)
    frame.attrs = {"metric": "f1_weighted"}
    frame.attrs["probes"] = {"sizes": [{"activation": "elu", "seed": 0, "size": 3.0}]}
    page = report.write(tiny, "quick", frame, PROVENANCE, tmp_path / "report")
    out = tmp_path / "kept"
    report.publish(tiny, "quick", frame, PROVENANCE, page.parent, out)
    return out, file, frame


def test_a_published_page_says_first_what_it_found(kept):
    folder, _, frame = kept
    text = (folder / "README.md").read_text()
    start = text[: text.index("- Command")]
    assert "**2 claims:** 1 supported, 1 undecided." in start and "weighted F1" in start
    assert "- **rate**: 0.1. It is not said. Tried as well: nothing else." in text
    found = report.read_kept(folder)
    assert (found.study, found.profile) == ("tiny", "quick")
    assert found.provenance == PROVENANCE and found.frame.attrs == frame.attrs
    numbers = frame.drop(columns=["confusion", "dead", "births"])
    pd.testing.assert_frame_equal(found.frame[list(numbers)[:12]], numbers.iloc[:, :12])


def test_a_kept_page_is_made_again_without_training(kept, tmp_path, monkeypatch):
    folder, file, _ = kept
    trained = []
    for place in ("relujax.studies._execute.run_tasks", "relujax.engine.run_tasks"):
        monkeypatch.setattr(place, lambda *a, **k: trained.append(a))
    report_from(folder, tmp_path / "runs", [file])
    again = tmp_path / "runs" / "tiny" / "kept" / "quick"
    for name in ("README.md", "kept.json"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    assert not trained


def test_a_page_that_is_not_what_its_numbers_say_is_found_out(kept, tmp_path):
    folder, file, _ = kept
    text = (folder / "README.md").read_text()
    (folder / "README.md").write_text(text.replace("1 supported", "2 supported"))
    with pytest.raises(typer.Exit) as ended:
        report_from(folder, tmp_path / "runs", [file])
    assert ended.value.exit_code == 1


def test_a_page_without_its_numbers_cannot_be_made_again(kept, tmp_path):
    folder, file, _ = kept
    (folder / "results.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match="damaged"):
        report_from(folder, tmp_path / "runs", [file])
    (folder / "results.parquet").unlink()
    with pytest.raises(InputError, match=r"results\.parquet"):
        report_from(folder, tmp_path / "runs", [file])
    with pytest.raises(InputError, match="study file of srelu"):
        _study(Kept("srelu", "quick", "", "relu", {}, pd.DataFrame(), []), [file])


def test_lists_and_numbers_are_kept_in_one_column():
    mixed = pd.DataFrame({"dead": [[0.1, 0.3], 0.5, None], "seed": [0, 1, 2]})
    kept = _of_one_type(mixed)
    assert kept["dead"][1].tolist() == [0.5] and kept["dead"].isna()[2]
    assert len(kept.to_parquet()) and mixed["dead"][1] == 0.5
