"""IDX folders with every kind of damage, and the copies of tensorflow-datasets."""

import gzip
import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest

import relujax
from relujax.data import _images
from relujax.data._idx import idx_sha256
from relujax.data._sources import FASHION_MNIST, MNIST

TRAIN_X, TRAIN_Y = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_X, TEST_Y = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def _load(source, data_dir, n_train=None):
    return _images.load_images(source, n_train, data_dir=data_dir)


def _edit(path, change):
    """Replace the content of a gzip archive by `change(content)`."""
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


def _swap(folder, one, other):
    first, second = (folder / name for name in (one, other))
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)


def test_a_folder_gives_its_arrays(tiny, arrays, tmp_path):
    data = _load(tiny, tmp_path)
    parts = (data.x_train, data.y_train, data.x_test, data.y_test)
    for got, expected in zip(parts, arrays, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert data.x_train.dtype == np.uint8
    assert data.y_train.dtype == np.int32
    np.testing.assert_allclose(
        data.transform(data.x_test), arrays[2].astype(np.float32) / 255, rtol=1e-7
    )


def test_provenance_says_what_was_read(tiny, arrays, tmp_path):
    provenance = _load(tiny, tmp_path).provenance
    content = b"".join(array.tobytes() for array in arrays)
    assert provenance.sha256 == hashlib.sha256(content).hexdigest()
    assert provenance.files == {a.file: a.sha256 for a in tiny.archives}
    assert (provenance.n_train, provenance.n_test) == (12, 6)
    assert "local" in provenance.source
    assert provenance.note == ""


def test_unpacked_files_are_the_same_content(tiny, tmp_path):
    packed = _load(tiny, tmp_path)
    path = tmp_path / "tiny" / TRAIN_X
    path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    path.unlink()
    plain = _load(tiny, tmp_path)
    assert plain.provenance.sha256 == packed.provenance.sha256
    assert plain.provenance.note == ""
    assert path.stem in plain.provenance.files


def test_another_content_is_reported_and_used(tiny, tmp_path):
    path = tmp_path / "tiny" / TEST_X
    _edit(path, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    data = _load(tiny, tmp_path)
    assert f"the sha256 of the content of {TEST_X} differs" in data.provenance.note


def test_a_subset_says_so(tiny, arrays, tmp_path):
    data = _load(tiny, tmp_path, n_train=5)
    np.testing.assert_array_equal(data.x_train, arrays[0][:5])
    assert data.provenance.n_train == len(data.y_train) == 5
    assert data.provenance.note == "The first 5 of 12 training images."
    for bad in (0, 13, -1):
        with pytest.raises(relujax.InputError, match="from 1 to 12 for 'n_train'"):
            _load(tiny, tmp_path, n_train=bad)


DAMAGE = {
    "cut archive": (TRAIN_X, lambda p: p.write_bytes(p.read_bytes()[:-9]), "truncated"),
    "flipped archive byte": (
        TEST_X,
        lambda p: p.write_bytes(
            p.read_bytes()[:200]
            + bytes([p.read_bytes()[200] ^ 255])
            + p.read_bytes()[201:]
        ),
        "truncated or damaged",
    ),
    "cut content": (TRAIN_X, lambda p: _edit(p, lambda c: c[:-1]), "is truncated"),
    "cut header": (TRAIN_Y, lambda p: _edit(p, lambda c: c[:6]), "header of 8 bytes"),
    "empty": (TEST_Y, lambda p: p.write_bytes(b""), "header of 8 bytes"),
    "too long": (TRAIN_Y, lambda p: _edit(p, lambda c: c + b"0"), "is too long"),
    "wrong magic": (
        TEST_X,
        lambda p: _edit(p, lambda c: b"\0\0\x0d\3" + c[4:]),
        "magic number 3331",
    ),
    "not IDX at all": (TEST_Y, lambda p: p.write_bytes(b"<html>"), "magic number"),
    "wrong count": (
        TEST_Y,
        lambda p: _edit(p, lambda c: c[:7] + b"\5" + c[8:-1]),
        "Expected 6 labels",
    ),
    "wrong side": (
        TEST_X,
        lambda p: _edit(p, lambda c: c[:11] + b"\x0e" + c[12:15] + b"\x38" + c[16:]),
        "got 14 x 56",
    ),
    "label 10": (
        TRAIN_Y,
        lambda p: _edit(p, lambda c: c[:-1] + b"\x0a"),
        "labels from 0 to 9",
    ),
    "images and labels swapped": (
        TRAIN_X,
        lambda p: _swap(p.parent, TRAIN_X, TRAIN_Y),
        "the image and label files are swapped",
    ),
    "training and test swapped": (
        TRAIN_X,
        lambda p: _swap(p.parent, TRAIN_X, TEST_X),
        "the training and test files are swapped",
    ),
    "missing": (TEST_X, lambda p: p.unlink(), "found neither"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_sentence_that_names_the_file(damage, tiny, tmp_path):
    name, spoil, message = DAMAGE[damage]
    spoil(tmp_path / "tiny" / name)
    with pytest.raises(relujax.InputError, match=re.escape(message)) as error:
        _load(tiny, tmp_path)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_no_copy_says_how_to_get_one(tiny, tmp_path):
    for data_dir in (None, tmp_path / "tiny"):
        with pytest.raises(relujax.InputError, match="relujax data prepare tiny"):
            _load(tiny, data_dir)


def test_a_folder_that_does_not_exist_is_not_passed_over(tiny, tmp_path, monkeypatch):
    with pytest.raises(relujax.InputError, match="existing folder for data_dir"):
        _load(tiny, tmp_path / "nowhere")
    monkeypatch.setenv("RELUJAX_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(relujax.InputError, match="folder for RELUJAX_DATA_DIR"):
        _load(tiny, None)


def test_the_environment_names_the_folder(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("RELUJAX_DATA_DIR", str(tmp_path))
    assert _load(tiny, None).provenance.n_test == 6
    assert _images.find_images(tiny, None) == tmp_path / "tiny"


def test_prepared_copy_equals_the_folder(tiny, tmp_path):
    root = tmp_path / "prepared"
    prepared = _images.prepare_images(tiny, root, tmp_path / "tiny")
    assert prepared == _images.find_images(tiny, root)
    copy, folder = _load(tiny, root), _load(tiny, tmp_path)
    np.testing.assert_array_equal(copy.x_train, folder.x_train)
    np.testing.assert_array_equal(copy.y_test, folder.y_test)
    assert copy.provenance.sha256 == folder.provenance.sha256
    assert "tensorflow-datasets" in copy.provenance.source
    assert copy.provenance.note == ""


def test_the_default_place_of_a_prepared_copy(tiny, tmp_path):
    prepared = _images.prepare_images(tiny, None, tmp_path / "tiny")
    assert prepared.is_relative_to(tmp_path / "tfds")
    assert _load(tiny, None).provenance.n_train == 12
    again = _images.prepare_images(tiny, None, tmp_path / "not needed any more")
    assert again == prepared


def test_the_folder_comes_before_the_prepared_copy(tiny, tmp_path):
    _images.prepare_images(tiny, None, tmp_path / "tiny")
    assert "local" in _load(tiny, tmp_path).provenance.source
    assert "tensorflow-datasets" in _load(tiny, None).provenance.source


def test_one_flipped_byte_is_not_prepared(tiny, tmp_path):
    path = tmp_path / "tiny" / TEST_Y
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    with pytest.raises(relujax.InputError, match="Expected the published") as error:
        _images.prepare_images(tiny, tmp_path / "prepared", tmp_path / "tiny")
    assert str(path) in str(error.value)
    assert not (tmp_path / "prepared").exists()


def test_a_missing_archive_is_named_with_its_address(tiny, tmp_path):
    (tmp_path / "tiny" / TEST_Y).unlink()
    with pytest.raises(relujax.InputError, match=f"{tiny.url}{TEST_Y}"):
        _images.prepare_images(tiny, tmp_path / "prepared", tmp_path / "tiny")


def test_a_changed_prepared_copy_is_refused(tiny, tmp_path):
    _images.prepare_images(tiny, tmp_path / "prepared", tmp_path / "tiny")
    first, *rest = tiny.archives
    other = tiny._replace(archives=(first._replace(content_sha256="0" * 64), *rest))
    with pytest.raises(relujax.InputError, match="delete that folder"):
        _load(other, tmp_path / "prepared")


def test_idx_sha256_is_that_of_the_file(tiny, arrays):
    for archive, array in zip(tiny.archives, arrays, strict=True):
        assert idx_sha256(array) == archive.content_sha256


def test_what_needs_no_file_is_not_prepared():
    with pytest.raises(relujax.InputError, match="Nothing to prepare for 'wdbc'"):
        relujax.prepare_dataset("wdbc")
    with pytest.raises(relujax.InputError, match="Did you mean 'mnist'"):
        relujax.prepare_dataset("mnits")


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    for name in ("mnist", "sms_spam"):
        with pytest.raises(relujax.InputError, match="Expected a folder to write to"):
            relujax.prepare_dataset(name, data_dir=tmp_path / "file")


def test_real_mnist_is_structurally_sound(real):
    data = relujax.load_dataset("mnist", data_dir=real)
    assert data.name == "mnist"
    assert data.x_train.shape == (60_000, 28, 28, 1)
    assert np.bincount(data.y_test).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    differs = idx_sha256(data.x_train) != MNIST.archives[0].content_sha256
    assert (TRAIN_X in data.provenance.note) == differs


def test_real_images_give_a_validation_part(real):
    whole = relujax.load_dataset("fashion_mnist", data_dir=real)
    data = relujax.load_dataset("fashion_mnist(validation=0.1)", data_dir=real)
    assert data.name == "fashion_mnist(validation=0.1)"
    assert data.y_validation is not None
    assert np.bincount(data.y_validation).tolist() == [600] * 10
    assert np.bincount(data.y_train).tolist() == [5400] * 10
    assert data.provenance.sha256 == whole.provenance.sha256
    np.testing.assert_array_equal(data.x_test, whole.x_test)
    pixels = lambda d: sum(int(x.sum(dtype=np.int64)) for _, x, _ in d.parts())
    assert pixels(data) == pixels(whole)
    assert data.class_names is not None and data.class_names[9] == "Ankle boot"


def test_real_mnist_of_other_bytes_is_not_prepared(real, tmp_path):
    archive = MNIST.archives[0]
    found = hashlib.sha256((real / "mnist" / archive.file).read_bytes()).hexdigest()
    if found == archive.sha256:
        pytest.skip("the folder holds the published MNIST archives")
    with pytest.raises(relujax.InputError, match=archive.file):
        relujax.prepare_dataset("mnist", tmp_path, real / "mnist")


PREPARE = """
import sys
from relujax import load_dataset, prepare_dataset
prepare_dataset("fashion_mnist", data_dir=sys.argv[1], manual_dir=sys.argv[2])
data = load_dataset("fashion_mnist", data_dir=sys.argv[1])
assert "tensorflow" not in sys.modules, "TensorFlow was imported"
assert "jax" not in sys.modules, "JAX was imported"
print(data.provenance.sha256)
"""


@pytest.mark.slow
def test_real_fashion_mnist_is_prepared_without_tensorflow(real, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", PREPARE, str(tmp_path), str(real / "fashion_mnist")],
        capture_output=True,
        text=True,
        check=True,
    )
    folder = relujax.load_dataset("fashion_mnist", data_dir=real)
    assert run.stdout.strip() == folder.provenance.sha256
    assert folder.provenance.note == ""
    assert folder.provenance.url == FASHION_MNIST.homepage


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_prepared_copy_is_one_sentence(damage, tiny, tmp_path):
    prepared = _images.prepare_images(tiny, None, tmp_path / "tiny")
    (records,) = prepared.glob("*test.array_record*")
    if damage == "gone":
        records.unlink()
    else:
        records.write_bytes(records.read_bytes()[:-100])
    with pytest.raises(relujax.InputError, match="a damaged copy: delete that folder"):
        _load(tiny, None)
