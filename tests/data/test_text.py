"""SMS Spam: parsing, features fitted on the training part, and bad files."""

import hashlib
import zipfile

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.model_selection import train_test_split

import relujax
from relujax.data import _text

LINES = [
    *(f"ham\tsee you at {hour} tonight, love" for hour in range(20)),
    *(f"spam\twin prize number {number} now" for number in range(10)),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sms_spam").mkdir()
    _write(tmp_path, LINES)
    return tmp_path


def _write(folder, lines):
    path = folder / "sms_spam" / "SMSSpamCollection"
    path.write_bytes("\n".join(lines).encode())


@pytest.mark.parametrize(
    ("features", "oracle"),
    [
        ("tfidf", TfidfVectorizer(max_features=9)),
        ("hashed", HashingVectorizer(n_features=9)),
    ],
)
def test_features_are_fitted_on_the_training_part(folder, features, oracle):
    spec = f"sms_spam(features={features!r}, size=9, split=2)"
    data = relujax.load_dataset(spec, data_dir=folder)
    labels, texts = zip(*(line.split("\t") for line in LINES), strict=True)
    train, test = train_test_split(
        texts, test_size=0.2, stratify=labels, random_state=2
    )
    expected = np.asarray(oracle.fit_transform(train).toarray())
    np.testing.assert_allclose(data.x_train, expected, atol=1e-6)
    expected = np.asarray(oracle.transform(test).toarray())
    np.testing.assert_allclose(data.x_test, expected, atol=1e-6)
    assert data.x_train.dtype == np.float32
    assert data.name == spec


def test_split_is_stratified(folder):
    data = relujax.load_dataset("sms_spam(split=5)", data_dir=folder)
    assert np.bincount(data.y_train).tolist() == [16, 8]
    assert np.bincount(data.y_test).tolist() == [4, 2]


def test_a_validation_part_has_the_words_of_the_training_part(folder):
    data = relujax.load_dataset("sms_spam(validation=0.25, size=9)", data_dir=folder)
    assert [len(x) for _, x, _ in data.parts()] == [18, 6, 6]
    labels, texts = zip(*(line.split("\t") for line in LINES), strict=True)
    rest, _, kinds, _ = train_test_split(
        texts, labels, test_size=0.2, stratify=labels, random_state=0
    )
    train, validated = train_test_split(
        rest, test_size=0.25, stratify=kinds, random_state=0
    )
    words = TfidfVectorizer(max_features=9).fit(train)
    expected = np.asarray(words.transform(validated).toarray())
    np.testing.assert_allclose(data.x_validation, expected, atol=1e-6)
    assert data.class_names == ("ham", "spam")


def test_a_small_vocabulary_is_padded(folder):
    data = relujax.load_dataset("sms_spam(size=500)", data_dir=folder)
    assert data.x_train.shape == (24, 500)
    np.testing.assert_allclose(np.linalg.norm(data.x_train, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*LINES, "eggs\thello"], "in line 31"),
        ([*LINES, "ham hello"], "in line 31"),
        (LINES[:20], "the file is truncated"),
        ([], "in line 1"),
    ],
)
def test_a_bad_file_is_one_sentence(folder, lines, message):
    _write(folder, lines)
    with pytest.raises(relujax.InputError, match=message) as error:
        relujax.load_dataset("sms_spam", data_dir=folder)
    assert "SMSSpamCollection" in str(error.value)


def test_other_bytes_are_refused(folder):
    (folder / "sms_spam" / "SMSSpamCollection").write_bytes(b"ham\t\xff\xfe")
    with pytest.raises(relujax.InputError, match="UTF-8"):
        relujax.load_dataset("sms_spam", data_dir=folder)


def test_no_file_says_how_to_get_it(tmp_path):
    for data_dir in (None, tmp_path):
        with pytest.raises(relujax.InputError, match="relujax data prepare sms_spam"):
            relujax.load_dataset("sms_spam", data_dir=data_dir)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sms_spam(features='tfdif')", "Did you mean 'tfidf'"),
        ("sms_spam(size=0)", "integer from 1 to 50,000 for 'size'"),
        ("sms_spam(size=1000000000)", "integer from 1 to 50,000 for 'size'"),
        ("sms_spam(split=-1)", "for 'split'"),
    ],
)
def test_bad_parameters(folder, spec, message):
    with pytest.raises(relujax.InputError, match=message):
        relujax.load_dataset(spec, data_dir=folder)


def test_the_real_collection(real):
    data = relujax.load_dataset("sms_spam", data_dir=real)
    counts = np.bincount(data.y_train) + np.bincount(data.y_test)
    assert counts.tolist() == [4827, 747]
    assert data.x_train.shape == (4459, 1000)
    assert data.provenance.note == ""


def test_another_collection_is_reported_and_used(folder):
    provenance = relujax.load_dataset("sms_spam", data_dir=folder).provenance
    assert "Not the published collection" in provenance.note


def test_a_verified_archive_is_unpacked_once(tmp_path, monkeypatch):
    archive = tmp_path / "sms+spam+collection.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("readme", "about")
        packed.writestr("SMSSpamCollection", "\n".join(LINES))
    with pytest.raises(relujax.InputError, match="Expected the published file"):
        relujax.prepare_dataset("sms_spam", manual_dir=tmp_path)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(_text, "_ARCHIVE_SHA256", sha256)
    prepared = relujax.prepare_dataset("sms_spam", manual_dir=tmp_path)
    assert relujax.prepare_dataset("sms_spam") == prepared
    assert relujax.load_dataset("sms_spam").provenance.n_train == 24
    assert relujax.dataset_info("sms_spam").found.startswith(str(prepared))


def test_an_unpacked_copy_is_verified_and_kept(folder, tmp_path, monkeypatch):
    """Without its last line feed it is the published text all the same."""
    manual = folder / "sms_spam"
    content = (manual / "SMSSpamCollection").read_bytes()
    with pytest.raises(relujax.InputError, match="Expected the published collection"):
        relujax.prepare_dataset("sms_spam", manual_dir=manual)
    assert not (tmp_path / "tfds").exists()
    sha256 = hashlib.sha256(content + b"\n").hexdigest()
    monkeypatch.setattr(_text, "_TEXT_SHA256", sha256)
    prepared = relujax.prepare_dataset("sms_spam", manual_dir=manual)
    assert (prepared / "SMSSpamCollection").read_bytes() == content
