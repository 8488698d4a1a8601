"""The state of an optimiser and its updates, whatever optimiser it is."""

from collections.abc import Callable
from typing import Any

import jax
import optax

from relujax.errors import InputError, first_line

Tree = Any

# What optimisers raise that want something else than they are given.
_WRONG = (AttributeError, KeyError, TypeError, ValueError)


def start(optimizer: optax.GradientTransformation, params: Tree) -> Tree:
    """The state of the optimiser before the first update.

    Raises:
      InputError: it cannot start from these parameters.
    """
    # Optax mixes integer counts with floats, also where the user is strict about it.
    with jax.numpy_dtype_promotion("standard"):
        try:
            opt_state = optimizer.init(params)
        except InputError:
            raise
        except _WRONG as error:
            raise InputError(
                f"Expected an optimizer that can start from the network's parameters, "
                f"got {type(error).__name__}: {first_line(error)}"
            ) from error
    if _keeps_two_copies(opt_state):
        raise InputError(
            "Expected an optimizer of the network's parameters alone, got "
            "optax.lookahead, which keeps two copies of them: use its fast optimizer."
        )
    return opt_state


def update(
    optimizer: optax.GradientTransformation,
    grads: Tree,
    opt_state: Tree,
    params: Tree,
    loss: jax.Array,
    loss_of: Callable[[Tree], jax.Array],
) -> tuple[Tree, Tree]:
    """The parameters after one update, and the optimiser's new state.

    Optimisers that ask for more than the gradient get it: the loss as `value`, the
    gradient as `grad`, and for a line search `value_fn`, the loss of other parameters
    on the same batch, with the same noise.

    Raises:
      InputError: the optimiser asks for something else, or changes the parameters'
        structure.
    """
    with jax.numpy_dtype_promotion("standard"):
        try:
            updates, opt_state = optax.with_extra_args_support(optimizer).update(
                grads, opt_state, params, value=loss, grad=grads, value_fn=loss_of
            )
            return optax.apply_updates(params, updates), opt_state
        except InputError:
            raise
        except _WRONG as error:
            raise InputError(
                f"Expected an optimizer that needs the gradient, the parameters, "
                f"`value`, `grad` and `value_fn`, got {type(error).__name__}: "
                f"{first_line(error)}"
            ) from error


def _keeps_two_copies(opt_state: Tree) -> bool:
    """Whether the optimiser is, or contains, optax.lookahead."""
    found = lambda node: isinstance(node, optax.LookaheadState)
    return any(map(found, jax.tree.leaves(opt_state, is_leaf=found)))
