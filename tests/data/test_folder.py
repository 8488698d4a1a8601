"""Pictures in folders: read right, or one sentence."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relujax import InputError, load_dataset
from relujax.data import _read

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def _one_sentence(spec, message):
    with pytest.raises(InputError, match=message) as error:
        load_dataset(spec)
    assert "\n" not in str(error.value)
    return str(error.value)


def _draw(path, value, size=(5, 4), mode="L", kind="PNG"):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path, kind)


def _album(root="album", n=6, **options):
    for i in range(n):
        _draw(f"{root}/cat/{i}.png", 10 + i, **options)
        _draw(f"{root}/dog/{i}.png", 200 + i, **options)


def test_a_folder_for_each_class_is_split():
    _album()
    Path("album/cat/notes.txt").write_text("not a picture")
    Path("album/.cache").mkdir()
    data = load_dataset("images(folder='album', test=0.5, validation=0.5)")
    assert data.class_names == ("cat", "dog") and data.shape == (4, 5, 1)
    assert data.x_train.dtype == np.uint8 and data.transform.scale == 255
    for _, x, y in data.parts():
        np.testing.assert_array_equal(y, (x[:, 0, 0, 0] > 100).astype(int))
    assert [len(x) for _, x, _ in data.parts()] == [3, 3, 6]
    assert data.name == ("images(folder='album', test=0.5, validation=0.5, split=0)")
    assert list(data.provenance.files) == ["album/"]


def test_folders_of_parts_are_kept():
    _album("album/train")
    _album("album/test", n=2)
    data = load_dataset("images(folder='album')")
    assert (data.provenance.n_train, data.provenance.n_test) == (12, 4)
    _album("album/validation", n=1)
    assert load_dataset("images(folder='album')").provenance.n_validation == 2


def test_the_hash_follows_the_pixels():
    _album()
    first = load_dataset("images(folder='album')").provenance
    _draw("album/cat/0.png", 11)
    second = load_dataset("images(folder='album')").provenance
    assert first.sha256 != second.sha256 and first.files != second.files


def test_one_picture_in_colour_makes_all_have_three_channels():
    _album()
    _draw("album/dog/7.png", (1, 2, 3), mode="RGB")
    data = load_dataset("images(folder='album')")
    assert data.shape == (4, 5, 3)


def test_pictures_of_several_sizes_are_scaled_on_request():
    _album()
    _draw("album/dog/7.jpg", 9, size=(9, 9), kind="JPEG")
    sentence = _one_sentence("images(folder='album')", "5 x 4 and 9 x 9 .*7.jpg")
    assert "write size=" in sentence
    assert load_dataset("images(folder='album', size=8)").shape == (8, 8, 1)


def test_bad_pictures_are_one_sentence(monkeypatch):
    spec = "images(folder='album')"
    _one_sentence(spec, "Expected a folder at 'album', found none")
    _draw("album/cat/0.png", 1)
    _one_sentence(spec, "a folder for each class in album, got 1")
    Path("album/dog").mkdir()
    _album()
    Path("album/dog/a.png").write_bytes(b"no picture")
    _one_sentence(spec, "Expected a picture in album/dog/a.png")
    noise = Image.fromarray(RNG.integers(0, 256, (4, 5), np.uint8))
    noise.save("album/dog/a.png")
    Path("album/dog/a.png").write_bytes(Path("album/dog/a.png").read_bytes()[:-30])
    _one_sentence(spec, "a complete picture in album/dog/a.png")
    _draw("album/dog/a.png", 7, mode="I;16")
    _one_sentence(spec, "8 bits per channel in album/dog/a.png")
    Path("album/dog/a.png").unlink()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15)
    _one_sentence(spec, "at most 15 pixels")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    monkeypatch.setattr(_read, "MOST_BYTES", 100)
    _one_sentence(spec, "at most 100 bytes of data in album")
    _one_sentence("images(folder='album', size=0)", "integer from 1 to 4,096")
