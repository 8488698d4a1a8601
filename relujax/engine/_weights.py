"""Trained weights as safetensors: arrays by name, no code."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relujax.engine._store import Store
from relujax.errors import InputError
from relujax.extras import needs

Tree = Any

# Marks arrays of PRNG keys, which are stored as their bits.
_KEY = "#key"


def weights_of(folder: Path, seed: int, like: Tree | None = None) -> Tree:
    """The stored weights of a seed of a cell.

    Args:
      folder: the cell's folder.
      seed: the seed id.
      like: a tree with the shapes that are expected, as the model's `init` gives it;
        nested dictionaries by name if None.

    Raises:
      InputError: no weights were kept, or they have other shapes.
    """
    store = Store(folder)
    if not store.has_weights(seed):
        raise InputError(
            f"Expected the weights of seed {seed} in {folder}, got none: run it with "
            f"keep='last' or keep='best' (--keep)."
        )
    return from_bytes(store.weights(seed), like)


def to_bytes(weights: Tree) -> bytes:
    """A tree of arrays as the bytes of a safetensors file.

    >>> sorted(flat({"params": {"w": np.zeros(2)}, "state": {}}))
    ['params/w']
    """
    needs("weights", "safetensors")
    from safetensors.numpy import save

    # `ascontiguousarray` would make an array of one entry of a number.
    return save({k: np.asarray(v, order="C") for k, v in flat(weights).items()})


def from_bytes(content: bytes, like: Tree | None = None) -> Tree:
    """The tree of a file: like `like`, or nested dictionaries by name.

    Raises:
      InputError: the file lacks an array of `like`, or has it in another shape.
    """
    needs("weights", "safetensors")
    from safetensors.numpy import load

    found = load(content)
    if like is None:
        return _nested(found)
    leaves, tree = jax.tree_util.tree_flatten_with_path(like)
    return tree.unflatten([_leaf(found, path, leaf) for path, leaf in leaves])


def flat(tree: Tree) -> dict[str, np.ndarray]:
    """Name to array of a tree; keys as their bits."""
    found = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = _name(path)
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            found[name + _KEY] = np.asarray(jax.random.key_data(leaf))
        else:
            found[name] = np.asarray(leaf)
    return found


def _leaf(found: dict[str, np.ndarray], path: Any, leaf: Any) -> Any:
    name = _name(path)
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(found[name + _KEY]))
    if leaf.shape == () and name in found and found[name].shape == (1,):
        return jnp.asarray(found[name][0])  # as numbers were once written
    if name not in found or found[name].shape != leaf.shape:
        got = found[name].shape if name in found else "none"
        raise InputError(
            f"Expected weights {name!r} of shape {leaf.shape}, got {got}: the model "
            f"has changed since they were stored."
        )
    return jnp.asarray(found[name])


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _nested(found: dict[str, np.ndarray]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, array in found.items():
        *parents, last = name.split("/")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = array
    return tree
