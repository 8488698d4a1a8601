"""The study of ALReLU: its grid, and its claims on planted results."""

from dataclasses import replace
from pathlib import Path

import pytest
from frames import results

import relujax
from relujax.cli._study_file import load_study
from relujax.studies import judge

SPLIT = ("wdbc", "wine", "digits", "sms_spam")
DATA = [f"{name}(split={j})" for name in SPLIT for j in range(3)]
BY_A_MARGIN = ["significant", "significant-relu", "images-by-a-margin"]
SAMPLED = [
    "images",
    "diseases",
    "diverse",
    "diverse-f1",
    "against-lrelu",
    "tables",
    "text",
]


@pytest.fixture(scope="module")
def study():
    return load_study(Path(relujax.__file__).parents[1] / "experiments/al_relu.py")


def planted(data=("mnist", "fashion_mnist", *DATA), **accuracy):
    names = ("relu", "leaky_relu", "al_relu")
    return results(names, data=data, seeds=5, epochs=1, n_test=1000, accuracy=accuracy)


def test_quick_needs_no_file_and_is_part_of_paper(study):
    quick = {cell.data for cell in study.profiles["quick"]}
    assert quick == {f"{name}(split={j})" for name in SPLIT[:3] for j in range(5)}
    assert set(study.profiles["quick"]) <= set(study.profiles["paper"])


@pytest.mark.parametrize("profile", ["two_cores", "paper"])
def test_six_data_sets_and_ten_splits(study, profile):
    cells = study.profiles[profile]
    names = {cell.data.partition("(")[0] for cell in cells}
    assert names == {"mnist", "fashion_mnist", *SPLIT}
    for name in SPLIT:
        of = [c for c in cells if c.data.startswith(name) and c.activation == "relu"]
        assert len({cell.data for cell in of}) == len(of) == 10


def test_a_cnn_learns_the_images(study):
    cells = study.profiles["cnn"]
    assert {cell.data.partition("(")[0] for cell in cells} == {
        *("mnist", "fashion_mnist", "digits")
    }
    assert all(cell.model.startswith("cnn(") for cell in cells)


def test_alternatives_change_one_thing_each(study):
    quick = study.profiles["quick"]
    for cell in study.profiles["alternatives"]:
        as_in_quick = replace(cell, model=quick[0].model, optimizer=quick[0].optimizer)
        assert as_in_quick in quick and cell not in quick


@pytest.mark.parametrize(
    ("other", "verdict"), [(0.9, "supported"), (0.999, "contradicted")]
)
def test_verdicts_follow_what_was_planted(study, other, verdict):
    frame = planted(al_relu=0.97, relu=other, leaky_relu=other)
    found = {j.claim.id: j for j in judge(study.claims, frame)}
    assert {found[id].verdict for id in (*SAMPLED, *BY_A_MARGIN)} == {verdict}
    assert all(j.evidence.summary[:4] != "Not " for j in found.values())
    settled = {"novel": "supported", "novel-beside-prelu": "contradicted"}
    settled |= {"max-form": "contradicted", "absolute-gradient": "contradicted"}
    assert {id: found[id].verdict for id in settled} == settled
    assert found["dying-gradient"].verdict == "supported"
    assert found["lrelu-unresolved"].verdict == "contradicted"


def test_one_rival_is_not_enough(study):
    frame = planted(al_relu=0.97, relu=0.9, leaky_relu=0.97)
    found = {j.claim.id: j.verdict for j in judge(study.claims, frame)}
    assert {found[id] for id in SAMPLED} == {"undecided"}
    assert found["significant-relu"] == "supported"


def test_without_files_text_is_not_tested(study):
    frame = planted(DATA[:9])
    lacking = [
        j for j in judge(study.claims, frame) if "Not tested" in j.evidence.summary
    ]
    assert [j.claim.id for j in lacking] == ["text"]


def test_the_table_has_a_row_per_data_set(study):
    table = study.exhibits[0].make(planted(DATA))
    assert sorted(table["data"]) == sorted(SPLIT)
    assert list(table.columns) == ["data", "relu", "leaky_relu", "al_relu"]
