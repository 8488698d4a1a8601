"""Hyperparameters that change with the step, as text."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax import specs
from relujax.errors import InputError, short

# What the division by it in float32 or int32 can hold.
_MOST_STEPS = 2**31 - 1


@dataclass(frozen=True)
class Linear:
    """A number that moves from `start` to `end` in `steps` updates, and stays there.

    >>> sigma = Linear(0.1, 0.0, 100)
    >>> float(sigma(0)), float(sigma(50)), float(sigma(200))
    (0.10000000149011612, 0.05000000074505806, 0.0)
    """

    start: float
    end: float
    steps: int

    def __call__(self, step: ArrayLike) -> jax.Array:
        done = jnp.clip(jnp.asarray(step, jnp.float32) / self.steps, 0.0, 1.0)
        return self.start * (1 - done) + self.end * done

    @property
    def spec(self) -> str:
        """The text that `schedule` reads."""
        return specs.unparse("linear", vars(self))


def schedule(text: str) -> Linear:
    """The schedule that a spec string names.

    >>> schedule("linear(start=0.1, end=0.0, steps=4690)").spec
    'linear(start=0.1, end=0.0, steps=4690)'

    Raises:
      InputError: `text` is not of that form, or `steps` is below 1.
    """
    wrong = InputError(
        f"Expected a schedule such as 'linear(start=0.1, end=0.0, steps=4690)', got "
        f"{short(text)}."
    )
    name, values = specs.parse(text)
    if name != "linear":
        raise wrong
    try:
        values = specs.check(name, specs.parameters_of(Linear), values)
    except InputError:
        raise wrong from None
    if not 0 < values["steps"] <= _MOST_STEPS:
        raise wrong
    return Linear(**values)
