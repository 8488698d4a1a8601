"""What can be refused is refused before the first network trains, in one sentence."""

import textwrap
from typing import Any

import pytest

import relujax as package
from relujax import InputError
from relujax.studies import seed_ids

STUDY = """
import relujax

def cell(activation):
    return relujax.Cell(data="wdbc", model="mlp(hidden=(3,))", activation=activation,
                        objective="binary_cross_entropy", epochs=1)

FIELDS = dict(
    id="tiny", question="does it run?", baseline="relu",
    profiles={"quick": [cell("relu"), cell("n_relu")]}, seeds={"quick": 2},
)
CLAIM = dict(id="one", quote="It runs.", where="title", test=lambda frame: None)
"""


@pytest.fixture
def run(relujax, monkeypatch, tmp_path):
    """`relujax run` of a study file with these last lines; nothing may be trained."""

    def train(*_):
        raise AssertionError("a network was trained")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("relujax.cli._run.train", train)
    monkeypatch.setattr("relujax.cli._run.start", lambda: None)

    def run(last, *options):
        source = STUDY + textwrap.dedent(last)
        (tmp_path / "tiny.py").write_text(source, encoding="utf-8")
        return relujax("run", "tiny.py", *options)

    return run


REFUSED = {
    "syntax": ("study = relujax.Study(", "SyntaxError: '(' was never closed"),
    "indentation": (
        "if True:\nstudy = 1",
        "IndentationError: expected an indented block",
    ),
    "null byte": ("\0", "null bytes"),
    "name": ("study = relujax.Studdy()", "line 13: AttributeError: "),
    "missing field": (
        "del FIELDS['question']; study = relujax.Study(**FIELDS)",
        "missing 1 required keyword-only argument: 'question'",
    ),
    "import": ("import nothing_of_the_kind", "ModuleNotFoundError: No module named"),
    "exit": ("raise SystemExit(0)", "line 13: SystemExit: 0"),
    "bad cell": ("cell('rleu')", "Unknown activation 'rleu'. Did you mean 'relu'"),
    "no study": ("", "to define `study = relujax.Study(...)`, found none"),
    "not a study": ("study = FIELDS", "to define `study = relujax.Study(...)`"),
}

FIELDS = {
    "no cells": (
        "profiles={'quick': []}",
        "Expected a list of at least one relujax.Cell as profiles['quick'] of study "
        "tiny, got [].",
    ),
    "one cell": ("profiles={'quick': cell('relu')}", "Expected a list of at least one"),
    "a text": ("profiles={'quick': 'wdbc'}", "Expected a list of at least one"),
    "texts": ("profiles={'quick': ['relu']}", "Expected relujax.Cell objects as"),
    "list": ("profiles=[cell('relu')]", "Expected a dict from profile names"),
    "seeds text": (
        "seeds={'quick': '2'}",
        "Expected a number as seeds['quick'] of study tiny, got '2'.",
    ),
    "seeds number": ("seeds=2", "Expected a dict from profile names"),
    "no seeds": ("seeds={}", "Expected the number of seeds, as study tiny has none"),
    "zero seeds": ("seeds={'quick': 0}", "Expected a number of seeds from 1 to"),
    "many seeds": ("seeds={'quick': 10**30}", "Expected a number of seeds from 1 to"),
    "baseline": (
        "baseline='gelu'",
        "Expected the baseline among the activations relu, n_relu, got 'gelu'.",
    ),
    "no baseline": ("baseline=None", "Expected a text as baseline of study tiny"),
    "question": ("question=3", "Expected a text as question of study tiny, got 3."),
    "twice": (
        "profiles={'quick': [cell('relu'), cell('n_relu'), cell('relu')]}",
        "Expected different cells, got relu with mlp",
    ),
    "id": ("id='../up'", "as the id of a study, got '../up'"),
    "claim": (
        "claims=[relujax.Claim(**{**CLAIM, 'test': 0.05})]",
        "Expected a function as test of claim one of study tiny, got 0.05.",
    ),
    "a claim alone": ("claims=relujax.Claim(**CLAIM)", "Expected a list as claims"),
    "no claim": ("claims=['it runs']", "Expected relujax.Claim objects as claims"),
    "claims twice": (
        "claims=[relujax.Claim(**CLAIM)] * 2",
        "Expected claims of study tiny with different ids, got 'one' twice.",
    ),
    "exhibit": (
        "exhibits=[relujax.Exhibit(title='Figure 1', caption='', make='figure')]",
        "Expected a function as make of exhibit Figure 1 of study tiny, got 'figure'.",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_study_file_that_cannot_be_loaded(run, kind):
    last, sentence = REFUSED[kind]
    code, said = run(last)
    said = " ".join(said.split())
    assert code == 2 and sentence in said and "Traceback" not in said


@pytest.mark.parametrize("kind", FIELDS)
def test_a_study_of_which_a_field_is_wrong(run, kind):
    field, sentence = FIELDS[kind]
    code, said = run(f"study = relujax.Study(**FIELDS | dict({field}))")
    said = " ".join(said.split())
    assert code == 2 and sentence in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--seeds", 10**30], 2, "Expected a number of seeds from 1 to 1,000,000"),
        (["--seeds", 2**31 - 1], 2, "Expected a number of seeds from 1 to 1,000,000"),
        (["--seeds", 0], 2, "Expected a number of seeds from 1 to 1,000,000"),
        (["--seeds", "two"], 2, "Invalid value for '--seeds'"),
        (["--profile", "papre"], 2, "Unknown profile of study tiny: 'papre'"),
        (["--plan", "vmpa"], 2, "vmpa"),
        (["--keep", "first"], 2, "Expected keep='last' or keep='best'"),
        (["--out", "tiny.py"], 2, "got the file tiny.py"),
        (["--publish", "tiny.py"], 1, "Not a directory: 'tiny.py'"),
    ],
    ids=str,
)
def test_options_that_do_not_fit(run, options, code, sentence):
    found, said = run("study = relujax.Study(**FIELDS)", *options)
    said = " ".join(said.split())
    assert found == code and sentence in said and "Traceback" not in said


