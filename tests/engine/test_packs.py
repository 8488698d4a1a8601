"""Many small files in few: the same results, whenever a compaction ends."""

import os
import shutil
import time
import warnings

import pandas as pd
import pytest
import synthetic
from full import slow

from relujax import InputError, files
from relujax.engine import Index, Store, _claims, _packs, compact, provenance
from relujax.engine import _compact as compaction
from relujax.engine._packs import packs_of
from relujax.studies import How, planned

CELLS = int(os.environ.get("RELUJAX_STORED_CELLS", "10000"))
RECORD = {"wall_seconds": 1.5, "plan": {}, "fingerprint": "f00d", **provenance()}


def table(*seeds: int) -> pd.DataFrame:
    rows = [
        {"seed": seed, "epoch": epoch, "split": split, "loss": seed + epoch / 7}
        for seed in seeds
        for epoch in range(3)
        for split in ("test", "train")
    ]
    return pd.DataFrame(rows).assign(dead=[[row["loss"], 0.5] for row in rows])


@pytest.fixture
def study(tmp_path):
    """Three cells, the first with two chunks and weights."""
    folder = tmp_path / "study"
    for name in ("a", "b", "c"):
        store = Store(folder / name)
        store.describe({"cell": {"activation": name}})
        store.add(table(0, 1), RECORD)
    Store(folder / "a").add(table(2), RECORD)
    Store(folder / "a").put_weights(2, b"weights")
    return folder


def read(folder):
    """All that is stored of the three cells."""
    found = {}
    for name in ("a", "b", "c"):
        store = Store(folder / name)
        rows = store.load().to_json(double_precision=15)
        found[name] = rows, store.records(), store.description(), store.seeds()
    return found


def small(folder) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.name.startswith(("seeds", "cell"))]


def test_what_is_packed_is_read_as_before(study):
    before = read(study)
    done = compact(study)
    assert done == (3, 11, 1, 0) and small(study) == []
    assert read(study) == before
    assert [path.name for path in files.folders(study)] == ["a", "packs"]
    assert Store(study / "a").weights(2) == b"weights"
    assert Store(study / "b").fingerprints() == {0: "f00d", 1: "f00d"}
    assert compact(study) == (0, 0, 0, 0)


def test_what_is_added_later_is_packed_with_the_rest(study):
    compact(study)
    store = Store(study / "b")
    assert store.seeds() == {0, 1}
    store.add(table(7), RECORD)
    assert store.seeds() == {0, 1, 7} and len(store.load()) == 18
    before = read(study)
    assert compact(study).packs == 1
    assert len(packs_of(study).names()) == 1 and small(study) == []
    assert read(study) == before
    Store(study / "d").add(table(0), RECORD)
    compact(study)
    assert len(packs_of(study).names()) == 1 and Store(study / "d").seeds() == {0}


def test_a_full_pack_stays_as_it_is(study, monkeypatch):
    monkeypatch.setattr(compaction, "PACK_BYTES", 6_000)
    monkeypatch.setattr(_packs, "PACK_BYTES", 6_000)
    before = read(study)
    assert compact(study).packs == 2
    full = set(packs_of(study).names())
    Store(study / "d").add(table(0), RECORD)
    assert compact(study) == (1, 2, 1, 0)
    assert full < set(packs_of(study).names())
    assert read(study) == before


def test_the_index_knows_what_is_packed(study, monkeypatch):
    index = Index(study)
    loose = {name: index.contents(name).seeds for name in ("a", "b", "c")}
    compact(study)
    for _ in range(2):
        index = Index(study)
        assert {name: index.contents(name).seeds for name in loose} == loose
        index.save()


def test_what_runs_is_left(study):
    claim = Store(study / "b").claim(wait=False)
    done = compact(study)
    assert done.busy == 1 and done.cells == 2
    assert len(list((study / "b").glob("seeds-*"))) == 2
    claim.release()
    assert compact(study).cells == 3 and small(study) == []


def test_one_compaction_at_a_time(study):
    home = files.inside(study, "packs")
    claim = _claims.take(home / "claim.json", wait=False, say=print)
    with pytest.raises(InputError, match="being compacted already"):
        compact(study)
    claim.release()


