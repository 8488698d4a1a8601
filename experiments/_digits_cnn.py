"""Flax's MNIST example on scikit-learn's digits, its dead units counted every epoch."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

import relujax

digits = relujax.load_dataset("digits")
X, Y = jnp.asarray(digits.transform(digits.x_train)), jnp.asarray(digits.y_train)
X_TEST, Y_TEST = digits.transform(digits.x_test), digits.y_test


class CNN(nn.Module):
    """Flax's MNIST example, as it is."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(features=32, kernel_size=(3, 3))(x))
        x = nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = nn.relu(nn.Conv(features=64, kernel_size=(3, 3))(x))
        x = nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = nn.relu(nn.Dense(features=256)(x.reshape((x.shape[0], -1))))
        return nn.Dense(features=10)(x)


def link(above: str, below: str) -> relujax.Link:
    """What a unit of one layer gets, and where its output goes."""
    kernel = "params/{}/kernel".format
    return relujax.Link(kernel(above), kernel(below), f"params/{above}/bias")


LINKS = {
    "CNN/relu_0": link("Conv_0", "Conv_1"),
    "CNN/relu_1": link("Conv_1", "Dense_0"),
    "CNN/relu_2": link("Dense_0", "Dense_1"),
}


@partial(jax.jit, static_argnames="apply")
def step(apply, params, state, rate, batch):
    """An update of Adam on a batch, given by its places."""
    loss = optax.softmax_cross_entropy_with_integer_labels
    mean = lambda p: loss(apply(p, X[batch]), Y[batch]).mean()
    updates, state = optax.adam(rate).update(jax.grad(mean)(params), state)
    return optax.apply_updates(params, updates), state


def train(apply, params, rate, epochs, key):
    """Train in batches of 64, from parameters.

    The loop is the host's: `flax.linen.Conv` inside `lax.scan` is slow on a CPU.

    Returns:
      The parameters, the dead units, and before training and after each epoch the part
      of the units that is stuck and the test accuracy, `[epochs + 1, 2]`.
    """
    monitor = relujax.Monitor(apply, X, definition="saturated", max_rank_units=0)
    state, accuracy = optax.adam(rate).init(params), []
    for epoch in range(epochs + 1):
        if epoch:
            order = jax.random.permutation(jax.random.fold_in(key, epoch), len(X))
            for batch in order[: len(X) // 64 * 64].reshape(-1, 64):
                params, state = step(apply, params, state, rate, batch)
        monitor.record(epoch, params)
        hits = apply(params, X_TEST).argmax(-1) == Y_TEST
        accuracy.append(float(hits.mean()))
    sums = monitor.table().groupby("epoch")[["dead", "units"]].sum()
    curves = np.stack([sums["dead"] / sums["units"], accuracy], -1)
    return params, monitor.records[-1].dead, curves
