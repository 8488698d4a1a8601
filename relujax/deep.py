"""Narrow, deep networks: a stack of equal layers whose number is traced.

A layer of eight units is too small for its matrix product to matter: what costs is the
number of kernels, and how well each of them vectorises. So values are kept `[units,
examples]`, the long axis last; all weights are one array, which an optimiser updates at
once; and one compiled program serves every depth, for it takes long to compile.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax import activations
from relujax.errors import InputError
from relujax.layers import check_initializer, check_widths
from relujax.models import Model, Stack

Tree = Any


def deep_mlp(
    outputs: int,
    activation: str | activations.Activation,
    width: int = 8,
    depth: ArrayLike = 3.0,
    capacity: int = 30,
    inputs: ArrayLike = 0.0,
    initializer: str = "pytorch",
) -> Model:
    """A multilayer perceptron of `depth` hidden layers of `width` units each.

    The same function as `MLP(hidden=(width,) * depth)`, for data of at most `width`
    columns; an activation learns its parameters in each layer by itself. Depth and
    inputs may be traced: networks that differ in them share a compiled program.

    The parameters are `weights`, `[capacity + 1, width, width + 1]`: the kernel (a row
    per output) and, in the last column, the bias; first of the output layer, then of
    the hidden ones. What a layer does not need of its block stays as it is.

    Args:
      outputs: number of outputs, at most `width`.
      activation: anything that `relujax.get` takes, but nothing that changes the shape.
      width: units of a hidden layer.
      depth: number of hidden layers, from 1 to `capacity`.
      capacity: hidden layers that there is room for. It changes no number.
      inputs: how many columns of the data are no padding, the fan-in of the first
        layer; 0 for all of them.
      initializer: one of `relujax.layers.INITIALIZERS`.

    Raises:
      InputError: a number is out of range, or the initialiser unknown.
    """
    check_widths("width", (width,))
    check_initializer(initializer)
    _check_depth(depth, capacity)
    act = activations.get(activation)
    count = jnp.asarray(depth).astype(jnp.int32)

    def init(key, x):
        columns = math.prod(x.shape[1:])
        _check_fits(columns, outputs, width)
        fan_in = jnp.where(jnp.asarray(inputs) == 0, columns, inputs)
        params = {
            "weights": _initial(
                key, initializer, outputs, width, capacity, fan_in=fan_in
            ),
            "activation": jax.tree.map(
                lambda p: jnp.broadcast_to(p, (capacity, *p.shape)),
                act.init((1, width), x.dtype),
            ),
        }
        if act.signal is None:
            return params, {}
        name, initial = act.signal
        return params, {"signal": {"deep": {name: jnp.asarray(initial, jnp.float32)}}}

    def apply(params, state, x, *, rngs=None, train=False):
        signal = state["signal"]["deep"][act.signal.name] if act.signal else None
        noise = rngs["activation"] if rngs and act.needs_key and train else None

        def activate(learned, z, layer, noise, signal):
            key = None
            if noise is not None:
                key = activations.noise_key(jax.random.fold_in(noise, layer))
            # Activations have their units on the last axis.
            return act.apply(learned, z.T, key=key, signal=signal, train=train).T

        flat = x.reshape(len(x), -1).T
        y = jnp.pad(flat, ((0, width - len(flat)), (0, 0)))
        weights = params["weights"]
        layers = (weights[1:], params["activation"])
        y, zs, ys = _stack(activate)(layers, y, count, (noise, signal))
        return _affine(weights[0, :outputs], y).T, state, (Stack(zs, ys, count),)

    return Model(init, apply)


def _check_depth(depth: ArrayLike, capacity: int) -> None:
    if not isinstance(depth, int | float):
        return  # Traced: it cannot be looked at.
    if depth != int(depth) or not 1 <= depth <= capacity:
        raise InputError(
            f"Expected a whole depth from 1 to the capacity of {capacity} layers, got "
            f"{depth:g}."
        )


def _check_fits(columns: int, outputs: int, width: int) -> None:
    if max(columns, outputs) > width:
        raise InputError(
            f"Expected at most as many input columns and outputs as the {width} units "
            f"of a layer, got {columns} and {outputs}; take an mlp for such data."
        )


def _uniform(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return math.sqrt(3) * jax.random.uniform(key, shape, minval=-1.0, maxval=1.0)


def _normal(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    # As Flax has it: truncated at two standard deviations, then scaled to variance 1.
    return jax.random.truncated_normal(key, -2, 2, shape) / 0.87962566103423978


#: Initialiser to its distribution, of variance 1, and its variance by the fans.
_DRAWS: Mapping[str, tuple[Callable, Callable]] = {
    "glorot": (_uniform, lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
    "he": (_normal, lambda fan_in, fan_out: 2 / fan_in),
    "lecun": (_normal, lambda fan_in, fan_out: 1 / fan_in),
    "pytorch": (_uniform, lambda fan_in, fan_out: 1 / (3 * fan_in)),
}


def _initial(
    key: jax.Array,
    name: str,
    outputs: int,
    width: int,
    capacity: int,
    *,
    fan_in: jax.Array,
) -> jax.Array:
    """The initial weights; those of a layer are the same whatever the capacity."""
    draw, variance = _DRAWS[name]
    fans_in = jnp.full(capacity + 1, float(width)).at[1].set(fan_in)
    fans_out = jnp.full(capacity + 1, float(width)).at[0].set(outputs)
    scale = jnp.sqrt(variance(fans_in, fans_out))[:, None, None]
    weights = scale * draw(key, (capacity + 1, width, width + 1))
    return weights if name == "pytorch" else weights.at[:, :, -1].set(0)


def _affine(weights: jax.Array, y: jax.Array) -> jax.Array:
    return weights[:, :-1] @ y + weights[:, -1:]


class _Saved(NamedTuple):
    """What the backward pass needs of the forward pass."""

    layers: Tree
    count: jax.Array
    context: Tree
    inputs: jax.Array
    zs: jax.Array
    ys: jax.Array


def _stack(activate: Callable) -> Callable:
    """`count` layers, one after the other, as a function that reverse mode can take.

    `stack(layers, y, count, context) -> (last, zs, ys)`: `layers` are weights and the
    activations' parameters, along the leading axis; `y` is what goes in; and `zs`,
    `ys`, `[capacity, units, examples]`, are what went into and came out of the
    activations, for statistics: no gradient flows through them. Reverse mode cannot
    differentiate a loop of traced length by itself: how much to save is unknown.
    """

    def forward(layers, inputs, count, context):
        zs = jnp.zeros((len(layers[0]), *inputs.shape), inputs.dtype)

        def body(i, carry):
            y, zs, ys = carry
            weights, learned = _row(layers, i)
            z = _affine(weights, y)
            y = activate(learned, z, i, *context)
            return y, zs.at[i].set(z), ys.at[i].set(y)

        last, zs, ys = jax.lax.fori_loop(0, count, body, (inputs, zs, zs))
        return (last, zs, ys), _Saved(layers, count, context, inputs, zs, ys)

    def backward(saved, cotangents):
        layers, count, context, inputs, zs, ys = saved
        dy, _, _ = cotangents

        def body(step, carry):
            dy, gradients = carry
            i = count - 1 - step
            weights, learned = _row(layers, i)
            _, pull = jax.vjp(
                lambda learned, z: activate(learned, z, i, *context), learned, zs[i]
            )
            dlearned, dz = pull(dy)
            before = jnp.where(i == 0, inputs, ys[jnp.maximum(i, 1) - 1])
            dweights = jnp.concatenate(
                [dz @ before.T, dz.sum(axis=1, keepdims=True)], axis=1
            )
            gradients = jax.tree.map(
                lambda all, one: all.at[i].set(one), gradients, (dweights, dlearned)
            )
            return weights[:, :-1].T @ dz, gradients

        zeros = jax.tree.map(jnp.zeros_like, layers)
        dy, gradients = jax.lax.fori_loop(0, count, body, (dy, zeros))
        return gradients, dy, None, None

    stack = jax.custom_vjp(lambda *args: forward(*args)[0])
    stack.defvjp(forward, backward)
    return stack


def _row(tree: Tree, i: jax.Array) -> Tree:
    return jax.tree.map(lambda leaf: leaf[i], tree)
