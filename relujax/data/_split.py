"""Stratified splits and standardisation on the training part."""

from typing import NamedTuple

import numpy as np

from relujax.errors import InputError

TEST_FRACTION = 0.2


class Split(NamedTuple):
    """Indices of the two parts, `[n_train]` and `[n_test]`."""

    train: np.ndarray
    test: np.ndarray


def stratified(y: np.ndarray, split: int) -> Split:
    """A random 80/20 split that keeps the class proportions of `y`.

    The generator is scikit-learn's `train_test_split(stratify=y, random_state=split)`.

    Args:
      y: `[n]` class labels.
      split: which of the random splits; an integer from 0.

    Raises:
      InputError: `split` is not an integer from 0 to 2**32 - 1.
    """
    from sklearn.model_selection import train_test_split

    check_seed("split", split)
    train, test = train_test_split(
        np.arange(len(y)), test_size=TEST_FRACTION, stratify=y, random_state=split
    )
    return Split(np.asarray(train), np.asarray(test))


def check_seed(name: str, value: object) -> None:
    """Refuse anything but an integer that NumPy and scikit-learn take as a seed."""
    if type(value) is not int or not 0 <= value < 2**32:
        raise InputError(
            f"Expected an integer from 0 to 2**32 - 1 for {name!r}, got {value!r}."
        )


def standardise(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Zero mean and unit variance per column, measured on the training part alone.

    Args:
      train: `[n_train, features]`.
      test: `[n_test, features]`.

    Returns:
      Both parts as float32. A column that is constant in the training part is centred
      and left unscaled.
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return (
        ((train - mean) / deviation).astype(np.float32),
        ((test - mean) / deviation).astype(np.float32),
    )