def test_seeds_that_are_put_aside_run_again_and_stay_aside(study):
    compact(study)
    store = Store(study / "a")
    store.set_aside([2])
    assert store.seeds() == {0, 1} and len(store.load()) == 12
    assert len(list(store.folder.glob("*.stale"))) == 2
    store.add(table(2).assign(loss=9.0), RECORD)
    assert store.seeds() == {0, 1, 2}
    for _ in range(2):
        assert (store.load().query("seed == 2")["loss"] == 9.0).all()
        compact(study)
    assert small(study) and all(n.endswith(".stale") for n in small(study))


@pytest.mark.parametrize("stride", [1009, *slow(331)])
def test_a_changed_byte_in_a_pack_is_noticed(study, stride):
    compact(study)
    path = next(study.glob("packs/*.parquet"))
    content = path.read_bytes()
    right = read(study)
    for place in range(0, len(content), stride):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        _packs._PACKS.clear()
        found = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in ("a", "b", "c"):
                contents = Store(study / name).contents()
                found[name] = contents.seeds
                rows = Store(study / name).load()
                if not contents.damaged and found[name] == right[name][3]:
                    assert rows.to_json(double_precision=15) == right[name][0]
                assert found[name] <= right[name][3]
    path.write_bytes(content)
    _packs._PACKS.clear()
    assert read(study) == right


class Killed(BaseException):
    """As if the process ended here."""


# What changes a folder.
STEPS = ("replace", "rename", "unlink", "rmdir", "fsync", "link", "mkdir")


@pytest.fixture
def kill_at(monkeypatch):
    """`kill_at(n)` ends the process before the n-th change of a folder."""

    def prepare(context, wanted):
        count = [0]

        def counted(step):
            def attempt(*args, **kwargs):
                if count[0] == wanted:
                    raise Killed
                count[0] += 1
                return step(*args, **kwargs)

            return attempt

        for name in STEPS:
            context.setattr(os, name, counted(getattr(os, name)))
        return count

    return prepare


@pytest.fixture(autouse=True)
def opened():
    """Packs are opened anew in each test."""
    _packs._PACKS.clear()
    yield
    _packs._PACKS.clear()


@pytest.mark.parametrize("stride", [4, *slow(1)])
def test_nothing_is_lost_wherever_it_is_killed(
    study, tmp_path, monkeypatch, kill_at, stride
):
    compact(study)
    Store(study / "b").add(table(7), RECORD)
    Store(study / "d").add(table(0), RECORD)
    right, more = read(study), Store(study / "d").load()
    steps = 0
    while True:
        copy = tmp_path / f"copy-{steps}"
        shutil.copytree(study, copy)
        with monkeypatch.context() as killing:
            count = kill_at(killing, steps)
            try:
                compact(copy)
                ended = True
            except Killed:
                ended = False
        for claim in list(_claims.HEART._claims):
            _claims.HEART.remove(claim)
        assert read(copy) == right
        pd.testing.assert_frame_equal(Store(copy / "d").load(), more)
        _packs._PACKS.clear()
        assert read(copy) == right
        for path in copy.rglob("claim.*"):
            path.unlink()  # Its process is gone.
        compact(copy)
        assert read(copy) == right and small(copy) == []
        shutil.rmtree(copy)
        if ended:
            break
        steps += stride
    assert 30 < count[0] <= steps < count[0] + stride


@pytest.mark.slow
def test_a_large_study_is_planned_and_shown_in_time(tmp_path, relujax):
    """RELUJAX_STORED_CELLS=100000: planned under 60 s of CPU, status under 10 s."""
    folder, share = tmp_path / "runs" / "study", CELLS / 100_000
    synthetic.store(folder, synthetic.cells(CELLS))

    def seconds(fn):
        start = time.process_time()
        fn()
        return time.process_time() - start

    def plan():
        tasks = planned(synthetic.cells(CELLS), range(10), folder, How())
        assert sum(len(task.missing) for task in tasks) == 0

    def status():
        code, text = relujax("status", folder.parent)
        assert code == 0 and "missing" in text and "continue with" not in text

    found = {}
    for kind in ("loose", "packed"):
        found[f"{kind}: planned"] = seconds(plan)
        found[f"{kind}: first status"] = seconds(status)
        found[f"{kind}: status"] = seconds(status)
        if kind == "loose":
            found["compacted"] = seconds(lambda: compact(folder))
    print({name: round(spent, 1) for name, spent in found.items()})
    # What starting costs is not per cell.
    for kind in ("loose", "packed"):
        assert found[f"{kind}: planned"] < 5 + 60 * share
        assert found[f"{kind}: status"] < 5 + 10 * share
