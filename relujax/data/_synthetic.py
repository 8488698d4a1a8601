"""The synthetic families of Morrison, Gode and Conner (2025), generated from a seed.

The paper says: n is 100 or 500, inputs of 1, 2 or 5 dimensions from N(0, I), noise of
variance 0.01, "four underlying curves: linear, quadratic, exponential, or sinusoidal",
and two outcome classes. What it leaves open, and what is done here:

- How a curve f takes several inputs: y = sum_j f(x_j) + noise, with f(x) = x, x^2,
  exp(x), sin(x), no weights. The paper's own errors point to it: its deepest networks
  predict the mean, and their mean squared errors on quadratic data (about 10 for d = 5
  and 3.25 for d = 2) are near the variance 2d of sum_j x_j^2.
- The classes: `two_class` is 1 outside a sphere, where sum_j x_j^2 + noise exceeds the
  median of the chi-squared distribution with d degrees of freedom; `two_class_linear`
  is 1 where sum_j x_j + noise > 0. Both are balanced. Write the dimension itself: the
  paper "increased by one" its 1, 2, 5 for classification.
- The test part: the last fifth of the sample, which has no order.
- Nothing is standardised: inputs are already N(0, I), and the paper's errors are those
  of raw targets.
"""

from collections.abc import Callable

import numpy as np

from relujax.data._dataset import Dataset, Provenance, Task, content_sha256
from relujax.data._read import MOST_BYTES
from relujax.data._split import (
    TEST_FRACTION,
    Parts,
    carve,
    check_fraction,
    check_seed,
    parts_of,
    sizes,
)
from relujax.errors import InputError, unknown

NOISE_VARIANCE = 0.01

# A sample is held in float64 while it is made, with two copies.
_MOST_NUMBERS = MOST_BYTES // 32

_CURVES: dict[str, tuple[Task, Callable[[np.ndarray], np.ndarray]]] = {
    "linear": ("regression", lambda x: x),
    "quadratic": ("regression", np.square),
    "exponential": ("regression", np.exp),
    "sinusoidal": ("regression", np.sin),
    "two_class": ("classification", np.square),
    "two_class_linear": ("classification", lambda x: x),
}
CURVES = tuple(_CURVES)


def load_synthetic(
    curve: str = "quadratic",
    n: int = 500,
    d: int = 2,
    seed: int = 0,
    columns: int = 0,
    test: float = TEST_FRACTION,
    validation: float = 0.0,
) -> Dataset:
    """A sample of n points of d dimensions; see the module's docstring.

    The same seed gives the same inputs and the same noise to every curve.

    Args:
      curve: one of `CURVES`.
      n: number of points, the last fifth of which is the test part.
      d: number of input dimensions.
      seed: of NumPy's `default_rng`; inputs and noise have their own streams.
      columns: columns of zeros follow the d inputs up to this number, so that data of
        several dimensions have one shape and share a compiled program; 0 for none.
      test: share of the test part.
      validation: share of the training part that becomes the validation part.

    Raises:
      InputError: no such curve, or n, d, seed, columns or a share out of range.
    """
    if curve not in CURVES:
        raise unknown("curve", curve, CURVES)
    _check_sizes(n, d, columns)
    check_seed("seed", seed)
    check_fraction("test", test)

    x = np.random.default_rng([seed, 0]).standard_normal((n, d))
    noise = np.random.default_rng([seed, 1]).standard_normal(n) * NOISE_VARIANCE**0.5
    task, f = _CURVES[curve]
    y = f(x).sum(axis=1) + noise
    if task == "classification":
        y = (y > _threshold(curve, d)).astype(np.int32)
    else:
        y = y.astype(np.float32)
    x = np.pad(x.astype(np.float32), ((0, 0), (0, max(columns - d, 0))))

    n_train = min(max(1, n - round(n * test)), n - 1)
    train, validated = carve(y, np.arange(n_train), validation, seed)
    parts = Parts(train, validated, np.arange(n_train, n))
    return Dataset(
        name="synthetic",
        **parts_of(x, y, parts),
        task=task,
        classes=None if task == "regression" else 2,
        provenance=Provenance(
            source="Generated after Morrison, Gode and Conner (2025) from seed "
            f"{seed}: {curve}, x from N(0, I), noise of variance {NOISE_VARIANCE}.",
            sha256=content_sha256(x, y),
            url="",
            **sizes(parts),
        ),
    )


def _check_sizes(n: int, d: int, columns: int) -> None:
    if n < 10:
        raise InputError(f"Expected an integer from 10 for 'n', got {n!r}.")
    if d < 1:
        raise InputError(f"Expected an integer from 1 for 'd', got {d!r}.")
    if columns < 0 or 0 < columns < d:
        raise InputError(
            f"Expected 0 or at least d={d} for 'columns', got {columns!r}."
        )
    if n * max(d, columns) > _MOST_NUMBERS:
        raise InputError(
            f"Expected at most {_MOST_NUMBERS:,} numbers (n times d or columns), got "
            f"{n * max(d, columns):,}."
        )


def _threshold(curve: str, d: int) -> float:
    from scipy.special import gammaincinv

    return 2 * gammaincinv(d / 2, 0.5) if curve == "two_class" else 0.0
