"""The `Model` of a pair of functions `init` and `apply`, Haiku's for example."""

import inspect
from collections.abc import Callable

from relujax.networks._calls import Call, takes
from relujax.networks._model import Model


def from_functions(init: Callable, apply: Callable) -> Model:
    """The `Model` of two pure functions; see `as_model`.

    What `apply` takes is read off the names of its parameters. With `state` (or a name
    that ends so) it returns `(y, state)`, and `init` returns `(params, state)`. A `key`
    or `rng` gets a key in training and None in evaluation, `rngs` a dictionary of keys
    or None, a flag such as `train` what it says.

    Args:
      init: `init(key, x)` or `init(key)`; or `init(key, input_shape)`, which returns
        `(output_shape, params)`, as those of `jax.example_libraries.stax`.
      apply: `apply(params, x)`; or with more, as Haiku's `apply(params, state, rng, x,
        is_training)`.

    Raises:
      InputError: one of them requires another argument.
    """
    roles = ("key", "rngs", "state")
    start = Call(_signature(init), ("key", "x"), what="function init")
    call = Call(_signature(apply), ("params", "x"), roles=roles, what="function apply")
    stateful = "state" in call.roles
    shaped = takes(init, "input_shape")

    def make(key, x):
        if shaped:
            return init(key, x.shape)[1], {}
        # In training mode: what is only there in training needs a place, too.
        args, kwargs = start.arguments(True, key=key, x=x)
        made = init(*args, **kwargs)
        if not stateful:
            return made, {}
        params, state = made
        return params, {"state": state}

    def run(params, state, x, *, rngs=None, train=False):
        rngs = rngs if train else None
        own = state["state"] if stateful else None
        key = rngs["dropout"] if rngs else None
        args, kwargs = call.arguments(
            train, params=params, x=x, state=own, key=key, rngs=rngs
        )
        y = apply(*args, **kwargs)
        if not stateful:
            return y, state, ()
        y, changed = y
        return y, {**state, "state": changed} if train else state, ()

    return Model(make, run)


def _signature(fn: Callable) -> inspect.Signature:
    """The signature of a function.

    Haiku's functions end in `*args, **kwargs`; the parameters behind it are those of
    the function that was transformed.
    """
    signature = inspect.signature(fn)
    original = getattr(fn, "_original_fn", None)
    if original is None:
        return signature
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    own = [p for p in signature.parameters.values() if p.kind not in variadic]
    taken = {p.name for p in own}
    theirs = inspect.signature(original).parameters.values()
    return signature.replace(
        parameters=sorted(
            [*own, *(p for p in theirs if p.name not in taken)], key=lambda p: p.kind
        )
    )
