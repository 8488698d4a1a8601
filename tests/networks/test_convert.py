"""Models by name, path and object, and what a user cannot mean."""

import functools
import subprocess
import sys

import equinox as eqx
import jax
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx
from jax.typing import ArrayLike
from networks_loop import INIT, X, keys_of

import relujax
from relujax import InputError, networks, specs
from relujax.networks import (
    MODELS,
    as_model,
    make_model,
    needs_stand_in,
    takes_activation,
)
from relujax.parts import named

SMALL = X[:, 0, 0]


class Net(nn.Module):
    """Layers with an activation that is called where it is needed."""

    num_classes: int
    activation: object = nn.relu
    rate: float = 0.5
    scale: ArrayLike = 1.0
    widths: tuple[int, ...] = (3, 3)

    @nn.compact
    def __call__(self, x, train=False):
        for width in self.widths:
            x = self.activation(nn.Dense(width)(x))
        x = nn.Dropout(self.rate, deterministic=not train)(x)
        return self.scale * nn.Dense(self.num_classes)(x)


class Wrapped(Net):
    """The same with the layer of the library."""

    @nn.compact
    def __call__(self, x, train=False):
        for width in self.widths:
            x = relujax.linen.Activation(self.activation)(nn.Dense(width)(x), train)
        return nn.Dense(self.num_classes)(x)


class Own(nn.Module):
    """It has activations of its own, by the names of Flax."""

    outputs: int
    act: str = "tanh"
    depth: int = 1

    @nn.compact
    def __call__(self, x):
        return nn.Dense(self.outputs)(getattr(nn, self.act)(nn.Dense(4)(x)))


class Nnx(nnx.Module):
    def __init__(self, out_features: int, *, rate: float = 0.1, rngs: nnx.Rngs):
        self.dense = nnx.Linear(2, out_features, rngs=rngs)
        self.dropout = nnx.Dropout(rate, rngs=rngs)

    def __call__(self, x):
        return self.dropout(self.dense(x))


class Table(eqx.Module):
    dense: eqx.nn.Linear

    def __init__(self, n_classes: int, scale: float = 1.0, *, key):
        self.dense = eqx.nn.Linear(2, n_classes, key=key)

    def __call__(self, x):
        return self.dense(x)


def made(spec, activation="relu", outputs=5):
    part = MODELS.part(spec)
    activation = None if activation is None else relujax.get(activation)
    return make_model(
        part, outputs=outputs, activation=activation, numbers=part.numeric
    )


def run(model, x=SMALL, step=0, train=True):
    params, state = model.init(INIT, x)
    return model.apply(params, state, x, rngs=keys_of(step), train=train)[0]


@pytest.mark.parametrize(
    ("factory", "traced", "static"),
    [
        ("mlp", {"dropout"}, {"hidden", "initializer"}),
        ("cnn", {"dropout"}, {"filters", "hidden", "initializer"}),
        (
            "deep_mlp",
            {"depth", "inputs"},
            {"width", "capacity", "initializer", "normalize"},
        ),
        (Net, {"scale"}, {"rate", "widths", "num_classes", "activation"}),
        (Nnx, set(), {"rate", "out_features"}),
        (Table, set(), {"scale", "n_classes"}),
    ],
)
def test_parameters(factory, traced, static):
    """Traced are the floats that may be arrays: no rate of `nn.Dropout` is."""
    entry = MODELS.entry(MODELS.text(factory))
    found = {k for k, p in entry.parameters.items() if p.traced}
    assert found == traced and entry.parameters.keys() - found == static
    assert all(p.kind == "float" for k, p in entry.parameters.items() if k in traced)
    rate = entry.parameters.get("rate")
    assert rate is None or rate.kind == "float"


def test_the_text_of_a_part_gives_the_part_again():
    for given in ("mlp(dropout=0.2)", Net, Net(3, rate=0.1), Nnx, Table, "cnn"):
        part = MODELS.part(given)
        assert MODELS.part(part.text) == part
        assert "<" not in part.text
    assert dict(MODELS.part(Net(3, rate=0.1)).static)["num_classes"] == 3
    assert "num_classes" not in dict(MODELS.part(Net).static)


@pytest.mark.parametrize("given", ["mlp", Net, Wrapped, Own, Nnx, Table])
def test_a_network_gets_its_number_of_outputs(given):
    x = SMALL
    assert run(made(given), x).shape == (10, 5)
    if given is Net:
        assert run(made(Net(4)), x).shape == (10, 4)


