"""What a diagnosis is asked for, checked: its settings, and its data in batches."""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from relujax.errors import InputError

TAUS = (0.0, 0.025, 0.1)
EPSILONS = (1e-2, 1e-3, 1e-5)


# One axis, or several.
Axes = int | Sequence[int]


class Settings(NamedTuple):
    """How a diagnosis is made; `diagnose` explains each but the last.

    Attributes:
      channels_first: whether axis 1 of an image is that of the units where neither the
        user nor the program tells.
    """

    loss: Callable[[Any, Any], jax.Array] | None = None
    sites: str | Collection[str] | None = None
    exclude: str | Collection[str] | None = None
    batch_size: int | None = None
    unit_axis: Axes | Mapping[str, Axes] | None = None
    seed_axis: int | None = None
    merge_loops: bool = False
    taus: Sequence[float] = TAUS
    epsilons: Sequence[float] = EPSILONS
    slope: float = 1e-3
    max_rank_units: int = 1024
    channels_first: bool = False


def checked(settings: Settings) -> Settings:
    """The same, with thresholds as tuples of numbers.

    Raises:
      InputError: one of them cannot be meant.
    """
    if settings.sites is not None and not settings.sites:
        raise InputError(
            "Expected some sites to look at, got none; leave sites= out for all."
        )
    size = settings.batch_size
    if size is not None and (not _is_whole(size) or size < 1):
        raise InputError(f"Expected a batch size of at least 1, got {size!r}.")
    _check_names("sites", settings.sites)
    _check_names("exclude", settings.exclude)
    axis = settings.unit_axis
    axes = list(axis.values()) if isinstance(axis, Mapping) else [axis]
    names = list(axis) if isinstance(axis, Mapping) else []
    fit = all(a is None or _are_axes(a) for a in axes)
    if not fit or not all(isinstance(n, str) for n in names):
        raise InputError(
            f"Expected an axis such as 1, several such as (0, 2), or a dict such as "
            f"{{'conv*': 1}}, as unit_axis, got {axis!r}."
        )
    if not _is_whole(settings.seed_axis):
        raise InputError(
            f"Expected an axis such as 0 as seed_axis, got {settings.seed_axis!r}."
        )
    return settings._replace(
        taus=_thresholds("taus", settings.taus),
        epsilons=_thresholds("epsilons", settings.epsilons),
    )


def _is_whole(given: Any) -> bool:
    is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    return given is None or is_whole


def _are_axes(given: Any) -> bool:
    if isinstance(given, tuple | list):
        return bool(given) and all(
            axis is not None and _is_whole(axis) for axis in given
        )
    return _is_whole(given)


def _check_names(setting: str, given: Any) -> None:
    names = [given] if given is None or isinstance(given, str) else given
    is_list = isinstance(names, Iterable)
    if not is_list or not all(n is None or isinstance(n, str) for n in names):
        raise InputError(
            f"Expected ids, names or patterns, one or a list of them, as {setting}, "
            f"got {given!r}."
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
        if not isinstance(data, Iterable) or isinstance(data, str | bytes):
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
            f"shapes {shapes}; a batch that is to be taken whole, such as a graph, "
            f"stands in a list: [batch]."
        )
    size = size or (64 if jax.default_backend() == "cpu" else 512)
    for start in range(0, lengths[0][0], size):
        part = slice(start, start + size)
        yield jax.tree.map(operator.itemgetter(part), data)
