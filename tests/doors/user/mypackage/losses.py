"""An optimiser and a metric of a user's own."""

import jax
import jax.numpy as jnp
import optax


def decayed(steps, learning_rate=3e-3):
    """Adam with decoupled decay of the matrices, and a cosine schedule."""
    matrices = lambda params: jax.tree.map(lambda w: w.ndim > 1, params)
    return optax.chain(
        optax.scale_by_adam(),
        optax.masked(optax.add_decayed_weights(1e-4), matrices),
        optax.scale_by_learning_rate(optax.cosine_decay_schedule(learning_rate, steps)),
    )


def mean_margin(outputs, targets):
    """The mean difference of the true class's logit and the other's."""
    sign = 2 * targets - 1
    return (sign * (outputs[:, 1] - outputs[:, 0])).mean().astype(jnp.float32)
