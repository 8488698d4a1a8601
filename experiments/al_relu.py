"""ALReLU: the absolute leaky ReLU (Mastromichalakis, 2020).

Claim reproduced: ALReLU, |LReLU|, beats ReLU and LReLU on images, tables and text, and
resolves the dying ReLU problem. Only the abstract could be read: it has no numbers.

    relujax run experiments/al_relu.py --profile quick  # about a minute
    relujax run experiments/al_relu.py --profile alternatives
    relujax run experiments/al_relu.py --profile cnn  # images alone
    RELUJAX_DATA_DIR=... relujax run experiments/al_relu.py --profile paper  # an hour

`paper` needs MNIST, Fashion-MNIST and SMS Spam; so does `two_cores`, with 10,000
training images of each; `cnn` needs the images. `alternatives` has another
initialisation and another learning rate. Data sets without an official split are split
at random ten times (`cnn`: five), and each seed is trained on each split;
`relujax.studies.best_over_splits` says what is tested.
"""

import jax.numpy as jnp
import numpy as np

import relujax
from relujax.studies import (
    Grid,
    another_function,
    best_over_splits,
    same_function,
    scores_by_data,
    settled,
    slope_at_least,
    slopes,
    study_of,
)

ALRELU, LRELU = "al_relu", "leaky_relu"
RIVALS, IMAGES = ("relu", LRELU), ("mnist", "fashion_mnist", "digits")
WIDER = "al_relu(alpha=0.3)"

SMALL = "mlp(hidden=(128, 128), initializer='glorot')"
SMALL_HE = "mlp(hidden=(128, 128), initializer='he')"
LARGE = "mlp(hidden=(512, 512), initializer='glorot')"
CNN = "cnn(filters=(32, 64), hidden=(128,), initializer='glorot')"
ADAM = "adam(learning_rate={})".format


def resplit(name: str, splits: int, **parts) -> Grid:
    """Every activation, on as many splits."""
    data = [f"{name}(split={split})" for split in range(splits)]
    activations = [*RIVALS, ALRELU, WIDER]
    parts = {"model": SMALL, "optimizer": ADAM(0.001), "batch_size": 32, **parts}
    return Grid(activation=activations, data=data, **parts)


def embedded(splits: int, **parts) -> Grid:
    """What needs no file."""
    tables = resplit("wdbc", splits, epochs=30, **parts)
    tables += resplit("wine", splits, epochs=30, **parts)
    return tables + resplit("digits", splits, epochs=20, **parts)


def of_images(model: str, spec: str = "") -> Grid:
    """MNIST and Fashion-MNIST on their official split; `spec` ends their specs."""
    return Grid(
        data=[f"{name}{spec}" for name in ("mnist", "fashion_mnist")],
        activation=[*RIVALS, ALRELU],
        model=model,
        optimizer=ADAM(0.001),
        batch_size=128,
        epochs=8,
    )


TEXT = resplit("sms_spam", 10, batch_size=128, epochs=10)
BELOW = np.linspace(-20.0, -0.01, 2000)


def slope_is_an_absolute_value(_results):
    """Is ALReLU's derivative below 0 the absolute value of LReLU's?"""
    own, leaky = (slopes(name, BELOW) for name in (ALRELU, LRELU))
    same = np.allclose(own, np.abs(leaky))
    return settled(same, effect=float(own.mean()), leaky=leaky.mean())


def leaky_relu_keeps_the_gradient_problem(_results):
    """Is LReLU's |derivative| below 0 smaller than ALReLU's, as that of ReLU is?"""
    own, leaky = (float(abs(slopes(name, BELOW)).min()) for name in (ALRELU, LRELU))
    return settled(leaky < own, effect=own - leaky, own=own, leaky=leaky)


def against(rivals, metric="accuracy", data=None, by=0.0):
    where = {"data": data} if data else None
    return best_over_splits(ALRELU, metric, among=rivals, where=where, by=by)


al_relu = lambda x, a: relujax.al_relu(x, alpha=a)
leaky_relu = lambda x, a: relujax.leaky_relu(x, negative_slope=a)
TYPICAL = {"α": (0.01, 0.1, 0.3)}

study = study_of(
    __file__,
    profiles={
        "quick": embedded(5),
        "two_cores": embedded(10) + TEXT + of_images(LARGE, "(n_train=10000)"),
        "paper": embedded(10) + TEXT + of_images(LARGE),
        "cnn": resplit("digits", 5, model=CNN, epochs=20) + of_images(CNN),
        "alternatives": embedded(5, model=SMALL_HE) + embedded(5, optimizer=ADAM(0.01)),
    },
    seeds={"quick": 5, "two_cores": 5, "paper": 5, "cnn": 5, "alternatives": 5},
    claims={
        "images": against(RIVALS, data=IMAGES),
        "diseases": against(RIVALS, data="wdbc"),
        "diverse": against(RIVALS),
        "diverse-f1": against(RIVALS, "f1_weighted"),
        "against-lrelu": against((LRELU,)),
        "significant": against((LRELU,), by=0.005),
        "significant-relu": against(("relu",), by=0.005),
        "images-by-a-margin": against(RIVALS, data=IMAGES, by=0.005),
        "tables": against(RIVALS, data=("wdbc", "wine")),
        "text": against(RIVALS, data="sms_spam"),
        "dying-units": against(("relu",), "dead"),
        "dying-gradient": slope_at_least(ALRELU, 0, BELOW, size=True),
        "lrelu-unresolved": leaky_relu_keeps_the_gradient_problem,
        "absolute-gradient": slope_is_an_absolute_value,
        "novel": another_function(al_relu, leaky_relu, TYPICAL),
        "novel-beside-prelu": another_function(
            al_relu, lambda x, a: relujax.prelu(x, -a), TYPICAL
        ),
        "max-form": same_function(
            lambda x, a: jnp.maximum(jnp.abs(a * x), x),
            lambda x, a: jnp.abs(jnp.where(x > 0, x, a * x)),
            {"α": (0.01, 0.3, 1.0, 1.5)},
        ),
    },
    exhibits={"by-data": scores_by_data("accuracy")},
)
