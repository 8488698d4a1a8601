"""`relujax data` as a user meets it: exit codes, sentences, nothing half done."""

import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest

from relujax.data import SOURCES, _registry

TRAIN_X = "train-images-idx3-ubyte.gz"


@pytest.fixture(autouse=True)
def tiny_is_known(tiny, monkeypatch):
    """`tiny` is a data set like MNIST."""
    source = _registry._image_source(tiny)
    monkeypatch.setattr(SOURCES, "_entries", dict(SOURCES._entries))
    SOURCES.add("tiny", source, source.parameters)


@pytest.fixture
def offline(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise urllib.error.URLError("Network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def _flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def _one_sentence(code, text):
    assert code == 2
    assert text.startswith("Error: ") and text.count("\n") == 1
    assert "Traceback" not in text


def test_the_list_says_what_is_here_and_how_to_get_the_rest(relujax, tmp_path):
    code, text = relujax("data", "list")
    assert code == 0
    assert all(name in text for name in ("wdbc", "synthetic", "fashion_mnist"))
    assert "tiny: run `relujax data prepare tiny`" in text
    code, text = relujax("data", "list", "--data-dir", tmp_path)
    assert code == 0
    assert "prepare tiny" not in text and "prepare mnist" in text


def test_info_tells_where_a_data_set_would_be_read(relujax, tmp_path):
    code, text = relujax("data", "info", "synthetic")
    assert code == 0
    assert "synthetic(curve='quadratic', n=500, d=2, seed=0" in text
    assert "not here" in relujax("data", "info", "tiny")[1]
    text = relujax("data", "info", "tiny", "--data-dir", tmp_path)[1]
    assert "read from" in text and "not here" not in text


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_copy_is_prepared_from_a_folder(
    relujax, tmp_path, monkeypatch, offline, by_environment
):
    if by_environment:
        monkeypatch.setenv("RELUJAX_DATA_DIR", str(tmp_path))
        code, text = relujax("data", "prepare", "tiny")
    else:
        code, text = relujax("data", "prepare", "tiny", "--data-dir", tmp_path)
    assert code == 0
    assert "100%" in text
    assert f"sha256 verified: {tmp_path / 'tfds' / 'relujax_tiny'}" in text
    # From now on it is found without the folder.
    monkeypatch.delenv("RELUJAX_DATA_DIR", raising=False)
    assert "not here" not in relujax("data", "info", "tiny")[1]


@pytest.mark.parametrize("position", [30, -9], ids=["in the pixels", "in the trailer"])
def test_one_flipped_byte_is_refused_and_leaves_nothing(relujax, tmp_path, position):
    path = tmp_path / "tiny" / TRAIN_X
    _flip(path, position)
    code, text = relujax("data", "prepare", "tiny", "--data-dir", tmp_path)
    _one_sentence(code, text)
    assert "Expected the published file" in text and str(path) in text
    assert not (tmp_path / "tfds").exists()


def test_without_network_and_folder_a_sentence_says_what_to_do(
    relujax, tmp_path, monkeypatch, offline
):
    code, text = relujax("data", "prepare", "tiny")
    _one_sentence(code, text)
    assert "Network is unreachable" in text and "set RELUJAX_DATA_DIR" in text
    # A folder that holds other data sets does not stand in the way of a download.
    (tmp_path / "others").mkdir()
    monkeypatch.setenv("RELUJAX_DATA_DIR", str(tmp_path / "others"))
    assert "Network is unreachable" in relujax("data", "prepare", "tiny")[1]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["prepare", "wdbc"], "Nothing to prepare for 'wdbc'"),
        (["prepare", "mnits"], "Did you mean 'mnist'"),
        (["info", "mnits"], "Did you mean 'mnist'"),
        (["list", "--data-dir", "/nowhere"], "an existing folder"),
        (["prepare", "mnist", "--data-dir", "."], "found none: download it from"),
        (["prepare", "csv"], "Nothing to prepare for 'csv'"),
        (["check", "wdcb"], "Did you mean 'wdbc'"),
        (["check", "cohort.csv"], "write csv(path='cohort.csv', target='...')"),
        (["check", "csv(path='cohort.csv')"], "Expected a value for 'target'"),
        (["check", "nowhere:cohort"], "Expected to import 'nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_sentence(relujax, args, sentence):
    code, text = relujax("data", *args)
    _one_sentence(code, text)
    assert sentence in text


def _table(path, rows=30):
    lines = [f"{i},{'ab'[i % 2]},{'xy[/z]'[i % 2 * 5 :]}" for i in range(rows)]
    path.write_text("\n".join(["dose,grade,site", *lines]) + "\n")


def test_check_counts_the_classes_and_says_what_is_odd(relujax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _table(tmp_path / "t[x].csv")
    code, text = relujax(
        "data", "check", "csv(path='t[x].csv', target='grade', validation=0.25)"
    )
    assert code == 0
    assert "18 train + 6 validation + 6 test, each 3" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["a", "9", "3", "3"] in rows and ["b", "9", "3", "3"] in rows
    assert "Nothing is wrong with it." in text
    assert "Note:" not in text


def test_check_refuses_what_cannot_be_trained_on(relujax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.zeros((20, 2))
    x[3, 1] = np.nan
    np.savez("x.npz", x_train=x, y_train=np.arange(20) % 2, x_test=x[:1], y_test=[1])
    code, text = relujax("data", "check", "npz(path='x.npz')")
    assert code == 2
    assert text.splitlines()[-1].startswith(
        "Error: Expected finite inputs, got 1 NaN value in 1 of 20 examples"
    )
    x[3, 1] = 0
    np.savez("x.npz", x_train=x, y_train=np.arange(20) % 2, x_test=x[:1], y_test=[1])
    code, text = relujax("data", "check", "npz(path='x.npz')")
    assert code == 0
    assert "Note: Constant in the training part: columns 0 and 1." in text
    assert "Note: No test example: class '0'." in text


def test_check_imports_from_the_working_directory(relujax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    source = (
        "def data(n=20):\n    return [[float(i)] for i in range(n)], [0, 1] * (n // 2)"
    )
    (tmp_path / "my_cohort_module.py").write_text(source)
    code, text = relujax("data", "check", "my_cohort_module:data(n=40)")
    assert code == 0 and "32 train + 8 test, each 1" in text


def test_the_list_has_the_kinds_of_files(relujax):
    code, text = relujax("data", "list")
    assert code == 0 and text.count("yours ") >= 4
    assert all(f"\n {kind} " in text for kind in ("csv", "npz", "images", "tfds"))
    code, text = relujax("data", "info", "csv")
    assert code == 0 and "csv(path=..., target=..., missing='error'" in text


STUDY = """
import relujax

study = relujax.Study(
    id="pixels",
    question="does it run?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(
                data=data,
                model="mlp(hidden=(4,))",
                activation="relu",
                objective="softmax_cross_entropy",
                epochs=1,
            )
            for data in ("wdbc", "tiny")
        ]
    },
    seeds={"quick": 1},
)
"""


def test_a_study_without_its_data_does_not_start(relujax, tmp_path, offline):
    study, out = tmp_path / "pixels.py", tmp_path / "runs"
    study.write_text(STUDY)
    code, text = relujax("run", study, "--out", out)
    assert code == 2
    assert "relujax data prepare tiny" in text and "Training" not in text
    assert not out.exists()
    # The file that is damaged is named before anything is trained, too.
    path = tmp_path / "tiny" / TRAIN_X
    path.write_bytes(path.read_bytes()[:-9])
    code, text = relujax("run", study, "--out", out, "--data-dir", tmp_path)
    assert code == 2
    assert str(path) in text and "truncated" in text and "Training" not in text
    assert not out.exists()


PREPARE = """
import sys
from relujax.cli import main
try:
    main()
finally:
    assert "tensorflow" not in sys.modules, "TensorFlow was imported"
"""


def _prepare(folder, **environment):
    command = [sys.executable, "-c", PREPARE, "data", "prepare", "fashion_mnist"]
    return subprocess.run(
        [*command, "--data-dir", str(folder)], capture_output=True, text=True
    )


@pytest.mark.slow
def test_real_fashion_mnist_is_prepared_and_verified(real, tmp_path):
    done = _prepare(real)
    assert done.returncode == 0, done.stderr
    copy = tmp_path / "tfds" / "relujax_fashion_mnist" / "1.0.0"
    assert f"sha256 verified: {copy}" in done.stdout
    assert (copy / "dataset_info.json").is_file()


@pytest.mark.slow
def test_real_fashion_mnist_with_one_flipped_byte_is_refused(real, tmp_path):
    folder = tmp_path / "raw"
    shutil.copytree(real / "fashion_mnist", folder / "fashion_mnist")
    path = folder / "fashion_mnist" / TRAIN_X
    path.parent.chmod(0o755)
    path.chmod(0o644)
    _flip(path, 13_000_000)
    done = _prepare(folder)
    _one_sentence(done.returncode, done.stderr)
    assert str(path) in done.stderr
    assert not (tmp_path / "tfds").exists()
