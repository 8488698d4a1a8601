"""What earlier versions wrote: files without seals, checked as far as that goes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from relujax.engine._seal import Damaged


def old_seeds(record: Mapping[str, Any], digest: str) -> list[int]:
    """The seeds of a table that an earlier version wrote, by its record.

    Args:
      record: the content of the JSON file beside it.
      digest: the SHA-256 of the table's file.

    Raises:
      Damaged: the record does not vouch for the table.
    """
    seeds = record.get("seeds")
    if record.get("sha256") != digest:
        raise Damaged("its content has changed since it was written")
    if not seeds or not is_seeds(seeds):
        raise Damaged("its record names no seeds")
    return sorted(seeds)


def is_seeds(seeds: Any) -> bool:
    """Whether it is a list of seed ids."""
    return isinstance(seeds, list) and all(
        isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**31
        for seed in seeds
    )


def check_old_description(content: Mapping[str, Any], digest: str) -> None:
    """Compare a description without a seal with the name of its cell's folder.

    The name was the hash of this text when descriptions had no seals.

    Raises:
      Damaged: it is no description, or one of another cell.
    """
    added = {"compute": "float32", "evaluate_every": 1, "tolerances": []}
    try:
        given = content["canonical"].items()
        text = {k: v for k, v in given if k not in added or v != added[k]}
        data = content["data"]["sha256"]
        text["context"] = {"data": data, "root": content["root"], "format": 1}
        hashed = hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()[
            :16
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"it is no description of a cell: {error}") from error
    if hashed != digest:
        raise Damaged("it describes another cell")
