"""Names and spec strings: which resolve, which are refused, and with what sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import relujax
from relujax.activations import REGISTRY, Definition
from relujax.activations._registry import definition

from .table import ROWS


@pytest.mark.parametrize(
    "spec", [*relujax.names(gated=True), *(row.spec for row in ROWS)]
)
def test_spec_string_round_trip(spec):
    activation = relujax.get(spec)
    again = relujax.get(str(activation))
    assert str(again) == str(activation)
    assert again.id == activation.id
    assert again.hyperparameters == activation.hyperparameters
    assert relujax.get(activation) is activation


def test_options_are_shown_when_they_are_not_the_default():
    assert str(relujax.get("gelu")) == "gelu"
    assert str(relujax.get("gelu(approximate=False)")) == "gelu(approximate=False)"
    assert str(relujax.get("n_relu")) == "n_relu(sigma=0.05)"
    assert str(relujax.get("prelu(axis=-1)")) == "prelu(alpha=0.25, axis=-1)"
    assert str(relujax.get("msaf")) == "msaf(a=0.0)"
    assert str(relujax.get("srelu(trainable=True)")) == (
        "srelu(alpha=1.0, beta=1.0, trainable=True)"
    )


@settings(max_examples=50)
@given(sigma=st.floats(0, 1e300))
def test_any_number_round_trips(sigma):
    spec = str(relujax.get("n_relu", sigma=sigma))
    assert relujax.get(spec).hyperparameters == {"sigma": sigma}


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("swish", "silu"),
        ("Swish", "silu"),
        ("lrelu", "leaky_relu"),
        ("LeakyReLU", "leaky_relu"),
        ("qrelu", "q_relu"),
        ("mqrelu", "m_q_relu"),
        ("m_qrelu", "m_q_relu"),
        ("alrelu", "al_relu"),
        ("ALReLU", "al_relu"),
        ("ReLU", "relu"),
        ("GELU", "gelu"),
        ("logistic", "sigmoid"),
        ("SymMSAF", "sym_msaf"),
        ("arelu_loss", "arelu"),
        ("srelu_smooth", "srelu"),
        ("relu2", "squared_relu"),
        ("noisy_relu_nair_hinton", "noisy_relu"),
        ("arelu", "arelu"),  # exact ids win over ambiguity
        ("srelu", "srelu"),
    ],
)
def test_aliases(alias, name):
    assert relujax.get(alias).id == definition(alias).id == name


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("nrelu", "'n_relu' or 'noisy_relu'"),
        ("NReLU", "'n_relu' or 'noisy_relu'"),
        ("SReLU", "'srelu' or 'srelu_sshaped'"),
        ("AReLU", "'arelu' or 'arelu_attention'"),
    ],
)
def test_ambiguous_names_are_refused_with_the_candidates(name, candidates):
    with pytest.raises(relujax.InputError, match=candidates):
        relujax.get(name)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("rleu", "Unknown activation 'rleu'. Did you mean 'relu'"),
        ("relu(a=1)", "Expected no parameter for relu, got 'a'."),
        (
            "n_relu(sigm=1)",
            "Unknown parameter of n_relu: 'sigm'. Did you mean 'sigma'?",
        ),
        (
            "n_relu(sigma=-1)",
            "Expected sigma >= 0 for n_relu, got sigma=-1.0.",
        ),
        (
            "rrelu(lower=0.6, upper=0.2)",
            "Expected lower <= upper for rrelu, got lower=0.6 and upper=0.2.",
        ),
        ("celu(alpha=0)", "Expected alpha > 0 for celu, got alpha=0.0."),
        ("al_relu(alpha=-1)", "Expected alpha >= 0 for al_relu, got alpha=-1.0."),
        ("srelu_sshaped(t_left=2)", "Expected t_left <= t_right for srelu_sshaped"),
        (
            "elu(alpha='x')",
            "Expected a finite number for 'alpha' of elu, got 'x' instead.",
        ),
        ("elu(alpha=True)", "Expected a finite number for 'alpha' of elu"),
        ("elu(alpha=1e999)", "Expected a finite number for 'alpha' of elu"),
        (
            "prelu(axis=1.5)",
            "Expected a whole number or None for 'axis' of prelu, got 1.5",
        ),
        (
            "prelu(axis=True)",
            "Expected a whole number or None for 'axis' of prelu, got True",
        ),
        ("crelu(axis=None)", "Expected a whole number for 'axis' of crelu, got None"),
        (
            "gelu(approximate=1)",
            "Expected True or False for 'approximate' of gelu, got 1",
        ),
        ("msaf(b=3)", "Expected a tuple of finite numbers for 'b' of msaf, got 3"),
        ("msaf(b=())", "Expected a tuple of finite numbers for 'b' of msaf"),
        ("msaf(b=(1, 'x'))", "Expected a tuple of finite numbers for 'b' of msaf"),
        ("n_relu(surrogate='rleu')", "Unknown activation 'rleu'."),
        ("n_relu(surrogate='prelu')", "a surrogate for n_relu that learns nothing"),
        ("n_relu(surrogate='arelu')", "a surrogate for n_relu that learns nothing"),
        (3, "Expected a spec string, an Activation or a function, got 3 instead."),
    ],
)
def test_bad_input_is_one_sentence(spec, sentence):
    with pytest.raises(relujax.InputError) as error:
        relujax.get(spec)
    assert sentence in str(error.value)


def test_bounds_are_inclusive():
    for spec in ("n_relu(sigma=0)", "rrelu(lower=0.2, upper=0.2)", "al_relu(alpha=0)"):
        relujax.get(spec)


def test_arrays_and_numpy_scalars():
    assert relujax.get("elu", alpha=np.float32(0.5)).hyperparameters == {"alpha": 0.5}
    traced = relujax.get("n_relu", sigma=jnp.float32(-1.0))  # traced values pass unseen
    assert str(traced) == "n_relu(sigma=<float32[]>)"
    with pytest.raises(
        relujax.InputError, match="Expected a whole number or None for 'axis'"
    ):
        relujax.get("prelu", axis=jnp.int32(1))


def test_overrides():
    assert str(relujax.get("n_relu(sigma=0.1)", sigma=0.2)) == "n_relu(sigma=0.2)"
    half = relujax.get("srelu(beta=0.5, trainable=True)")
    assert str(relujax.get(half, alpha=2)) == (
        "srelu(alpha=2.0, beta=0.5, trainable=True)"
    )
    array = relujax.get("elu", alpha=jnp.float32(2.0))
    assert relujax.get(array, alpha=3.0).hyperparameters == {"alpha": 3.0}


def test_callables():
    assert relujax.get(relujax.n_relu).id == "n_relu"
    assert str(relujax.get(relujax.elu, alpha=2)) == "elu(alpha=2.0)"
    wrapped = relujax.get(jnp.tanh)
    x = jnp.linspace(-1, 1, 3)
    assert (wrapped.apply({}, x) == jnp.tanh(x)).all()
    assert wrapped.id.endswith("tanh") and not wrapped.needs_key
    assert wrapped.init((3,), jnp.float32) == {}
    scaled = relujax.get(jax.nn.leaky_relu, negative_slope=0.5)
    assert scaled.apply({}, jnp.array([-1.0]))[0] == -0.5


def test_every_definition_is_complete():
    for name in relujax.names(gated=True):
        known = definition(name)
        assert isinstance(known, Definition)
        assert known.id == name and known.formula and known.paper
        assert known.function.__name__ == name
        assert (known.evaluation is not None) == relujax.get(name).needs_key


def test_an_id_is_registered_once():
    with pytest.raises(ValueError, match="Expected a new activation id"):
        REGISTRY.define(definition("relu"))


def test_docstrings_have_every_section():
    for name in relujax.names(gated=True):
        doc = definition(name).function.__doc__
        for section in ("Args:", "Returns:", "Raises:", "Examples:", "References:"):
            assert section in doc, (name, section)
        assert ".. math::" in doc
        if definition(name).kinks:
            assert "derivative" in doc


def test_by_default_the_ids_of_what_can_stand_where_relu_stands():
    x = jnp.linspace(-2.0, 2.0, 8).reshape(2, 4)
    halved = {
        name
        for name in relujax.names(gated=True)
        if (act := relujax.get(name)).apply(act.init(x.shape), x, train=False).shape
        < x.shape
    }
    assert halved == {"glu", "reglu", "geglu", "swiglu"}
    assert {*relujax.names()} == {*relujax.names(gated=True)} - halved
