"""The data sets that scikit-learn ships: no download, no folder."""

from collections.abc import Callable
from typing import Any

import numpy as np

from relujax.data._dataset import Dataset, Provenance, Transform, content_sha256
from relujax.data._split import (
    TEST_FRACTION,
    parts_of,
    random_parts,
    sizes,
    standardise,
)
from relujax.extras import needs


def load_wdbc(
    split: int = 0, test: float = TEST_FRACTION, validation: float = 0.0
) -> Dataset:
    """Breast Cancer Wisconsin (Diagnostic): 569 tumours, 30 features, 2 classes.

    Split 80/20, stratified; float32, standardised on the training part.
    """
    needs("breast_cancer", "sklearn")
    from sklearn.datasets import load_breast_cancer

    return _standardised(
        "wdbc",
        load_breast_cancer,
        (split, test, validation),
        source="Breast Cancer Wisconsin (Diagnostic), scikit-learn load_breast_cancer.",
        url="https://archive.ics.uci.edu/dataset/17",
    )


def load_wine(
    split: int = 0, test: float = TEST_FRACTION, validation: float = 0.0
) -> Dataset:
    """Wine recognition: 178 wines, 13 features, 3 classes.

    Split 80/20, stratified; float32, standardised on the training part.
    """
    needs("wine", "sklearn")
    from sklearn.datasets import load_wine

    return _standardised(
        "wine",
        load_wine,
        (split, test, validation),
        source="Wine recognition, scikit-learn load_wine.",
        url="https://archive.ics.uci.edu/dataset/109",
    )


def load_digits(
    split: int = 0, test: float = TEST_FRACTION, validation: float = 0.0
) -> Dataset:
    """Handwritten digits: 1,797 images of 8 x 8 pixels, grey levels 0 to 16.

    Split 80/20, stratified; uint8 `[n, 8, 8, 1]`, divided by 16 in the transform.
    """
    needs("digits", "sklearn")
    from sklearn.datasets import load_digits

    held = load_digits()
    x, y = _arrays(held)
    x = x.reshape(-1, 8, 8, 1).astype(np.uint8)
    parts = random_parts(y, split, test, validation)
    return Dataset(
        name="digits",
        **parts_of(x, y, parts),
        task="classification",
        classes=10,
        provenance=Provenance(
            source="Handwritten digits of 8 x 8 pixels, scikit-learn load_digits.",
            sha256=content_sha256(x, y),
            url="https://archive.ics.uci.edu/dataset/80",
            **sizes(parts),
        ),
        transform=Transform(scale=16.0),
        class_names=tuple(map(str, held.target_names)),
    )


def _arrays(held: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(held.data), np.asarray(held.target, np.int32)


def _standardised(
    name: str,
    load: Callable[..., Any],
    how: tuple[int, float, float],
    *,
    source: str,
    url: str,
) -> Dataset:
    held = load()
    x, y = _arrays(held)
    parts = random_parts(y, *how)
    arrays = parts_of(x, y, parts)
    inputs = [key for key in arrays if key.startswith("x_") and arrays[key] is not None]
    scaled = standardise(*(arrays[key] for key in inputs))
    return Dataset(
        name=name,
        **{**arrays, **dict(zip(inputs, scaled, strict=True))},
        task="classification",
        classes=int(y.max()) + 1,
        provenance=Provenance(
            source=source, sha256=content_sha256(x, y), url=url, **sizes(parts)
        ),
        class_names=tuple(map(str, held.target_names)),
        columns=tuple(map(str, held.feature_names)),
    )
