"""One of several activations, chosen by a number that may be traced.

Networks that differ in their activation only share one compiled program then: `relu`
and `elu` are two values of an argument. Under `vmap` over that argument JAX computes
every activation and selects; map over it with a loop (`jax.lax.map`), or choose another
way to run such networks.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.typing import ArrayLike, DTypeLike

from relujax.activations._spec import Activation, Apply, Params, Signal
from relujax.errors import InputError


class Union(Activation):
    """An `Activation` that is one of several. Made by `relujax.activations.union`.

    Its hyperparameters are `which` and those of activation `i`, as `"i.name"`. Its
    signal is a dict of all that some of the activations are fed (`loss`, `step`).
    """

    def __str__(self) -> str:
        return self.id

    @property
    def which(self) -> ArrayLike:
        """The place of the chosen one in `activations`."""
        return self.hyperparameters["which"]

    def listens(self, name: str) -> jax.Array:
        """Whether the chosen activation is fed the signal of that name."""
        each = [
            a.signal is not None and a.signal.name == name for a in self.activations
        ]
        return jnp.array(each)[jnp.asarray(self.which).astype(jnp.int32)]

    @property
    def inside(self) -> tuple[Activation, ...]:
        """The activations, to be called with the union's parameters and signals."""
        return tuple(map(_inside, self.activations))

    def each(self, change: Callable[[Activation], Activation]) -> "Union":
        """The union of what `change` makes of the activations."""
        return union([change(a) for a in self.activations], self.which)


def union(activations: Sequence[Activation], which: ArrayLike = 0) -> Union:
    r"""The activation `activations[which]`, whose number may be traced.

    Values, noise (of the same key) and gradients are those of the chosen activation
    alone: bit for bit where it is compiled by itself, to rounding inside a network,
    where the compiler fuses it with what stands beside it. Hyperparameters and
    learnable parameters have gradients, in reverse mode; those that the chosen
    activation does not use get zero. Between the passes only the arguments are kept.

    A parameter that several activations learn under one name is one parameter, which
    starts where the chosen activation has it start; one that it lacks starts at zero.

    Args:
      activations: at least one. None may change the shape of its input, and parameters
        of one name have one shape.
      which: integer scalar in [0, len(activations)); it may be traced.

    Raises:
      InputError: there are no activations, one is itself a union, or `which` is out of
        range; when it is called, one changes the shape or a parameter has two shapes.

    Examples:
      >>> from relujax.activations import get
      >>> both = union([get("relu"), get("elu(alpha=0.5)")])
      >>> f = jax.jit(lambda which, x: union(both.activations, which).apply({}, x))
      >>> [round(float(f(which, -1.0)), 3) for which in (0, 1)]
      [0.0, -0.316]
    """
    activations = tuple(activations)
    _check(activations, which)
    numbers = {
        f"{i}.{name}": value
        for i, act in enumerate(activations)
        for name, value in act.hyperparameters.items()
    }
    place = jnp.asarray(which).astype(jnp.int32)
    return Union(
        id=f"union({', '.join(act.id for act in activations)})",
        hyperparameters={"which": which, **numbers},
        init=_init(activations, place),
        apply=_apply(activations, place),
        needs_key=any(act.needs_key for act in activations),
        signal=_signal(activations, place),
        activations=activations,
    )


def _check(activations: Sequence[Activation], which: ArrayLike) -> None:
    if not activations:
        raise InputError("Expected at least one activation for a union, got none.")
    for act in activations:
        if isinstance(act, Union):
            raise InputError(
                f"Expected single activations for a union, got {act}; list what it "
                f"chooses between instead."
            )
    if isinstance(which, int) and not 0 <= which < len(activations):
        raise InputError(
            f"Expected a number from 0 to {len(activations) - 1} for one of "
            f"{len(activations)} activations, got {which}."
        )


def _init(activations: Sequence[Activation], which: jax.Array):
    def init(shape: tuple[int, ...], dtype: DTypeLike) -> Params:
        each = [act.init(shape, dtype) for act in activations]
        return {
            name: _pick([params.get(name, 0.0) for params in each], which, like)
            for name, like in _shared(activations, each).items()
        }

    return init


