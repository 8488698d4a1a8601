"""What the papers state and no training is needed for: functions, data, protocols."""

import itertools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import relujax
from relujax.cli._study_file import load_study
from relujax.studies import slopes
from relujax.training import objective

FOLDER = Path(relujax.__file__).parents[1] / "experiments"


def affine(w, x):
    return x @ w[:-1] + w[-1:]


def network(act, weights, x):
    for w in weights[:-1]:
        x = relujax.get(act).apply({}, affine(w, x))
    return affine(weights[-1], x)


def drawn(*widths):
    keys = jax.random.split(jax.random.key(0), len(widths) - 1)
    sizes = itertools.pairwise(widths)
    return [
        jax.random.normal(k, (a + 1, b)) / a**0.5
        for k, (a, b) in zip(keys, sizes, strict=True)
    ]


def test_without_activations_a_network_is_affine():
    """With a straight line as the activation, too; with ReLU it is not."""
    weights, x = drawn(5, 16, 16, 3), jax.random.normal(jax.random.key(1), (40, 5))

    def bend(act):
        f = lambda x: network(act, weights, x)
        return float(
            abs(f(x[:20] + x[20:]) - f(x[:20]) - f(x[20:]) + f(0 * x[:20])).max()
        )

    assert bend("leaky_relu(negative_slope=1.0)") < 1e-4
    assert bend("relu") > 0.1


def test_slopes_of_sigmoid_and_tanh_vanish_and_those_of_relu_do_not():
    x = np.linspace(0.01, 20, 200)
    assert slopes("sigmoid", x).max() <= 0.25 and slopes("tanh", x).max() < 1
    assert slopes("sigmoid", [20.0]) < 1e-8 and slopes("tanh", [20.0]) < 1e-8
    assert (slopes("relu", x) == 1).all()


@pytest.mark.parametrize(
    ("spec", "left", "right"),
    [("elu", 1.0, 1.0), ("selu", 1.7581, 1.0507), ("srelu(beta=0.5)", 0.5, 1.0)],
)
def test_slopes_at_0(spec, left, right):
    found = slopes(spec, [-1e-6, 1e-6])
    assert found == pytest.approx([left, right], abs=1e-4)


def test_selu_keeps_mean_and_variance_of_a_normal_and_elu_does_not():
    """By the trapezoidal rule: units whose inputs have mean 0 and variance 1."""
    z = np.linspace(-12, 12, 200_001)

    def moments(spec):
        y = np.asarray(relujax.get(spec).apply({}, jnp.asarray(z)), float)
        mean, square = (np.trapezoid(y**k * norm.pdf(z), z) for k in (1, 2))
        return mean, square - mean**2

    assert moments("selu") == pytest.approx((0, 1), abs=1e-3)
    mean, variance = moments("elu")
    assert mean > 0.1 and variance < 0.8


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0, 2.0])
def test_slopes_of_srelu_are_at_most_alpha_or_beta(beta):
    found = slopes(f"srelu(beta={beta})", np.linspace(-20, 20, 401))
    assert 0 <= found.min() and found.max() <= max(1.0, beta)


def test_prelu_learns_a_number_per_neuron():
    learned = relujax.get("prelu(axis=-1)").init((7, 512), jnp.float32)
    assert [x.shape for x in jax.tree.leaves(learned)] == [(512,)]
    assert not jax.tree.leaves(relujax.get("leaky_relu").init((7, 512), jnp.float32))


def test_below_a_dead_layer_nothing_learns():
    first, second, *rest = drawn(5, 16, 16, 16, 1)
    weights = [first, second.at[-1].set(-100.0), *rest]
    x = jax.random.normal(jax.random.key(1), (40, 5))
    loss = lambda act: lambda weights: (network(act, weights, x) ** 2).mean()
    gradients = jax.grad(loss("relu"))(weights)
    assert not gradients[0].any() and not gradients[1].any() and gradients[-1].any()
    assert all(g.any() for g in jax.grad(loss("leaky_relu"))(weights))


def test_the_loss_falls_as_the_probability_of_the_class_rises():
    loss = objective("softmax_cross_entropy").loss
    margins = jnp.array([[m, 0.0, 0.0] for m in (-2, 0, 2, 20)])
    found = list(loss(margins, jnp.zeros(4, int)))
    assert found == sorted(found, reverse=True) and found[-1] < 1e-6


def test_wdbc_is_as_described():
    data = relujax.load_dataset("wdbc")
    assert data.x_train.shape == (455, 30) and data.x_test.shape == (114, 30)
    assert data.class_names[0] == "malignant"
    malignant = np.concatenate([data.y_train, data.y_test]) == 0
    assert malignant.mean() == pytest.approx(0.37, abs=0.005)


ADAM, ADAMAX = (f"{name}(learning_rate=0.001)" for name in ("adam", "adamax"))
FFNN = "mlp(hidden=(512, 512), dropout=0.3, initializer='glorot')"
CNN = "cnn(filters=(32, 64), hidden=(512, 512), dropout=0.3, initializer='glorot')"
MLP = "mlp(hidden=(512, 512), initializer='glorot')"
PROTOCOLS = [
    ("srelu", "mnist", FFNN, ADAM, 10),
    ("srelu", "mnist", CNN, ADAM, 10),
    ("srelu", "fashion_mnist", FFNN, ADAM, 10),
    ("srelu", "fashion_mnist", CNN, ADAM, 10),
    ("srelu", "wdbc", FFNN, ADAM, 100),
    ("arelu", "mnist", MLP, ADAMAX, 20),
]


@pytest.mark.parametrize(("name", "data", "model", "optimizer", "epochs"), PROTOCOLS)
def test_profiles_follow_the_protocols(name, data, model, optimizer, epochs):
    cells = load_study(FOLDER / f"{name}.py").profiles["paper"]
    own = [cell for cell in cells if (cell.data, cell.model) == (data, model)]
    assert len({cell.activation for cell in own}) >= 6
    assert {(c.optimizer, c.batch_size, c.epochs) for c in own} == {
        (optimizer, 128, epochs)
    }
    objectives = {cell.objective for cell in own}
    assert objectives == {
        "binary_cross_entropy" if data == "wdbc" else "softmax_cross_entropy"
    }


def test_networks_are_those_of_the_papers():
    cells = load_study(FOLDER / "n_relu.py").profiles["paper"]
    assert {(c.data, c.model.partition("(")[0]) for c in cells} == {
        *(("mnist", "mlp"), ("mnist", "cnn"))
    }
    cells = load_study(FOLDER / "relu_variants.py").profiles["paper"]
    assert {c.model.rpartition(", inputs")[0] for c in cells} == {
        f"deep_mlp(width=8, depth={depth}" for depth in (1, 3, 10, 30)
    }
