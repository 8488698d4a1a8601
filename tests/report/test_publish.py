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
