"""`relujax.register` and `relujax.named`: what a user brings is everywhere."""

import sys
import types

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import relujax
from relujax import Activation, InputError, _register

X = jnp.linspace(-2.0, 2.0, 5)


@pytest.fixture
def acts(registry, monkeypatch):
    """A module of a user's, with activations of every kind."""
    module = types.ModuleType("acts")
    source = """
import jax, jax.numpy as jnp, relujax
from relujax import Activation

@relujax.register("wobble", formula="x + alpha sin x", domain=(("alpha", ">=", 0.0),))
def wobble(x, *, alpha=0.3):
    return x + alpha * jnp.sin(x)

def jitter_mean(x, *, sigma=0.1):
    return jax.nn.relu(x)

@relujax.register("jitter")
def jitter(key, x, *, sigma=0.1):
    return jax.nn.relu(x) + sigma * jax.random.normal(key, x.shape, x.dtype)

@relujax.register("beta_swish", kinks={})
def beta_swish(*, beta: float = 1.0, axis: int | None = None):
    f = lambda x, beta: x * jax.nn.sigmoid(beta * x)
    return Activation.learnable(f, {"beta": beta}, axis=axis)

@relujax.register("loss_leak")
def loss_leak(*, initial_slope=0.2):
    f = lambda x, slope: jnp.where(x > 0, x, slope * x)
    return Activation.loss_driven(f, initial_slope=initial_slope)

def bent(x, *, a=1.0, at=2):
    return jnp.where(x > at, a * x, at)

ready = relujax.get("elu(alpha=2.0)")
"""
    monkeypatch.setitem(sys.modules, "acts", module)
    exec(compile(source, "acts.py", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("wobble(alpha=1)", "wobble(alpha=1.0)"),
        ("jitter", "jitter(sigma=0.1)"),
        ("beta_swish(axis=-1)", "beta_swish(beta=1.0, axis=-1)"),
        ("loss_leak", "loss_leak(initial_slope=0.2)"),
        ("acts:wobble", "acts:wobble(alpha=0.3)"),
        ("acts:bent(at=3)", "acts:bent(a=1.0, at=3)"),
        ("acts:jitter(sigma=0.5)", "acts:jitter(sigma=0.5)"),
        ("acts:loss_leak", "acts:loss_leak(initial_slope=0.2)"),
        ("acts:ready", "acts:ready"),
        ("jax.nn:hard_tanh", "jax.nn:hard_tanh"),
    ],
)
def test_specs_round_trip(acts, spec, shown):
    act = relujax.get(spec)
    assert str(act) == shown
    again = relujax.get(shown)
    assert again.hyperparameters == act.hyperparameters and again.id == act.id
    np.testing.assert_array_equal(again.apply(again.init((5,)), X),
                                  act.apply(act.init((5,)), X))  # fmt: skip
    part = relujax.activations.REGISTRY.part(spec)
    assert part == relujax.activations.REGISTRY.part(act)
    assert hash(part) == hash(relujax.activations.REGISTRY.part(shown))
    assert {n for n, v in act.hyperparameters.items() if isinstance(v, float)} == {
        *part.numeric
    }


def test_it_is_everywhere(acts):
    assert {"wobble", "jitter", "beta_swish", "loss_leak"} <= set(relujax.names())
    assert relujax.get(acts.wobble).id == "wobble"
    assert relujax.gain("wobble(alpha=0.0)") == pytest.approx(1)
    assert relujax.properties("acts:bent").kinks == {2.0: 0.0}
    # E f² = 1/2 + sigma², drawn.
    assert relujax.gain("jitter(sigma=0.5)") == pytest.approx(0.75**-0.5, rel=3e-3)
    kernel = relujax.recommended_init("wobble")(jax.random.key(0), (3, 3))
    assert kernel.shape == (3, 3)
    layer = relujax.linen.Activation("beta_swish(axis=-1)")
    assert layer.init(jax.random.key(0), X)["params"]["beta"].shape == (5,)
    np.testing.assert_allclose(relujax.nnx.Activation("acts:wobble")(X), acts.wobble(X))
    assert relujax.linen.Activation("loss_leak").init(jax.random.key(0), X) == {
        "signal": {"loss": jnp.float32(0.2)}
    }


def test_floats_are_swept_scheduled_and_cast(acts):
    swept = jax.vmap(lambda a: relujax.get("wobble", alpha=a).apply({}, X))(X)
    assert swept.shape == (5, 5)
    act = relujax.get("wobble(alpha='linear(start=1.0, end=0.0, steps=2)')")
    assert act.signal is not None
    np.testing.assert_allclose(act.apply({}, X, signal=2), X)
    half = relujax.get("wobble", alpha=jnp.float32(1)).apply({}, X.astype(jnp.bfloat16))
    assert half.dtype == jnp.bfloat16


def test_functions_are_known_by_their_import_path():
    text = relujax.activations.REGISTRY.text
    assert text(relujax.elu) == "elu"
    for fn in (jax.nn.relu, jax.nn.hard_tanh, jnp.tanh):
        again = relujax.get(text(fn))
        np.testing.assert_array_equal(again.apply({}, X), fn(X))
        assert str(relujax.get(fn)) == text(fn)
    assert text(jax.nn.elu) == "jax.nn:elu"  # It says `jax._src.nn.functions`.


