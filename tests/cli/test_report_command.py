"""`relujax report` and `relujax status`, over folders whole, partial and broken."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from stored_runs import store_study

import relujax as package
from relujax.cli._report import _study, report_all
from relujax.cli._study_file import load_study
from relujax.engine import read_request
from relujax.report import _plates, _write
from relujax.statistics import _metrics


class Links(HTMLParser):
    """The links of a page, the ids in it, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.loads = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        elif "src" in given or "href" in given:
            self.loads.append(given.get("src") or given.get("href"))


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """Two studies, one of them in two profiles, after `relujax report`."""
    folder = tmp_path_factory.mktemp("reported")
    store_study(folder, "alpha")
    store_study(folder, "alpha", "paper", seeds=3)
    store_study(folder, "beta")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # One figure of each report: all of them take half a minute.
        every = _plates._sketches
        patch.setattr(_plates, "_sketches", lambda *args: every(*args)[:1])
        report_all(folder / "runs")
    return folder / "runs"


@pytest.fixture
def runs(tmp_path, monkeypatch, without_figures):
    """Two studies, whose reports are made without figures: they take seconds."""
    monkeypatch.chdir(tmp_path)  # A study file of the working directory is ours.
    store_study(tmp_path, "alpha")
    store_study(tmp_path, "beta")
    return tmp_path / "runs"


def _stored(folder):
    """The result files of the first cell of a study."""
    request = json.loads((folder / "quick.json").read_text())
    return sorted((folder / request["cells"][0]).glob("*.parquet"))


def test_one_page_over_all_studies(reported):
    page = (reported / "report.html").read_text()
    for words in [
        "What holds of 6 claims",
        "2 supported",
        "2 undecided",
        "2 not tested",
        "2 were not tested: the profiles",
        "alpha &amp; ELU win.",
        "Is beta &lt;true&gt;?",
        "On alpha, A. Nobody (2025)",
        "+2 %",
        "10 trained networks",
        "wdbc(split=0)",
        f"relujax report {reported}",
    ]:
        assert words in page


def test_the_links_of_the_page_lead_to_the_claims_of_each_report(reported):
    page = Links((reported / "report.html").read_text())
    assert all(url.startswith("data:") for url in page.loads)
    assert len(page.loads) == 3  # an icon and two figures
    assert len(page.ids) == len(set(page.ids))
    assert len([link for link in page.links if "#claim-" in link]) == 6
    for link in page.links:
        path, _, anchor = link.partition("#")
        target = Links((reported / path).read_text()) if path else page
        assert not anchor or anchor in target.ids, link


def test_the_fullest_profile_is_in_the_ledger(reported):
    page = (reported / "report.html").read_text()
    assert page.count("#claim-alpha-wins") == 1
    assert "alpha/report/paper/report.html#claim-alpha-wins" in page
    assert 'href="alpha/report/quick/report.html"' in page


def test_a_report_is_made_again_and_nothing_is_trained(relujax, runs, monkeypatch):
    relujax("report", runs)
    path = runs / "alpha/report/quick/report.html"
    first = path.read_bytes()
    path.unlink()
    # Results are read where they lie, whatever data this machine has.
    monkeypatch.setattr("relujax.data.load_dataset", None)
    assert relujax("report", runs)[0] == 0
    assert path.read_bytes() == first


def _edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# What is done to a study (its folder of results, its file), and what is said of it.
SPOIL = {
    "missing": (
        lambda runs, _: _stored(runs)[0].unlink(),
        "1 of 4 networks are missing: `relujax run",
    ),
    "cut": (
        lambda runs, _: _stored(runs)[0].write_bytes(b"PAR1"),
        "1 of 4 networks are missing: `relujax run",
    ),
    "cut_record": (
        lambda runs, _: (runs / "quick.json").write_text('{"study": "al'),
        "a damaged file",
    ),
    "old_record": (
        lambda runs, _: (runs / "quick.json").write_text('{"study": "old"}'),
        "a damaged file",
    ),
    "no_record": (lambda runs, _: (runs / "quick.json").unlink(), "No record in"),
    "other_study": (
        lambda _, file: _edit(file, '"other_study"', '"gamma"'),
        "holds another study, 'gamma'",
    ),
    "other_grid": (
        lambda _, file: _edit(file, "(4,)", "(5,)"),
        "has changed since it ran",
    ),
    "no_profile": (
        lambda _, file: _edit(file, '"quick"', '"short"'),
        "no profile 'quick' any more",
    ),
    "not_python": (lambda _, file: _edit(file, "study =", "study"), "SyntaxError"),
}


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_reported_is_named_and_the_others_are_done(relujax, runs):
    for name, (spoil, _) in SPOIL.items():
        store_study(runs.parent, name)
        spoil(runs / name, runs.parent / f"{name}.py")
    code, text = relujax("report", runs)
    assert code == 1
    assert "Traceback" not in text
    page = (runs / "report.html").read_text()
    for name, (_, why) in SPOIL.items():
        assert re.search(rf"Skipped: {name}\b.*: .*{re.escape(why)}", text), name
        assert f"Not in this page: {name}" in page
        assert f"#claim-{name}" not in page
    assert "<code>relujax run" in page
    for name in ("alpha", "beta"):
        assert (runs / name / "report/quick/report.html").is_file()
        assert f"#claim-{name}-wins" in page


