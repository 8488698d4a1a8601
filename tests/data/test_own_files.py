"""Tables and arrays in files: read right, or one sentence."""

import gzip
import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relujax import InputError, load_dataset
from relujax.data import Dataset, _images, _read

RNG = np.random.default_rng(0)
N = 40
TABLE = pd.DataFrame(
    {
        "dose": RNG.normal(size=N),
        "site": RNG.choice(["A", "B"], N),
        "grade": ["low", "high"] * (N // 2),
    }
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def _sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _one_sentence(spec, message):
    with pytest.raises(InputError, match=message) as error:
        load_dataset(spec)
    assert "\n" not in str(error.value)
    return str(error.value)


# Tables.


def test_a_csv_file_is_its_table():
    TABLE.to_csv("cohort.csv", index=False)
    data = load_dataset("csv(path='cohort.csv', target='grade', validation=0.25)")
    expected = Dataset.from_frame(
        pd.read_csv("cohort.csv"), "grade", validation=0.25, split=0
    )
    for (part, x, y), (_, x_expected, y_expected) in zip(
        data.parts(), expected.parts(), strict=True
    ):
        np.testing.assert_array_equal(x, x_expected, part)
        np.testing.assert_array_equal(y, y_expected, part)
    assert data.name == (
        "csv(path='cohort.csv', target='grade', validation=0.25, split=0)"
    )
    assert data.provenance.files == {"cohort.csv": _sha256("cohort.csv")}
    assert data.provenance.sha256 == expected.provenance.sha256
    assert data.columns == ("dose", "site=A", "site=B")


def test_the_hash_follows_the_content_and_not_the_packing():
    TABLE.to_csv("one.csv", index=False)
    TABLE.to_csv("two.csv.gz", index=False)
    TABLE.to_csv("three.txt", index=False, sep=";")
    Path("bom.csv").write_bytes(b"\xef\xbb\xbf" + Path("one.csv").read_bytes())
    specs = [
        "csv(path='one.csv', target='grade')",
        "csv(path='two.csv.gz', target='grade', split=3)",
        "csv(path='three.txt', target='grade', separator=';')",
        "csv(path='bom.csv', target='grade')",
    ]
    hashes = {load_dataset(spec).provenance.sha256 for spec in specs}
    assert len(hashes) == 1
    TABLE.assign(dose=TABLE["dose"] + 1).to_csv("one.csv", index=False)
    assert load_dataset(specs[0]).provenance.sha256 not in hashes


def test_paths_start_at_the_home_or_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "inner"))
    TABLE.to_csv("inner/t.csv", index=False)
    for path in ("inner/t.csv", "~/t.csv", str(tmp_path / "inner" / "t.csv")):
        data = load_dataset(f"csv(path={path!r}, target='grade')")
        assert data.provenance.n_train == 32


def test_the_index_that_pandas_writes_is_no_feature():
    TABLE.to_csv("t.csv")
    data = load_dataset("csv(path='t.csv', target='grade')")
    assert data.columns == ("dose", "site=A", "site=B")
    assert "without a heading is left out" in data.provenance.note


BAD_TABLES = {
    "empty": (b"", "No columns to parse"),
    "one column": (b"a\n1\n2\n", "beside the target|Unknown column"),
    "ragged": (b"a,grade\n1,x\n2,y,z,w\n", "Expected 2 fields in line 3"),
    "more cells": (b"a,grade\n1,2,x\n1,2,y\n", "more cells than headings"),
    "other bytes": (b"a,grade\n\xff\xfe,x\n", "UTF-8 text in t.csv, got other bytes"),
    "null bytes": (b"\0\0\0\0", "."),
    "missing": (b"a,grade\n1,x\n,x\n2,y\n3,y\n", "missing ones: 1 in 'a'"),
    "cut archive": (gzip.compress(b"a,grade\n1,x\n" * 99)[:-9], "truncated or dam"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_table_is_one_sentence(case):
    content, message = BAD_TABLES[case]
    Path("t.csv").write_bytes(content)
    _one_sentence("csv(path='t.csv', target='grade')", message)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("csv(path='none.csv', target='y')", "Expected a file at 'none.csv', found no"),
        ("csv(path='.', target='y')", "Expected a file at '.', found none"),
        ("csv(path='a\\0b', target='y')", "Expected a file at"),
        ("csv(path='~nobody-here/t', target='y')", "Expected a file at"),
        ("csv(path=3, target='y')", "Expected a string for 'path'"),
        ("csv(path='none.csv')", "Expected a value for 'target'"),
        ("csv(path='t.csv', target='grad')", "Did you mean 'grade'"),
        ("csv(path='t.csv', target='grade', separator='')", "one character"),
        ("csv(path='t.csv', target='grade', separator=r'\\s+')", "one character"),
        ("csv(path='t.csv', target='grade', missing='drop')", "treat missing values"),
        ("csv(path='t.csv', target='grade', test=0)", "share of the examples"),
        ("csv(path='t.csv', target='grade', test='a')", "Expected a finite number"),
        ("csv(path='t.csv', target='grade', task='ranking')", "Unknown task"),
        ("cohort.csv", "write csv(path='cohort.csv', target='...')"),
        ("data/x.NPZ", "write npz(path='data/x.NPZ')"),
    ],
)
def test_a_bad_spec_is_one_sentence(spec, message):
    TABLE.to_csv("t.csv", index=False)
    with pytest.raises(InputError) as error:
        load_dataset(spec)
    assert message in str(error.value)


