"""Checks for activations of your own, to call from any test.

    import relujax.testing

    def test_wobble():
        relujax.testing.check_activation("mypackage.acts:wobble")

They are those that the library's own activations pass.
"""

from collections.abc import Callable, Iterator

from relujax.activations import Activation, get
from relujax.parts import Named
from relujax.testing import _checks
from relujax.testing._case import Case

_REST = (
    _checks.transforms,
    _checks.derivative,
    _checks.kinks,
    _checks.numbers,
    _checks.noise,
    _checks.learned,
    _checks.spec,
    _checks.traced,
    _checks.linen,
    _checks.nnx,
)


def check_activation(
    spec: str | Activation | Named | Callable, *, surrogate: bool = False
) -> None:
    """Check that an activation does what every one of the library does.

    - Its output has the dtype of its input (float16, bfloat16, float32, float64),
      whatever that of its hyperparameters, and the leading axes of its input.
    - Compiled, eager and under `vmap` it computes the same.
    - Its derivative is that of its values, forward and in reverse, away from the kinks;
      at each kink it is finite and the one that is stated, where `kinks` are stated.
    - No finite input gives NaN, in value or derivative; values at ±10,000 are finite
      in all but float16; NaN stays NaN.
    - Noise: the same for the same key, another for another key and for every example
      under `vmap`; its mean is the evaluation rule.
    - Learned parameters are float32 whatever the input, and have finite gradients.
    - `relujax.get` reads what `str` writes; another value of a float compiles nothing.
    - It works as a Linen and as an NNX module.

    It takes seconds, nearly all of them compilation.

    Args:
      spec: anything that `relujax.get` takes.
      surrogate: whether its derivative is by design not that of its values.

    Raises:
      AssertionError: a sentence for each of these that does not hold.
      InputError: there is no such activation.

    >>> import jax.numpy as jnp
    >>> check_activation(lambda x: jnp.where(x > 0, x, 0.1 * x))
    >>> check_activation(lambda x: x.astype(jnp.float32))
    Traceback (most recent call last):
      ...
    AssertionError: Expected an output of dtype float16 for an input of it, got float32.
    """
    case = Case(get(spec), surrogate)
    # Without the right dtypes and shapes the other checks have nothing to look at.
    breaches = [*_found(case, _checks.dtypes), *_found(case, _checks.shapes)]
    if not breaches:
        for check in _REST:
            breaches += _found(case, check)
    if breaches:
        raise AssertionError("\n".join(breaches))


def _found(case: Case, check: Callable[[Case], Iterator[str]]) -> list[str]:
    """What a check finds; that it cannot be made is a finding."""
    try:
        return [*check(case)]
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        what = _WORDS[check.__name__]
        return [
            f"Expected {case.act.id} to pass the check of its {what}, got "
            f"{type(error).__name__}: {first[:200]}"
        ]


_WORDS = {
    "dtypes": "dtypes",
    "shapes": "shapes",
    "transforms": "values under jit and vmap",
    "derivative": "derivative",
    "kinks": "kinks",
    "numbers": "numbers",
    "noise": "noise",
    "learned": "learned parameters",
    "spec": "spec",
    "traced": "traced hyperparameters",
    "linen": "Linen module",
    "nnx": "NNX module",
}
