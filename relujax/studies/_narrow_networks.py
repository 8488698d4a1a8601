"""Deep, narrow networks, for probes: eight units a layer, PyTorch's initialisation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from relujax.activations import get
from relujax.data import load_dataset

_DEPTHS, _TOLERANCES = (1, 3, 10, 30), (1e-2, 1e-3, 1e-5)
_DATA = "synthetic(curve='quadratic', n=100, d=1, columns=5)"
#: What a unit's weights are if it counts as dead.
_READINGS = {
    "every weight is below ε": lambda w, e: w < e,
    "every weight is below ε in size": lambda w, e: abs(w) < e,
}


def gradient_at_start(
    activation: str, *, depth: int = 30, width: int = 8, draws: int = 200
) -> float:
    """The gradient into the first layer before training, as a part of that of the last.

    Of the sum of the outputs, with respect to pre-activations; the inputs are as many
    as the units, from N(0, I), and the initialisation is PyTorch's.

    Args:
      activation: its spec.
      depth: hidden layers.
      width: units of each.
      draws: networks, whose median is returned.
    """
    act = get(activation)
    learned = act.init((1, width), jnp.float32)

    def layer(y, weights_and_shift):
        w, shift = weights_and_shift
        return act.apply(learned, y @ w[:-1] + w[-1:] + shift), None

    def ratio(key):
        key_weights, key_x = jax.random.split(key)
        shape = (depth, width + 1, width)
        weights = jax.random.uniform(key_weights, shape, minval=-1, maxval=1)
        scaled = weights / np.sqrt(width)
        x = jax.random.normal(key_x, (50, width))
        out = lambda s: jax.lax.scan(layer, x, (scaled, s))[0].sum()
        gradient = jax.grad(out)(jnp.zeros((depth, 50, width)))
        size = jnp.abs(gradient).mean(axis=(1, 2))
        return size[0] / jnp.maximum(size[-1], jnp.finfo(size.dtype).tiny)

    keys = jax.random.split(jax.random.key(0), draws)
    return float(np.median(jax.jit(jax.vmap(ratio))(keys)))


def dead_by_weights(activation: str = "", seed: int = 0) -> dict[str, float]:
    """Per cent of the units of narrow networks whose incoming weights are all small.

    Eight units a layer, of depth 1, 3, 10 and 30; ε is 0.01, 0.001 and 1e-5. "Below ε"
    counts negative weights, "below ε in size" does not.

    Args:
      activation: the spec with which five networks are trained on quadratic data of one
        input; empty for 2,000 networks before training, which are the same for all.
      seed: of their initial weights.

    Returns:
      The numbers by `"reading|ε|depth"`.
    """
    drawn = _trained_weights(activation, seed) if activation else _initial_weights()
    return {
        f"{reading}|{e:g}|{depth}": 100 * below(w, e).all(axis=1).mean()
        for depth, w in drawn.items()
        for e in _TOLERANCES
        for reading, below in _READINGS.items()
    }


def _initial_weights(draws: int = 2000) -> dict[int, np.ndarray]:
    """What `_trained_weights` returns, before training and from more networks."""
    rng = np.random.default_rng(0)
    drawn = lambda layers: rng.uniform(-1, 1, (draws * 8 * layers, 8))
    first = np.repeat(drawn(1)[:, :1], 8, axis=1)
    return {
        depth: np.concatenate([first, drawn(depth - 1) / np.sqrt(8)])
        for depth in _DEPTHS
    }


def _trained_weights(activation: str, seed: int) -> dict[int, np.ndarray]:
    """The incoming weights of the hidden units after training, by depth: `[units, 8]`.

    Of five networks on quadratic data with N = 100 and d = 1, after 100 full-batch
    steps of Adam at 0.01. A unit of the first layer has one weight, which is repeated.
    """
    act, sample = get(activation), load_dataset(_DATA)
    x, y = jnp.asarray(sample.x_train[:, :1]), jnp.asarray(sample.y_train)
    affine = lambda h, w: h @ w[:-1] + w[-1:]
    adam = optax.adam(0.01)

    def loss(params, depth):
        first, hidden, last = params

        def layer(h, block):
            i, w = block
            return jnp.where(i < depth - 1, act.apply({}, affine(h, w)), h), None

        h = act.apply({}, affine(x, first))
        h, _ = jax.lax.scan(layer, h, (jnp.arange(len(hidden)), hidden))
        return ((affine(h, last)[:, 0] - y) ** 2).mean()

    def train(key, depth):
        keys = jax.random.split(key, 3)
        shapes = ((2, 8), (max(_DEPTHS) - 1, 9, 8), (9, 1))
        params = tuple(
            jax.random.uniform(k, shape, minval=-1, maxval=1) / np.sqrt(shape[-2] - 1)
            for k, shape in zip(keys, shapes, strict=True)
        )

        def step(carry, _):
            params, state = carry
            updates, state = adam.update(jax.grad(loss)(params, depth), state)
            return (optax.apply_updates(params, updates), state), None

        (params, _), _ = jax.lax.scan(step, (params, adam.init(params)), length=100)
        return params

    keys = jax.random.split(jax.random.key(seed), 5)
    each_depth = jax.vmap(jax.vmap(train, (0, None)), (None, 0))
    first, hidden, _ = map(np.asarray, jax.jit(each_depth)(keys, jnp.array(_DEPTHS)))
    repeated = np.repeat(first[:, :, :1], 8, axis=2).swapaxes(-1, -2)
    incoming = hidden[..., :-1, :].swapaxes(-1, -2)
    return {
        depth: np.concatenate(
            [repeated[i].reshape(-1, 8), incoming[i, :, : depth - 1].reshape(-1, 8)]
        )
        for i, depth in enumerate(_DEPTHS)
    }
