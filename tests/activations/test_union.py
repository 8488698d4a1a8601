"""One of several activations: each as it is alone, all in one compiled program."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relujax.activations import get, union
from relujax.errors import InputError

SPECS = (
    "relu",
    "elu(alpha=0.7)",
    "srelu(beta=0.5)",
    "prelu(axis=-1)",
    "n_relu(sigma='linear(start=0.1, end=0.0, steps=10)')",
    "rrelu",
    "arelu",
    "adaptive_tanh(a=2.0)",
)
ACTIVATIONS = [get(spec) for spec in SPECS]
FED = {"loss": jnp.float32(0.4), "step": jnp.float32(3)}
KEY = jax.random.key(7)
X = jax.random.normal(jax.random.key(1), (6, 5))


def outcome(act, signal, x, key):
    """Parameters, values, gradients, in training and in evaluation."""
    params = act.init(x.shape, x.dtype)

    def total(params, x, train):
        y = act.apply(params, x, key=key, signal=signal, train=train)
        return jnp.sum(jnp.sin(y)), y

    gradients = jax.grad(total, (0, 1), has_aux=True)
    return params, [gradients(params, x, train) for train in (True, False)]


@jax.jit
def chosen(which, x, key):
    return outcome(union(ACTIVATIONS, which), FED, x, key)


@jax.jit
def alone(x, key):
    fed = [None if act.signal is None else FED[act.signal.name] for act in ACTIVATIONS]
    pairs = zip(ACTIVATIONS, fed, strict=True)
    return [outcome(act, signal, x, key) for act, signal in pairs]


@pytest.mark.parametrize("which", range(len(SPECS)), ids=SPECS)
def test_each_is_what_it_is_alone(which):
    """The same values, noise, gradients and initial parameters, compiled once."""
    params, modes = chosen(which, X, KEY)
    own, own_modes = alone(X, KEY)[which]
    padded = lambda tree: {name: tree.get(name, 0 * params[name]) for name in params}
    chex.assert_trees_all_equal(params, padded(own))
    for ((dparams, dx), y), ((own_dparams, own_dx), own_y) in zip(
        modes, own_modes, strict=True
    ):
        np.testing.assert_array_equal(y, own_y)
        np.testing.assert_array_equal(dx, own_dx)
        chex.assert_trees_all_equal(dparams, padded(own_dparams))
    assert chosen._cache_size() == 1


def test_side_by_side():
    """Under `vmap` over which one, and over keys."""
    which = jnp.arange(len(SPECS))
    together = jax.jit(jax.vmap(chosen, (0, None, None)))(which, X, KEY)
    for i in which:
        ours = jax.tree.map(lambda leaf, i=i: leaf[i], together)
        chex.assert_trees_all_close(ours, chosen(i, X, KEY), rtol=1e-6)


def test_hyperparameters_are_traced_and_have_gradients():
    def value(alpha, which):
        acts = [get("relu"), get("elu", alpha=alpha), get("celu", alpha=alpha)]
        return union(acts, which).apply({}, jnp.float32(-1.0))

    slope = jax.jit(jax.grad(value))
    assert slope(0.5, 0) == 0
    np.testing.assert_allclose(slope(0.5, 1), np.expm1(-1), rtol=1e-6)
    assert slope(0.5, 2) == jax.grad(lambda a: get("celu", alpha=a).apply({}, -1.0))(
        0.5
    )
    both = union([get("relu"), get("elu(alpha=0.5)")], 1)
    assert both.hyperparameters == {"which": 1, "1.alpha": 0.5}
    assert str(both) == "union(relu, elu)"


def test_keeps_its_arguments_alone_between_the_passes():
    """As many numbers as there are in `x`, whichever activations there are."""

    def kept(x, key):
        act = union(ACTIVATIONS, jnp.int32(2))
        apply = lambda x: act.apply(act.init(x.shape, x.dtype), x, key=key, signal=FED)
        return jax.vjp(apply, x)[1]

    leaves = jax.tree.leaves(jax.eval_shape(kept, X, KEY))
    assert [leaf.shape for leaf in leaves if leaf.size >= X.size] == [X.shape]


def test_in_a_loop_with_a_second_derivative():
    def last(x, which):
        act = union(ACTIVATIONS[:3], which)
        step = lambda x, _: (act.apply({}, x) - 0.1, None)
        return jax.lax.scan(step, x, None, 3)[0]

    curvature = jax.jit(jax.grad(jax.grad(last)))
    elu = ACTIVATIONS[1]
    own = lambda x: elu.apply({}, elu.apply({}, elu.apply({}, x) - 0.1) - 0.1)
    np.testing.assert_allclose(
        curvature(-0.3, 1), jax.grad(jax.grad(own))(-0.3), rtol=1e-6
    )
    assert curvature(-0.3, 0) == 0


def test_signals_are_united():
    """One initial value each, that of the chosen activation; which is fed is known."""
    acts = [*ACTIVATIONS, get("arelu(initial_slope=0.3)")]
    united = union(acts, 8)
    assert united.signal.name == "union"
    chex.assert_trees_all_close(united.signal.initial, {"loss": 0.3, "step": 0.0})
    heard = {name: bool(united.listens(name)) for name in FED}
    assert heard == {"loss": True, "step": False}
    assert union([get("relu"), get("elu")]).signal is None


def test_refusals():
    with pytest.raises(InputError, match="at least one activation for a union"):
        union([])
    with pytest.raises(InputError, match="from 0 to 1 for one of 2 activations, got 2"):
        union(ACTIVATIONS[:2], 2)
    with pytest.raises(
        InputError, match=r"single activations for a union, got union\("
    ):
        union([union(ACTIVATIONS[:2])])
    with pytest.raises(InputError, match="keep the shape in a union, got crelu"):
        union([get("relu"), get("crelu")]).apply({}, X)
    two = union([get("prelu"), get("al_relu(trainable=True, axis=-1)")])
    with pytest.raises(InputError, match=r"one shape for the parameter 'alpha'"):
        two.init(X.shape, X.dtype)
    with pytest.raises(ValueError, match="PRNG key for n_relu in training mode"):
        union([get("relu"), get("n_relu")]).apply({}, X, train=True)
