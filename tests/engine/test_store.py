"""Results on disk: damage is found, what is whole is kept, one process has a cell."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from relujax.engine import Store, _store, provenance

RECORD = {"wall_seconds": 1.5, "plan": {}, **provenance()}


def table(*seeds: int) -> pd.DataFrame:
    """Rows as of a run: numbers, text and lists."""
    rows = [
        {"seed": seed, "epoch": epoch, "split": split, "loss": seed + epoch / 7}
        for seed in seeds
        for epoch in range(9)
        for split in ("test", "train")
    ]
    return pd.DataFrame(rows).assign(dead=[[row["loss"], 0.5] for row in rows])


@pytest.fixture
def store(tmp_path):
    """Two chunks: seeds 0 and 1, seed 2."""
    store = Store(tmp_path / "cell")
    store.folder.mkdir()
    store.add(table(0, 1), RECORD)
    store.add(table(2), RECORD)
    return store


def files(store, pattern="*") -> list[str]:
    return sorted(path.name for path in store.folder.glob(pattern))


def test_one_changed_byte_anywhere_is_noticed(store):
    path = next(store.folder.glob("*.parquet"))
    content = path.read_bytes()
    for place in range(0, len(content), 101):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert store.done() == ({2}, [path]), place
    path.write_bytes(changed)
    with pytest.warns(UserWarning, match="has changed since it was written"):
        assert set(store.load()["seed"]) == {2}
    assert files(store, "*.corrupt") == [f"{path.name}.corrupt"]
    path.write_bytes(content)
    pd.testing.assert_frame_equal(store.load(), table(0, 1, 2), check_like=True)


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"x" * 999, "half"])
def test_rows_without_a_record_are_read_unless_they_cannot_be(store, damage):
    for path in store.folder.glob("*.json"):
        path.unlink()
    assert store.seeds() == {0, 1, 2} and store.records() == []
    path = next(store.folder.glob("*.parquet"))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage == "half" else damage)
    with pytest.warns(UserWarning, match="will run again"):
        assert store.seeds() == {2}


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"date": "today"}', "\xff"])
def test_a_damaged_record_costs_no_rows(store, damage):
    path = next(store.folder.glob("*.json"))
    path.write_bytes(damage.encode("latin-1"))
    assert store.seeds() == {0, 1, 2}
    with pytest.warns(UserWarning, match="its rows stay"):
        assert [record["seeds"] for record in store.records()] == [[2]]
    assert files(store, "*.corrupt") == [f"{path.name}.corrupt"]
    assert len(store.records()) == 1 and len(store.load()) == 3 * 18


def test_a_record_without_rows_does_not_count(store):
    next(store.folder.glob("*.parquet")).unlink()
    assert [record["seeds"] for record in store.records()] == [[2]]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_what_cannot_be_opened_is_not_taken_for_damaged(store, monkeypatch, number):
    def refuse(path):
        raise OSError(number, os.strerror(number))

    before = files(store)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    for read in (store.load, store.seeds, store.done):
        with pytest.raises(OSError, match=os.strerror(number)):
            read()
    assert files(store) == before


def test_what_another_process_sets_aside_meanwhile_is_skipped(store, monkeypatch):
    gone = store.folder / "seeds-0009-0009-0.parquet"
    chunks = [*store._chunks(), gone]
    monkeypatch.setattr(store, "_chunks", lambda: chunks)
    assert store.seeds() == {0, 1, 2} and len(store.records()) == 2
    _store._set_aside(gone, _store.Damaged("gone"))


def test_a_failed_write_leaves_nothing_behind(store, monkeypatch):
    def full_disk(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = files(store, "*.parquet")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.add(table(3), RECORD)
    monkeypatch.undo()
    assert files(store, "*.parquet") == before and files(store, ".*") == []
    assert store.seeds() == {0, 1, 2} and len(store.records()) == 2


def test_a_new_attempt_forgets_the_failure(store):
    store.note_error(ValueError("out of luck"))
    assert store.error() == "ValueError: out of luck"
    store.describe({"cell": {}})
    assert store.error() == ""
    assert json.loads((store.folder / "cell.json").read_text()) == {"cell": {}}


HOLD = """
import sys
from pathlib import Path
from relujax.engine import Store
lock = Store(Path(sys.argv[1])).claim(wait=False)
print("held" if lock else "busy", flush=True)
sys.stdin.read()
"""


def test_a_cell_is_claimed_by_one_process(store):
    command = [sys.executable, "-c", HOLD, str(store.folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdin and holder.stdout
        assert holder.stdout.readline() == "held\n"
        assert store.claim(wait=False) is None
        assert store.running()
        holder.kill()
    lock = store.claim(wait=False)
    assert lock is not None
    done = subprocess.run(command, input="", capture_output=True, text=True)
    assert done.stdout == "busy\n"
    lock.release()
