"""`check_activation` passes what the library has and finds what is wrong."""

import jax
import jax.numpy as jnp
import pytest
from full import slow

import relujax
from relujax import Activation
from relujax.testing import check_activation

FORMS = [
    *relujax.names(gated=True),
    *(
        f"{name}(trainable=True)"
        for name in relujax.names(gated=True)
        if "trainable" in relujax.activations.REGISTRY.definition(name).parameters
    ),
    "prelu(axis=-1)",
    "n_relu(sigma=0.1, surrogate='sugar_relu')",
]
# Their derivative is not that of their values, on purpose.
SURROGATES = ("sugar_relu", FORMS[-1])


# With a signal, a jump, a threshold that is learned, a surrogate; the other kinds are
# those of the user's own, below.
KINDS = ("arelu", "jump_relu", FORMS[-1])
REST = [spec for spec in FORMS if spec not in KINDS]


@pytest.mark.parametrize("spec", [*KINDS, *slow(*REST)])
def test_every_activation_passes(spec):
    check_activation(spec, surrogate=spec in SURROGATES)


def test_objects_of_every_kind_pass(registry):
    check_activation(lambda x, *, alpha=0.3: x + alpha * jnp.sin(x))
    check_activation(relujax.named("soft", lambda x: x / (1 + jnp.abs(x))))
    check_activation("jax.nn:hard_tanh")

    @relujax.register("jitter", mean=lambda x, *, sigma=0.1: x)
    def jitter(key, x, *, sigma=0.1):
        return x + sigma * jax.random.normal(key, x.shape, x.dtype)

    check_activation("jitter(sigma=0.5)")

    @relujax.register("swish_beta")
    def swish_beta(*, beta: float = 1.0, axis: int | None = None):
        f = lambda x, beta: x * jax.nn.sigmoid(beta * jnp.clip(x, -50, 50))
        return Activation.learnable(f, {"beta": beta}, axis=axis)

    check_activation("swish_beta(axis=-1)")


@jax.custom_jvp
def steep(x):
    return jnp.tanh(x)


steep.defjvps(lambda t, y, x: 2 * t * (1 - y**2))

CALLS = []


def impure(x):
    CALLS.append(x)
    return x * len(CALLS)


def float_init(*, alpha: float = 0.3):
    def init(shape, dtype=jnp.bfloat16):
        return {"alpha": jnp.asarray(alpha, jnp.bfloat16)}

    def apply(params, x, *, key=None, signal=None, train=False):
        return jnp.where(x > 0, x, params["alpha"].astype(x.dtype) * x)

    return Activation("half", {}, init, apply)


def branching(x, *, alpha=0.3):
    return x * alpha if alpha > 0 else x


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda x: x.astype(jnp.float32), "an output of dtype float16 for an input"),
        (
            lambda x: x.sum(-1),
            "Expected an output of shape [..., units] for an input of",
        ),
        (lambda x: x - x.mean(), "on a batch to compute what it does eagerly"),
        (impure, "compiled to compute what it does eagerly"),
        (steep, "to be that of its values"),
        (lambda x: jnp.sqrt(x * x), "got a NaN derivative at 0 (float16 in eval"),
        (lambda x: jnp.where(x > 0, x, jnp.expm1(x)), "got a NaN derivative at"),
        (lambda x: jnp.exp(x), "Expected a finite value of"),
        (lambda x: jnp.where(x > 0, x, 0), "to keep NaN"),
        (float_init, "Expected the parameter 'alpha' of test_testing:float_init in"),
        (branching, "of its dtypes, got TracerBoolConversionError"),
    ],
)
def test_what_is_wrong_is_said(wrong, sentence):
    with pytest.raises(AssertionError) as error:
        check_activation(wrong)
    assert sentence in str(error.value)


def noise(key, x):
    return jax.random.normal(key, x.shape, x.dtype)


@pytest.mark.parametrize(
    ("draw", "mean", "sentence"),
    [
        (lambda key, x: x + noise(key, x), jax.nn.relu, "to be its evaluation rule"),
        (lambda key, x: x + noise(key, x[..., :1]), lambda x: x, "for every unit"),
        (lambda key, x: x + noise(jax.random.key(0), x), lambda x: x, "another key"),
    ],
)
def test_wrong_noise_is_said(draw, mean, sentence, registry):
    relujax.register("wrong", draw, mean=mean)
    with pytest.raises(AssertionError) as error:
        check_activation("wrong")
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("kinks", "sentence"),
    [
        ({}, "Expected every kink of bent to be stated, got one at 0"),
        ({0.0: 1.0}, "at its kink 0 to be the stated 1, got 0"),
    ],
)
def test_kinks_are_stated(kinks, sentence, registry):
    relujax.register("bent", lambda x: jax.nn.relu(x), kinks=kinks)
    with pytest.raises(AssertionError) as error:
        check_activation("bent")
    assert sentence in str(error.value)


def test_breaches_are_all_said():
    with pytest.raises(AssertionError) as error:
        check_activation(lambda x: jnp.where(x > 0, jnp.exp(x), 0))
    assert "finite value" in str(error.value) and "keep NaN" in str(error.value)
