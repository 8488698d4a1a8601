"""Tables and arrays in a file of the user's: csv and npz."""

import dataclasses
import io
import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from relujax.data import _read
from relujax.data._arrays import from_arrays
from relujax.data._dataset import Dataset, Transform
from relujax.data._fetch import file_sha256
from relujax.data._frame import from_frame
from relujax.data._read import read_content, reason, too_large, user_path
from relujax.data._split import TEST_FRACTION
from relujax.errors import InputError, short
from relujax.extras import needs

if TYPE_CHECKING:
    import pandas as pd

# What some programs write before UTF-8 text.
_MARK = b"\xef\xbb\xbf"

_PARTS = ("x_train", "y_train", "x_test", "y_test", "x_validation", "y_validation")
_WHOLE = ("x", "y")


def load_csv(
    path: str,
    target: str,
    missing: str = "error",
    test: float = TEST_FRACTION,
    validation: float = 0.0,
    split: int = 0,
    separator: str = ",",
    task: str | None = None,
) -> Dataset:
    """A table in a text file with headings, compressed with gzip or not.

    Args:
      path: the file, from the working directory.
      target: heading of the column to predict.
      missing: see `from_frame`, as `test`, `validation`, `split` and `task`.
      test: share of the test part.
      validation: share of the rest that becomes the validation part.
      split: which of the random splits.
      separator: the character between two cells.
      task: "classification" or "regression", where the target leaves it open.

    Raises:
      InputError: there is no such file, or it is no such table; see also `from_frame`.
    """
    file = user_path(path)
    # Beside the text, the table is in memory, and its columns.
    content, sha256 = read_content(file, _read.MOST_BYTES // 4)
    frame, note = _table(file, content, separator)
    data = from_frame(
        frame,
        target,
        test=test,
        validation=validation,
        split=split,
        missing=missing,
        task=task,
    )
    return described(data, f"The table {file.name}.", {file.name: sha256}, note)


def load_npz(
    path: str,
    test: float = TEST_FRACTION,
    validation: float = 0.0,
    split: int = 0,
) -> Dataset:
    """Arrays of a NumPy archive; nothing in it is run (no pickle).

    Args:
      path: a file with `x_train`, `y_train`, `x_test`, `y_test` and maybe
        `x_validation`, `y_validation`; or with `x` and `y`, which are split.
      test: share of the test part, for `x` and `y`.
      validation: share of the training part that becomes the validation part.
      split: which of the random splits.

    Returns:
      Inputs as they are, in float32; bytes of shape `[n, height, width, channels]` stay
      bytes, to be divided by 255 by the transform.

    Raises:
      InputError: there is no such file, it is damaged or too large, or arrays are
        missing; see also `from_arrays`.
    """
    file = user_path(path)
    arrays = _arrays(file)
    x = arrays.get("x", arrays.get("x_train"))
    pixels = x is not None and x.dtype == np.uint8 and x.ndim == 4
    given = [arrays.get(key) for key in (_WHOLE if "x" in arrays else _PARTS[:4])]
    data = from_arrays(
        *given,
        x_validation=arrays.get("x_validation"),
        y_validation=arrays.get("y_validation"),
        test=test,
        validation=validation,
        split=split,
        transform=Transform(scale=255.0) if pixels else None,
    )
    files = {file.name: file_sha256(file)}
    return described(data, f"The arrays of {file.name}.", files)


def described(
    data: Dataset, source: str, files: dict[str, str], note: str = ""
) -> Dataset:
    """The same data, with another provenance."""
    origin = data.provenance._replace(source=source, files=files, note=note)
    return dataclasses.replace(data, provenance=origin)


def _table(path: Path, content: bytes, separator: str) -> tuple["pd.DataFrame", str]:
    """The table of a file, and what is to be said of it."""
    needs("tables", "pandas")
    import pandas as pd

    if len(separator) != 1:
        raise InputError(
            f"Expected one character for 'separator', such as ';' or '\\t', got "
            f"{short(separator)}."
        )
    try:
        frame = pd.read_csv(
            io.BytesIO(content), sep=separator, low_memory=False, encoding="utf-8-sig"
        )
    except UnicodeDecodeError:
        raise InputError(
            f"Expected UTF-8 text in {path}, got other bytes: save it as UTF-8."
        ) from None
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(
            f"Expected a table separated by {separator!r} in {path}: {reason(error)}"
        ) from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(
            f"Expected a heading for every column of {path}, got more cells than "
            f"headings."
        )
    first = frame.columns[0] if len(frame.columns) else ""
    # What pandas writes as the index of a table numbers the rows: it is no feature.
    unnamed = content.removeprefix(_MARK).startswith(separator.encode())
    if unnamed and frame[first].tolist() == list(range(len(frame))):
        return frame.drop(columns=first), "The column without a heading is left out."
    return frame, ""


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an archive that have names of ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                name.removesuffix(".npy"): archive.getinfo(name)
                for name in archive.namelist()
                if name.removesuffix(".npy") in (*_PARTS, *_WHOLE)
            }
            _check_members(path, members, archive.namelist())
            return {name: _read_npy(archive, info) for name, info in members.items()}
    except InputError:
        raise
    except Exception as error:  # The readers of an archive have none in common.
        raise InputError(
            f"Expected a NumPy archive (np.savez) in {path}: {reason(error)}"
        ) from None


def _check_members(path: Path, members: dict[str, Any], names: list[str]) -> None:
    whole = set(_WHOLE) <= set(members)
    if not whole and not set(_PARTS[:4]) <= set(members):
        held = [name.removesuffix(".npy") for name in names[:8]]
        raise InputError(
            f"Expected the arrays x_train, y_train, x_test, y_test, or x and y, in "
            f"{path}, got {', '.join(held) or 'none'}."
        )
    if whole and len(members) > len(_WHOLE):
        raise InputError(f"Expected x and y or their parts in {path}, got both.")
    total = sum(info.file_size for info in members.values())
    if total > _read.MOST_BYTES:
        raise too_large(path, total, _read.MOST_BYTES)


def _read_npy(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array; its header is believed only as far as the file goes."""
    with archive.open(info) as file:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        if version not in read:
            raise ValueError(f"{info.filename} has version {version} of the format")
        shape, _, dtype = read[version](file)
    if dtype.hasobject:
        raise ValueError(f"{info.filename} holds Python objects, not numbers")
    if math.prod(shape) * dtype.itemsize > info.file_size:
        raise ValueError(f"{info.filename} is shorter than its header says")
    with archive.open(info) as file:
        return npy.read_array(file, allow_pickle=False)
