"""Trees whose leaves are not all arrays: functions, names and settings among them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from relujax.errors import InputError


@jax.tree_util.register_pytree_node_class
class Arrays:
    """A tree as its arrays; its other leaves are part of its structure.

    So a compiled function takes it, be it an Equinox module that holds functions or a
    batch that holds names.

    Args:
      tree: any tree.
      is_array: which leaves are arrays, or to be made one.
    """

    def __init__(self, tree: Any, is_array: Callable[[Any], bool]):
        leaves, structure = jax.tree.flatten(tree)
        chosen = [is_array(leaf) for leaf in leaves]
        pairs = list(zip(leaves, chosen, strict=True))
        self.arrays = [jnp.asarray(leaf) for leaf, is_one in pairs if is_one]
        others = tuple(None if is_one else _Same(leaf) for leaf, is_one in pairs)
        self._form = structure, others

    @property
    def tree(self) -> Any:
        """The tree, with its arrays as they are now."""
        structure, others = self._form
        arrays = iter(self.arrays)
        leaves = [next(arrays) if o is None else o.value for o in others]
        return jax.tree.unflatten(structure, leaves)

    def tree_flatten(self) -> tuple[list[Any], Any]:
        return self.arrays, self._form

    @classmethod
    def tree_unflatten(cls, form: Any, children: list[Any]) -> "Arrays":
        made = object.__new__(cls)
        made.arrays, made._form = list(children), form
        return made


class _Same:
    """A leaf that is no array, told from others by its value."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, _Same) or type(self.value) is not type(other.value):
            return False
        return self.value is other.value or bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(type(self.value))


def of_params(tree: Any) -> Arrays:
    """Parameters: numbers are parameters too, unless they are settings of a module."""
    leaves = jax.tree.leaves(tree)
    plain = all(is_numeric(leaf) or _is_number(leaf) for leaf in leaves)
    return Arrays(tree, lambda leaf: is_numeric(leaf) or (plain and _is_number(leaf)))


def of_batch(tree: Any) -> Arrays:
    """A batch without the names in it, which say nothing to a network.

    Tables and tensors of other libraries become arrays.

    Raises:
      InputError: it is nothing but an array of names.
    """
    paths, structure = jax.tree_util.tree_flatten_with_path(tree)
    paths = [(path, _as_array(leaf)) for path, leaf in paths]
    if len(paths) == 1 and not paths[0][0] and _is_names(*paths[0]):
        raise InputError(
            f"Expected numbers as data, got an array of {paths[0][1].dtype}: convert "
            f"it, or leave out the columns of text."
        )
    leaves = [None if _is_names(path, leaf) else leaf for path, leaf in paths]
    return Arrays(
        jax.tree.unflatten(structure, leaves),
        lambda leaf: is_numeric(leaf) or isinstance(leaf, bool | int | float),
    )


def _as_array(leaf: Any) -> Any:
    """A data frame, or a tensor of another library, as an array."""
    if isinstance(leaf, jax.Array | np.ndarray | np.generic):
        return leaf
    return np.asarray(leaf) if hasattr(leaf, "__array__") else leaf


def is_numeric(leaf: Any) -> bool:
    """Whether a leaf is an array of numbers (or of random keys)."""
    if isinstance(leaf, jax.Array):
        return True
    if not isinstance(leaf, np.ndarray | np.generic):
        return False
    return leaf.dtype.kind in "biufc" or jnp.issubdtype(leaf.dtype, jnp.number)


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, int | float | complex) and not isinstance(leaf, bool)


def _is_names(path: tuple[Any, ...], leaf: Any) -> bool:
    """Whether a leaf is an array of strings or objects, or one of a list of strings."""
    if isinstance(leaf, np.ndarray | np.generic):
        return not is_numeric(leaf)
    in_list = bool(path) and isinstance(path[-1], jax.tree_util.SequenceKey)
    return in_list and isinstance(leaf, str | bytes)