def _shared(activations: Sequence[Activation], each: Sequence[Params]) -> Params:
    """A parameter of every name that is learned."""
    found: Params = {}
    for act, params in zip(activations, each, strict=True):
        for name, value in params.items():
            other = found.setdefault(name, value)
            if other.shape != value.shape:
                raise InputError(
                    f"Expected one shape for the parameter {name!r} in a union, got "
                    f"{value.shape} for {act.id} and {other.shape} for another; keep "
                    f"them in unions of their own."
                )
    return found


def _pick(values: Sequence[ArrayLike], which: jax.Array, like: jax.Array) -> jax.Array:
    """`values[which]` in the shape and type of `like`."""
    full = [jnp.full(like.shape, value, like.dtype) for value in values]
    return jnp.stack(full)[which]


def _signal(activations: Sequence[Activation], which: jax.Array) -> Signal | None:
    signals = [act.signal for act in activations]
    names = {signal.name for signal in signals if signal is not None}
    if not names:
        return None

    def initial(name):
        starts = [s.initial if s and s.name == name else 0.0 for s in signals]
        return _pick(starts, which, jnp.zeros((), jnp.float32))

    return Signal("union", {name: initial(name) for name in sorted(names)})


def _apply(activations: Sequence[Activation], which: jax.Array) -> Apply:
    def apply(params, x, *, key=None, signal=None, train=False):
        leaves, tree = jax.tree.flatten((params, jnp.asarray(x), key, signal))
        branches, numbers = [], []
        for act in activations:
            branch, own = _branch(act, tree, leaves, train)
            place = slice(len(numbers), len(numbers) + len(own))
            branches.append(_reading(branch, len(leaves), place))
            numbers += own
        return _switch(branches)(which, *leaves, *numbers)

    return apply


def _branch(
    act: Activation, tree: Any, leaves: Sequence[Any], train: bool
) -> tuple[Callable[..., jax.Array], list[jax.Array]]:
    """`act` as a function of `leaves` and of the traced numbers it closes over; these.

    A derivative rule of one's own must not close over what is differentiated.
    """

    inside = _inside(act)

    def call(*leaves):
        params, x, key, signal = jax.tree.unflatten(tree, leaves)
        return inside.apply(params, x, key=key, signal=signal, train=train)

    return jax.closure_convert(call, *leaves)


def _inside(act: Activation) -> Activation:
    """`act`, called with the parameters and the signals of a union."""

    def apply(params, x, *, signal=None, **rest):
        names = jax.eval_shape(lambda: act.init(x.shape, x.dtype))
        own = {name: params[name] for name in names}
        fed = signal[act.signal.name] if act.signal and signal else None
        y = act.apply(own, x, signal=fed, **rest)
        if y.shape != x.shape:
            raise InputError(
                f"Expected activations that keep the shape in a union, got {act.id}, "
                f"which makes {y.shape} of {x.shape}."
            )
        return y

    return act._replace(apply=apply)


def _reading(branch: Callable, leaves: int, numbers: slice) -> Callable:
    """`branch` as a function of the leaves and of the numbers of all branches."""
    return lambda *args: branch(*args[:leaves], *args[leaves:][numbers])


def _switch(branches: Sequence[Callable[..., jax.Array]]) -> Callable[..., jax.Array]:
    """`switch(which, *args)`: one of the branches, of which reverse mode keeps `args`.

    Left to itself, it would keep what each of the branches has to keep.
    """

    @jax.custom_vjp
    def switch(which, *args):
        return jax.lax.switch(which, branches, *args)

    def forward(which, *args):
        # Of each argument one of the two is None, which says what is differentiated.
        moving = [arg.value if arg.perturbed else None for arg in args]
        fixed = [None if arg.perturbed else arg.value for arg in args]
        y = jax.lax.switch(which.value, branches, *[arg.value for arg in args])
        return y, (which.value, moving, fixed)

    def backward(saved, dy):
        which, moving, fixed = saved
        if isinstance(dy, SymbolicZero):
            return None, *[None] * len(moving)

        def back(branch):
            def value(moving, fixed):
                pairs = zip(moving, fixed, strict=True)
                return branch(*[b if a is None else a for a, b in pairs])

            return lambda moving, fixed, dy: jax.vjp(
                lambda moving: value(moving, fixed), moving
            )[1](dy)[0]

        grads = jax.lax.switch(which, list(map(back, branches)), moving, fixed, dy)
        return None, *grads

    switch.defvjp(forward, backward, symbolic_zeros=True)
    return switch
