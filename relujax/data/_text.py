"""SMS Spam: messages as bags of words."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from relujax.data._dataset import Dataset, Provenance
from relujax.data._fetch import obtain, writable_folder
from relujax.data._places import local_folder, tfds_folder
from relujax.data._read import read_content
from relujax.data._split import TEST_FRACTION, parts_of, random_parts, sizes
from relujax.errors import InputError, unknown
from relujax.extras import needs

_FILE = Path("sms_spam", "SMSSpamCollection")
_PREPARED = Path("relujax_sms_spam", "SMSSpamCollection")
_URL = "https://archive.ics.uci.edu/dataset/228/sms+spam+collection"
# The archive at UCI, its sha256, and that of the text inside.
_ARCHIVE = "https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip"
_ARCHIVE_SIZE = 203_415
_ARCHIVE_SHA256 = "1587ea43e58e82b14ff1f5425c88e17f8496bfcdb67a583dbff9eefaf9963ce3"
_TEXT_SHA256 = "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"
_LABELS = {"ham": 0, "spam": 1}
SMS_SPAM_ADVICE = (
    "run `relujax data prepare sms_spam`, or set RELUJAX_DATA_DIR to a folder that "
    f"holds {_FILE}."
)
FEATURES = ("tfidf", "hashed")

# The collection has half a million bytes, and 13,000 different words.
_MOST_BYTES = 2**24
_MOST_WORDS = 50_000


def load_sms_spam(
    features: str = "tfidf",
    size: int = 1000,
    split: int = 0,
    test: float = TEST_FRACTION,
    validation: float = 0.0,
    *,
    data_dir: Path | None = None,
) -> Dataset:
    """UCI SMS Spam Collection: 5,574 messages, ham (0) or spam (1).

    Split 80/20, stratified. Each message is a bag of words (scikit-learn) of unit
    length, float32 `[n, size]`: not standardised, since zero means an absent word.

    Args:
      features: "tfidf" weighs the `size` most frequent words by inverse document
        frequency, both measured on the training part; "hashed" puts every word into
        one of `size` signed bins, and measures nothing.
      size: number of features.
      split: which of the random splits.
      test: share of the test part.
      validation: share of the rest that becomes the validation part.
      data_dir: folder that holds `sms_spam/SMSSpamCollection`; None for
        `RELUJAX_DATA_DIR`.

    Raises:
      InputError: no such file (the sentence says how to get it), a line of it is not
        `ham<TAB>text` or `spam<TAB>text`, or a value that a parameter cannot have.
    """
    if features not in FEATURES:
        raise unknown("kind of features", features, FEATURES)
    if not 1 <= size <= _MOST_WORDS:
        raise InputError(
            f"Expected an integer from 1 to {_MOST_WORDS:,} for 'size', got {size!r}."
        )
    path = find_sms_spam(data_dir)
    if path is None:
        raise InputError(f"No copy of SMS Spam on this machine: {SMS_SPAM_ADVICE}")
    content, file_sha256 = read_content(path, _MOST_BYTES)
    texts, y = _parse(path, content)
    parts = random_parts(y, split, test, validation, tuple(_LABELS))
    vectorise = _vectoriser(features, size).fit([texts[i] for i in parts.train])
    x = {
        f"x_{part}": _dense(vectorise.transform([texts[i] for i in rows]), size)
        for part, rows in parts._asdict().items()
        if len(rows)
    }
    sha256 = _text_sha256(content)
    published = sha256 == _TEXT_SHA256
    return Dataset(
        name="sms_spam",
        **{**parts_of(y, y, parts), **x},
        task="classification",
        classes=2,
        provenance=Provenance(
            source="UCI SMS Spam Collection, from a local copy of SMSSpamCollection.",
            sha256=sha256,
            url=_URL,
            note="" if published else "Not the published collection: sha256 differs.",
            files={path.name: file_sha256},
            **sizes(parts),
        ),
        class_names=tuple(_LABELS),
    )


def find_sms_spam(data_dir: Path | None) -> Path | None:
    """The file that `load_sms_spam` would read; None if there is none."""
    folder = local_folder(data_dir)
    candidates = [] if folder is None else [folder / _FILE, folder / _PREPARED]
    for path in (*candidates, tfds_folder() / _PREPARED):
        if path.is_file():
            return path
    return None


def prepare_sms_spam(data_dir: Path | None, manual_dir: Path | None) -> Path:
    """Download and unpack the collection; see `prepare_dataset`.

    In `manual_dir` it may lie unpacked, as `load_sms_spam` reads it.
    """
    root = tfds_folder(data_dir)
    path = root / _PREPARED
    if path.is_file():
        return path.parent
    unpacked = None if manual_dir is None else manual_dir.expanduser() / path.name
    if unpacked is not None and unpacked.is_file():
        return _keep(path, _published(unpacked))
    archive = obtain(
        _ARCHIVE,
        download_dir=root / "downloads" / path.parent.name,
        manual_dir=manual_dir,
        size=_ARCHIVE_SIZE,
        sha256=_ARCHIVE_SHA256,
    )
    with zipfile.ZipFile(archive) as packed, packed.open(path.name) as text:
        return _keep(path, text.read(_MOST_BYTES))


def _published(path: Path) -> bytes:
    content = read_content(path, _MOST_BYTES).content
    if _text_sha256(content) != _TEXT_SHA256:
        raise InputError(
            f"Expected the published collection (sha256 {_TEXT_SHA256}) in {path}, got "
            f"sha256 {_text_sha256(content)}: download it again from {_URL}."
        )
    return content


def _keep(path: Path, content: bytes) -> Path:
    writable_folder(path.parent)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path.parent


def _text_sha256(content: bytes) -> str:
    # With or without a final line feed, the messages are the same.
    return hashlib.sha256(content.removesuffix(b"\n") + b"\n").hexdigest()


def _parse(path: Path, content: bytes) -> tuple[list[str], np.ndarray]:
    texts, labels = [], []
    # The collection has stray carriage returns and separators inside its messages:
    # only a line feed ends a line.
    try:
        lines = content.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise InputError(
            f"Expected UTF-8 text in {path}, got other bytes: download it again from "
            f"{_URL}."
        ) from None
    for number, line in enumerate(lines, 1):
        label, tab, text = line.partition("\t")
        if label not in _LABELS or not tab:
            raise InputError(
                f"Expected 'ham<TAB>text' or 'spam<TAB>text' in line {number} of "
                f"{path}, got {line[:40]!r}."
            )
        texts.append(text)
        labels.append(_LABELS[label])
    y = np.array(labels, np.int32)
    if np.bincount(y, minlength=2).min() < 5:
        raise InputError(
            f"Expected messages of both kinds in {path}, got {len(y)} lines with "
            f"{y.sum()} of them spam: the file is truncated; download it again from "
            f"{_URL}."
        )
    return texts, y


def _vectoriser(features: str, size: int):
    needs("text", "sklearn")
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

    if features == "hashed":
        return HashingVectorizer(n_features=size)
    return TfidfVectorizer(max_features=size)


def _dense(rows, size: int) -> np.ndarray:
    # A vocabulary smaller than `size` leaves the last columns empty.
    x = np.zeros((rows.shape[0], size), np.float32)
    x[:, : rows.shape[1]] = rows.astype(np.float32).toarray()
    return x
