"""The study of rectifiers: its grid, its tables, and how a row of one's own joins."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from docs.pages import blocks
from frames import regression, results

import relujax
from relujax.cli._study_file import load_study

ROOT = Path(relujax.__file__).parents[1]


@pytest.fixture(scope="module")
def study():
    return load_study(ROOT / "experiments/which_rectifier.py")


def test_every_task_has_every_rectifier_that_it_can_take(study):
    tasks = {}
    for cell in study.profiles["quick"]:
        task = (cell.data, cell.model, cell.training)
        tasks.setdefault(task, []).append(cell.activation)
    assert all(names[0] == "relu" for names in tasks.values())
    for (*_, training), names in tasks.items():
        assert len(set(names)) == len(names) == (7 if training else 9)


def test_the_network_that_is_asked_about_most_has_the_first_row(study):
    cell = study.profiles["quick"][0]
    assert cell.data == "wdbc"
    assert cell.parts["model"].values["depth"] == 20
    assert "normalize" not in cell.model


def test_the_answer_comes_first_and_every_table_is_made(study):
    first, *others = study.exhibits
    assert first.first and not any(exhibit.first for exhibit in others)
    model = study.profiles["quick"][0].model
    both = [
        results(["relu", "elu"], models=[model]),
        regression(["relu", "elu"], data=["synthetic"], models=[model]),
    ]
    for exhibit in study.exhibits[:-1]:
        made = exhibit.make(pd.concat(both, ignore_index=True))
        assert len(made) == (9 if "costs" in exhibit.title else 2)


def streams(study, epochs):
    """Results as the profile plasticity has them: one number for a layer."""
    rows = [
        {
            **{"data": "", "optimizer": "", "split": "test", "diverged": False},
            **{"cell": str(cell), "model": cell.training, "seed": seed},
            **{"activation": cell.activation, "epoch": epoch},
            **{"mse": 1 + seed / 10, "dead": 0.2 * seed},
        }
        for cell in study.profiles["plasticity"]
        for seed in range(2)
        for epoch in range(epochs + 1)
    ]
    return pd.DataFrame(rows)


def test_the_curves_are_of_the_long_profile_alone(study):
    (curves,) = (e for e in study.exhibits if e.title == "Loss of plasticity")
    errors, dead = curves.make(streams(study, 50)).axes
    assert len(errors.lines) == len(dead.lines) == 4
    assert dead.lines[0].get_ydata()[0] == pytest.approx(10)  # Per cent.
    with pytest.raises(relujax.InputError, match="the profile plasticity"):
        curves.make(streams(study, 10))


def test_a_row_of_ones_own_joins_as_the_page_says(tmp_path, monkeypatch):
    (block,) = (
        b for b in blocks(ROOT / "docs/howto/which-rectifier.md") if b.file == "mine.py"
    )
    (tmp_path / "mine.py").write_text(block.text)
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    try:
        own, ours = load_study(tmp_path / "mine.py"), sys.modules["which_rectifier"]
        cells, quick = own.profiles["mine"], ours.study.profiles["quick"]
        assert [cell.data for cell in cells[:9]] == ["wine"] * 9
        assert list(cells[9:]) == list(quick)
        assert own.id == ours.study.id  # What is trained is found again.
    finally:
        sys.modules.pop("which_rectifier", None)
