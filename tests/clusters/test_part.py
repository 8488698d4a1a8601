"""Parts of a run that share a folder: together they are the run, or they refuse."""

import subprocess
import sys

import pytest
import runs

from relujax.clusters import where_of
from relujax.errors import InputError

PLAN = ("--plan", "map", "--devices", "1", "--chunk", "2")


@pytest.fixture
def folder(tmp_path, monkeypatch, without_figures):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "own_nets", raising=False)
    monkeypatch.chdir(runs.write(tmp_path))
    yield tmp_path
    sys.modules.pop("own_nets", None)


def test_two_parts_make_up_a_run(relujax, folder):
    first, last = ("--part", "2/2"), ("--part", "1/2")
    for out, parts in (("here", [()]), ("parts", [first, last])):
        for part in parts:
            code, said = relujax("run", "small.py", *PLAN, "--out", out, *part)
            assert code == 0, said
            done = part != first
            assert ("Report:" in said) == done
            assert ("8 of 18 networks of this run are stored" in said) != done
    assert runs.stored(folder / "parts") == runs.stored(folder / "here")
    # The next run may be another one.
    assert not list((folder / "parts/small/units").iterdir())


def test_a_part_run_again_trains_nothing(relujax, folder):
    part = ("run", "small.py", *PLAN, "--part", "0/3")
    relujax(*part)
    files = {p: p.stat().st_mtime_ns for p in folder.glob("runs/small/*/*.parquet")}
    code, _ = relujax(*part)
    assert code == 0 and files
    assert {p: p.stat().st_mtime_ns for p in files} == files


def test_a_part_with_other_seeds_refuses_and_says_what_to_delete(relujax, folder):
    relujax("run", "small.py", *PLAN, "--part", "0/3")
    before = runs.stored(folder / "runs")
    code, said = relujax("run", "small.py", *PLAN, "--part", "1/3", "--seeds", "7")
    assert code == 2
    assert "Expected 6 seeds as in the parts" in said and "got 7 seeds" in said
    assert "delete runs/small/units/quick-in-3.json" in said
    assert runs.stored(folder / "runs") == before


def worker(folder, *words):
    """Another process: (exit code, what it printed)."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


WORK = """
import sys
from relujax.engine import Unit, work_off
from pathlib import Path
sys.path.insert(0, "")
work_off([Unit.from_json(Path("unit.json").read_text())], Path("sent"))
"""
CUT = """
import relujax, sys
from pathlib import Path
from relujax.engine import cut, plan_tasks, setting_of
sys.path.insert(0, "")
cell = relujax.Cell(data="wdbc", model="own_nets:Net", activation="own",
                    objective="binary_cross_entropy", epochs=1)
[unit] = cut(plan_tasks([cell], [0], Path("sent")), root=0, setting=setting_of([cell]))
Path("unit.json").write_text(unit.to_json())
"""


@pytest.mark.slow
def test_a_worker_with_another_revision_of_a_module_refuses(folder):
    run = ("-m", "relujax", "run", "small.py", *PLAN, "--part")
    assert worker(folder, *run, "0/3")[0] == 0
    assert worker(folder, "-c", CUT)[0] == 0
    before = runs.stored(folder / "runs")
    runs.write(folder, width=5)
    code, said = worker(folder, *run, "1/3")
    assert code == 2 and said.count("Error:") == 1
    assert "of own_nets" in said and "bring both to the same state" in said
    assert runs.stored(folder / "runs") == before
    code, said = worker(folder, "-c", WORK)
    assert code == 1 and "Mismatch: Expected revision" in said and "own_nets" in said
    assert not list(folder.glob("sent/*/*.parquet"))


@pytest.mark.parametrize(
    "text", ["there", "3/2", "1/0", "ray:host", "ray:host:port", "2/", 7]
)
def test_a_place_that_there_is_not(text):
    with pytest.raises(InputError, match="or a part such as '2/16'"):
        where_of(text)


def test_the_last_part_is_also_part_0():
    assert where_of("16/16").part == (16, 16) and where_of("0/16").part == (0, 16)


def test_parts_need_a_folder():
    import relujax

    with pytest.raises(InputError, match=r"Expected out= with where='0/2'"):
        relujax.compare("own_nets:Net", "wdbc", ["elu"], where="0/2")


def test_on_and_part_exclude_each_other(relujax):
    code, said = relujax("run", "srelu", "--on", "ray", "--part", "0/2")
    assert code == 2 and "Expected --part or --on, got both" in said
