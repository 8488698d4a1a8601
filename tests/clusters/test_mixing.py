"""One truth about devices: no silent mix, and the report says what ran where."""

import pytest

import relujax
from relujax.engine import plan_tasks, provenance
from relujax.errors import InputError

CELL = relujax.Cell(
    data="wdbc",
    model="mlp(hidden=(4,))",
    activation="relu",
    objective="binary_cross_entropy",
    epochs=1,
)
GPU = {
    "device": "1 x H200 (gpu), fed by some processor, 16 cores",
    "backend": "gpu",
    "device_kind": "H200",
    "host": "far",
}


@pytest.fixture
def trained_elsewhere(tmp_path):
    """Seed 0, as if a GPU had trained it."""
    relujax.run(CELL, 1, out=tmp_path, progress=False)
    [task] = plan_tasks([CELL], [0], tmp_path)
    [record] = task.store.records()
    record.pop("seeds")
    task.store.add(task.store.load(), {**record, **GPU})
    return tmp_path


def test_another_backend_is_refused_and_says_how_to_mix(trained_elsewhere):
    with pytest.raises(InputError, match=r"backend gpu.*\(far\), got cpu.*--mix"):
        relujax.run(CELL, 2, out=trained_elsewhere, progress=False)
    # What is there can be read all the same.
    assert len(relujax.run(CELL, 1, out=trained_elsewhere).frame)


def test_a_report_of_a_mix_marks_what_ran_where(trained_elsewhere, without_figures):
    found = relujax.run(CELL, 3, out=trained_elsewhere, progress=False, mix=True)
    machines = found.provenance["machines"]
    assert [(m["backend"], m["networks"]) for m in machines] == [("cpu", 2), ("gpu", 1)]
    page = found.report(trained_elsewhere / "report").read_text()
    assert "several backends (cpu, gpu)" in page
    assert "1 x H200 (gpu), fed by some processor, 16 cores: 1 networks on far" in page


def test_a_record_has_the_processor():
    assert provenance()["processor"] in provenance()["device"]