def test_named(registry):
    act = relujax.get(
        relujax.named("steps", lambda x, *, at=1.0: jnp.where(x > at, x, 0))
    )
    assert str(act) == "steps(at=1.0)" == str(relujax.get("steps"))
    assert registry.part("steps").local
    held = relujax.get(relujax.named("mine", relujax.get("elu", alpha=jnp.float32(2))))
    assert str(held) == "mine"
    np.testing.assert_allclose(held.apply({}, X), relujax.elu(X, alpha=2.0))
    with pytest.raises(InputError, match=r"elu\(alpha=<float32.*relujax\.named"):
        registry.text(relujax.get("elu", alpha=jnp.float32(2)))
    with pytest.raises(InputError, match="Expected an activation with a name"):
        registry.text(lambda x: x)


@pytest.mark.parametrize("name", ["relu", "Swish", "n_relu", "NReLU", "no name", "1"])
def test_names_of_the_library_and_no_names_are_refused(name, registry):
    before = relujax.names()
    with pytest.raises(InputError, match=r"^Expected a (new )?name"):
        relujax.register(name, lambda x: x)
    assert relujax.names() == before


@pytest.mark.parametrize(
    ("obj", "facts", "sentence"),
    [
        (lambda key, x: x, {}, "Expected mean=... for mine"),
        (lambda x: x, {"mean": lambda x: x}, "`key` as the first parameter of mine"),
        (lambda x: x, {"color": "red"}, "got 'color', which is no fact of one"),
        (lambda x: x, {"kind": "activaton"}, "Did you mean 'activation'?"),
        (3, {}, "Expected a function f(x)"),
        (dict, {}, "Expected kind=... for the class dict"),
    ],
)
def test_what_cannot_be_registered_is_one_sentence(obj, facts, sentence, registry):
    with pytest.raises(InputError) as error:
        relujax.register("mine", obj, **facts)
    assert sentence in str(error.value)
    with pytest.raises(InputError, match=r"Expected a name first, @relujax.register"):
        relujax.register(lambda x: x)


def test_a_factory_must_return_an_activation(registry):
    relujax.register("odd", lambda: 3)
    with pytest.raises(InputError, match="Expected odd to return an Activation"):
        relujax.get("odd")


def test_a_second_registration_replaces_the_first(registry):
    for slope in (0.1, 0.2):
        relujax.register("again", lambda x, slope=slope: slope * x)
    assert relujax.get("again").hyperparameters == {"slope": 0.2}


class _Registry:
    def __init__(self):
        self.added = []

    def add(self, name, obj, **facts):
        self.added.append((name, obj, facts))


class LinenNet(nn.Module):
    width: int = 3


class NnxNet(nnx.Module):
    pass


class EquinoxNet(eqx.Module):
    pass


def test_other_kinds_go_to_their_registries(monkeypatch):
    held = {kind: _Registry() for kind in _register._REGISTRIES}
    monkeypatch.setattr(_register, "_registry", held.__getitem__)
    for net in (LinenNet, NnxNet, EquinoxNet, LinenNet(width=5)):
        assert relujax.register("net", net) is net
    assert [added[1] for added in held["model"].added][:3] == [
        LinenNet,
        NnxNet,
        EquinoxNet,
    ]

    @relujax.register("auroc", kind="metric", higher_is_better=True)
    def auroc(outputs, targets):
        return 0.0

    assert held["metric"].added == [
        ("auroc", auroc, {"local": True, "higher_is_better": True})
    ]


@pytest.mark.parametrize(
    "spec",
    [
        f"leaky_relu(negative_slope=1{'0' * 400})",
        f"leaky_relu(negative_slope={'-' * 900}1)",
        f"relu{'x' * 1_000_000}",
        f"msaf(b=({'1,' * 500_000}))",
        f"n_relu(sigma='linear(start=1{'0' * 400}, end=0, steps=1)')",
        f"n_relu(sigma='linear(start=1, end=0, steps=1{'0' * 400})')",
        "n_relu(sigma='linear(start=1, end=0, steps=0)')",
        "nowhere.at.all:act",
        "math:nothing",
        "math:pi",
    ],
)
def test_hostile_specs_are_one_short_sentence(spec):
    with pytest.raises(InputError) as error:
        relujax.get(spec)
    assert len(str(error.value)) < 1000 and "\n" not in str(error.value)


def test_what_a_notebook_and_a_prompt_show():
    assert repr(relujax.get("elu")) == "relujax.get('elu(alpha=1.0)')"
    for spec in ("elu", "prelu(axis=-1)", "n_relu", "crelu", "arelu"):
        page = relujax.get(spec)._repr_html_()
        assert page.startswith(f"<code>{spec.partition('(')[0]}") and "<svg" in page
        assert "0x" not in page
    act = relujax.get(relujax.named("a_b", lambda x, *, alpha=1.0: x))
    assert "<lambda>" not in act._repr_html_()


def test_the_repr_of_what_is_traced():
    @jax.jit
    def shown(alpha):
        act = relujax.get("elu", alpha=alpha)
        assert repr(act) == "relujax.get('elu(alpha=<float32[]>)')"
        assert "<code>elu(alpha=&lt;float32[]&gt;)</code>" in act._repr_html_()
        return alpha

    shown(jnp.float32(1))


def test_activation_is_what_relujax_exports():
    assert relujax.get("relu").__class__ is Activation
