"""Learnable parameters, signals fed back by the loop, and schedules of the step."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from full import slow

import relujax
from relujax.activations._registry import definition


def learned(spec):
    """The initial values of what is learned, which the spec states."""
    act = relujax.get(spec)
    return {k: act.hyperparameters[k] for k in act.init((1, 1, 1, 1))}


TRAINABLE = (
    f"{name}(trainable=True)"
    for name in relujax.names(gated=True)
    if "trainable" in definition(name).parameters
)
LEARNABLE = {
    s: learned(s) for s in (*relujax.names(gated=True), *TRAINABLE) if learned(s)
}
learnables = pytest.mark.parametrize("spec", LEARNABLE)


def test_initial_values_are_those_of_the_papers():
    assert LEARNABLE["prelu"] == {"alpha": 0.25}
    assert LEARNABLE["arelu_attention"] == {"alpha": 0.9, "beta": 2.0}
    assert LEARNABLE["jump_relu"] == {"threshold": 0.001}
    assert LEARNABLE["star_relu(trainable=True)"] == {"scale": 0.8944, "bias": -0.4472}
    assert "star_relu" not in LEARNABLE


def test_the_threshold_of_jump_relu_learns_by_its_straight_through_estimate():
    x = jnp.array([0.2, 0.52, 1.0, 1.48, 1.52, -1.0])
    act = relujax.get("jump_relu(threshold=1.0, bandwidth=1.0)")
    grad = jax.grad(lambda p: (jnp.arange(1.0, 7) * act.apply(p, x)).sum())
    # -θ/ε for each of 0.52, 1.0 and 1.48: |x - θ| < ε / 2.
    assert grad({"threshold": jnp.float32(1.0)})["threshold"] == -(2 + 3 + 4)


@learnables
def test_initial_values(spec):
    params = relujax.get(spec).init((2, 3), jnp.bfloat16)
    expected = {k: jnp.asarray(v, jnp.bfloat16) for k, v in LEARNABLE[spec].items()}
    chex.assert_trees_all_equal(params, expected)
    chex.assert_trees_all_equal_shapes_and_dtypes(params, expected)


@learnables
@pytest.mark.parametrize("axis", [-1, *slow(1, -3)])
def test_per_channel_on_any_axis(spec, axis):
    """Each channel uses its own parameters, and no other's."""
    activation = relujax.get(spec, axis=axis)
    params = activation.init((2, 3, 4), jnp.float32)
    shape = {-1: (4,), 1: (3, 1), -3: (2, 1, 1)}[axis]
    for p in params.values():
        chex.assert_shape(p, shape)
    channels = (2, 3, 4)[axis]
    scale = jnp.linspace(0.5, 0.9, channels)
    params = {k: p * scale.reshape(shape) for k, p in params.items()}
    x = jnp.linspace(-3, 3, 24).reshape(2, 3, 4)
    y = jnp.moveaxis(activation.apply(params, x), axis, 0)
    shared = relujax.get(spec)
    for c in range(channels):
        own = {k: p.ravel()[c] for k, p in params.items()}
        y_c = shared.apply(own, jnp.moveaxis(x, axis, 0)[c])
        chex.assert_trees_all_close(y[c], y_c, rtol=1e-6)


def test_prelu_of_one_channel_ignores_the_batch():
    activation = relujax.get("prelu(axis=-1)")
    params = activation.init((7, 4), jnp.float32)
    assert activation.apply(params, jnp.ones((3, 4))).shape == (3, 4)
    with pytest.raises(ValueError, match=r"Expected an axis of an input of shape"):
        relujax.get("prelu(axis=2)").init((3, 4), jnp.float32)
    with pytest.raises(ValueError, match=r"got -3"):
        relujax.get("prelu(axis=-3)").init((3, 4), jnp.float32)


@pytest.mark.parametrize("spec", [s for s in LEARNABLE if s != "jump_relu"])
def test_parameters_have_the_gradient_of_finite_differences(spec):
    with jax.enable_x64(True):
        activation = relujax.get(spec)
        params = activation.init((6,), jnp.float64)
        if "t_right" in params:
            params["a_right"] = jnp.float64(0.7)  # at 1, t_right has no gradient
        x = jnp.array([-2.0, -1.0, -0.3, 0.3, 1.4, 2.0])

        def loss(params):
            return (jnp.arange(1.0, 7) * activation.apply(params, x)).sum()

        grads = jax.grad(loss)(params)
        for name in params:
            up, down = ({**params, name: params[name] + h} for h in (1e-6, -1e-6))
            numeric = (loss(up) - loss(down)) / 2e-6
            np.testing.assert_allclose(grads[name], numeric, rtol=1e-7)
            assert grads[name] != 0