def test_a_claim_that_raises_is_not_tested_and_the_report_is_written(relujax, runs):
    store_study(runs.parent, "raises")
    _edit(runs.parent / "raises.py", 'best("elu")', "boom")
    code, _ = relujax("report", runs)
    assert code == 0
    page = (runs / "raises/report/quick/report.html").read_text()
    assert "its test raised KeyError: &#39;no such column&#39;" in page


def test_a_shipped_study_is_found_when_its_file_has_moved(tmp_path):
    store_study(tmp_path, "alpha")
    path = tmp_path / "runs/alpha/quick.json"
    request = read_request(path)._replace(study="srelu", file="/gone/srelu.py")
    found = _study(request, tmp_path / "runs", {})
    assert found is not None and found.id == "srelu"


def test_a_study_file_from_elsewhere_is_not_imported_until_it_is_named(
    relujax, runs, monkeypatch
):
    """Claims are code; the numbers are reported without it."""
    file, ran = runs.parent / "alpha.py", runs.parent / "ran"
    touch = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    file.write_text(f"{touch}\n{file.read_text()}")
    (runs.parent / "elsewhere").mkdir()
    monkeypatch.chdir(runs.parent / "elsewhere")
    code, text = relujax("report", runs)
    assert code == 0 and not ran.exists()
    assert f"relujax report {runs} --study {file}" in text
    folder = runs / "alpha/report/quick"
    page = (folder / "report.html").read_text()
    assert "need its study file" in page and 'id="claims"' not in page
    assert (
        "Is alpha &lt;true&gt;?" in page
        and "| elu |" in (folder / "comparisons.md").read_text()
    )
    code, text = relujax("report", runs, "--study", file)
    assert code == 0 and ran.exists()
    assert 'id="claim-alpha-wins"' in (folder / "report.html").read_text()
    assert "--study" not in text.split("beta, quick")[0]
    (runs.parent / "gamma.py").write_text(file.read_text().replace("alpha", "gamma"))
    code, text = relujax("report", runs, "--study", runs.parent / "gamma.py")
    assert code == 2 and "Unknown study in this folder of results: 'gamma'" in text


def test_no_results_to_report_is_bad_input(relujax, tmp_path):
    code, text = relujax("report", tmp_path / "none")
    assert code == 2 and "no such folder" in text
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    code, text = relujax("report", tmp_path / "empty")
    assert code == 2 and "No study has been run" in text


