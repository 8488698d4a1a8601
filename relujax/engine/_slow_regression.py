"""Slowly-changing regression (Dohare et al. 2024): networks that cease to learn.

Inputs are 20 bits. Fifteen of them change once in 10,000 examples only, five are drawn
for every example. The target is a fixed network of 100 threshold units, the learner has
five hidden units and sees each example once, one update each. Its error on the examples
as they come, before each update, first falls and then rises again, with units that are
dead or saturated: it loses its plasticity.

Problem and settings are those of the authors' programs, which differ from the paper's
text in one point: there, one of the slow bits flips at a time (`one_bit=True`).

Dohare et al., `Loss of plasticity in deep continual learning
<https://doi.org/10.1038/s41586-024-07711-7>`_, Nature 632, 2024;
https://github.com/shibhansh/loss-of-plasticity, lop/slowly_changing_regression.
"""

import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from relujax.activations import Activation
from relujax.diagnosis import Link, recycle
from relujax.engine._training import Training
from relujax.errors import InputError

_INPUTS, _SLOW, _HIDDEN, _FEATURES, _THRESHOLD = 20, 15, 5, 100, 0.7
_PERIOD, _BIN, _BLOCK = 10_000, 20_000, 100
#: Every value that the five fast bits can have.
_FAST = np.array(list(itertools.product((0.0, 1.0), repeat=_INPUTS - _SLOW)))
_LINKS = {"hidden": Link("first/kernel", "last/kernel", "first/bias")}
#: What PyTorch calculates as gains; the root of 2 for everything like ReLU.
_GAINS = {"tanh": 5 / 3, "sigmoid": 1.0}

Tree = Any


