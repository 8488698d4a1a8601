"""MNIST and Fashion-MNIST: from a folder of IDX files, or prepared and verified."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from relujax.data._dataset import Dataset, Provenance, Transform, content_sha256
from relujax.data._fetch import obtain, writable_folder
from relujax.data._idx import SIDE, Kind, idx_sha256, read_idx
from relujax.data._places import local_folder, tfds_folder
from relujax.data._sources import Archive, ImageSource
from relujax.data._split import carve
from relujax.errors import InputError
from relujax.extras import TFDS, needs

_KINDS: tuple[Kind, ...] = ("images", "labels", "images", "labels")


class Loaded(NamedTuple):
    """The four arrays of a source, uint8, and where they were read.

    Attributes:
      arrays: training images, training labels, test images, test labels.
      source: one sentence for the provenance.
      note: what differs from the published files; empty when nothing does.
      files: file name to sha256, for what was read from a folder.
    """

    arrays: tuple[np.ndarray, ...]
    source: str
    note: str
    files: Mapping[str, str]


def load_images(
    source: ImageSource,
    n_train: int | None = None,
    validation: float = 0.0,
    *,
    data_dir: Path | None = None,
) -> Dataset:
    """A source's images: from `data_dir` if it has them, else the prepared copy.

    Args:
      source: which images.
      n_train: use the first so many training images; None for all.
      validation: share of these that becomes the validation part, at random.
      data_dir: folder laid out as `<data_dir>/<source.name>/<IDX files>`, or where
        `prepare_dataset` put its copy; None for `RELUJAX_DATA_DIR`.

    Returns:
      uint8 images `[n, 28, 28, 1]`, to be divided by 255 by the transform.

    Raises:
      InputError: neither place has the data (the sentence says how to get them), or
        what is there is damaged.
    """
    if n_train is not None and not 1 <= n_train <= source.n_train:
        raise InputError(
            f"Expected an integer from 1 to {source.n_train} for 'n_train', "
            f"got {n_train!r}."
        )
    images = _read(source, data_dir)
    x, y, x_test, y_test = images.arrays
    x, y = x[:n_train], y[:n_train].astype(np.int32)
    subset = ""
    if n_train is not None:
        subset = f"The first {n_train:,} of {source.n_train:,} training images."
    train, validated = carve(y, np.arange(len(y)), validation, 0, source.classes)
    cut = len(validated) > 0
    return Dataset(
        name=source.name,
        x_train=x[train] if cut else x,
        y_train=y[train] if cut else y,
        x_test=x_test,
        y_test=y_test.astype(np.int32),
        x_validation=x[validated] if cut else None,
        y_validation=y[validated] if cut else None,
        task="classification",
        classes=10,
        provenance=Provenance(
            source=images.source,
            sha256=content_sha256(*images.arrays),
            url=source.homepage,
            n_train=len(train),
            n_test=source.n_test,
            note=" ".join(filter(None, (images.note, subset))),
            files=images.files,
            n_validation=len(validated),
        ),
        transform=Transform(scale=255.0),
        class_names=source.classes,
    )


def find_images(source: ImageSource, data_dir: Path | None) -> Path | None:
    """The folder that `load_images` would read; None if there is none."""
    folder = local_folder(data_dir)
    if folder is not None and any(
        candidate.is_file()
        for archive in source.archives
        for candidate in _candidates(folder / source.name, archive)
    ):
        return folder / source.name
    for root in filter(None, (folder, tfds_folder())):
        prepared = root / source.prepared
        if (prepared / "dataset_info.json").is_file():
            return prepared
    return None


def images_advice(source: ImageSource) -> str:
    """How to get the data, after a colon."""
    return (
        f"run `relujax data prepare {source.name}`, or set RELUJAX_DATA_DIR to a "
        f"folder that holds its four IDX files in {source.name}/."
    )


def prepare_images(
    source: ImageSource, data_dir: Path | None, manual_dir: Path | None
) -> Path:
    """Prepare a verified copy with tensorflow-datasets; see `prepare_dataset`."""
    root = tfds_folder(data_dir)
    prepared = root / source.prepared
    if (prepared / "dataset_info.json").is_file():
        return prepared
    needs("preparing images", *TFDS)
    paths = [
        obtain(
            source.url + archive.file,
            download_dir=root / "downloads" / prepared.parent.name,
            manual_dir=manual_dir,
            size=archive.size,
            sha256=archive.sha256,
        )
        for archive in source.archives
    ]

    writable_folder(root)

    from relujax.data import _builder

    _builder.prepare_images(source, root, paths[0].parent)
    return prepared


def _read(source: ImageSource, data_dir: Path | None) -> Loaded:
    found = find_images(source, data_dir)
    if found is None:
        raise InputError(
            f"No copy of {source.title} on this machine: {images_advice(source)}"
        )
    if found.parts[-2:] == source.prepared.parts:
        return _read_prepared(source, found)
    return read_folder(source, found)


def read_folder(source: ImageSource, folder: Path) -> Loaded:
    """The four IDX files of a folder, checked for structure; checksums are reported.

    Raises:
      InputError: a file is missing, truncated, swapped with another, of another
        format or of another length than the published one; the message names it.
    """
    counts = (source.n_train, source.n_train, source.n_test, source.n_test)
    arrays, files, different = [], {}, []
    for archive, kind, count in zip(source.archives, _KINDS, counts, strict=True):
        path = _find(folder, archive)
        # Twice what the larger file holds: files that are swapped are told apart.
        idx = read_idx(path, kind, 2 * (16 + SIDE * SIDE * max(counts)))
        _check_count(source, path, len(idx.array), count, kind)
        if kind == "labels" and idx.array.max() > 9:
            raise InputError(
                f"Expected labels from 0 to 9 in {path}, got {idx.array.max()}."
            )
        arrays.append(idx.array)
        files[path.name] = idx.sha256
        if idx.content_sha256 != archive.content_sha256:
            different.append(path.name)
    note = ""
    if different:
        note = (
            f"Not the published {source.title}: the sha256 of the content of "
            f"{' and '.join(different)} differs from the registered one."
        )
    return Loaded(tuple(arrays), f"{source.title}, from local IDX files.", note, files)


def _read_prepared(source: ImageSource, prepared: Path) -> Loaded:
    needs("a copy by tensorflow-datasets", *TFDS)
    from relujax.data import _builder

    advice = f"delete that folder and run `relujax data prepare {source.name}`."
    try:
        arrays = _builder.read_images(source, prepared.parents[1])
    except Exception as error:  # The readers of its files have no exception in common.
        raise InputError(
            f"Expected the published {source.title} in {prepared}, got a damaged copy: "
            f"{advice}"
        ) from error
    for array, archive in zip(arrays, source.archives, strict=True):
        if idx_sha256(array) != archive.content_sha256:
            raise InputError(
                f"Expected the published {source.title} in {prepared}, got a copy "
                f"that differs from {archive.file}: {advice}"
            )
    return Loaded(
        arrays,
        f"{source.title}, prepared by tensorflow-datasets from the published files, "
        "sha256 verified.",
        "",
        {},
    )


def _find(folder: Path, archive: Archive) -> Path:
    packed, plain = _candidates(folder, archive)
    for path in (packed, plain):
        if path.is_file():
            return path
    raise InputError(
        f"Expected {packed.name} or {plain.name} in {folder}, found neither."
    )


def _candidates(folder: Path, archive: Archive) -> tuple[Path, Path]:
    return folder / archive.file, folder / archive.file.removesuffix(".gz")


def _check_count(
    source: ImageSource, path: Path, got: int, expected: int, kind: Kind
) -> None:
    if got == expected:
        return
    advice = "copy or download it again."
    if got in (source.n_train, source.n_test):
        advice = "the training and test files are swapped."
    raise InputError(f"Expected {expected:,} {kind} in {path}, got {got:,}: {advice}")
