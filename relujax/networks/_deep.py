"""Narrow, deep networks: a stack of equal layers whose number is traced.

A layer of eight units is too small for its matrix product to matter: what costs is the
number of kernels, and how well each of them vectorises. So values are kept `[units,
examples]`, the long axis last; all weights are one array, which an optimiser updates at
once; and one compiled program serves every depth, for it takes long to compile.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax import activations
from relujax.errors import InputError
from relujax.kernels.noise import flat
from relujax.networks._model import Model, Stack
from relujax.networks.layers import check_initializer, check_widths

Tree = Any


def deep_mlp(
    outputs: int,
    activation: str | activations.Activation,
    width: int = 8,
    depth: ArrayLike = 3.0,
    capacity: int = 30,
    inputs: ArrayLike = 0.0,
    initializer: str = "pytorch",
    normalize: bool = False,
) -> Model:
    """A multilayer perceptron of `depth` hidden layers of `width` units each.

    The same function as `MLP(hidden=(width,) * depth)`, for data of at most `width`
    columns; an activation learns its parameters in each layer by itself. Depth and
    inputs may be traced: networks that differ in them share a compiled program.

    The parameters are `weights`, `[capacity + 1, width, width + 1]`: the kernel (a row
    per output) and, in the last column, the bias, of the hidden layers and, at `depth`,
    of the output. What a layer does not need of its block stays as it is.

    Args:
      outputs: number of outputs, at most `width`.
      activation: anything that `relujax.get` takes, but nothing that changes the shape.
      width: units of a hidden layer.
      depth: number of hidden layers, from 1 to `capacity`.
      capacity: hidden layers that there is room for. It changes no number.
      inputs: columns of the data that are not padding: the first fan-in; 0 for all.
      initializer: one of `relujax.networks.layers.INITIALIZERS`.
      normalize: layer normalisation, without gain and bias, before each activation.

    Raises:
      InputError: a number is out of range, or the initialiser unknown.
    """
    check_widths("width", (width,))
    check_initializer(initializer)
    _check_depth(depth, capacity)
    act = activations.get(activation)
    into = _normalized if normalize else lambda z: z

    def init(key, x):
        columns = math.prod(x.shape[1:])
        _check_fits(columns, outputs, width)
        fan_in = jnp.where(jnp.asarray(inputs) == 0, columns, inputs)
        last = (_whole(depth), outputs)
        params = {
            "weights": _initial(
                key, initializer, width, capacity, fan_in=fan_in, last=last
            ),
            "activation": jax.tree.map(
                lambda p: jnp.broadcast_to(p, (capacity, *p.shape)),
                act.init((1, width), x.dtype),
            ),
        }
        if act.signal is None:
            return params, {}
        name, initial = act.signal
        fed = {name: jax.tree.map(jnp.float32, initial)}
        return params, {"signal": {"deep": fed}}

    def apply(params, state, x, *, rngs=None, train=False):
        count = _whole(depth)
        signal = state["signal"]["deep"][act.signal.name] if act.signal else None
        noise = rngs["activation"] if rngs and act.needs_key and train else None
        # Chosen once, not in every layer: what a layer does takes a microsecond.
        choices = act.inside if isinstance(act, activations.Union) else (act,)
        which = _whole(act.which) if isinstance(act, activations.Union) else 0

        flat = x.reshape(len(x), -1).T
        inputs = jnp.ones((width + 1, len(x)), x.dtype)
        inputs = _put(inputs, jnp.pad(flat, ((0, width - len(flat)), (0, 0))))
        stack = _stack([_on_rows(one, train, into) for one in choices])
        last, zs, ys = stack(
            params["weights"],
            params["activation"],
            inputs,
            (count, jnp.int32(which)),
            (noise, signal),
        )
        return last[:outputs].T, state, (Stack(into(zs), ys, count),)

    return Model(init, apply)


def _normalized(z: jax.Array) -> jax.Array:
    """Mean 0 and variance 1 over the units, `[..., units, examples]`.

    Layer normalisation (Ba et al., https://arxiv.org/abs/1607.06450).
    """
    centred = z - z.mean(-2, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-2, keepdims=True) + 1e-6)


def _on_rows(
    act: activations.Activation, train: bool, into: Callable[[jax.Array], jax.Array]
) -> Callable:
    """`act` of a layer, whose units are the rows; activations have them last.

    `into` is what turns the layer's products into the inputs of the activation.
    """

    def activate(learned, z, layer, noise, signal):
        key = None
        if noise is not None and act.needs_key:
            key = jax.random.fold_in(noise, layer)
        z = into(z).T
        return act.apply(learned, z, key=key, signal=signal, train=train).T

    return activate


def _check_depth(depth: ArrayLike, capacity: int) -> None:
    if not isinstance(depth, int | float):
        return  # Traced: it cannot be looked at.
    if depth != int(depth) or not 1 <= depth <= capacity:
        raise InputError(
            f"Expected a whole depth from 1 to the capacity of {capacity} layers, got "
            f"{depth:g}."
        )


def _whole(depth: ArrayLike) -> jax.Array:
    return jnp.asarray(depth).astype(jnp.int32)


def _check_fits(columns: int, outputs: int, width: int) -> None:
    if max(columns, outputs) > width:
        raise InputError(
            f"Expected at most as many input columns and outputs as the {width} units "
            f"of a layer, got {columns} and {outputs}; take an mlp for such data."
        )


def _uniform(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return math.sqrt(3) * flat(jax.random.uniform, key, shape, jnp.float32, -1.0)


def _normal(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    # As Flax has it: truncated at two standard deviations, then scaled to variance 1.
    draw = lambda key, size: jax.random.truncated_normal(key, -2, 2, size)
    return flat(draw, key, shape) / 0.87962566103423978


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
    width: int,
    capacity: int,
    *,
    fan_in: jax.Array,
    last: tuple[jax.Array, int],
) -> jax.Array:
    """The initial weights; those of a layer are the same whatever the capacity.

    Args:
      key: a PRNG key.
      name: one of `relujax.networks.layers.INITIALIZERS`.
      width: units of a hidden layer.
      capacity: hidden layers that there is room for.
      fan_in: of the first layer.
      last: the place of the output layer, and its fan-out.
    """
    draw, variance = _DRAWS[name]
    place, fan_out = last
    fans_in = jnp.full(capacity + 1, float(width)).at[0].set(fan_in)
    fans_out = jnp.full(capacity + 1, float(width)).at[place].set(fan_out)
    scale = jnp.sqrt(variance(fans_in, fans_out))[:, None, None]
    weights = scale * draw(key, (capacity + 1, width, width + 1))
    return weights if name == "pytorch" else weights.at[:, :, -1].set(0)


class _Saved(NamedTuple):
    """What the backward pass needs of the forward pass."""

    weights: jax.Array
    learned: Tree
    place: tuple[jax.Array, jax.Array]
    context: Tree
    inputs: jax.Array
    zs: jax.Array


def _stack(activates: Sequence[Callable]) -> Callable:
    """`count` layers and the output's, as a function that reverse mode can take.

    `stack(weights, learned, inputs, (count, which), context) -> (last, zs, ys)`: the
    activations, those at `which`, learn the parameters `learned`; `inputs` are `[units
    + 1, examples]`, of which the last row is ones, for the bias; `last` is `[units,
    examples]`; and `zs`, `ys`, `[capacity, units, examples]`, are what went into and
    came out of the activations, for statistics: no gradient flows through them. Reverse
    mode cannot differentiate a loop of traced length by itself: how much to save is
    unknown.
    """
    forwards = [partial(_forward, activate) for activate in activates]
    backwards = [partial(_backward, activate) for activate in activates]

    def forward(weights, learned, inputs, place, context):
        count, which = place
        y, zs, ys = jax.lax.switch(
            which, forwards, weights, learned, inputs, count, context
        )
        saved = _Saved(weights, learned, place, context, inputs, zs)
        return (_row(weights, count) @ y, zs[:-1], ys[:-1]), saved

    def backward(saved, cotangents):
        _, which = saved.place
        grads = jax.lax.switch(which, backwards, saved, cotangents[0])
        return *grads, None, None

    stack = jax.custom_vjp(lambda *args: forward(*args)[0])
    stack.defvjp(forward, backward)
    return stack


def _forward(activate, weights, learned, inputs, count, context):
    capacity, units, _ = weights.shape
    zs = jnp.zeros((capacity, units, inputs.shape[1]), inputs.dtype)

    def body(i, carry):
        y, zs, ys = carry
        z = _row(weights, i) @ y
        y = _put(y, activate(_row(learned, i), z, i, *context))
        return y, _put_row(zs, z, i), _put_row(ys, y[:-1], i)

    return jax.lax.fori_loop(0, count, body, (inputs, zs, zs))


def _backward(activate, saved, last):
    weights, learned, (count, _), context, inputs, zs = saved

    def body(step, carry):
        dz, dy, ones, (dweights, dlearned) = carry
        i = count - 1 - step
        y, pull = jax.vjp(
            lambda learned, z: activate(learned, z, i, *context),
            _row(learned, i),
            _row(zs, i),
        )
        y = _put(ones, y)
        dweights = _put_row(dweights, dz @ y.T, i + 1)
        new, dz = pull(dy)
        put = lambda all, one: _put_row(all, one, i)
        dlearned = jax.tree.map(put, dlearned, new)
        return dz, _back(_row(weights, i), dz), y, (dweights, dlearned)

    zeros = jax.tree.map(jnp.zeros_like, (weights, learned))
    carry = (last, _back(_row(weights, count), last), inputs, zeros)
    dz, dy, _, (dweights, dlearned) = jax.lax.fori_loop(0, count, body, carry)
    dweights = _put_row(dweights, dz @ inputs.T, 0)
    return dweights, dlearned, jnp.pad(dy, ((0, 1), (0, 0)))


def _back(weights: jax.Array, dz: jax.Array) -> jax.Array:
    return weights[:, :-1].T @ dz


def _row(tree: Tree, i: ArrayLike) -> Tree:
    return jax.tree.map(
        lambda leaf: jax.lax.dynamic_index_in_dim(leaf, i, keepdims=False), tree
    )


def _put(array: jax.Array, part: jax.Array) -> jax.Array:
    """`part` in place of the first rows."""
    return jax.lax.dynamic_update_slice(array, part, (0, 0))


def _put_row(array: jax.Array, row: jax.Array, i: ArrayLike) -> jax.Array:
    """`row` in place of row `i`; `array.at[i].set` checks bounds, which costs."""
    return jax.lax.dynamic_update_index_in_dim(array, row, i, axis=0)