def test_arelu_attention_clips_alpha():
    x = jnp.array([-1.0])
    for alpha, slope in [(-3.0, 0.01), (0.5, 0.5), (7.0, 0.99)]:
        chex.assert_trees_all_close(relujax.arelu_attention(x, alpha, 0.0), slope * x)


def test_sshaped_crossed_thresholds_take_the_right_side():
    y = relujax.srelu_sshaped(jnp.array([0.0]), 1.0, 0.5, -1.0, 2.0)
    assert y[0] == 1.0  # t_right + 2 (0 - t_right), not t_left + (0 - t_left) / 2


def test_arelu_follows_the_loss():
    activation = relujax.get("arelu")
    assert activation.signal == relujax.Signal("loss", 0.1)
    x = jnp.array([-2.0, 3.0])
    before = activation.apply({}, x)
    chex.assert_trees_all_close(before, jnp.array([-0.2, 3.0]))
    # A loss above 1 must not swap the branches, as max(l x, x) would.
    for loss in (0.5, 2.3):
        for train in (True, False):
            y = activation.apply({}, x, signal=jnp.float32(loss), train=train)
            chex.assert_trees_all_close(y, jnp.array([-2 * loss, 3.0]))


def test_arelu_slope_takes_no_gradient():
    activation = relujax.get("arelu")
    x = jnp.array([-2.0, 3.0])
    through_signal = lambda s: activation.apply({}, x, signal=s).sum()
    assert jax.grad(through_signal)(0.7) == 0
    assert jax.grad(lambda s: relujax.arelu(x, s).sum())(0.7) == 0
    slopes = jax.vmap(lambda s: activation.apply({}, x, signal=s))(jnp.arange(3.0))
    chex.assert_shape(slopes, (3, 2))


def test_schedule_of_the_step():
    schedule = optax.linear_schedule(0.2, 0.0, 10)
    activation = relujax.get("n_relu", sigma=schedule)
    assert activation.signal == relujax.Signal("step", 0)
    key, x = jax.random.key(0), jnp.linspace(-1, 1, 5)
    for step in (0, 5, 10):
        y = activation.apply({}, x, key=key, signal=jnp.int32(step), train=True)
        expected = relujax.n_relu(key, x, sigma=schedule(step))
        chex.assert_trees_all_close(y, expected)
    with pytest.raises(ValueError, match=r"signal=<step> for the schedule of 'sigma'"):
        activation.apply({}, x, key=key, train=True)
    leaky = relujax.get("leaky_relu", negative_slope=schedule)
    assert leaky.apply({}, jnp.array([-1.0]), signal=5)[0] == -0.1


def test_schedule_in_a_spec_string():
    spec = "n_relu(sigma='linear(start=0.2, end=0.0, steps=10)')"
    activation = relujax.get(spec)
    assert str(activation) == spec
    assert str(relujax.get(activation, **activation.hyperparameters)) == spec
    assert activation.signal == relujax.Signal("step", 0)
    schedule = optax.linear_schedule(0.2, 0.0, 10)
    key, x = jax.random.key(0), jnp.linspace(-1, 1, 5)
    for step in (0, 3, 10, 99):
        y = activation.apply({}, x, key=key, signal=jnp.int32(step), train=True)
        expected = relujax.n_relu(key, x, sigma=schedule(step))
        chex.assert_trees_all_close(y, expected, atol=1e-7)


@pytest.mark.parametrize(
    "text",
    [
        "cosine(start=0.1, end=0.0, steps=10)",
        "linear(start=0.1, steps=10)",
        "linear(start='a', end=0.0, steps=10)",
        "linear(start=0.1, end=0.0, steps=0)",
    ],
)
def test_unknown_schedule(text):
    with pytest.raises(relujax.InputError, match="Expected a schedule such as"):
        relujax.get("n_relu", sigma=text)


@pytest.mark.parametrize("name", ["prelu", "arelu"])
def test_initial_values_have_no_schedule(name):
    first = next(iter(definition(name).defaults))
    with pytest.raises(relujax.InputError, match="got a schedule instead"):
        relujax.get(name, **{first: lambda step: 0.1})
