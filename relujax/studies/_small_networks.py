"""Small networks on scikit-learn's digits, for probes: 64-128-128-10, full batch."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from relujax.activations import get
from relujax.data import load_dataset

_SIZES = ((64, 128), (128, 128), (128, 10))


class Zeros(NamedTuple):
    """Zeros in a network, of which gradients are taken.

    Attributes:
      z1: added to the pre-activations of the first layer.
      z2: and of the second.
      outgoing: added to the weights behind the first layer, for inactive units only.
    """

    z1: jax.Array
    z2: jax.Array
    outgoing: jax.Array


def digits() -> tuple[jax.Array, jax.Array]:
    """The training images, `[n, 64]`, and their classes, `[n]`."""
    data = load_dataset("digits")
    x = data.transform(jnp.asarray(data.x_train))
    return x.reshape(len(x), -1), jnp.asarray(data.y_train)


def deaths(
    rate: float, bias: float, *, seed: int = 0, steps: int = 60
) -> dict[str, float]:
    """The dead units of a ReLU network before and after plain gradient descent.

    Args:
      rate: learning rate.
      bias: initial bias of all hidden units.
      seed: of the initial weights (Glorot uniform).
      steps: updates.

    Returns:
      `before` and `after`: per cent of the units of the first layer that are active on
      no training image.
    """
    x, y = digits()
    found = 100 * _dead_units(x, y, rate, bias, jax.random.key(seed), steps)
    return dict(zip(("before", "after"), map(float, found), strict=True))


@partial(jax.jit, static_argnames="steps")
def _dead_units(x, y, rate, bias, key, steps) -> jax.Array:
    glorot = jax.nn.initializers.glorot_uniform()
    params = [
        (glorot(k, size), jnp.full((1, size[1]), bias * (size[1] == 128)))
        for k, size in zip(jax.random.split(key, 3), _SIZES, strict=True)
    ]
    act = get("relu")

    def step(params, _):
        loss = lambda params: _loss(act, (params, [{}, {}]), x, y)[0]
        grads = jax.grad(loss)(params)
        return jax.tree.map(lambda p, g: p - rate * g, params, grads), None

    dead = lambda params: (x @ params[0][0] + params[0][1] <= 0).all(axis=0).mean()
    trained, _ = jax.lax.scan(step, params, length=steps)
    return jnp.stack([dead(params), dead(trained)])


def inactive_units(activation: str, seed: int) -> Mapping[str, float]:
    """What the inactive units of a trained network pass on.

    The network has He's initialiser and 200 updates of Adam at 0.01; inactive is a
    pre-activation that is not positive. Noise is on, as in training, unless it says so.

    Args:
      activation: its spec.
      seed: of weights and noise.

    Returns:
      shift: the mean of f(z) - ReLU(z) over inactive z; `error`, its standard error.
      layer: the mean output of the second layer, noise on minus noise off;
        `layer_error`, its standard error; `layer_off`, that output, noise off.
      into: the largest gradient of the loss into an inactive pre-activation.
      outgoing: the largest gradient into an outgoing weight, through outputs of
        inactive units only.
      never: per cent of the units that are active on no image, noise off.
      no_gradient: per cent of the units into which no image sends a gradient.
      silent: per cent of the units whose output is 0 on every image.
      count: inactive pre-activations; `share`, in per cent of all.
    """
    x, y = digits()
    act, params = get(activation), _trained(activation, seed, x, y)
    apart = 1000 * seed  # Keys of other seeds are other keys.
    _, zs = _forward(act, params, x)
    off = [z <= 0 for z in zs]
    output = lambda i, key: _activate(act, params[1], i, zs[i], key)
    outputs = lambda key: [output(0, key), output(1, key)]
    count = int(sum(o.sum() for o in off))

    def shift(key):
        pairs = zip(off, outputs(key), strict=True)
        return sum(jnp.where(o, h, 0).sum() for o, h in pairs) / count

    def layer(key):
        _, (_, z2) = _forward(act, params, x[:200], key)
        return _activate(act, params[1], 1, z2, key).mean()

    shifts, layers = _over_keys(shift, 20, apart), _over_keys(layer, 200, apart)
    quiet, key = float(layer(None)), jax.random.key(3 + apart)
    gradients, noisy = _gradients(act, params, x, y, key, zs)
    pairs = list(zip(gradients[:2], noisy, strict=True))
    share = lambda flags: 100 * float(jnp.concatenate(flags).mean())
    return {
        "shift": shifts.mean(),
        "error": _standard_error(shifts),
        "layer": layers.mean() - quiet,
        "layer_error": _standard_error(layers),
        "layer_off": quiet,
        "into": max(float(jnp.abs(jnp.where(z <= 0, g, 0)).max()) for g, z in pairs),
        "outgoing": float(jnp.abs(gradients.outgoing).max()),
        "never": share([o.all(axis=0) for o in off]),
        "no_gradient": share([(g == 0).all(axis=0) for g, _ in pairs]),
        "silent": share([(h == 0).all(axis=0) for h in outputs(key)]),
        "count": count,
        "share": share([jnp.ravel(o) for o in off]),
    }


def _gradients(act, params, x, y, key, zs):
    """The gradient of the loss into the zeros, and the pre-activations beside it."""
    first, second = map(jnp.zeros_like, zs)
    zeros = Zeros(first, second, jnp.zeros((128, 128)))
    loss = lambda zeros: _loss(act, params, x, y, key, zeros)
    # Pre-activations of the same program: in another, rounding may differ, and a unit
    # that is just active here could be inactive there.
    return jax.jit(jax.grad(loss, has_aux=True))(zeros)


def _trained(activation: str, seed: int, x, y) -> tuple[list, list]:
    """(weights, biases) of three layers, and what each activation has learned."""
    act, he = get(activation), jax.nn.initializers.he_normal()
    *keys, key_noise = jax.random.split(jax.random.key(seed), 4)
    affine = [
        (he(k, s), jnp.zeros((1, s[1]))) for k, s in zip(keys, _SIZES, strict=True)
    ]
    params = affine, [act.init((1, 128), jnp.float32) for _ in range(2)]
    adam = optax.adam(1e-2)

    def step(carry, i):
        params, state = carry
        key = jax.random.fold_in(key_noise, i)
        loss = lambda params: _loss(act, params, x, y, key)
        grads, _ = jax.grad(loss, has_aux=True)(params)
        updates, state = adam.update(grads, state)
        return (optax.apply_updates(params, updates), state), None

    start = params, adam.init(params)
    run = jax.jit(partial(jax.lax.scan, step, length=200))
    (params, _), _ = run(start, jnp.arange(200))
    return params


def _activate(act, learned, layer, z, key):
    """The output of a hidden layer; noise on, and as in training, if a key is given."""
    if key is None:
        return act.apply(learned[layer], z)
    return act.apply(learned[layer], z, key=jax.random.fold_in(key, layer), train=True)


def _forward(act, params, x, key=None, zeros: Zeros | None = None):
    """Logits, and the pre-activations `[n, 128]` of both hidden layers."""
    ((w1, b1), (w2, b2), (w3, b3)), learned = params
    z1 = x @ w1 + b1 + (0 if zeros is None else zeros.z1)
    h1 = _activate(act, learned, 0, z1, key)
    z2 = h1 @ w2 + b2
    if zeros is not None:
        z2 += jnp.where(z1 > 0, 0, h1) @ zeros.outgoing + zeros.z2
    return _activate(act, learned, 1, z2, key) @ w3 + b3, (z1, z2)


def _loss(act, params, x, y, key=None, zeros: Zeros | None = None) -> Any:
    """The mean cross-entropy, and the pre-activations of both hidden layers."""
    logits, zs = _forward(act, params, x, key, zeros)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), zs


def _over_keys(f: Callable, draws: int, apart: int) -> np.ndarray:
    """`f(key)` for as many keys."""
    keys = jax.random.split(jax.random.key(draws + apart), draws)
    return np.asarray(jax.lax.map(jax.jit(f), keys), np.float64)


def _standard_error(x: np.ndarray) -> float:
    return float(x.std(ddof=1) / np.sqrt(len(x)))
