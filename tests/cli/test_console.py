"""Text of any origin on any terminal: markup, emoji codes, encodings, folders."""

import io
import os
import sys

import pytest
from rich.console import Console

from relujax.cli import _console, _start
from relujax.progress import ProgressBar

ODD = "a[/b] [bold]c[/] :smile: [link=x]"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "koi8-r"])
def test_every_encoding_takes_what_list_and_show_print(encoding, relujax, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert relujax("list")[0] == 0
    assert relujax("show", "sugar_relu(alpha=1.5)")[0] == 0
    out.flush()
    printed = out.buffer.getvalue().decode(encoding)
    assert "f' at kink" in printed and "sugar_relu(alpha=1.5)" in printed


def test_what_stands_for_signs_that_are_lacking():
    _console.print_anything()
    text = "f′(−1) = ∞ … Kléma 日"
    assert text.encode("ascii", "relujax") == b"f'(-1) = inf ... Klema ?"
    assert text.encode("utf-8", "relujax").decode() == text


def test_text_of_unknown_origin_is_printed_as_it_is(capsys):
    _console.say(f"[bold]{_console.plain(ODD)}[/]")
    assert capsys.readouterr().out == f"{ODD}\n"


def test_a_bar_shows_names_and_lines_as_they_are():
    file = io.StringIO()
    drawn = Console(file=file, force_terminal=True, width=200)
    with ProgressBar(drawn, 2, "pictures") as bar:
        bar.describe(ODD)
        bar.advance()
        bar.say(ODD)
    printed = file.getvalue()
    assert (
        printed.count(ODD) >= 1
        and f"{ODD} \x1b" in printed
        and "1/2" in printed
        and "pictures" in printed
    )


def test_no_time_is_foretold_before_anything_is_done(monkeypatch):
    monkeypatch.setattr("relujax.progress.EVERY", 0.0)
    file = io.StringIO()
    with ProgressBar(Console(file=file, width=200), 8) as bar:
        bar.advance(0)
        bar.advance(2)
    compiling, training = file.getvalue().splitlines()
    assert compiling.startswith("0 of 8 epochs") and "left" not in compiling
    assert training.startswith("2 of 8 epochs") and "left" in training


def test_gallery_counts_its_pictures(relujax, monkeypatch, tmp_path):
    advanced = []
    monkeypatch.setattr(
        "relujax.report._gallery.names", lambda gated: ("relu", "n_relu")
    )
    monkeypatch.setattr(ProgressBar, "advance", lambda bar: advanced.append(bar))
    assert relujax("gallery", "--out", tmp_path / "a[" / "x]")[0] == 0
    assert len(advanced) == 4 and (tmp_path / "a[" / "x]" / "gallery.html").is_file()


def test_modules_here_are_found_once_and_without_a_folder(monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    monkeypatch.setattr(sys, "path", ["elsewhere"])
    _start.find_modules_here()
    _start.find_modules_here()
    assert sys.path == [str(tmp_path / "gone"), "elsewhere"]
    sys.path.pop(0)
    os.rmdir(tmp_path / "gone")
    _start.find_modules_here()
    assert sys.path == ["elsewhere"]


@pytest.mark.parametrize("words", [["list"], ["status"], ["data", "list"]])
def test_a_deleted_working_directory_stops_nobody(
    words, relujax, monkeypatch, tmp_path
):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    assert relujax(*words)[0] == 0
