"""Results in a bucket: run, kill, resume and report, against a real server."""

import os
import signal
import subprocess
import sys
import time

import moto.server
import moto.settings
import pandas as pd
import pytest
from pyarrow import fs
from stopping import STORED, stopped

import relujax
from relujax import InputError
from relujax.engine import Store, _bucket, _mirror, provenance
from relujax.engine._mirror import Mirror, place_of, results_folder

STUDY = """
import relujax

study = relujax.Study(
    id="tiny",
    question="does it survive?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(
                data="wdbc",
                model="mlp(hidden=(4,))",
                activation=activation,
                objective="binary_cross_entropy",
                epochs=2,
            )
            for activation in ("relu", "n_relu")
        ]
    },
    seeds={"quick": 4},
)
"""
RECORD = {"wall_seconds": 1.5, "plan": {}, "fingerprint": "f00d", **provenance()}


@pytest.fixture(scope="module")
def server():
    """The address of an S3 server on this machine."""
    running = moto.server.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server, monkeypatch, tmp_path):
    """A bucket, as the environment names its server; every test has its own mirrors."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(_mirror, "_MIRRORS", {})
    monkeypatch.setattr(relujax.files, "_FOLLOWED", {})
    name = f"bucket-{tmp_path.parent.name}-{tmp_path.name}".replace("_", "-").lower()
    connected(server, allow_bucket_creation=True).create_dir(name)
    return name


def connected(server, **options):
    host = server.removeprefix("http://")
    return fs.S3FileSystem(
        access_key="somebody",
        secret_key="secret",
        endpoint_override=host,
        scheme="http",
        region="us-east-1",
        **options,
    )


def objects(server, bucket) -> dict[str, int]:
    found = connected(server).get_file_info(fs.FileSelector(bucket, recursive=True))
    return {f.path.partition("/")[2]: f.size for f in found if f.is_file}


def put(server, name, content) -> None:
    with connected(server).open_output_stream(name) as file:
        file.write(content)


def another_machine(url, tmp_path, monkeypatch) -> Mirror:
    """A mirror of the same prefix in another cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    mirror = Mirror(url)
    mirror.synchronize()
    return mirror


def table(*seeds: int) -> pd.DataFrame:
    rows = [
        {"seed": seed, "epoch": epoch, "split": "test", "loss": seed + epoch / 7}
        for seed in seeds
        for epoch in range(3)
    ]
    return pd.DataFrame(rows)


def test_what_is_stored_is_in_the_bucket_and_on_other_machines(
    bucket, server, tmp_path, monkeypatch
):
    url = f"s3://{bucket}/runs"
    here = Store(results_folder(url) / "study" / "cell")
    here.describe({"cell": {}})
    here.add(table(0, 1), RECORD)
    names = {path.name for path in here.folder.iterdir()}
    assert {f"runs/study/cell/{name}" for name in names} == set(objects(server, bucket))
    assert place_of(here.folder) == f"{url}/study/cell"

    other = another_machine(url, tmp_path, monkeypatch)
    there = Store(other.folder / "study" / "cell")
    assert there.seeds() == {0, 1} and there.description() == {"cell": {}}
    pd.testing.assert_frame_equal(there.load(), here.load(), check_exact=True)
    # Either has what the other stores and removes, once it looks.
    there.add(table(2), RECORD)
    there.set_aside([0])
    results_folder(url)
    assert here.seeds() == {2}
    assert len(list(here.folder.glob("*.stale"))) == 2


def test_what_was_not_put_before_a_kill_is_put_later(bucket, server, monkeypatch):
    url = f"s3://{bucket}"
    store = Store(results_folder(url) / "study" / "cell")
    with monkeypatch.context() as offline:
        offline.setattr(relujax.files, "_FOLLOWED", {})
        store.add(table(0), RECORD)
    assert objects(server, bucket) == {}
    results_folder(url)
    assert len(objects(server, bucket)) == 2


def test_an_outage_costs_nothing(bucket, server, monkeypatch):
    store = Store(results_folder(f"s3://{bucket}") / "study" / "cell")

    def out(*_):
        raise OSError("the network is down\nfor a while")

    with monkeypatch.context() as outage:
        outage.setattr(_bucket.Bucket, "put", out)
        with pytest.warns(UserWarning, match=r"\(the network is down\): they are kept"):
            store.add(table(0), RECORD)
        with pytest.raises(OSError, match="the network is down"):
            _mirror.settle_mirrors()
    assert store.seeds() == {0} and objects(server, bucket) == {}
    store.add(table(1), RECORD)
    assert len(objects(server, bucket)) == 4


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_half_written_object_is_never_read(
    bucket, server, tmp_path, monkeypatch, share
):
    url = f"s3://{bucket}"
    store = Store(results_folder(url) / "study" / "cell")
    store.add(table(0, 1), RECORD)
    store.add(table(2), RECORD)
    name = next(store.folder.glob("seeds-0000-0001*.parquet")).name
    whole = (store.folder / name).read_bytes()
    put(server, f"{bucket}/study/cell/{name}", whole[: int(share * len(whole))])
    other = Store(another_machine(url, tmp_path, monkeypatch).folder / "study/cell")
    with pytest.warns(UserWarning, match="will run again"):
        assert set(other.load()["seed"]) == {2}
    # Trained again, it is whole for everybody.
    other.add(table(0, 1), RECORD)
    results_folder(url)
    assert store.seeds() == {0, 1, 2} and len(store.load()) == 9


