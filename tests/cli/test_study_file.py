"""Loading a study file."""

import os
import sys

from stored_runs import STUDY

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
