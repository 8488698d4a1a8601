"""Where axes are once they are merged with others, or split.

`vmap` turns three convolutions into one with three times the channels and takes them
apart again; a head, a group or a member of an ensemble is a part of an axis until then.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Digit(NamedTuple):
    """A part of an axis of the source, as a digit is a part of a number.

    Attributes:
      source: the axis, or None for one of another origin.
      whole: the size of the axis.
      stride: by how much the index along it grows where that of the digit grows by one.
      size: how many values the digit has.
    """

    source: int | None
    whole: int
    stride: int
    size: int


# An axis of the source or digits of such, and its first entry there.
Spot = tuple[int | tuple[Digit, ...], int]


def runs_along(spot: Spot, axis: int) -> bool:
    """Whether an axis of the source, or a part of it, is at a spot."""
    at = spot[0]
    if isinstance(at, tuple):
        return any(digit.source == axis for digit in at)
    return at == axis


def covered(axes: Mapping[int, Spot]) -> frozenset[int]:
    """The axes that are of the source, and hold nothing of another origin."""
    is_whole = lambda at: (
        isinstance(at, int) or all(digit.source is not None for digit in at)
    )
    return frozenset(axis for axis, (at, _) in axes.items() if is_whole(at))


def reshaped(
    axes: Mapping[int, Spot], old: Sequence[int], new: Sequence[int]
) -> dict[int, Spot]:
    """What a map from axes to those of a source becomes where an array is reshaped.

    Args:
      axes: axis to what it is of the source.
      old: the shape before.
      new: the shape after.
    """
    found: dict[int, Spot] = {}
    for before, after in _groups(old, new):
        if len(before) == len(after) == 1:
            if before[0] in axes:
                found[after[0]] = axes[before[0]]
            continue
        digits = [d for i in before for d in _digits(axes.get(i), old[i])]
        parts = _taken(digits, [new[i] for i in after])
        for i, part in zip(after, parts, strict=False):
            if (spot := _spot(part)) is not None:
                found[i] = spot
    return found


def _groups(
    old: Sequence[int], new: Sequence[int]
) -> Iterator[tuple[list[int], list[int]]]:
    """The axes of more than one entry before and after, as they become each other."""
    left = [i for i, n in enumerate(old) if n != 1]
    right = [i for i, n in enumerate(new) if n != 1]
    running = lambda axes, shape: [
        *itertools.accumulate((shape[i] for i in axes), _mul)
    ]
    ends = running(left, old), running(right, new)
    start = 0, 0
    for end in sorted(set(ends[0]) & set(ends[1])):
        stop = ends[0].index(end) + 1, ends[1].index(end) + 1
        yield left[start[0] : stop[0]], right[start[1] : stop[1]]
        start = stop


def _mul(a: int, b: int) -> int:
    return a * b


def _digits(spot: Spot | None, size: int) -> tuple[Digit, ...]:
    unknown = (Digit(None, size, 1, size),)
    if spot is None or spot[1]:
        return unknown
    source = spot[0]
    if isinstance(source, tuple):
        known = 1
        for digit in source:
            known *= digit.size
        return source if known == size else unknown
    return (Digit(source, size, 1, size),)


def _taken(digits: Sequence[Digit], sizes: Sequence[int]) -> list[tuple[Digit, ...]]:
    """The digits that make up axes of these sizes, as far as they can be told."""
    left, parts = list(digits), []
    for size in sizes:
        part = []
        while size > 1 and left:
            digit = left.pop(0)
            if size % digit.size == 0:
                size //= digit.size
            elif digit.size % size == 0:
                rest = digit.size // size
                left.insert(0, digit._replace(size=rest))
                digit = digit._replace(stride=digit.stride * rest, size=size)
                size = 1
            else:
                return parts
            part.append(digit)
        parts.append(tuple(part))
    return parts


def _spot(part: Sequence[Digit]) -> Spot | None:
    """Digits as a spot: those next to each other in the source are one."""
    joined: list[Digit] = []
    for digit in part:
        last: Any = joined[-1] if joined else None
        if last is not None and (last.source, last.whole) == (
            digit.source,
            digit.whole,
        ):
            if digit.source is None or last.stride == digit.stride * digit.size:
                size = last.size * digit.size
                joined[-1] = digit._replace(size=size)
                continue
        joined.append(digit)
    if all(digit.source is None for digit in joined):
        return None
    if len(joined) == 1 and joined[0].size == joined[0].whole:
        source = joined[0].source
        return None if source is None else (source, 0)
    return tuple(joined), 0