def test_study_run_checks_its_baseline_too(tmp_path, monkeypatch):
    monkeypatch.setattr("relujax.studies._run.train", None)
    cell = package.Cell(data="wdbc", model="mlp", activation="relu")
    study = package.Study(
        id="tiny", question="?", baseline="gelu", profiles={"quick": [cell]}
    )
    with pytest.raises(InputError, match="Expected the baseline among"):
        study.run(seeds=1, out=tmp_path)
    with pytest.raises(InputError, match="Expected the number of seeds"):
        study.run(out=tmp_path)


@pytest.mark.parametrize("seeds", [10**6 + 1, 2**31, 10**30, [2**31], "3", None, 1.0])
def test_seeds_that_would_fill_the_memory(seeds):
    with pytest.raises(InputError, match="Expected a number of seeds from 1 to"):
        seed_ids(seeds)


@pytest.mark.parametrize("root", ["x", 1.0, True, None, 2**63, -(2**63) - 1, 10**30])
def test_a_root_that_makes_no_key_is_refused_before_training(root, tmp_path):
    cell = package.Cell(data="wdbc", model="mlp", activation="relu")
    with pytest.raises(InputError, match="Expected a whole number of 64 bits"):
        package.run(cell, 1, out=tmp_path, root=root)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience"])
def test_counts_that_no_program_holds_are_refused(name):
    given: dict[str, Any] = {name: 10**30}
    with pytest.raises(InputError, match=rf"{name} to be at most 2,147,483,647"):
        package.Cell(data="wdbc", model="mlp", activation="relu", **given)


def test_an_axis_with_a_number_of_hundreds_of_digits(tmp_path):
    cell = package.Cell(data="wdbc", model="mlp", activation="n_relu")
    with pytest.raises(InputError, match="Expected finite numbers for axis"):
        package.sweep(cell, 1, {"activation.sigma": [10**400]}, out=tmp_path)


@pytest.mark.parametrize("cells", [None, 3, package.get("relu")], ids=str)
def test_what_is_no_cell(cells, tmp_path):
    with pytest.raises(InputError, match=r"Expected relujax.Cell objects"):
        package.run(cells, 1, out=tmp_path)


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        ("acuracy", "Unknown metric 'acuracy'. Did you mean 'accuracy'"),
        (3, "Expected the name of a metric, got 3."),
    ],
)
def test_a_metric_that_no_network_has(metric, sentence, tmp_path):
    cell = package.Cell(data="wdbc", model="mlp", activation="relu")
    with pytest.raises(InputError, match=sentence):
        package.run(cell, 1, out=tmp_path, metric=metric)
    assert not list(tmp_path.iterdir())
