"""Sets that tensorflow-datasets has prepared: read right, or one sentence."""

import sys

import numpy as np
import pytest
from PIL import Image

from relujax import Dataset, InputError, load_dataset
from relujax.data import _images

RNG = np.random.default_rng(0)
N = 40
X, Y = RNG.normal(size=(N, 3)), np.arange(N) % 3

FORMS = ("array_record", "tfrecord")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def _one_sentence(spec, message):
    with pytest.raises(InputError, match=message) as error:
        load_dataset(spec)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def prepared(tiny, tmp_path):
    """A prepared copy of the tiny images; and the folder of all sets."""
    place = _images.prepare_images(tiny, tmp_path / "sets", tmp_path / "tiny")
    return place, tmp_path / "sets"


def _as_tfrecord(place):
    """The same examples in the other format: lengths, checksums (unread), bytes."""
    from array_record.python import array_record_module

    for path in list(place.glob("*.array_record*")):
        reader = array_record_module.ArrayRecordReader(str(path))
        records = reader.read_all()
        reader.close()
        parts = []
        for record in records:
            parts += [len(record).to_bytes(8, "little"), bytes(4), record, bytes(4)]
        other = path.with_name(path.name.replace("array_record", "tfrecord"))
        other.write_bytes(b"".join(parts))
        path.unlink()
    info = place / "dataset_info.json"
    info.write_text(info.read_text().replace("array_record", "tfrecord"))


@pytest.mark.parametrize("form", FORMS)
def test_a_prepared_set_is_read_in_either_format(prepared, arrays, form):
    place, root = prepared
    if form == "tfrecord":
        _as_tfrecord(place)
    data = load_dataset(f"tfds(name='relujax_tiny', data_dir={str(root)!r})")
    for got, expected in zip(
        (data.x_train, data.y_train, data.x_test, data.y_test), arrays, strict=True
    ):
        np.testing.assert_array_equal(got, expected)
    assert data.x_train.dtype == np.uint8 and data.transform.scale == 255
    assert data.class_names == tuple("0123456789")
    assert "relujax_tiny/1.0.0" in data.provenance.source
    assert sorted(data.provenance.files) == sorted(p.name for p in place.glob("*-of-*"))
    assert "tensorflow" not in sys.modules


def test_where_prepared_sets_are_looked_for(prepared, monkeypatch, tmp_path):
    _, root = prepared
    spec = "tfds(name='relujax_tiny')"
    _one_sentence(spec, "Expected a prepared copy in .*relujax_tiny, found none")
    assert load_dataset(spec, data_dir=root).provenance.n_train == 12
    monkeypatch.setenv("TFDS_DATA_DIR", str(root))
    assert load_dataset(spec).name == "tfds(name='relujax_tiny', split=0)"
    versioned = load_dataset("tfds(name='relujax_tiny', version='1.0.0')")
    assert versioned.provenance.n_train == 12
    bad = "tfds(name='relujax_tiny', version='2.0.0')"
    _one_sentence(bad, "a prepared copy of version '2.0.0'")
    for name in ("../sets", "/etc", "a b", "a/../b", ""):
        _one_sentence(f"tfds(name={name!r})", "Expected the name of a data set")


@pytest.mark.parametrize(
    ("form", "damage"),
    [
        *((form, how) for form in FORMS for how in ("cut", "gone", "info")),
        ("tfrecord", "length"),
    ],
)
def test_a_damaged_set_is_one_sentence(prepared, form, damage):
    place, root = prepared
    if form == "tfrecord":
        _as_tfrecord(place)
    (records,) = place.glob(f"*test.{form}*")
    content = records.read_bytes()
    if damage == "cut":
        records.write_bytes(content[: len(content) // 2])
    elif damage == "gone":
        records.unlink()
    elif damage == "length":
        records.write_bytes(b"\xff" * 8 + content[8:])
    else:
        (place / "dataset_info.json").write_text("{")
    spec = f"tfds(name='relujax_tiny', data_dir={str(root)!r})"
    _one_sentence(spec, "Expected a complete copy by tensorflow-datasets in")


def _prepare(features, rows, splits=("train", "test"), keys=None):
    """A set of one's own, prepared by tensorflow-datasets in `sets/`."""
    import tensorflow_datasets as tfds

    class Mine(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """A few rows."""

        name = "mine"
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                supervised_keys=keys,
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            return {split: enumerate(rows) for split in splits}

        def _generate_examples(self):
            raise AssertionError

    tfds.disable_progress_bar()
    Mine(data_dir="sets", file_format="array_record").download_and_prepare()
    return "tfds(name='mine', data_dir='sets')"


def test_vectors_are_standardised_and_a_set_without_parts_is_split():
    import tensorflow_datasets as tfds

    features = {
        "features": tfds.features.Tensor(shape=(3,), dtype=np.float32),
        "label": tfds.features.ClassLabel(names=["low", "middle", "high"]),
    }
    rows = [
        {"features": x.astype(np.float32), "label": int(y)}
        for x, y in zip(X, Y, strict=True)
    ]
    data = load_dataset(_prepare(features, rows, ("train",), ("features", "label")))
    expected = Dataset.from_arrays(X, Y)
    np.testing.assert_array_equal(data.y_test, expected.y_test)
    x = expected.x_train.astype(np.float64)
    scaled = (expected.x_test - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(data.x_test, scaled, atol=1e-5)
    assert data.class_names == ("low", "middle", "high")


def test_encoded_images_are_decoded_and_extra_features_left_out():
    import tensorflow_datasets as tfds

    features = {
        "id": tfds.features.Scalar(np.int64),
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(num_classes=2),
    }
    pixels = RNG.integers(0, 256, (6, 4, 5, 3), np.uint8)
    rows = []
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(f"{i}.png")
        rows.append({"id": i, "image": f"{i}.png", "label": i % 2})
    data = load_dataset(_prepare(features, rows))
    np.testing.assert_array_equal(data.x_train, pixels)
    np.testing.assert_array_equal(data.y_train, np.arange(6) % 2)
    assert "tensorflow" not in sys.modules


def test_a_set_without_labels_is_refused():
    import tensorflow_datasets as tfds

    features = {"text": tfds.features.Text(), "label": np.int64}
    spec = _prepare(features, [{"text": "hello", "label": 3}] * 4)
    _one_sentence(spec, r"ClassLabel in 'mine', got label \(Tensor\), text")