def test_a_shipped_network_takes_nothing_that_the_engine_gives():
    for name in ("outputs", "activation", "parent"):
        with pytest.raises(InputError, match=f"{name!r}"):
            MODELS.part(f"mlp({name}=3)")


@pytest.mark.parametrize("net", [Net, Wrapped])
def test_every_activation_works_in_a_linen_network(net):
    """Called, it is a layer of its own at each place, as the library's is."""
    plain = run(made(net), train=False)
    params, _ = made(net, "prelu(axis=-1)").init(INIT, SMALL)
    assert params["Activation_0"]["alpha"].shape == (3,)
    assert len(params) == 5
    _, state = made(net, "arelu").init(INIT, SMALL)
    assert set(state["signal"]) == {"Activation_0", "Activation_1"}
    noisy = made(named("net", functools.partial(net, rate=0.0)), "n_relu(sigma=2.0)")
    np.testing.assert_allclose(run(noisy, train=False), plain, rtol=1e-6)
    assert not np.allclose(run(noisy), run(noisy, step=1))


def test_a_network_in_setup_takes_a_plain_activation_or_says_what_to_do():
    class Setup(nn.Module):
        activation: object

        def setup(self):
            self.dense = nn.Dense(3)

        def __call__(self, x):
            return self.activation(self.dense(x))

    assert (run(as_model(Setup, activation="relu")) >= 0).all()
    with pytest.raises(InputError, match=r"under nn.compact.* in setup"):
        run(as_model(Setup, activation="prelu"))


def test_who_takes_an_activation():
    assert takes_activation(MODELS.part("mlp"))
    assert takes_activation(MODELS.part(Net))
    assert not takes_activation(MODELS.part(Own))
    assert not takes_activation(MODELS.part(Nnx))
    assert not takes_activation(MODELS.part(named("finished", Net(2))))
    mlp = MODELS.part(
        named("mlp_of_equinox", functools.partial(eqx.nn.MLP, 2, 1, 4, 1))
    )
    for part, spec, needed in (
        (mlp, "prelu", True),
        (mlp, "gelu", False),
        (MODELS.part(Net), "prelu", False),
    ):
        assert takes_activation(part)
        assert needs_stand_in(part, relujax.get(spec)) == needed
    y = run(made(Own, "elu"))
    np.testing.assert_array_equal(y, run(made(Own, None)))


def test_an_instance_a_class_and_a_function_are_one_network():
    reference = run(as_model(Net(2)))
    for same in (functools.partial(Net, 2), lambda: Net(2), as_model(Net(2))):
        np.testing.assert_array_equal(run(as_model(same)), reference)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (3, "Expected a Linen module, .* as the model, got 3"),
        ("mlp", "Expected a Linen module, .* got 'mlp'"),
        (jax.nn.relu, r"value for 'x' of relu.* pair \(init, apply\)"),
        (Net, "Expected a value for 'num_classes' of Net"),
        (lambda: 3, "Expected .* got 3"),
        (lambda: lambda: Net(2), "Expected a network from <lambda>"),
        (lambda *args: args[0], "got IndexError from it"),
    ],
    ids=["number", "string", "function", "incomplete", "3", "twice", "raises"],
)
def test_what_is_no_network_is_refused(given, sentence):
    with pytest.raises(InputError, match=sentence):
        as_model(given)


def test_images_too_small_for_a_cnn():
    cnn = made("cnn(filters=(2, 2, 2, 2))")
    with pytest.raises(InputError, match=r"room for 4 .* 6 x 6 .* number 2 leaves"):
        cnn.init(INIT, X)
    fits = made("cnn(filters=(2,), hidden=(3,))")
    assert run(fits, X).shape == (10, 5)


def test_frameworks_are_loaded_when_they_are_met():
    code = (
        "import sys, relujax.networks; "
        "assert not {'equinox', 'flax.nnx'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert callable(networks.from_nnx) and callable(networks.from_equinox)


def test_the_signature_of_a_class_whose_metaclass_hides_it():
    bound = specs.signature_of(functools.partial(Nnx, 3))
    assert list(bound.parameters) == ["rate", "rngs"]
    assert list(specs.signature_of(Table).parameters)[:2] == ["n_classes", "scale"]
