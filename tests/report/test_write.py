import html
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from frames import CLAIMS, PROVENANCE, regression, results, study
from matplotlib.figure import Figure

from relujax import Exhibit, report, statistics
from relujax.errors import InputError
from relujax.report import _write
from relujax.studies import observed


class Page(HTMLParser):
    """Collects what a page loads, its ids, and whether its tags are balanced."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.loads, self.ids, self.anchors, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.anchors.append(given["href"])
        for name in ("src", "srcset", "data", "href"):
            if name in given and tag != "a":
                self.loads.append(given[name])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    frame = results(["relu", "elu", "arelu"], diverge=[("arelu", 1)])
    path = report.write(study(claims=CLAIMS), "quick", frame, PROVENANCE, out)
    return path


def test_the_page_loads_nothing_from_elsewhere(written):
    text = written.read_text()
    page = Page(text)
    assert page.loads and all(url.startswith("data:") for url in page.loads)
    assert "<script" not in text
    assert not re.search(r"@import|url\(", text)
    assert not page.open


def test_exhibits_are_shown_before_our_tables(tmp_path, without_figures):
    def last_losses(frame):
        return frame.groupby("activation", as_index=False)["loss"].last().round(3)

    def scatter(frame):
        figure = Figure()
        figure.subplots().plot(frame["epoch"], frame["loss"], ".")
        return figure

    def impossible(frame):
        raise InputError("Expected MNIST.")

    made = {"Figure 1: losses": scatter, "Table I": last_losses, "Fig. 9": impossible}
    exhibits = [
        Exhibit(title=title, caption=f"What {title} says.", make=make)
        for title, make in made.items()
    ]
    frame = results(["relu", "elu"])
    wanted = study(exhibits=exhibits)
    text = report.write(wanted, "quick", frame, PROVENANCE, tmp_path).read_text()
    places = [text.index(title) for title in made]
    assert places == sorted(places) and places[-1] < text.index('id="tables"')
    assert "Not shown: Expected MNIST." in text
    assert (tmp_path / "figures" / "figure-1-losses.svg").exists()
    assert "| elu |" in (tmp_path / "table-i.md").read_text()
    assert not Page(text).open


def test_what_answers_the_question_is_shown_right_below_it(tmp_path, without_figures):
    means = lambda frame: frame.groupby("activation", as_index=False)["loss"].mean()
    exhibits = [
        Exhibit(title="Table II", caption="More.", make=means),
        Exhibit(title="Take this", caption="The answer.", make=means, first=True),
    ]
    frame, wanted = results(["relu", "elu"]), study(exhibits=exhibits)
    text = report.write(wanted, "quick", frame, PROVENANCE, tmp_path).read_text()
    places = ["<h1>", "Take this", '<p class="lead">', "<nav", "Table II"]
    found = [text.index(place) for place in places]
    assert found == sorted(found) and text.count("Take this") == 1
    assert not Page(text).open
    alone = study(exhibits=exhibits[1:])
    page = report.write(alone, "quick", frame, PROVENANCE, tmp_path / "alone")
    assert 'id="exhibits"' not in page.read_text()


def test_the_contents_lead_somewhere(written):
    page = Page(written.read_text())
    inner = [a[1:] for a in page.anchors if a.startswith("#")]
    assert len(inner) >= 6 and set(inner) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_ledger_comes_first_and_says_all(written):
    text = written.read_text()
    places = [text.index(f'<section id="{name}"') for name in ("claims", "tables")]
    assert places == sorted(places)
    for words in [
        "ReLU outperforms ELU on tabular data by a wide margin.",
        "all &lt;activations&gt; &amp; more",
        "98.2 % against 95.6 %",
        "Section IV, Table 2",
        "Not tested",
        "1 trained network diverged (arelu: 1)",
        "He normal",
        "scikit-learn load_breast_cancer",
        PROVENANCE["command"],
        PROVENANCE["git"],
    ]:
        assert words in text


def test_exploratory_claims_are_outside_of_the_promise(tmp_path, without_figures):
    frame = results(["relu", "elu", "arelu"])
    late = replace(CLAIMS[1], exploratory=True)
    page = report.write(
        study(claims=(CLAIMS[0], late)), "quick", frame, PROVENANCE, tmp_path / "srelu"
    )
    words = " ".join(page.read_text().split())
    assert "any false verdict on the 1 planned claim tested is at most 5 %" in words
    assert "1 claim is <b>exploratory</b>" in words
    assert words.count('<span class="badge undecided">exploratory</span>') == 1
    assert "(exploratory) |" in page.with_name("claims.md").read_text()
    index = report.write_index([page], tmp_path, skipped={}).read_text()
    assert index.count("</span> exploratory") == 1


def test_no_page_promises_more_than_the_tests_keep(written):
    words = " ".join(written.read_text().split())
    assert "Every test is paired by seed" not in words
    assert "is at most 5 % (Holm), for means of differences that are normal" in words
    assert "exploratory" not in words


def test_a_claim_that_no_seeds_could_decide_says_so(tmp_path, without_figures):
    frame = results(["relu", "elu", "arelu"], seeds=3)
    frame["accuracy"] = np.where(frame["activation"] == "relu", 0.97, 0.96)
    page = report.write(study(claims=CLAIMS), "quick", frame, PROVENANCE, tmp_path)
    assert "Out of reach: supported, contradicted." in page.read_text()
    assert "Too few seeds for a verdict: elu-worse" in (
        (tmp_path / "claims.md").read_text()
    )


def test_a_fact_says_whether_it_was_computed_or_observed(tmp_path, without_figures):
    seen = observed(True, "No network diverged.", effect=0.0, unit="networks", n=4)
    claim = replace(CLAIMS[3], id="stable", test=lambda _: seen)
    frame = results(["relu", "elu"], seeds=4)
    asked = study(claims=(CLAIMS[3], claim))
    page = report.write(asked, "quick", frame, PROVENANCE, tmp_path / "srelu")
    text = page.read_text()
    assert text.count("<dd>computation, for good</dd>") == 1
    assert text.count("<dd>observation in this sample") == 1
    index = report.write_index([page], tmp_path, skipped={}).read_text()
    assert "<td>computed</td>" in index and "<td>observed</td>" in index


def test_data_that_are_not_the_published_ones_say_so_at_the_top(
    tmp_path, without_figures
):
    note = "Not the published MNIST: the sha256 differs."
    frame = results(["relu", "elu"], seeds=2, data=("mnist", "wdbc"))
    item = PROVENANCE["data"][0]
    data = [item, item | {"name": "mnist", "note": note}]
    where = PROVENANCE | {"data": data}
    page = report.write(study(), "quick", frame, where, tmp_path / "srelu")
    text = page.read_text()
    assert text.index(f"mnist: {note}") < text.index('aria-label="Contents"')
    assert f"<td>{note}" in text[text.index('<section id="provenance"') :]
    index = report.write_index([page], tmp_path, skipped={}).read_text()
    assert index.index(f"mnist: {note}") < index.index('aria-label="Contents"')
    assert note in index[index.index('<section id="provenance"') :]


def test_tables_and_figures_are_files(written):
    out = written.parent
    for name in ("summary", "comparisons", "claims"):
        assert (out / f"{name}.md").read_text().startswith("|")
        assert r"\toprule" in (out / f"{name}.tex").read_text()
    stems = {p.stem for p in (out / "figures").iterdir()}
    for stem in stems | {"accuracy", "loss", "gap", "confusion", "dead", "signal"}:
        assert (out / "figures" / f"{stem}.png").stat().st_size > 1000
        assert (out / "figures" / f"{stem}.svg").stat().st_size > 1000


def test_latex_escapes_specs(tmp_path, without_figures):
    frame = results(["relu", "n_relu(sigma=0.1)"], seeds=2)
    report.write(study(), "quick", frame, PROVENANCE, tmp_path)
    body = (tmp_path / "summary.tex").read_text()
    assert r"n\_relu(sigma=0.1)" in body
    assert body.isascii()


@pytest.mark.slow
def test_the_same_results_give_the_same_page(tmp_path):
    frame = results(["relu", "elu"], seeds=3)
    pages = [
        report.write(study(), "quick", frame, PROVENANCE, tmp_path / name).read_bytes()
        for name in ("a", "b")
    ]
    assert pages[0] == pages[1]


@pytest.mark.usefixtures("figures")
def test_several_tasks_have_an_overview_and_sections(tmp_path):
    frame = results(["relu", "elu"], data=("wdbc", "digits"), seeds=3, epochs=2)
    text = report.write(study(), "quick", frame, PROVENANCE, tmp_path).read_text()
    assert "All tasks" in text and "Figures: digits" in text
    assert (tmp_path / "figures" / "digits-accuracy.png").exists()


@pytest.mark.usefixtures("figures")
def test_a_regression_of_one_seed(tmp_path):
    path = report.write(study(), "quick", regression(seeds=1), PROVENANCE, tmp_path)
    assert "One seed cannot tell" in path.read_text()
    assert "nan" not in (tmp_path / "summary.md").read_text()


def test_dead_units_may_be_one_number(tmp_path):
    """A training of one's own returns what it likes under the name."""
    own = regression(["relu", "elu"]).drop(columns=["births", "revivals", "ever_dead"])
    own["dead"] = own["dead"].map(np.mean)
    path = report.write(study(), "quick", own, PROVENANCE, tmp_path)
    assert "Dead units by layer" not in path.read_text()
    assert "dead units, %" in (tmp_path / "summary.md").read_text()


