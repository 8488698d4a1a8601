"""Seed ids: how many, or which."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from relujax.errors import InputError, short

# Seed ids are int32 in the compiled program.
_SEEDS = 2**31
# More networks than this nobody trains, and their ids would fill the memory.
_MOST = 10**6


def seed_ids(seeds: int | Sequence[int]) -> list[int]:
    """The ids of `seeds` seeds, or those that are given.

    >>> seed_ids(3), seed_ids([7, 2])
    ([0, 1, 2], [7, 2])
    """
    given = seeds.tolist() if isinstance(seeds, np.ndarray) else seeds
    if _is_whole(given):
        ids = range(int(given)) if given <= _MOST else ()
    else:
        ids = given if isinstance(given, Sequence) else ()
    fitting = all(_is_whole(seed) and 0 <= seed < _SEEDS for seed in ids)
    if not fitting or not len(set(ids)) == len(ids) > 0:
        raise InputError(
            f"Expected a number of seeds from 1 to {_MOST:,}, or a list of different "
            f"ids from 0 to 2**31 - 1, got {short(seeds)}."
        )
    return [int(seed) for seed in ids]


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