def test_an_upload_that_is_not_finished_is_no_object(bucket, server):
    url = f"s3://{bucket}"
    stream = connected(server).open_output_stream(f"{bucket}/study/cell/cell.json")
    stream.write(b"x" * 6 * 2**20)  # More than a part.
    stream.flush()
    assert list(results_folder(url).rglob("*.json")) == []
    stream.close()
    assert len(list(results_folder(url).rglob("*.json"))) == 1


def test_names_that_are_no_names_stay_in_the_bucket(bucket, server):
    for name in ("..%2fup", ".hidden", "a/.b/c", "a/b c"):
        put(server, f"{bucket}/{name}", b"x")
    put(server, f"{bucket}/fine", b"x")
    folder = results_folder(f"s3://{bucket}")
    found = [path.name for path in folder.rglob("*") if path.name != ".mirror"]
    assert found == ["fine"]


def test_one_machine_has_a_cell_at_a_time(bucket, tmp_path, monkeypatch):
    url = f"s3://{bucket}"
    here = Store(results_folder(url) / "study" / "cell")
    mirror = another_machine(url, tmp_path, monkeypatch)
    monkeypatch.setitem(_mirror._MIRRORS, "other", mirror)
    there = Store(mirror.folder / "study" / "cell")
    claim = here.claim(wait=False)
    assert claim is not None and claim.held
    assert there.claim(wait=False) is None
    mirror.synchronize()
    assert there.contents().running
    here.add(table(0), RECORD)
    claim.release()
    second = there.claim(wait=False)
    assert second is not None
    # What was stored meanwhile is there, once the cell is.
    assert there.seeds() == {0} and not there.contents().damaged
    assert here.claim(wait=False) is None
    second.release()


def test_a_claim_without_signs_of_life_expires(bucket, monkeypatch):
    store = Store(results_folder(f"s3://{bucket}") / "study" / "cell")
    mirror = _mirror.mirror_of(store.folder)
    dead = _mirror.SharedClaim(mirror._bucket, "study/cell", None)
    assert store.claim(wait=False) is None
    _mirror._claims.HEART.remove(dead)
    monkeypatch.setattr(_mirror._claims, "STALE", 0.5)
    time.sleep(2)  # The store counts whole seconds.
    claim = store.claim(wait=False)
    assert claim is not None
    claim.release()


@pytest.mark.parametrize(
    "kind", ["server", "google", "bucket", "credentials", "options", "user"]
)
def test_a_bucket_that_is_out_of_reach_is_one_sentence(bucket, monkeypatch, kind):
    url = f"s3://{bucket}/runs"
    if kind == "server":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    elif kind == "google":
        url = url.replace("s3://", "gs://")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
        monkeypatch.setattr(_bucket, "_REQUEST", 2)
    elif kind == "bucket":
        url = "s3://no-such-bucket/runs"
    elif kind == "credentials":
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setattr(moto.settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
    elif kind == "options":
        url += "?colour=blue"
    else:
        url = url.replace("s3://", "s3://me:secret@")
    start = time.monotonic()
    with pytest.raises(InputError, match=r"Expected .*bucket") as raised:
        results_folder(url)
    assert time.monotonic() - start < 30
    assert "\n" not in str(raised.value) and "me:secret" not in str(raised.value)


def test_a_store_that_never_answers_is_given_up(bucket, monkeypatch):
    monkeypatch.setattr(_bucket, "_SECONDS", 0.1)
    monkeypatch.setattr(_bucket, "_s3", lambda *_: time.sleep(1))
    with pytest.raises(InputError, match=r"no answer within 0\.1 s"):
        results_folder(f"s3://{bucket}")


def start(folder, *command) -> subprocess.Popen:
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_a_run_is_killed_resumed_elsewhere_and_reported(
    bucket, server, tmp_path, monkeypatch, relujax
):
    (tmp_path / "tiny.py").write_text(STUDY)
    stored = lambda: [n for n in objects(server, bucket) if n.endswith(".parquet")]
    run = ["run", "tiny.py", "--out", f"s3://{bucket}/runs", "--plan", "map"]
    run += ["--chunk", "1", "--devices", "1"]
    killed = start(tmp_path, *stopped(STORED, 1, *run))
    text, _ = killed.communicate(timeout=900)
    assert killed.returncode == -signal.SIGKILL, text
    assert 0 < len(stored()) < 8
    # Another machine: nothing but the bucket is left.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    resumed = start(tmp_path, sys.executable, "-m", "relujax", *run)
    text, _ = resumed.communicate(timeout=900)
    assert resumed.returncode == 0, text
    assert "are stored already" in text and len(stored()) == 8
    assert "runs/tiny/report/quick/report.html" in objects(server, bucket)
    monkeypatch.chdir(tmp_path)
    code, text = relujax("status", f"s3://{bucket}/runs")
    assert code == 0 and "8 of 8" in text
    code, text = relujax("report", f"s3://{bucket}/runs")
    assert code == 0 and "runs/report.html" in objects(server, bucket)
    code, text = relujax("status", "s3://no-such-bucket/runs")
    assert code == 2 and text.count("Error:") == 1
