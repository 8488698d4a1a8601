"""A small deep Q-network on a toy environment, in pure JAX."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from relujax.engine import Training

LENGTH, WIDTH, BATCH = 6, 16, 32


class State(NamedTuple):
    params: dict
    moments: optax.OptState


def features(position):
    return jax.nn.one_hot(position, LENGTH)


def dqn(activation, *, gamma=0.9, learning_rate=0.01):
    """Walk along a corridor: a reward of 1 at its right end, which ends the episode."""
    optimizer = optax.adam(learning_rate)

    def init(key):
        first, last = jax.random.split(key)
        params = {
            "first": jax.random.normal(first, (LENGTH, WIDTH)) / LENGTH**0.5,
            "last": jax.random.normal(last, (WIDTH, 2)) / WIDTH**0.5,
        }
        return State(params, optimizer.init(params))

    def values(params, position):
        z = features(position) @ params["first"]
        return activation.apply({}, z) @ params["last"]

    def step(key, state):
        places, actions = jax.random.split(key)
        position = jax.random.randint(places, (BATCH,), 0, LENGTH - 1)
        action = jax.random.randint(actions, (BATCH,), 0, 2)
        after = jnp.clip(position + 2 * action - 1, 0, LENGTH - 1)
        done = after == LENGTH - 1

        def loss(params):
            target = done + gamma * ~done * values(params, after).max(-1)
            q = values(params, position)[jnp.arange(BATCH), action]
            return ((q - jax.lax.stop_gradient(target)) ** 2).mean()

        grads = jax.grad(loss)(state.params)
        updates, moments = optimizer.update(grads, state.moments)
        return State(optax.apply_updates(state.params, updates), moments)

    def evaluate(key, state):
        del key

        def walk(carry, _):
            position, total, discount = carry
            action = values(state.params, position).argmax(-1)
            after = jnp.clip(position + 2 * action - 1, 0, LENGTH - 1)
            done = position == LENGTH - 1
            total += discount * (~done & (after == LENGTH - 1))
            return (jnp.where(done, position, after), total, discount * gamma), None

        start = (jnp.int32(0), jnp.float32(0), jnp.float32(1))
        (_, total, _), _ = jax.lax.scan(walk, start, length=2 * LENGTH)
        return {"score": total}

    return Training(init, step, evaluate, steps=100)
