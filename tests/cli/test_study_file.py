"""Loading a study file."""

import os
import sys

from stored_runs import STUDY

from relujax.cli import _study_file
from relujax.cli._study_file import load_study


def test_an_edit_within_the_second_and_of_the_same_size_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "study.py"
    file.write_text(STUDY.replace("NAME", "alpha"))
    first = file.stat()
    assert load_study(file).id == "alpha"
    file.write_text(STUDY.replace("NAME", "gamma"))
    os.utime(file, ns=(first.st_atime_ns, first.st_mtime_ns))
    assert load_study(file).id == "gamma"


def test_a_study_imports_the_modules_beside_it(tmp_path):
    (tmp_path / "_words_of_a_study.py").write_text("NAME = 'beside'\n")
    file = tmp_path / "study.py"
    text = STUDY.replace('"NAME"', "NAME").replace("'NAME'", "NAME")
    file.write_text(f"from _words_of_a_study import NAME\n{text}")
    assert load_study(file).id == "beside"
    assert str(tmp_path) not in sys.path


def test_modules_beside_a_study_are_left_out_of_the_list():
    names = _study_file.packaged_studies()
    assert "relu_variants" in names and not any(name[0] == "_" for name in names)
