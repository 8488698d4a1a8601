"""`relujax new`: what it makes runs as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

import relujax as library


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Modules of this folder are forgotten with the changes to the path.
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.slow
def test_a_new_study_runs_and_its_claim_has_a_verdict(relujax, folder, monkeypatch):
    code, said = relujax("new", "study", "mine")
    assert code == 0 and "relujax run mine.py" in said
    code, said = relujax("run", "mine.py", "--seeds", 2)
    assert code == 0 and "Report: runs/mine/report/quick/report.html" in said
    assert "Claim gelu-better: undecided." in said  # Two seeds decide nothing.
    found = library.Results.load("runs/mine")
    assert set(found.frame["activation"]) == {"relu", "leaky_relu", "gelu"}
    # It may name a module that lies beside it.
    (folder / "lies_beside.py").write_text("MODEL = 'mlp(hidden=(32,))'\n")
    text = Path("mine.py").read_text().replace('"mlp(hidden=(32,))"', "MODEL")
    Path("mine.py").write_text(
        text.replace(
            "import relujax\n", "import relujax\nfrom lies_beside import MODEL\n", 1
        )
    )
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(folder)])
    code, said = relujax("report")
    assert code == 0 and "Skipped" not in said
    page = (folder / "runs/mine/report/quick/report.html").read_text()
    assert "GELU is more accurate than ReLU." in page


@pytest.mark.slow
def test_a_new_activation_passes_its_check(relujax, folder):
    code, said = relujax("new", "activation", "kinky")
    assert code == 0 and "python -m pytest test_kinky.py" in said
    # The warnings of others are errors here, too: the file must give none.
    tests = [sys.executable, "-W", "error", "-m", "pytest", "-q", "test_kinky.py"]
    ran = subprocess.run(tests, capture_output=True, text=True)
    assert ran.returncode == 0 and "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_a_new_study_has_one_claim_and_its_name(relujax):
    from relujax.cli._study_file import load_study

    relujax("new", "study", "mine")
    study = load_study(Path("mine.py"))
    assert study.id == "mine" and len(study.claims) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("study 3x", "Expected a name such as my_study"),
        ("study my-study", "Expected a name such as my_study"),
        ("study class", "Expected a name such as my_study"),
        ("study random", "would hide that module"),
        ("activation pandas", "would hide that module"),
        ("activation swish", "which the library has as 'silu'"),
        ("study taken", "Expected a new file taken.py, got one that exists"),
        ("activation half", "Expected a new file test_half.py, got one that exists"),
    ],
    ids=lambda text: text.replace(" ", "-") if len(text) < 20 else None,
)
def test_a_name_that_cannot_be_is_refused_before_anything_is_written(
    relujax, folder, words, said
):
    for name in ("taken.py", "test_half.py"):
        (folder / name).write_text("")
    code, text = relujax("new", *words.split())
    assert code == 2 and said in " ".join(text.split())
    assert {p.name for p in folder.iterdir()} == {"taken.py", "test_half.py"}
