"""The tensorflow-datasets builder of MNIST-like images. TensorFlow is never imported.

The stock builders need TensorFlow to unpack and to encode; this one unpacks with the
standard library and stores pixels as bytes, in the array_record format.
"""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from rich.console import Console
from rich.progress import Progress
from tensorflow_datasets.core.download.checksums import UrlInfo
from tensorflow_datasets.core.utils import Size

from relujax.data._idx import SIDE, read_idx
from relujax.data._sources import PREPARED_VERSION, ImageSource

_BATCH = 1000


def prepare_images(source: ImageSource, data_dir: Path, archives: Path) -> None:
    """Prepare `source` under `data_dir` from the published files in `archives`.

    tensorflow-datasets verifies size and sha256 of each file once more. Progress is
    drawn on standard error.
    """
    total = source.n_train + source.n_test
    config = tfds.download.DownloadConfig(manual_dir=archives, try_download_gcs=False)
    tfds.disable_progress_bar()
    try:
        with (
            Progress(console=Console(stderr=True)) as progress,
            contextlib.redirect_stdout(io.StringIO()),
        ):
            bar = progress.add_task(f"Preparing {source.title}", total=total)
            builder = _builder(source, data_dir, lambda: progress.advance(bar))
            builder.download_and_prepare(download_config=config)
    finally:
        tfds.enable_progress_bar()


def read_images(
    source: ImageSource, data_dir: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, test images and labels, in the published order.

    Returns:
      `[n_train, 28, 28, 1]`, `[n_train]`, `[n_test, 28, 28, 1]`, `[n_test]`, all uint8.
    """
    builder = _builder(source, data_dir)
    return (*_read_split(builder, "train"), *_read_split(builder, "test"))


def _read_split(builder: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
    records = builder.as_data_source(split=split)
    images = np.empty((len(records), SIDE, SIDE, 1), np.uint8)
    labels = np.empty(len(records), np.uint8)
    for start in range(0, len(records), _BATCH):
        rows = range(start, min(start + _BATCH, len(records)))
        for row, example in zip(rows, records.__getitems__(rows), strict=True):
            images[row], labels[row] = example["image"], example["label"]
    return images, labels


def _builder(
    source: ImageSource, data_dir: Path, on_example: Callable[[], None] = lambda: None
) -> tfds.core.GeneratorBasedBuilder:
    urls = [source.url + archive.file for archive in source.archives]

    class Images(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # pyright: ignore[reportGeneralTypeIssues, reportCallIssue]
        """Examples `{"image": [28, 28, 1] uint8, "label": class}`."""

        name = source.prepared.parts[0]
        VERSION = tfds.core.Version(PREPARED_VERSION)
        url_infos: ClassVar = {
            url: UrlInfo(Size(archive.size), archive.sha256, archive.file)
            for url, archive in zip(urls, source.archives, strict=True)
        }

        def _info(self) -> tfds.core.DatasetInfo:
            return tfds.core.DatasetInfo(
                builder=self,
                description=source.title,
                homepage=source.homepage,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Tensor(
                            shape=(SIDE, SIDE, 1),
                            dtype=np.uint8,
                            encoding=tfds.features.Encoding.BYTES,
                        ),
                        "label": tfds.features.ClassLabel(num_classes=10),
                    }
                ),
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            train_x, train_y, test_x, test_y = dl_manager.download(urls)
            return {
                "train": self._generate_examples(train_x, train_y),
                "test": self._generate_examples(test_x, test_y),
            }

        def _generate_examples(
            self, images: Path, labels: Path
        ) -> Iterator[tuple[int, dict[str, Any]]]:
            pixels = read_idx(Path(images), "images").array
            classes = read_idx(Path(labels), "labels").array
            for i, (image, label) in enumerate(zip(pixels, classes, strict=True)):
                yield i, {"image": image, "label": int(label)}
                on_example()

    return Images(data_dir=data_dir, file_format="array_record")
