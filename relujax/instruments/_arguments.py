"""What a diagnosis is asked for, checked: its settings, and its data in batches."""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from relujax.errors import InputError

TAUS = (0.0, 0.025, 0.1)
EPSILONS = (1e-2, 1e-3, 1e-5)


class Settings(NamedTuple):
    """How a diagnosis is made; `diagnose` explains each."""

    loss: Callable[[Any, Any], jax.Array] | None = None
    sites: Collection[str] | None = None
    batch_size: int | None = None
    unit_axis: int = -1
    seed_axis: int | None = None
    merge_loops: bool = False
    taus: Sequence[float] = TAUS
    epsilons: Sequence[float] = EPSILONS
    slope: float = 1e-3
    max_rank_units: int = 1024


def checked(settings: Settings) -> Settings:
    """The same, with thresholds as tuples of numbers.

    Raises:
      InputError: one of them cannot be meant.
    """
    if settings.sites is not None and not settings.sites:
        raise InputError(
            "Expected some sites to look at, got none; leave sites= out for all."
        )
    if settings.batch_size is not None and settings.batch_size < 1:
        raise InputError(
            f"Expected a batch size of at least 1, got {settings.batch_size}."
        )
    return settings._replace(
        taus=_thresholds("taus", settings.taus),
        epsilons=_thresholds("epsilons", settings.epsilons),
    )


def _thresholds(name: str, given: Any) -> tuple[float, ...]:
    try:
        values = np.asarray(given, float)
    except (TypeError, ValueError):
        values = np.empty(())
    if values.ndim != 1:
        raise InputError(
            f"Expected thresholds such as (0.01, 0.1) for {name}, got {given!r}."
        )
    return tuple(map(float, values))


def batches(data: Any, size: int | None) -> Iterator[Any]:
    """Slices of arrays along axis 0, or the batches of an iterable as they come.

    Args:
      data: see `diagnose`.
      size: examples per slice; None for what suits the backend.
    """
    if not isinstance(data, tuple | dict) and not hasattr(data, "shape"):
        if not isinstance(data, Iterable):
            raise InputError(
                f"Expected arrays or an iterable of batches as data, got "
                f"{type(data).__name__}."
            )
        yield from data
        return
    lengths = [np.shape(leaf)[:1] for leaf in jax.tree.leaves(data)]
    if not lengths or () in lengths or len(set(lengths)) != 1:
        shapes = jax.tree.map(np.shape, data)
        raise InputError(
            f"Expected arrays with the same number of examples along axis 0, got the "
            f"shapes {shapes}."
        )
    size = size or (64 if jax.default_backend() == "cpu" else 512)
    for start in range(0, lengths[0][0], size):
        part = slice(start, start + size)
        yield jax.tree.map(operator.itemgetter(part), data)
