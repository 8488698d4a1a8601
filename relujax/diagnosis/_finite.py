"""Where the data, and not the network, hold numbers that are none."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class NotFinite(NamedTuple):
    """NaN and infinity among the data.

    Attributes:
      values: how many there are.
      first: where the first one is, in words.
    """

    values: int
    first: str


def not_finite(
    batch: Any, examples: int | None, before: int, known: NotFinite | None
) -> NotFinite | None:
    """What is known of the data before a batch, and of that batch.

    Args:
      batch: a tree.
      examples: which of its arrays has the examples along its first axis.
      before: how many examples came before it.
      known: what is known of them.
    """
    paths, _ = jax.tree_util.tree_flatten_with_path(batch)
    shown = [(path, leaf) for path, leaf in paths if isinstance(leaf, jax.Array)]
    length = None if examples is None else len(shown[examples][1])
    for path, leaf in shown:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            continue
        bad = np.argwhere(~np.isfinite(np.asarray(leaf, np.float64)))
        if len(bad):
            name = jax.tree_util.keystr(path, simple=True, separator=".")
            first = _in_words(bad[0].tolist(), before, np.shape(leaf)[:1] == (length,))
            first += f" of {name!r}" * bool(name)
            old = NotFinite(0, first) if known is None else known
            known = NotFinite(old.values + len(bad), old.first)
    return known


def _in_words(index: list[int], before: int, is_example: bool) -> str:
    if not is_example:
        return f"entry {index}" if index else "the number"
    first, *rest = index
    example = f"example {before + first:,}"
    if len(rest) == 1:
        return f"{example}, column {rest[0]}"
    return f"{example}, entry {rest}" if rest else example