def slow_regression(
    activation: Activation,
    *,
    learning_rate: float = 0.01,
    one_bit: bool = False,
    recycle_every: int = 0,
) -> Training:
    """Online regression whose inputs change slowly; an epoch is 20,000 examples.

    Metrics: `mse`, the squared error on the examples of the epoch, each before its
    update; `dead`, the fraction of hidden units whose input is at most 0 for all 32
    inputs that there can be until the slow bits change.

    Args:
      activation: of the five hidden units.
      learning_rate: of stochastic gradient descent.
      one_bit: whether one slow bit flips at a time, as the paper has it, or all are
        drawn anew, as the authors' figures have it.
      recycle_every: examples from one recycling of dead units (`relujax.recycle`) to
        the next, a multiple of 100; 0 for none.

    Raises:
      InputError: `recycle_every` is out of range, or the activation draws noise or is
        fed a loss.
    """
    if recycle_every < 0 or recycle_every % _BLOCK:
        raise InputError(
            f"Expected a multiple of {_BLOCK} examples for 'recycle_every', or 0, got "
            f"{recycle_every!r}."
        )
    if activation.needs_key or activation.signal is not None:
        raise InputError(
            f"Expected an activation without noise and without a signal, got "
            f"{activation}."
        )

    learner = _Learner(activation, learning_rate)

    def init(key):
        of_target, of_learner, of_bits = jax.random.split(key, 3)
        return {
            "target": _target(of_target),
            "params": learner.init(of_learner),
            "bits": jax.random.bernoulli(of_bits, shape=(_SLOW,)).astype(jnp.float32),
            "seen": jnp.int32(0),
            "error": jnp.float32(0),
        }

    def step(key, state):
        of_bits, of_examples, of_units = jax.random.split(key, 3)
        seen, bits = state["seen"], state["bits"]
        due = (seen % _PERIOD == 0) & (seen > 0)
        bits = jnp.where(due, _changed(of_bits, bits, one_bit), bits)
        fast = jax.random.bernoulli(of_examples, shape=(_BLOCK, _INPUTS - _SLOW))
        x = _inputs(bits, fast)
        params, error = learner.learn(state["params"], x, _targets(state["target"], x))
        error += jnp.where(seen % _BIN == 0, 0.0, state["error"])
        seen = seen + _BLOCK
        if recycle_every:
            dead = _dead(learner.predict(params, _inputs(bits, _FAST))[1])
            now = dead & (seen % recycle_every == 0)
            params, _ = recycle(of_units, params, {"hidden": now}, _LINKS)
        changed = {"params": params, "bits": bits, "seen": seen, "error": error}
        return {**state, **changed}

    def evaluate(key, state):
        del key
        x = _inputs(state["bits"], _FAST)
        y, z = learner.predict(state["params"], x)
        untrained = ((y - _targets(state["target"], x)) ** 2).mean()
        online = state["error"] / _BIN
        error = jnp.where(state["seen"] == 0, untrained, online)
        return {"mse": error, "dead": _dead(z).mean()}

    return Training(init, step, evaluate, steps=_BIN // _BLOCK)


class _Learner(NamedTuple):
    """A network with one hidden layer, trained online."""

    activation: Activation
    learning_rate: ArrayLike

    def init(self, key: jax.Array) -> Tree:
        """Kaiming's uniform weights, as PyTorch draws them; biases of 0."""
        of_first, of_last = jax.random.split(key)
        gain = _GAINS.get(self.activation.id, 2**0.5)
        first = _uniform(of_first, (_INPUTS, _HIDDEN), gain)
        last = _uniform(of_last, (_HIDDEN, 1), 1.0)
        return {
            "first": {"kernel": first, "bias": jnp.zeros(_HIDDEN)},
            "activation": self.activation.init((1, _HIDDEN), jnp.float32),
            "last": {"kernel": last, "bias": jnp.zeros(())},
        }

    def predict(self, params: Tree, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Outputs, and the inputs of the hidden units."""
        z = x @ params["first"]["kernel"] + params["first"]["bias"][None]
        y = self.activation.apply(params["activation"], z)
        return (y @ params["last"]["kernel"])[:, 0] + params["last"]["bias"], z

    def learn(self, params: Tree, x: jax.Array, y: jax.Array) -> tuple[Tree, jax.Array]:
        """One update on each example; the sum of the errors, each before its own."""

        def update(params, example):
            x, y = example
            error = lambda p: ((self.predict(p, x[None])[0][0] - y) ** 2).sum()
            value, grads = jax.value_and_grad(error)(params)
            rate = self.learning_rate
            return jax.tree.map(lambda p, g: p - rate * g, params, grads), value

        params, errors = jax.lax.scan(update, params, (x, y))
        return params, errors.sum()


def _target(key: jax.Array) -> Tree:
    """Weights of -1 and 1, and the thresholds of the units."""
    draw = lambda key, shape: jax.random.rademacher(key, shape, jnp.float32)
    keys = jax.random.split(key, 4)
    first, bias = draw(keys[0], (_INPUTS, _FEATURES)), draw(keys[1], (_FEATURES,))
    negative = (_INPUTS - first.sum(axis=0) + bias) / 2
    return {
        "first": first,
        "bias": bias,
        "threshold": _THRESHOLD * (_INPUTS + 1) - negative,
        "last": draw(keys[2], (_FEATURES,)),
        "last_bias": draw(keys[3], ()),
    }


def _targets(target: Tree, x: jax.Array) -> jax.Array:
    z = x @ target["first"] + target["bias"][None]
    fires = (z > target["threshold"][None]).astype(jnp.float32)
    return fires @ target["last"] + target["last_bias"]


def _uniform(key: jax.Array, shape: tuple[int, int], gain: float) -> jax.Array:
    bound = gain * (3 / shape[0]) ** 0.5
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)


def _inputs(bits: jax.Array, fast: ArrayLike) -> jax.Array:
    fast = jnp.asarray(fast, jnp.float32)
    slow = jnp.broadcast_to(bits[None], (len(fast), _SLOW))
    return jnp.concatenate([slow, fast], axis=1)


def _changed(key: jax.Array, bits: jax.Array, one_bit: bool) -> jax.Array:
    if not one_bit:
        return jax.random.bernoulli(key, shape=(_SLOW,)).astype(jnp.float32)
    flipped = jnp.arange(_SLOW) == jax.random.randint(key, (), 0, _SLOW)
    return jnp.where(flipped, 1 - bits, bits)


def _dead(z: jax.Array) -> jax.Array:
    """Which units never fire, `[units]`."""
    return (z <= 0).all(axis=0)
