"""Results on disk: damage is found, what is whole is kept, one process has a cell."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import warnings

import pandas as pd
import pytest

from relujax import InputError, files
from relujax.engine import Index, Store, _claims, _store, _tables, provenance

RECORD = {"wall_seconds": 1.5, "plan": {}, "fingerprint": "f00d", **provenance()}


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
    store = Store(tmp_path / "study" / "cell")
    store.add(table(0, 1), RECORD)
    store.add(table(2), RECORD)
    return store


def names(store, pattern="*") -> list[str]:
    return sorted(path.name for path in store.folder.glob(pattern))


def first(store, pattern="*.parquet"):
    return min(store.folder.glob(pattern))


def unseal(store) -> None:
    """Rewrite a cell as earlier versions wrote it: without seals."""
    for path in store.folder.glob("*.parquet"):
        rows = pd.read_parquet(path)
        rows.to_parquet(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        seeds = sorted(rows["seed"].unique().tolist())
        record = {"seeds": seeds, "sha256": digest, **RECORD}
        path.with_suffix(".json").write_text(json.dumps(record, indent=2))


def test_one_changed_byte_anywhere_is_noticed(store):
    path = first(store)
    content = path.read_bytes()
    for place in range(0, len(content), 101):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        found = store.contents()
        assert found.seeds == {2} and set(found.damaged) == {path}, place
    with pytest.warns(UserWarning, match="seeds will run again"):
        assert set(store.load()["seed"]) == {2}
    assert names(store, "*.corrupt") == [f"{path.name}.corrupt"]
    path.write_bytes(content)
    pd.testing.assert_frame_equal(store.load(), table(0, 1, 2), check_like=True)


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"x" * 999, "half"])
def test_rows_need_no_record_but_must_be_whole(store, damage):
    for path in store.folder.glob("*.json"):
        path.unlink()
    assert store.seeds() == {0, 1, 2} and store.records() == []
    path = first(store)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage == "half" else damage)
    with pytest.warns(UserWarning, match="will run again"):
        assert store.seeds() == {2}


def test_the_same_rows_are_the_same_bytes(store):
    path = first(store)
    content = path.read_bytes()
    store.add(table(0, 1), RECORD | {"date": "another", "wall_seconds": 9.0})
    assert path.read_bytes() == content


def test_a_cell_does_not_take_the_files_of_another(store):
    other = Store(store.folder.parent / "other")
    other.add(table(0, 1).assign(loss=0.0), RECORD)
    for path in other.folder.iterdir():
        shutil.copy(path, store.folder)
    with pytest.warns(UserWarning, match="belongs to cell other, not to cell"):
        assert set(store.load()["seed"]) == {2}
    assert [record["seeds"] for record in store.records()] == [[2]]


def test_files_without_seals_are_read_as_before(store):
    unseal(store)
    assert store.seeds() == {0, 1, 2} and len(store.records()) == 2
    pd.testing.assert_frame_equal(store.load(), table(0, 1, 2), check_like=True)
    path = first(store)
    path.with_suffix(".json").unlink()
    with pytest.warns(UserWarning, match="neither a seal nor a record"):
        assert Store(store.folder).seeds() == {2}
    path = first(store)
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.warns(UserWarning, match="has changed since it was written"):
        assert store.load().empty


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"date": "today"}', "\xff", "deep"])
def test_a_damaged_record_costs_no_rows(store, damage):
    path = first(store, "*.json")
    content = "[" * 200_000 if damage == "deep" else damage
    path.write_bytes(content.encode("latin-1"))
    assert store.seeds() == {0, 1, 2}
    with pytest.warns(UserWarning, match="its rows stay"):
        assert [record["seeds"] for record in store.records()] == [[2]]
    assert names(store, "*.corrupt") == [f"{path.name}.corrupt"]
    assert len(store.records()) == 1 and len(store.load()) == 3 * 18


def test_a_changed_record_is_noticed(store):
    path = first(store, "*.json")
    text = path.read_text()
    path.write_text(text.replace("1.5", "2.5"))
    with pytest.warns(UserWarning, match="has changed since it was written"):
        assert len(store.records()) == 1


def test_a_record_without_rows_does_not_count(store):
    first(store).unlink()
    assert [record["seeds"] for record in store.records()] == [[2]]


def test_each_seed_has_the_fingerprint_of_its_program(store):
    store.add(table(3), RECORD | {"fingerprint": "beef"})
    assert store.fingerprints() == {0: "f00d", 1: "f00d", 2: "f00d", 3: "beef"}


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_what_cannot_be_opened_is_not_taken_for_damaged(store, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    before = names(store)
    monkeypatch.setattr(os, "open", refuse)
    for read in (store.load, store.seeds, store.contents):
        with pytest.raises(OSError, match=os.strerror(number)):
            read()
    monkeypatch.undo()
    assert names(store) == before


def test_what_another_process_sets_aside_meanwhile_is_skipped(store, monkeypatch):
    gone = store.folder / "seeds-0009-0009-0.parquet"
    chunks = [*store._chunks(), gone]
    monkeypatch.setattr(store, "_chunks", lambda: chunks)
    assert len(store.load()) == 3 * 18 and len(store.records()) == 2
    _store.set_aside(gone, _store.Damaged("gone"))


def test_a_failed_write_leaves_nothing_behind(store, monkeypatch):
    def full_disk(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = names(store, "*.parquet")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.add(table(3), RECORD)
    monkeypatch.undo()
    assert names(store, "*.parquet") == before and names(store, ".*") == []
    assert store.seeds() == {0, 1, 2} and len(store.records()) == 2


def test_a_new_attempt_forgets_the_failure(store):
    store.note_error(ValueError("out of luck"))
    assert store.error() == "ValueError: out of luck" and store.contents().failed
    store.describe({"cell": {}})
    assert store.error() == "" and not store.contents().failed
    assert store.description() == {"cell": {}}


def test_a_failure_on_a_full_disk_is_a_failure(store, monkeypatch):
    def full_disk(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "write", full_disk)
    store.note_error(ValueError("out of luck"))
    assert store.contents().failed and "was the disk full?" in store.error()


def test_an_error_of_any_bytes_is_one_plain_line(store):
    (store.folder / "error.txt").write_bytes(b"x\nValueError: \xff \x1b[31mred\n")
    assert store.error() == "ValueError: � �[31mred"


def test_a_table_too_large_for_a_file_becomes_several(store, monkeypatch):
    monkeypatch.setattr(_tables, "TABLE_BYTES", 4 * 3_000)
    store.add(table(5, 6, 7), RECORD)
    assert {"seeds-0005-0005", "seeds-0006-0006"} < {
        name[:15] for name in names(store, "*.parquet")
    }
    monkeypatch.undo()
    assert store.seeds() == {0, 1, 2, 5, 6, 7}
    monkeypatch.setattr(_tables, "TABLE_BYTES", 1_000)
    with pytest.raises(InputError, match="evaluate less often"):
        store.add(table(8), RECORD)


def test_files_are_kept_with_their_record(store):
    store.put_file("weights-3.safetensors", b"\x00weights", {"epoch": 4})
    assert store.get_file("weights-3.safetensors") == (b"\x00weights", {"epoch": 4})
    assert store.get_file("weights-4.safetensors") is None
    (store.folder / "weights-3.safetensors").write_bytes(b"\x01weights")
    with pytest.warns(UserWarning, match="it counts as missing"):
        assert store.get_file("weights-3.safetensors") is None
    assert names(store, "weights-3*corrupt") == ["weights-3.safetensors.corrupt"]
    for bad in ("../up", "cell.json", "seeds-1.parquet", "", ".x"):
        with pytest.raises(InputError):
            store.put_file(bad, b"", {})


def test_weights_are_verified_when_they_are_read(store):
    assert not store.has_weights(3)
    store.put_weights(3, b"weights")
    assert store.has_weights(3) and store.weights(3) == b"weights"
    (store.folder / "weights-3.safetensors").write_bytes(b"weightz")
    with (
        pytest.warns(UserWarning),
        pytest.raises(InputError, match="weights of seed 3"),
    ):
        store.weights(3)
    assert not store.has_weights(3)


def test_seeds_that_are_put_aside_run_again(store):
    store.set_aside(seed for seed in [1, 7])
    assert store.seeds() == {2} and len(store.load()) == 18
    assert len(names(store, "*.stale")) == 2


def test_a_file_of_another_cell_is_not_taken(store):
    other = Store(store.folder.parent / "other")
    other.put_file("weights-3.safetensors", b"theirs", {})
    for path in other.folder.iterdir():
        shutil.copy(path, store.folder)
    with pytest.warns(UserWarning, match="belongs to cell other"):
        assert store.get_file("weights-3.safetensors") is None


def test_the_index_knows_what_has_not_changed(store, monkeypatch):
    study = store.folder.parent
    index = Index(study)
    assert index.contents("cell").seeds == {0, 1, 2}
    index.save()

    def never(*_):
        raise AssertionError("read again")

    monkeypatch.setattr(_store, "verified", never)
    assert Index(study).contents("cell").seeds == {0, 1, 2}
    monkeypatch.undo()
    first(store).unlink()
    store.add(table(7), RECORD)
    assert Index(study).contents("cell").seeds == {2, 7}
    assert Index(study).contents("none").seeds == set()


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"cells": []}', b"\xff", "flip"])
def test_a_damaged_index_is_made_again(store, damage):
    study = store.folder.parent
    index = Index(study)
    index.contents("cell")
    index.save()
    path = study / ".index"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"2\n", b"3\n") if damage == "flip" else damage)
    again = Index(study)
    assert again.contents("cell").seeds == {0, 1, 2}
    again.save()
    assert path.read_bytes() == content


# Claims.

HOLD = """
import sys
from pathlib import Path
from relujax.engine import Store
claim = Store(Path(sys.argv[1])).claim(wait=False)
print("held" if claim else "busy", flush=True)
sys.stdin.read()
"""


def test_a_cell_is_claimed_by_one_process(store):
    command = [sys.executable, "-c", HOLD, str(store.folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdin and holder.stdout
        assert holder.stdout.readline() == "held\n"
        assert store.claim(wait=False) is None
        assert store.running() and f"process {holder.pid}" in store.contents().running
        holder.kill()
        holder.wait()
        # Its process is gone: no wait for the claim to expire.
        assert not store.running()
        claim = store.claim(wait=False)
    assert claim is not None and store.claim(wait=False) is None
    claim.release()
    assert not claim.held and not store.running()
    assert names(store, "claim*") == names(store, ".*") == []


def foreign(store, silent: float = 0.0) -> None:
    """The claim of a process on another machine, with a sign of life some time ago."""
    content = json.loads(_claims.content("ab" * 16))
    content |= {"host": "far[/]away", "system": "another", "pid": 1}
    path = store.folder / "claim.json"
    path.write_text(json.dumps(content))
    beat = time.time() - silent
    os.utime(path, (beat, beat))


def test_a_claim_without_signs_of_life_expires(store):
    foreign(store, silent=_claims.STALE / 2)
    assert store.claim(wait=False) is None and store.running()
    foreign(store, silent=_claims.STALE * 2)
    assert not store.running()
    claim = store.claim(wait=False)
    assert claim is not None
    claim.release()


def test_waiting_says_for_whom_once_and_ends(store, monkeypatch):
    monkeypatch.setattr(_claims, "STALE", 0.3)
    foreign(store, silent=-9999)  # A clock that is wrong must not make it eternal.
    said = []
    claim = store.claim(wait=True, say=said.append)
    assert claim is not None
    claim.release()
    (words,) = said
    assert "process 1 on far[/]away since 20" in words and "claim.json" in words


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 99, "link", "folder"])
def test_a_claim_that_cannot_be_read_expires(store, monkeypatch, content, tmp_path):
    path = store.folder / "claim.json"
    (tmp_path / "precious").write_text("mine")
    if content == "link":
        path.symlink_to(tmp_path / "precious")
    elif content == "folder":
        path.mkdir()
    else:
        path.write_bytes(content)
    monkeypatch.setattr(_claims, "STALE", 0.2)
    claim = store.claim(wait=True, say=lambda _: None)
    assert claim is not None
    claim.release()
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_holder_gives_signs_of_life(store, monkeypatch):
    monkeypatch.setattr(_claims, "HEARTBEAT", 0.01)
    claim = store.claim(wait=False)
    path = store.folder / "claim.json"
    os.utime(path, (1e9, 1e9))
    claim.beat()
    assert time.time() - path.stat().st_mtime < 30
    # Taken over after a long pause: it must not keep the new holder's claim.
    path.unlink()
    foreign(store)
    claim.beat()
    assert not claim.held
    claim.release()
    assert path.exists()


def test_one_of_many_gets_the_claim(store):
    won, start = [], threading.Barrier(12)

    def race():
        start.wait()
        won.append(store.claim(wait=False))

    foreign(store, silent=999)
    threads = [threading.Thread(target=race) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (claim,) = filter(None, won)
    claim.release()
    assert names(store, ".*") == []


def test_a_file_system_without_links_will_do(store, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    claim = store.claim(wait=False)
    assert claim is not None and store.claim(wait=False) is None
    claim.release()
    assert store.claim(wait=False).release() is None


def test_two_writers_at_once_leave_one_right_table(store):
    """Both may run a cell after a long pause of one of them."""
    start = threading.Barrier(4)

    def write(seconds):
        start.wait()
        for _ in range(5):
            store.add(table(0, 1), RECORD | {"wall_seconds": seconds})

    threads = [threading.Thread(target=write, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pd.testing.assert_frame_equal(store.load(), table(0, 1, 2), check_like=True)
        assert len(store.records()) == 2


def test_temporaries_of_killed_runs_are_removed_when_they_are_old(store):
    old = [files.temporary_name(), ".cell.json-17", ".seeds-0000-0001-ab.parquet-1"]
    kept = [".mine.tmp", ".relujax-notes", "notes-17"]
    for name in [*old, *kept]:
        (store.folder / name).touch()
        os.utime(store.folder / name, (1e9, 1e9))
    fresh = files.temporary_name()
    (store.folder / fresh).touch()
    store.claim(wait=False).release()
    assert {*names(store, ".*"), "notes-17"} == {*kept, fresh}
