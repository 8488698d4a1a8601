"""What a user's network gets as its activation."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax.errors import AssignSubModuleError, CallCompactUnboundModuleError

from relujax.activations import Activation
from relujax.errors import InputError
from relujax.linen import Activation as Layer

#: Names of the parameter by which a factory takes its activation.
ACTIVATIONS = ("activation", "act", "nonlinearity", "act_fn", "activation_fn")


def is_plain(act: Activation) -> bool:
    """Whether an activation is a function of its input alone."""
    learned = act.init((1, 1), jnp.float32)
    return not (act.needs_key or act.signal or learned)


def as_function(act: Activation, what: str) -> Callable[[jax.Array], jax.Array]:
    """A plain activation as a function of `x`.

    Args:
      act: the activation.
      what: what takes it, for the message.

    Raises:
      InputError: the activation learns, draws noise or listens to a signal.
    """
    if not is_plain(act):
        raise InputError(
            f"Expected an activation without parameters, noise and signals for {what}, "
            f"which takes a function of x, got {act}: build the relujax layer in the "
            f"network itself, or leave out the parameter, and the activations found in "
            f"its program are replaced."
        )
    return lambda x: act.apply({}, x)


class CallableActivation(Activation):
    """An activation that a Linen network may wrap, or call where it needs one.

    `relujax.linen.Activation(activation)(x, train=train)` works as with every spec. A
    call `activation(x)` is a layer of its own each time, with its own parameters and
    noise, in training or evaluation as the network is; a plain one is just a function.
    """

    __slots__ = ()

    def __call__(self, x: jax.Array, train: bool | None = None) -> jax.Array:
        """Apply it, within a method under `nn.compact`."""
        if is_plain(self):
            return self.apply({}, x)
        try:
            return Layer(self)(x, train)
        except (AssignSubModuleError, CallCompactUnboundModuleError) as error:
            raise InputError(
                f"Expected {self} to be called in a method of a Linen module under "
                f"nn.compact, where it is a layer, got a call elsewhere: write "
                f"relujax.linen.Activation(activation) in setup."
            ) from error
