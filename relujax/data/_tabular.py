"""The data sets that scikit-learn ships: no download, no folder."""

from collections.abc import Callable
from typing import Any

import numpy as np

from relujax.data._dataset import Dataset, Provenance, Transform, content_sha256
from relujax.data._split import standardise, stratified


def load_wdbc(name: str, split: int) -> Dataset:
    """Breast Cancer Wisconsin (Diagnostic): 569 tumours, 30 features, 2 classes.

    Split 80/20, stratified; float32, standardised on the training part.
    """
    from sklearn.datasets import load_breast_cancer

    return _standardised(
        name,
        load_breast_cancer,
        split,
        source="Breast Cancer Wisconsin (Diagnostic), scikit-learn load_breast_cancer.",
        url="https://archive.ics.uci.edu/dataset/17",
    )


def load_wine(name: str, split: int) -> Dataset:
    """Wine recognition: 178 wines, 13 features, 3 classes.

    Split 80/20, stratified; float32, standardised on the training part.
    """
    from sklearn.datasets import load_wine

    return _standardised(
        name,
        load_wine,
        split,
        source="Wine recognition, scikit-learn load_wine.",
        url="https://archive.ics.uci.edu/dataset/109",
    )


def load_digits(name: str, split: int) -> Dataset:
    """Handwritten digits: 1,797 images of 8 x 8 pixels, grey levels 0 to 16.

    Split 80/20, stratified; uint8 `[n, 8, 8, 1]`, divided by 16 in the transform.
    """
    from sklearn.datasets import load_digits

    x, y = _arrays(load_digits)
    x = x.reshape(-1, 8, 8, 1).astype(np.uint8)
    parts = stratified(y, split)
    return Dataset(
        name=name,
        x_train=x[parts.train],
        y_train=y[parts.train],
        x_test=x[parts.test],
        y_test=y[parts.test],
        task="classification",
        classes=10,
        provenance=Provenance(
            source="Handwritten digits of 8 x 8 pixels, scikit-learn load_digits.",
            sha256=content_sha256(x, y),
            url="https://archive.ics.uci.edu/dataset/80",
            n_train=len(parts.train),
            n_test=len(parts.test),
        ),
        transform=Transform(scale=16.0),
    )


def _arrays(load: Callable[..., Any]) -> tuple[np.ndarray, np.ndarray]:
    x, y = load(return_X_y=True)
    return np.asarray(x), np.asarray(y, np.int32)


def _standardised(
    name: str, load: Callable[..., Any], split: int, *, source: str, url: str
) -> Dataset:
    x, y = _arrays(load)
    parts = stratified(y, split)
    x_train, x_test = standardise(x[parts.train], x[parts.test])
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y[parts.train],
        x_test=x_test,
        y_test=y[parts.test],
        task="classification",
        classes=int(y.max()) + 1,
        provenance=Provenance(
            source=source,
            sha256=content_sha256(x, y),
            url=url,
            n_train=len(parts.train),
            n_test=len(parts.test),
        ),
    )
