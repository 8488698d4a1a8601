"""Images in folders: one folder for each class."""

import hashlib
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from relujax.data import _read
from relujax.data._arrays import from_arrays
from relujax.data._dataset import Dataset, Transform
from relujax.data._fetch import file_sha256
from relujax.data._files import described
from relujax.data._read import reason, too_large, user_path
from relujax.data._split import TEST_FRACTION
from relujax.errors import InputError
from relujax.extras import needs

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
_PARTS = ("train", "validation", "test")
_GREY = ("1", "L")
_COLOUR = ("RGB", "P", "RGBA", "LA", "CMYK", "YCbCr")


class Pictures(NamedTuple):
    """The files of a part, in the order of their names, and their labels."""

    paths: list[Path]
    labels: list[int]


def load_folder(
    folder: str,
    size: int | None = None,
    test: float = TEST_FRACTION,
    validation: float = 0.0,
    split: int = 0,
) -> Dataset:
    """Pictures (png, jpg, bmp) in `folder/<class>/`, or `folder/train/<class>/` etc.

    Args:
      folder: the folder of the classes, which is split; or one with the folders `train`
        and `test` and maybe `validation`.
      size: height and width to which every picture is scaled; None if all have one.
      test: share of the test part, if there is no folder of that name.
      validation: share of the training part that becomes the validation part.
      split: which of the random splits.

    Returns:
      uint8 `[n, height, width, 1]` if all are grey, else `[n, height, width, 3]`, to be
      divided by 255 by the transform.

    Raises:
      InputError: there is no such folder, a picture is damaged, or they differ in size.
    """
    root = user_path(folder, "folder")
    if size is not None and not 1 <= size <= 4096:
        raise InputError(
            f"Expected an integer from 1 to 4,096 for 'size', got {size!r}."
        )
    folders = {part: root / part for part in _PARTS if (root / part).is_dir()}
    if not {"train", "test"} <= set(folders):
        folders = {"train": root}
    classes = _classes(folders)
    parts = {part: _listed(place, classes) for part, place in folders.items()}
    shape = _shape([p for pictures in parts.values() for p in pictures.paths], size)
    given: dict[str, Any] = {}
    for part, pictures in parts.items():
        given[f"x_{part}"] = _pixels(pictures.paths, shape)
        given[f"y_{part}"] = np.array(pictures.labels, np.int32)
    data = from_arrays(
        **given,
        test=test,
        validation=validation,
        split=split,
        classes=classes,
        transform=Transform(scale=255.0),
    )
    files = {f"{root.resolve().name}/": _sha256(root, parts)}
    return described(data, f"The pictures of the folder {root.name}.", files)


def _classes(folders: Mapping[str, Path]) -> list[str]:
    """The names of all folders of a class, sorted."""
    names = {
        inner.name
        for folder in folders.values()
        for inner in folder.iterdir()
        if inner.is_dir() and not inner.name.startswith(".")
    }
    if len(names) < 2:
        where = folders["train"]
        raise InputError(
            f"Expected a folder for each class in {where}, got {len(names)}: put the "
            f"pictures of each class into {where}/<class>/."
        )
    return sorted(names)


def _listed(folder: Path, classes: Sequence[str]) -> Pictures:
    pictures = Pictures([], [])
    for label, name in enumerate(classes):
        inner = folder / name
        for path in sorted(inner.iterdir()) if inner.is_dir() else ():
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith("."):
                pictures.paths.append(path)
                pictures.labels.append(label)
    if not pictures.paths:
        raise InputError(
            f"Expected pictures ({', '.join(_SUFFIXES)}) in the folders of {folder}, "
            f"found none."
        )
    return pictures


def _shape(paths: Sequence[Path], size: int | None) -> tuple[int, int, int]:
    """Height, width and channels of all pictures, from what their headers say."""
    grey, first = True, None
    for path in paths:
        with _opened(path) as image:
            if image.mode not in (*_GREY, *_COLOUR):
                raise InputError(
                    f"Expected 8 bits per channel in {path}, got the mode "
                    f"{image.mode!r}: convert it."
                )
            grey = grey and image.mode in _GREY
            first = first or image.size
            if size is None and image.size != first:
                raise InputError(
                    f"Expected pictures of one size, got {_by(first)} and "
                    f"{_by(image.size)} ({path}): write size=..., to which all are "
                    f"scaled."
                )
    width, height = first or (0, 0)
    shape = (size or height, size or width, 1 if grey else 3)
    if (total := len(paths) * math.prod(shape)) > _read.MOST_BYTES:
        raise too_large(paths[0].parents[1], total, _read.MOST_BYTES)
    return shape


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _pixels(paths: Sequence[Path], shape: tuple[int, int, int]) -> np.ndarray:
    height, width, channels = shape
    x = np.empty((len(paths), *shape), np.uint8)
    for i, path in enumerate(paths):
        with _opened(path) as image:
            try:
                converted = image.convert("L" if channels == 1 else "RGB")
                scaled = converted.resize((width, height))
            except (OSError, ValueError, SyntaxError) as error:
                raise InputError(
                    f"Expected a complete picture in {path}: {reason(error)}"
                ) from None
        x[i] = np.asarray(scaled).reshape(shape)
    return x


def _opened(path: Path) -> Any:
    """A picture of which only the header is read as yet."""
    needs("a folder of images", "PIL")
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InputError(
            f"Expected a picture of at most {Image.MAX_IMAGE_PIXELS:,} pixels, got "
            f"more in {path}: scale it down."
        ) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(
            f"Expected a picture in {path}, got another or a damaged file "
            f"({type(error).__name__})."
        ) from None


def _sha256(root: Path, parts: Mapping[str, Pictures]) -> str:
    """One hash over the names and contents of all files."""
    digest = hashlib.sha256()
    for pictures in parts.values():
        for path in pictures.paths:
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
            digest.update(f"{file_sha256(path)}\n".encode())
    return digest.hexdigest()
