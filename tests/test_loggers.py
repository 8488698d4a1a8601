"""The loggers with the services' own packages, read back by those packages."""

import json

import pytest

import relujax

CELL = relujax.Cell(data="wine", model="mlp(hidden=(4,))", activation="relu", epochs=2)
SEEDS = 2
# What the services' packages warn of is theirs.
services = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Two trained seeds, and what `log` is called with: their networks and rows."""
    calls = []
    log = lambda network, rows: calls.append((network, rows))
    out = tmp_path_factory.mktemp("runs")
    results = relujax.run(CELL, SEEDS, out=out, log=log, progress=False)
    assert len(calls) == SEEDS
    return results.frame, calls


def accuracies(frame, seed):
    """The test accuracies of a seed, by epoch."""
    own = frame.query("split == 'test' and seed == @seed").sort_values("epoch")
    return own["accuracy"].tolist()


def test_json_lines_hold_every_row(stored, tmp_path):
    frame, calls = stored
    log = relujax.loggers.jsonl(tmp_path / "new" / "rows.jsonl")
    for call in calls:
        log(*call)
    lines = (tmp_path / "new" / "rows.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == len(frame)
    own = [r["accuracy"] for r in rows if r["seed"] == 1 and r["split"] == "test"]
    assert own == accuracies(frame, 1)


@services
def test_tensorboard_has_a_run_per_seed(stored, tmp_path):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    frame, calls = stored
    log = relujax.loggers.tensorboard(tmp_path)
    for call in calls:
        log(*call)
    folders = sorted(tmp_path.iterdir())
    assert [f.name.rpartition("-")[2] for f in folders] == ["0", "1"]
    (file,) = folders[1].iterdir()
    found = [
        (value.tag, event.step, value.simple_value)
        for event in map(Event.FromString, records(file.read_bytes()))
        for value in event.summary.value
    ]
    tested = [(step, v) for tag, step, v in found if tag == "accuracy/test"]
    assert [step for step, _ in tested] == [0, 1, 2]
    assert [v for _, v in tested] == pytest.approx(accuracies(frame, 1))


def records(content):
    """The records of a TensorBoard file: length, checksum, data, checksum."""
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        yield content[at + 12 : at + 12 + length]
        at += 16 + length


@services
def test_mlflow_has_a_run_per_seed(stored, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    frame, calls = stored
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    log = relujax.loggers.mlflow(uri)
    for call in calls:
        log(*call)
    runs = mlflow.search_runs(experiment_names=["relujax"])
    assert sorted(runs["params.seed"]) == ["0", "1"]
    assert set(runs["params.activation"]) == {"relu"}
    run = runs.set_index("params.seed").loc["1", "run_id"]
    history = mlflow.MlflowClient(uri).get_metric_history(run, "test/accuracy")
    assert [m.value for m in history] == pytest.approx(accuracies(frame, 1))
    assert [m.step for m in history] == [0, 1, 2]


@services
def test_mlflow_is_asked_before_anything_is_trained():
    pytest.importorskip("mlflow")
    with pytest.raises(relujax.InputError, match="a tracking server or database"):
        relujax.loggers.mlflow("nonsense://nowhere")


@services
def test_wandb_has_a_run_per_seed(stored, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    calls = stored[1]
    monkeypatch.setenv("WANDB_SILENT", "true")
    log = relujax.loggers.wandb("relujax", mode="offline", dir=str(tmp_path))
    for call in calls:
        log(*call)
    files = sorted(tmp_path.glob("wandb/offline-run-*/*.wandb"))
    assert len(files) == SEEDS
