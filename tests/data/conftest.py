"""A small data set in the format of MNIST, and the real folder where there is one."""

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from relujax.data._sources import Archive, ImageSource

REAL = os.environ.get("RELUJAX_DATA_DIR")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No data on this machine, whatever the environment says."""
    monkeypatch.delenv("RELUJAX_DATA_DIR", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))


@pytest.fixture
def real() -> Path:
    if not REAL:
        pytest.skip("RELUJAX_DATA_DIR is not set: the real archives are not tested")
    return Path(REAL)


@pytest.fixture(scope="session")
def arrays() -> tuple[np.ndarray, ...]:
    """Images and labels of 12 training and 6 test examples."""
    rng = np.random.default_rng(0)

    def part(n):
        images = rng.integers(0, 256, (n, 28, 28, 1), dtype=np.uint8)
        return images, rng.integers(0, 10, n, dtype=np.uint8)

    return (*part(12), *part(6))


@pytest.fixture
def tiny(arrays, tmp_path) -> ImageSource:
    """A source of those arrays; its archives lie in `tmp_path / "tiny"`."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    names = (
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    )
    archives = []
    for name, array in zip(names, arrays, strict=True):
        content = idx_bytes(array)
        packed = gzip.compress(content, mtime=0)
        (folder / name).write_bytes(packed)
        sums = (hashlib.sha256(data).hexdigest() for data in (packed, content))
        archives.append(Archive(name, len(packed), *sums))
    return ImageSource(
        name="tiny",
        title="Tiny",
        homepage="https://example.org/",
        url="https://example.org/tiny/",
        archives=tuple(archives),
        n_train=12,
        n_test=6,
    )


def idx_bytes(array: np.ndarray) -> bytes:
    """An IDX file written by hand: magic number, sizes, data."""
    if array.ndim == 1:
        return bytes((0, 0, 8, 1, 0, 0, 0, len(array))) + array.tobytes()
    sizes = bytes((0, 0, 0, len(array), 0, 0, 0, 28, 0, 0, 0, 28))
    return bytes((0, 0, 8, 3)) + sizes + array.tobytes()