# Arrays.

X, Y = RNG.normal(size=(N, 3)), np.arange(N) % 3


def test_an_npz_file_holds_parts_or_a_whole():
    np.savez("parts.npz", x_train=X, y_train=Y, x_test=X[:6], y_test=Y[:6])
    data = load_dataset("npz(path='parts.npz')")
    np.testing.assert_array_equal(data.x_test, X[:6].astype(np.float32))
    assert data.provenance.files == {"parts.npz": _sha256("parts.npz")}
    assert data.name == "npz(path='parts.npz', split=0)"
    np.savez_compressed("whole.npz", x=X, y=Y, about="a note that is not read")
    whole = load_dataset("npz(path='whole.npz', split=2, validation=0.25)")
    expected = Dataset.from_arrays(X, Y, split=2, validation=0.25)
    np.testing.assert_array_equal(whole.x_validation, expected.x_validation)
    assert whole.provenance.sha256 == expected.provenance.sha256
    parts = {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y}
    np.savez("six.npz", **parts, x_validation=X[:4], y_validation=Y[:4])
    assert load_dataset("npz(path='six.npz')").provenance.n_validation == 4


def test_pixels_in_an_npz_file_are_scaled_by_the_transform():
    np.savez("p.npz", x=RNG.integers(0, 256, (N, 4, 4, 1), np.uint8), y=Y)
    data = load_dataset("npz(path='p.npz')")
    assert data.x_train.dtype == np.uint8 and data.transform.scale == 255


def _npz(**members):
    with zipfile.ZipFile("t.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def _npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_nothing_of_an_npz_file_is_run():
    class Evil:
        def __reduce__(self):
            return (Path("ran").touch, ())

    _npz(x=_npy(np.array([Evil()], object)), y=_npy(Y))
    _one_sentence("npz(path='t.npz')", "holds Python objects, not numbers")
    assert not Path("ran").exists()


def test_a_header_that_promises_too_much_is_not_believed():
    small = _npy(np.zeros(10))
    header = small.replace(b"(10,), }" + b" " * 13, b"(10000000000000,), }" + b" ")
    assert len(header) == len(small) and header != small
    _npz(x=header, y=_npy(Y))
    _one_sentence("npz(path='t.npz')", "shorter than its header says")


def test_damaged_archives_are_one_sentence():
    Path("t.npz").write_bytes(b"PK\3\4 no archive")
    _one_sentence("npz(path='t.npz')", "Expected a NumPy archive")
    _npz(x=b"no array", y=_npy(Y))
    _one_sentence("npz(path='t.npz')", "Expected a NumPy archive .*magic")
    _npz(a=_npy(X))
    _one_sentence("npz(path='t.npz')", "Expected the arrays .* got a:|got a")
    _npz(x=_npy(X), y=_npy(Y), x_train=_npy(X))
    _one_sentence("npz(path='t.npz')", "got both")
    _npz(x_train=_npy(X), y_train=_npy(Y), x_test=_npy(X))
    _one_sentence("npz(path='t.npz')", "Expected the arrays")
    np.savez("t.npz", x=X, y=Y)
    content = (
        Path("t.npz").read_bytes().replace(b"PK\1\2\x2d\3\x2d", b"PK\1\2\x2d\3\xff")
    )
    Path("t.npz").write_bytes(content)
    _one_sentence("npz(path='t.npz')", "Expected a NumPy archive .*version")
    np.savez("t.npz", x=X, y=Y)
    content = bytearray(Path("t.npz").read_bytes())
    content[300] ^= 255
    Path("t.npz").write_bytes(content)
    _one_sentence("npz(path='t.npz')", "Expected a NumPy archive .*CRC")


# Bombs.

BOMB = """
import resource, sys
import numpy, pandas, sklearn.model_selection
from relujax import InputError, load_dataset
from relujax.data import _read
_read.MOST_BYTES = 2**24
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for spec in sys.argv[1:]:
    try:
        load_dataset(spec)
    except InputError as error:
        print(error)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 80_000, f"{grown} kB"
"""


def _zeros(path, size=2**28):
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(size // 2**20):
            file.write(bytes(2**20))


def test_what_unpacks_to_too_much_is_refused_without_unpacking_it():
    _zeros("t.csv")
    np.savez_compressed("t.npz", x=np.zeros((2**18, 2**7), np.float32), y=Y)
    specs = ["csv(path='t.csv', target='y')", "npz(path='t.npz')"]
    done = subprocess.run(
        [sys.executable, "-c", BOMB, *specs], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    text, arrays = done.stdout.splitlines()
    assert "at most 4,194,304 bytes of data in t.csv, got more" in text
    assert "at most 16,777,216 bytes of data in t.npz, got 134," in arrays


def test_an_idx_archive_is_unpacked_to_twice_what_it_should_hold(tiny, tmp_path):
    _zeros(tmp_path / "tiny" / tiny.archives[0].file, 2**24)
    with pytest.raises(InputError, match=r"at most 18,848 bytes of data in .*got more"):
        _images.load_images(tiny, data_dir=tmp_path)


def test_large_files_are_refused_before_they_are_read(monkeypatch):
    TABLE.to_csv("t.csv", index=False)
    monkeypatch.setattr(_read, "MOST_BYTES", 400)
    _one_sentence("csv(path='t.csv', target='grade')", r"at most 100 bytes .* got \d")