@pytest.mark.slow
def test_results_may_lack_the_columns_of_the_other_kind(tmp_path):
    classes = results(["relu", "elu"], seeds=2).drop(columns=["mse", "r2"])
    errors = regression(seeds=2).drop(columns=["accuracy", "f1_weighted", "confusion"])
    for name, frame in [("a", classes), ("b", errors)]:
        report.write(study(), "quick", frame, PROVENANCE, tmp_path / name)


@pytest.mark.usefixtures("figures")
def test_every_seed_diverged(tmp_path):
    lost = [(name, s) for name in ("relu", "elu") for s in range(2)]
    frame = results(["relu", "elu"], seeds=2, diverge=lost)
    text = report.write(study(), "quick", frame, PROVENANCE, tmp_path).read_text()
    assert "Nothing can be compared" in text


def test_no_results_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="run the study first"):
        report.write(study(), "quick", results().iloc[:0], PROVENANCE, tmp_path)
    with pytest.raises(InputError, match="Unknown activation 'gelu'"):
        report.write(study("gelu"), "quick", results(), PROVENANCE, tmp_path)


def test_importing_the_package_loads_no_plotting():
    code = """
import sys, relujax
assert not {"matplotlib", "pandas", "jax"} & {*sys.modules}
import relujax.report
assert not {"jax", "matplotlib.pyplot"} & {*sys.modules}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_claims_need_no_paper(tmp_path, without_figures):
    frame = results(["relu", "elu", "arelu"])
    asked = replace(study(claims=CLAIMS), paper=None)
    page = report.write(asked, "quick", frame, PROVENANCE, tmp_path / "srelu")
    text = page.read_text()
    parsed = Page(text)
    assert {f"claim-{claim.id}" for claim in CLAIMS} <= set(parsed.ids)
    assert "#claims" in parsed.anchors and "The paper reports" not in text
    assert "| statement |" in page.with_name("claims.md").read_text()
    index = report.write_index([page], tmp_path, skipped={}).read_text()
    assert index.count("#claim-") == len(CLAIMS)


def test_captions_count_the_seeds_that_ran(tmp_path, without_figures):
    table = Exhibit(
        title="Table I",
        caption="Mean over {seeds}.",
        make=lambda f: f[["seed"]].head(1),
    )
    for seeds, words in [(20, "20 seeds"), (1, "1 seed")]:
        frame = results(["relu", "elu"], seeds=seeds, epochs=1)
        asked = study(exhibits=[table])
        page = report.write(asked, "quick", frame, PROVENANCE, tmp_path / "srelu")
        assert f"Mean over {words}." in page.read_text()
        assert f"Mean over {words}." in page.with_name("table-i.md").read_text()


def test_the_command_is_printed_as_it_is_given(tmp_path, without_figures):
    command = "relujax.compare(\n    'nets:ResNet', data, ['elu'], epochs=3 < 4)"
    where = PROVENANCE | {"command": command}
    frame = results(["relu", "elu"], seeds=2, epochs=1)
    text = report.write(study(), "quick", frame, where, tmp_path).read_text()
    assert f"<pre><code>{html.escape(command)}</code></pre>" in text.replace(
        "&#39;", "&#x27;"
    )


def test_a_note_comes_first(tmp_path, without_figures):
    frame = results(["relu", "elu"], seeds=2, epochs=1)
    text = report.write(
        study(), "quick", frame, PROVENANCE, tmp_path, note="Mind <this>."
    ).read_text()
    assert text.index("Mind &lt;this&gt;.") < text.index('aria-label="Contents"')


def test_a_report_is_current_until_something_of_it_changes(tmp_path, without_figures):
    frame = results(["relu", "elu"], seeds=2, epochs=1)
    args = (study(), "quick", frame, PROVENANCE, tmp_path)
    assert report.current(tmp_path, "a") is None
    page = report.write(*args, mark="a")
    known = report.current(tmp_path, "a")
    assert known is not None and known["sentence"] in html.unescape(page.read_text())
    assert report.current(tmp_path, "b") is None
    page.write_text(page.read_text() + " ")
    assert report.current(tmp_path, "a") is None
    report.write(*args, mark="a")
    (tmp_path / "report.json").write_text("[]")
    assert report.current(tmp_path, "a") is None


def test_figures_of_very_many_activations_show_the_best(tmp_path, without_figures):
    names = ["relu", *(f"n_relu(sigma=0.{i:02d})" for i in range(1, 60))]
    best = {name: 0.5 + 0.005 * i for i, name in enumerate(names)}
    frame = results(names, seeds=2, epochs=1, n_test=10_000, accuracy=best)
    kinds = [_write.Kind.of(frame, "relu", 0.05)]
    shown, (kind,) = _write._drawn(frame, kinds, "relu")
    assert set(shown["activation"]) == {"relu", *names[-(_write.DRAWN - 1) :]}
    assert set(kind.compared["activation"]) == set(names[-(_write.DRAWN - 1) :])
    few = frame[frame["activation"].isin(names[:9])]
    assert _write._drawn(few, kinds, "relu")[0] is few
    text = report.write(study(), "quick", frame, PROVENANCE, tmp_path).read_text()
    assert "the best of 60 activations, 40 in all" in text
    assert (tmp_path / "summary.md").read_text().count("n_relu(") == 59


def test_what_the_seeds_and_the_test_set_leave_open_is_printed(
    tmp_path, without_figures
):
    """With five seeds rare failures go unseen: every difference is fragile."""
    frame = results(seeds=5, accuracy={"elu": 0.9}, n_test=100)
    page = report.write(
        study(claims=CLAIMS[:1]), "quick", frame, PROVENANCE, tmp_path / "srelu"
    )
    claims, compared, summary = (
        page.with_name(f"{name}.md").read_text()
        for name in ("claims", "comparisons", "summary")
    )
    assert "any false verdict on the 1 planned claim tested is at most 5 %" in claims
    assert "One verdict is fragile" in claims
    (elu,) = (line for line in compared.splitlines() if line.startswith("| elu "))
    table = statistics.paired_comparisons(frame, "accuracy", "relu")
    found = table.set_index("activation").loc["elu"]
    assert "* †" in elu and f"| {100 * found['smallest_effect']:.2f} |" in elu
    relu = next(line for line in summary.splitlines() if line.startswith("| relu "))
    mean = statistics.scores(frame, "accuracy").xs("relu", level="activation").mean()
    _, low, high, _ = statistics.accuracy_interval(mean, 100)
    assert f"| [{100 * low:.2f}, {100 * high:.2f}] |" in relu
    assert "on other test sets of its size" in summary
