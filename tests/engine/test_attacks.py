"""A folder of results from somebody else can only be read or refused.

Nothing that it names runs, nothing outside of it changes, memory stays bounded, and no
number is used that was not written for its cell.
"""

import hashlib
import json
import os
import random
import re
import shutil
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from frames import PROVENANCE, results, study
from full import slow
from stored_runs import store_study

from relujax import InputError, Paper, files, report
from relujax.engine import (
    Index,
    Store,
    _tables,
    collect,
    provenance,
    read_request,
    stored_cells,
)
from relujax.engine._seal import binding, sealed, sealed_json
from relujax.engine._tables import Budget
from relujax.report import _write

BAD_NAMES = [
    "../up",
    "/etc",
    "a/b",
    "..",
    ".",
    "",
    "a\0b",
    "a\nb",
    ".hidden",
    "x" * 300,
]
BAD_VALUES = [None, 1, [], {}, "x", -1, 2**70, 1.5, [["a"]], {"a": {}}, True]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A stored study, and precious files around it."""
    monkeypatch.setattr(_write, "_sections", lambda *_: [])
    monkeypatch.chdir(tmp_path)
    store_study(tmp_path, "alpha")
    for name in ("precious", "figures", "photo.md", "photo.svg"):
        (tmp_path / name).write_text("mine")
    return tmp_path / "runs"


@pytest.fixture
def outside(runs):
    """Says whether anything changed beside the folder of results."""

    def state():
        return {
            path: path.read_bytes()
            for path in sorted(runs.parent.rglob("*"))
            if path.is_file() and not path.is_relative_to(runs)
        }

    before = state()
    yield
    assert state() == before


def request_of(runs) -> dict:
    content = json.loads((runs / "alpha/quick.json").read_text())
    del content["bound"]
    return content


def forge(runs, **fields) -> None:
    """A record of a run as an attacker writes it, seal included."""
    content = {**request_of(runs), **fields}
    bound = {"study": content["study"], "file": "quick.json"}
    (runs / "alpha/quick.json").write_bytes(sealed_json(content, **bound))


# What a record names is neither imported nor a path.


@pytest.mark.parametrize("where", ["relative", "absolute", "inside", "link", "above"])
def test_a_study_file_that_results_name_does_not_run(relujax, runs, where, tmp_path):
    ran = tmp_path / "ran"
    evil = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    away = tmp_path / "away"
    away.mkdir()
    places = {
        "relative": (tmp_path / "evil.py", "evil.py"),
        "absolute": (away.parent.parent / "evil.py",) * 2,
        "inside": (runs / "evil.py",) * 2,
        "link": (away.parent.parent / "evil.py", tmp_path / "link.py"),
        "above": (away.parent.parent / "evil.py", tmp_path / "../evil.py"),
    }
    file, named = places[where]
    file.write_text(evil)
    if where == "link":
        (tmp_path / "link.py").symlink_to(file)
    forge(runs, file=str(named))
    for command in ("report", "status"):
        code, text = relujax(command, runs)
        assert code == 0 and "Traceback" not in text
    assert not ran.exists()
    file.unlink()


@pytest.mark.parametrize("field", ["study", "profile", "cells"])
def test_names_in_a_record_are_no_paths(relujax, runs, outside, field):
    for name in BAD_NAMES:
        forge(runs, **{field: [name] if field == "cells" else name})
        with pytest.raises(InputError, match="damaged file"):
            read_request(runs / "alpha/quick.json")
    for command in ("report", "status"):
        code, text = relujax(command, runs)
        assert code in (0, 1) and "damaged file" in text


@pytest.mark.parametrize("field", ["study", "file", "command", "seeds", "root", "data",
                                   "options", "cells", "facts", "profile"])  # fmt: skip
def test_fields_of_the_wrong_type_are_one_sentence(runs, field):
    for value in BAD_VALUES:
        if field == "root" and value in (1, -1, 2**70):
            continue
        if isinstance(value, str) and field in ("study", "file", "command", "options"):
            continue
        if isinstance(value, dict) and (field == "facts" or not value):
            continue
        forge(runs, **{field: value})
        if value == [] and field in ("cells", "seeds"):
            continue
        with pytest.raises(InputError, match="damaged file"):
            read_request(runs / "alpha/quick.json")


NO_RECORDS = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe",
    "deep lists": b"[" * 10**6,
    "deep objects": b'{"a":' * 10**5,
    "long number": b"1" * 10**5,
    "null": b"null",
    "list": b"[]",
}


@pytest.mark.parametrize("content", [*NO_RECORDS, "large"])
def test_a_record_that_is_no_record_is_one_sentence(relujax, runs, content):
    path = runs / "alpha/quick.json"
    if content == "large":
        with path.open("wb") as file:
            file.truncate(2**40)
    else:
        path.write_bytes(NO_RECORDS[content])
    code, text = relujax("status", runs)
    assert code == 0 and "damaged file" in text and len(text) < 1000


# Links, pipes and devices.


def test_links_are_not_followed(relujax, runs, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(runs / "alpha", elsewhere)
    before = sorted((path, path.stat().st_mtime_ns) for path in elsewhere.rglob("*"))
    cell = runs / "alpha" / request_of(runs)["cells"][0]
    shutil.rmtree(cell)
    cell.symlink_to(elsewhere / cell.name)
    (runs / "linked").symlink_to(elsewhere)
    text = relujax("status", runs)[1]
    assert "is a link" in text and "linked" not in text
    with pytest.raises(InputError, match="link"):
        Store(cell).claim(wait=False)
    code, text = relujax("report", runs)
    assert code == 1 and "2 of 4 networks are missing" in text
    assert before == sorted((p, p.stat().st_mtime_ns) for p in elsewhere.rglob("*"))


def test_a_linked_study_is_not_written_through(relujax, runs, outside, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (runs / "srelu").symlink_to(tmp_path / "elsewhere")
    code, text = relujax("run", "srelu", "--out", runs, "--seeds", 1)
    assert code == 2 and "nothing is written through it" in text
    assert not os.listdir(tmp_path / "elsewhere")


def test_a_folder_of_any_name_that_the_user_chooses_is_fine(runs, tmp_path):
    asked = read_request(runs / "alpha/quick.json")
    folder = tmp_path / "my [/runs] (2)"
    asked.write(folder)
    assert read_request(folder / "quick.json") == asked


@pytest.mark.parametrize("place", ["report", "report/quick", "report/quick/figures",
                                   "report/quick/report.html"])  # fmt: skip
def test_nothing_is_written_through_a_link(relujax, runs, outside, tmp_path, place):
    link = runs / "alpha" / place
    link.parent.mkdir(parents=True, exist_ok=True)
    target = tmp_path / "precious"
    if not place.endswith(".html"):
        target = tmp_path / "folder"
        target.mkdir()
        (target / "mine").write_text("mine")
    link.symlink_to(target)
    relujax("report", runs)
    assert not target.is_dir() or os.listdir(target) == ["mine"]
    (tmp_path / "folder" / "mine").unlink(missing_ok=True)


def test_pipes_and_devices_do_not_block(relujax, runs):
    cell = runs / "alpha" / request_of(runs)["cells"][0]
    for path in (cell / "claim.json", cell / "error.txt", runs / "alpha/pipe.json"):
        os.mkfifo(path)
    table = min(cell.glob("*.parquet"))
    table.unlink()
    os.mkfifo(table)
    (runs / "alpha/zero.json").symlink_to("/dev/zero")
    began = time.monotonic()
    code, text = relujax("status", runs)
    assert code == 0 and time.monotonic() - began < 20
    assert "no regular file" in text


# Only what we wrote is removed.


@pytest.mark.parametrize("name", ["../../../../precious", "../../../../photo",
                                  "figures/../../../../../precious"])  # fmt: skip
def test_an_earlier_report_removes_nothing_but_its_own(relujax, runs, outside, name):
    folder = runs / "alpha/report/quick"
    (folder / "figures").mkdir(parents=True)
    (folder / "notes.md").write_text("notes")
    (folder / "old.md").write_text("old")
    digest = {
        text: hashlib.sha256(text.encode()).hexdigest() for text in ("mine", "old")
    }
    content = {
        "tables": [name, "notes", 1, None],
        "figures": [{"name": name}, {"name": ["x"]}, "x"],
        "files": {
            name: digest["mine"],
            **dict.fromkeys(["notes.md", "old.md", "figures"], digest["old"]),
            "a/b/c": "x",
        },
    }
    (folder / "report.json").write_text(json.dumps(content))
    assert relujax("report", runs)[0] == 0
    assert (folder / "notes.md").read_text() == "notes"
    assert not (folder / "old.md").exists()


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"[" * 10**5, b'{"files": [1]}'])
def test_a_damaged_report_is_written_again(relujax, runs, content):
    folder = runs / "alpha/report/quick"
    folder.mkdir(parents=True)
    (folder / "report.json").write_bytes(content)
    assert relujax("report", runs)[0] == 0


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_study_has_a_name_that_stays_inside(name):
    with pytest.raises(InputError, match="id of a study"):
        replace(study(), id=name)
    with pytest.raises(InputError, match="name of a profile"):
        replace(study(), profiles={name: []})


@pytest.fixture
def quick(monkeypatch):
    """Reports without figures."""
    monkeypatch.setattr(_write, "_sections", lambda *_: [])


def test_publishing_takes_no_folder_that_holds_something_else(tmp_path, quick):
    frame = results(["relu", "elu"], seeds=2, epochs=1)
    page = report.write(study(), "quick", frame, PROVENANCE, tmp_path / "report")
    kept = tmp_path / "notes/quick"
    kept.mkdir(parents=True)
    (kept / "README.md").write_text("# My notes\n")
    args = (study(), "quick", frame, PROVENANCE, page.parent)
    with pytest.raises(InputError, match="nothing is written there"):
        report.publish(*args, kept)
    assert os.listdir(kept) == ["README.md"]
    (kept / "README.md").unlink()
    report.publish(*args, kept)
    (kept / "figures").mkdir()
    (kept / "figures/mine.png").write_text("mine")
    manifest = json.loads((kept / "manifest.json").read_text())
    manifest["files"]["../../precious"] = manifest["files"]["README.md"]
    shutil.copy(kept / "README.md", tmp_path / "precious")
    (kept / "manifest.json").write_text(json.dumps(manifest))
    report.publish(*args, kept)
    assert (kept / "figures/mine.png").exists() and (tmp_path / "precious").exists()


# Markup.


@pytest.mark.parametrize(
    "markup", ["[/b]", "\x1b]0;x\x07", *slow("[bold", "[link=x]", "[red]x")]
)
def test_markup_in_names_is_text(relujax, runs, markup):
    cell = runs / "alpha" / request_of(runs)["cells"][0]
    min(cell.glob("*.parquet")).unlink()
    (cell / "error.txt").write_text(markup)
    forge(runs, command=f"relujax run {markup}", file=markup,
          facts={"question": markup, "baseline": markup})  # fmt: skip
    (runs / "alpha/[b].json").write_text("{}")
    (runs / "x[b]").mkdir()
    shutil.copy(runs / "alpha/quick.json", runs / "x[b]")
    code, text = relujax("status", runs)
    assert code == 0 and "\x1b]" not in text
    assert re.sub("[\x1b\x07]", "\ufffd", markup) in text
    assert relujax("report", runs)[0] == 1
    code, text = relujax("status", runs / markup.replace("\x1b", ""))
    assert code == 0 and "Nothing has been run" in text


def test_a_page_has_no_live_link_or_script_of_an_author(tmp_path, quick):
    evil = '<script>alert(1)</script>[x](javascript:alert(1))"onload="x'
    urls = ["javascript:alert(1)", 'https://x" onclick="y']
    frame = results(["relu", "elu"], seeds=2, epochs=1)
    for number, url in enumerate(urls):
        paper = Paper(title=evil, authors=evil, url=url)
        asked = replace(study(), paper=paper, question=evil)
        out = tmp_path / str(number)
        page = report.write(asked, "quick", frame, PROVENANCE, out / "report")
        index = report.write_index([page], out, skipped={evil: evil})
        for text in (page.read_text(), index.read_text()):
            assert "<script" not in text and 'href="j' not in text.lower()
            assert "<cite>" in text
        if number:
            continue
        readme = report.publish(
            asked, "quick", frame, PROVENANCE, page.parent, out / "kept"
        ).read_text()
        assert "<script" not in readme and "](javascript" not in readme
    for url in (
        "data:text/html,x",
        "java\nscript:x",
        " javascript:x",
        "//x",
        "JAVASCRIPT:x",
        "file:///etc/passwd",
        "https://x\n",
        "https://x'y",
    ):
        assert _write.web(url) == ""
    paper = Paper(title="T", authors="A", url="https://arxiv.org/abs/1")
    page = report.write(
        replace(study(), paper=paper), "quick", frame, PROVENANCE, tmp_path / "ok"
    )
    assert 'href="https://arxiv.org/abs/1"' in page.read_text()


# Bombs.


def bomb(path: Path, table: pa.Table, **options) -> None:
    """A small sealed file of a large table."""
    buffer = pa.BufferOutputStream()
    with pq.ParquetWriter(
        buffer, table.schema, compression="zstd", **options
    ) as writer:
        writer.write_table(table)
        bound = binding(cell=path.name, seeds=[0], fingerprint="")
        writer.add_key_value_metadata({"relujax": json.dumps(bound)})
    path.mkdir(parents=True)
    content = sealed(buffer.getvalue().to_pybytes())
    (path / "seeds-0000-0000-0.parquet").write_bytes(content)
    assert len(content) < 2**22


def one_list(length: int) -> pa.ListArray:
    return pa.ListArray.from_arrays([0, length], np.zeros(length, np.int8))


def one_text(length: int) -> pa.DictionaryArray:
    places = pa.array(np.zeros(length, np.int32))
    return pa.DictionaryArray.from_arrays(places, ["x" * length])


def keys(rows: int) -> dict:
    zeros = np.zeros(rows, np.int8)
    return {"seed": zeros, "epoch": zeros, "split": pa.array(["test"]).take(zeros)}


@pytest.mark.parametrize("kind", ["text", "lists", "columns", "nested", *slow("rows")])
def test_a_bomb_is_refused_before_it_takes_memory(tmp_path, monkeypatch, kind):
    if kind != "rows":
        monkeypatch.setattr(
            _tables, "TABLE_BYTES", 2**22
        )  # The others are slow to make.
    table = {
        "rows": lambda: pa.table(keys(10**8 // 4)),
        "text": lambda: pa.table({**keys(10**4), "x": one_text(10**4)}),
        "lists": lambda: pa.table({**keys(1), "x": one_list(10**6)}),
        "columns": lambda: pa.table(
            {**keys(1), **{f"x{i}": [0] for i in range(10_001)}}
        ),
        "nested": lambda: pa.table({**keys(1), "x": pa.array([[[{"a": 1}]]])}),
    }[kind]()
    bomb(tmp_path / "cell", table, store_schema=kind != "text")
    del table
    pool = pa.default_memory_pool()
    pool.release_unused()
    before = pool.bytes_allocated()
    with pytest.warns(UserWarning, match="its seeds will run again"):
        assert Store(tmp_path / "cell").load().empty
    assert pool.max_memory() and pool.bytes_allocated() - before < 2**26


def test_many_tables_together_do_not_exceed_the_memory(runs, monkeypatch):
    asked = read_request(runs / "alpha/quick.json")
    monkeypatch.setattr(Budget, "__init__", lambda self: setattr(self, "_left", 5_000))
    with pytest.raises(InputError, match="fit into the memory"):
        collect(stored_cells(asked, runs / "alpha"), asked.seeds)


def test_a_huge_file_is_not_read(tmp_path):
    store = Store(tmp_path / "cell")
    store.folder.mkdir()
    for name in ("seeds-0.parquet", "cell.json", "error.txt", "claim.json"):
        with (store.folder / name).open("wb") as file:
            file.truncate(2**42)
    assert "it has more than" in store.error()
    with pytest.raises(InputError, match="it has more than"):
        store.description()
    with pytest.warns(UserWarning, match="it has more than"):
        assert store.seeds() == set()


def test_a_folder_of_too_many_entries_is_refused(relujax, runs, monkeypatch):
    monkeypatch.setattr(files, "ENTRIES", 20)
    monkeypatch.setattr(files.entries, "__defaults__", (20,))
    for i in range(30):
        (runs / f"alpha/{i:016x}").mkdir()
    code, text = relujax("status", runs)
    assert code == 0 and "Expected at most 20 entries" in text
    for i in range(30):
        (runs / f"study{i}").mkdir()
    code, text = relujax("status", runs)
    assert code == 2 and "Expected at most 20 entries" in text
    assert relujax("report", runs)[0] == 2


# Wrong numbers.


def test_the_index_is_trusted_with_nothing(runs):
    asked = read_request(runs / "alpha/quick.json")
    cell = asked.cells[0]
    index = Index(runs / "alpha")
    known = index.contents(cell).known
    lie = {
        name: [size, stamp, [0, 1, 2, 3]] for name, (size, stamp, _) in known.items()
    }
    for cells in (
        {cell: lie},
        {cell: []},
        {cell: {"x": 1}},
        {cell: {"x": [1, 2, "a"]}},
    ):
        content = sealed_json({"cells": cells}, file=".index")
        (runs / "alpha/.index").write_bytes(content)
        Index(runs / "alpha").contents(cell)
        assert Store(runs / "alpha" / cell).seeds() == {0, 1}
        assert set(Store(runs / "alpha" / cell).load()["seed"]) == {0, 1}


def test_cells_that_are_exchanged_are_damage(runs):
    first, second = (runs / "alpha" / name for name in request_of(runs)["cells"])
    first.rename(runs / "alpha/aside")
    second.rename(first)
    (runs / "alpha/aside").rename(second)
    with pytest.raises(InputError, match="belongs to cell"):
        stored_cells(read_request(runs / "alpha/quick.json"), runs / "alpha")
    for folder in (first, second):
        with pytest.warns(UserWarning, match="belongs to cell"):
            assert Store(folder).load().empty


def test_words_in_place_of_scores_are_damage(runs):
    cell = runs / "alpha" / request_of(runs)["cells"][0]
    path = next(cell.glob("*.parquet"))
    frame = pd.read_parquet(path).assign(accuracy="high")
    seeds = frame["seed"].unique().tolist()
    path.write_bytes(_tables.table_bytes(frame, cell=cell.name, seeds=seeds))
    with pytest.warns(UserWarning, match="column 'accuracy' has the type"):
        rows = Store(cell).load()
    assert not set(seeds) & set(rows["seed"])


def test_a_cell_without_its_data_set_is_named(runs):
    cell = runs / "alpha" / request_of(runs)["cells"][0]
    content = json.loads((cell / "cell.json").read_text())
    bound = content.pop("bound")
    del content["data"]["source"]
    (cell / "cell.json").write_bytes(sealed_json(content, **bound))
    with pytest.raises(InputError, match=f"in .*{cell.name}, found no source"):
        stored_cells(read_request(runs / "alpha/quick.json"), runs / "alpha")


def read_all(runs: Path) -> dict[tuple, pd.DataFrame]:
    """The rows of every cell and seed, by what the cell is said to be."""
    asked = read_request(runs / "quick.json")
    stored = stored_cells(asked, runs)
    frame = collect(stored, asked.seeds)
    found = {}
    for key, rows in frame.groupby(["cell", "activation", "data", "model", "seed"]):
        found[key] = rows.reset_index(drop=True)
    return found


def corrupt(rng: random.Random, folder: Path) -> str:
    """Damage one file, as disks and careless copies do; says how."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    path, other = rng.choice(paths), rng.choice(paths)
    content = bytearray(path.read_bytes())
    ways = "flip flips cut grow delete copy swap zero move link folder"
    how = rng.choice(ways.split())
    if how in ("flip", "flips") and content:
        for _ in range(1 if how == "flip" else rng.randint(2, 150)):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
    elif how == "cut":
        path.write_bytes(content[: rng.randrange(len(content) + 1)])
    elif how == "grow":
        path.write_bytes(content + other.read_bytes()[:99])
    elif how == "zero":
        start = rng.randrange(len(content) + 1)
        path.write_bytes(content[:start] + bytes(len(content) - start))
    elif how in ("delete", "link", "folder"):
        path.unlink()
        if how == "link":
            path.symlink_to(other)
        elif how == "folder":
            path.mkdir()
    elif how == "move" and path != other:
        path.replace(other)
    elif how == "copy":
        path.write_bytes(other.read_bytes())
    elif how == "swap":
        theirs = other.read_bytes()
        other.write_bytes(content)
        path.write_bytes(theirs)
    return f"{how} {path.name} {other.name}"


