"""The words for a place: `here`, `2/16`, `ray`, `ray:HOST:PORT`, `slurm`."""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

from relujax.errors import InputError, short


class Where(NamedTuple):
    """Where a run is trained.

    Attributes:
      kind: "here", a "part" of it here, or a kind of cluster.
      address: of a Ray cluster, `HOST:PORT`; empty for the one that Ray finds.
      part: which part, and of how many; (0, 1) is all of it.
    """

    kind: Literal["here", "part", "ray", "slurm"]
    address: str = ""
    part: tuple[int, int] = (0, 1)


def where_of(where: Any) -> Where:
    """The place that `where=` or `--on` names.

    >>> where_of("ray:10.0.0.1:6379")
    Where(kind='ray', address='10.0.0.1:6379', part=(0, 1))
    >>> where_of("2/16").part
    (2, 16)

    Raises:
      InputError: it names none.
    """
    text = where if isinstance(where, str) else ""
    if text in ("here", "ray", "slurm"):
        return Where(cast(Any, text))
    if re.fullmatch(r"ray:[^:\s]+:\d+", text):
        return Where("ray", text.removeprefix("ray:"))
    if re.fullmatch(r"\d+/\d+", text):
        i, n = map(int, text.split("/"))
        if n and i <= n:
            return Where("part", part=(i, n))
    raise InputError(
        f"Expected 'here', 'ray', 'ray:HOST:PORT', 'slurm' or a part such as '2/16' as "
        f"the place of a run, got {short(where)}."
    )


def backend_of(place: Where, options: Mapping[str, Any]) -> str | None:
    """The backend of a cluster's workers; None for that of this process."""
    if place.kind in ("here", "part"):
        return None
    return "gpu" if options.get("gpus") else "cpu"