def test_status_before_any_run_is_no_error(relujax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given in ([], [tmp_path / "none"]):
        code, text = relujax("status", *given)
        assert code == 0 and len(text.splitlines()) == 1
        assert "Nothing has been run" in text and "relujax demo" in text
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    code, text = relujax("status", tmp_path / "empty")
    assert code == 0 and "Nothing has been run" in text


def test_the_command_that_resumes_is_quoted(relujax, runs):
    _stored(runs / "alpha")[0].unlink()
    path = runs / "alpha/quick.json"
    command = "relujax run 'my study.py' --seeds 2; rm -rf ~"
    read_request(path)._replace(command=command).write(runs / "alpha")
    text = relujax("status", runs)[1]
    assert "relujax run 'my study.py' --seeds '2;' rm -rf '~' --out here" in text
    read_request(path)._replace(command="rm -rf ~").write(runs / "alpha")
    assert "rm -rf" not in relujax("status", runs)[1]


def _row(text, study):
    """The line of a study in the table, without its profile."""
    (line,) = [x for x in text.splitlines() if x.strip().startswith(f"{study} ")]
    return re.sub(r"\s+", " ", line).strip().partition(" quick ")[2]


def test_status_of_what_is_done(relujax, runs):
    code, text = relujax("status", runs)
    assert code == 0
    assert _row(text, "alpha") == _row(text, "beta") == "2 of 2 4 of 4 – – –"
    assert "continue" not in text


def test_status_says_what_is_missing_and_how_to_go_on(relujax, runs):
    _stored(runs / "alpha")[0].unlink()
    text = relujax("status", runs)[1]
    assert _row(text, "alpha") == "1 of 2 3 of 4 – – 1"
    assert _row(text, "beta") == "2 of 2 4 of 4 – – –"
    command = (
        f"relujax run {runs.parent / 'alpha.py'} --profile quick --seeds 2 --out here"
    )
    assert f"alpha, quick: continue with\n  {command}" in text


def test_status_of_a_failure(relujax, runs):
    path = _stored(runs / "alpha")[0]
    path.unlink()
    (path.parent / "error.txt").write_text("Traceback:\n  x\nValueError: out of luck\n")
    text = relujax("status", runs)[1]
    assert _row(text, "alpha") == "1 of 2 3 of 4 – 1 –"
    assert f"failed in {path.parent.name}: ValueError: out of luck" in text
    assert "continue with" in text


def test_status_of_what_no_study_has_asked_for(relujax, runs):
    """`relujax.sweep` leaves no record of a study."""
    folder = runs / "alpha"
    path = _stored(folder)[0]
    path.unlink()
    (path.parent / "error.txt").write_text("ValueError: out of luck\n")
    (folder / "quick.json").unlink()
    text = relujax("status", runs)[1]
    assert "alpha: No record in" in text and "relujax.sweep" in text
    assert "It has 2 cells, with 3 seeds stored; 0 are running, 1 failed." in text


def test_status_does_not_touch_a_damaged_file(relujax, runs):
    path = _stored(runs / "alpha")[0]
    path.write_bytes(path.read_bytes()[:200])
    text = relujax("status", runs)[1]
    assert _row(text, "alpha") == "1 of 2 3 of 4 – – 1"
    assert f"cannot read {path}" in text
    assert path.is_file()


HOLD = """
import sys
from pathlib import Path
from relujax.engine import Store
claim = Store(Path(sys.argv[1])).claim(wait=False)
print("held", flush=True)
sys.stdin.read()
"""


def test_status_sees_a_running_process(relujax, runs):
    path = _stored(runs / "alpha")[0]
    path.unlink()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stdin, stdout = holder.stdin, holder.stdout
    assert stdin and stdout
    with holder:
        assert stdout.readline() == "held\n"
        text = relujax("status", runs)[1]
        assert _row(text, "alpha") == "1 of 2 3 of 4 1 – –"
        assert "continue with" not in text
        assert f"alpha, quick: 1 running: process {holder.pid} on" in text
        holder.kill()
    # It has died; what it left behind is not running. Asking takes nothing away.
    text = relujax("status", runs)[1]
    assert _row(text, "alpha") == "1 of 2 3 of 4 – – 1"
    assert (path.parent / "claim.json").exists()


OF_A_TRAINING = """
import relujax

study = relujax.Study(
    id="online",
    question="does it learn?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(training="slow_regression", activation="relu", epochs=1)
        ]
    },
    seeds={"quick": 2},
)
"""


def test_a_training_has_no_data_to_tell_of(tmp_path, monkeypatch):
    monkeypatch.setattr(_write, "_sections", lambda *_: [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "online.py").write_text(OF_A_TRAINING)
    load_study(tmp_path / "online.py").run(progress=False)
    report_all(tmp_path / "runs", [tmp_path / "online.py"])
    assert (tmp_path / "runs/online/report/quick/report.html").exists()


def test_the_direction_of_a_metric_is_that_of_the_run(
    tmp_path, monkeypatch, without_figures
):
    """In another process, where nobody has described the metric."""

    def train(activation, seed):
        return {"shortfall": (0.5 if activation == "elu" else 1.0) + seed / 100}

    found = package.experiment(
        train,
        ["relu", "elu"],
        12,
        metric="shortfall",
        higher_is_better=False,
        out=tmp_path / "runs" / "train",
        progress=False,
    )
    assert "beats relu" in found.conclusion()
    monkeypatch.delitem(_metrics.METRICS, "shortfall")
    monkeypatch.setattr(_metrics, "_ASSUMED", set())
    report_all(tmp_path / "runs")
    page = tmp_path / "runs/train/report/experiment/report.html"
    assert "beats relu" in page.read_text()