def check_corruptions(tmp_path: Path, count: int, key: int) -> None:
    store_study(tmp_path, "alpha", seeds=3)
    whole = tmp_path / "runs/alpha"
    # A chunk of several seeds beside those of one.
    for name in json.loads((whole / "quick.json").read_text())["cells"]:
        store = Store(whole / name)
        rows = store.load()
        rows["seed"] += 3
        record = {"wall_seconds": 1.0, "plan": {}, **provenance()}
        store.add(rows, record)
    truth, rng = read_all(whole), random.Random(key)
    assert len(truth) == 6
    used = 0
    for number in range(count):
        folder = tmp_path / str(number) / "alpha"
        shutil.copytree(whole, folder)
        what = corrupt(rng, folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Index(folder).contents("x")
            try:
                found = read_all(folder)
            except InputError:
                found = {}
        for name, rows in found.items():
            assert rows.equals(truth[name]), what
        used += len(found)
        shutil.rmtree(folder.parent)
    assert used > 3 * count  # Most of what is whole is still read.


def test_no_corruption_of_a_file_gives_a_wrong_number(tmp_path):
    check_corruptions(tmp_path, 40, key=0)


@pytest.mark.slow
def test_no_corruption_of_500_gives_a_wrong_number(tmp_path):
    check_corruptions(tmp_path, 500, key=1)
