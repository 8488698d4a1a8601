"""Three steps of gradient descent with a `Model`, as the engine takes them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

#: The key of the initial weights.
INIT = jax.random.key(0)

#: Ten images of 6 x 6 pixels with two channels, and a target each.
X = jax.random.normal(jax.random.key(1), (10, 6, 6, 2))
Y = jnp.arange(10.0) % 2

#: The optimiser of all loops.
SGD = optax.sgd(0.1, momentum=0.9)


def keys_of(step):
    """The keys of a step, by stream."""
    both = jax.random.split(jax.random.fold_in(jax.random.key(2), step))
    return {"activation": both[0], "dropout": both[1]}


def mean_square(outputs, targets):
    return ((outputs[:, 0] - targets) ** 2).mean()


class Trained(NamedTuple):
    params: dict
    state: dict
    losses: list
    outputs: jax.Array


def train(model, x=X):
    """Train it for three steps; its outputs then, in evaluation."""
    params, state = model.init(INIT, x)
    opt_state, losses = SGD.init(params), []

    @jax.jit
    def step(params, state, opt_state, rngs):
        def loss(params):
            y, changed, _ = model.apply(params, state, x, rngs=rngs, train=True)
            return mean_square(y, Y), changed

        (value, changed), grads = jax.value_and_grad(loss, has_aux=True)(params)
        updates, opt_state = SGD.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), changed, opt_state, value

    for i in range(3):
        params, state, opt_state, value = step(params, state, opt_state, keys_of(i))
        losses.append(value)
    y, same, _ = jax.jit(model.apply)(params, state, x)
    assert jax.tree.structure(same) == jax.tree.structure(state)
    return Trained(params, state, losses, y)
