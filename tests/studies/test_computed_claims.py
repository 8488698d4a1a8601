"""Claims about functions, slopes and costs, and those read off curves."""

import jax
import numpy as np
import pytest
from frames import results

import relujax
from relujax import studies


def elu(x, a):
    return relujax.elu(x, alpha=a)


def test_functions_are_compared_over_their_parameters():
    over = {"α": (0.5, 2.0), "β": (1.0,)}
    scaled = lambda x, a, b: elu(x, a * b)
    same = studies.same_function(scaled, lambda x, a, b: elu(x, a), over)(None)
    assert same.holds and same.effect == 0
    assert same.values["gaps"] == "0 at α = 0.5, β = 1, 0 at α = 2, β = 1"
    other = studies.another_function(elu, lambda x, a: elu(x, 1.0), {"α": (1.0, 2.0)})
    assert other(None).holds and other(None).effect == pytest.approx(1.0)
    assert not studies.another_function(elu, elu, {"α": (1.0,)})(None).holds


def test_slopes_and_kinks():
    at = (-2.0, -1.0)
    assert studies.slope_at_least("leaky_relu", 0.009, at)(None).holds
    assert not studies.slope_at_least("al_relu", 0, at)(None).holds
    assert studies.slope_at_least("al_relu", 0, at, size=True)(None).holds
    assert studies.differentiable(jax.nn.elu)(None).holds
    kink = studies.differentiable(jax.nn.relu)(None)
    assert not kink.holds and kink.effect == pytest.approx(1)


def test_costs_are_counted():
    assert studies.costs_less("relu", "gelu(approximate=False)")(None).holds
    assert not studies.costs_less("elu", "relu")(None).holds
    assert studies.operations("n_relu") > studies.operations("relu")
    free, dear = (studies.costs_at_most("elu", share)(None) for share in (0.1, 1e-9))
    assert free.holds and not dear.holds and free.effect == dear.effect > 0


@pytest.mark.parametrize(("value", "holds"), [(0.97, True), (0.9, False)])
def test_within_a_margin_of_a_number(value, holds):
    frame = results(n_test=10_000)
    e = studies.within("relu", value, margin=0.01)(frame)
    assert (e.p_for < 0.01) == holds and (e.p_against < 0.01) == (not holds)
    assert e.effect == pytest.approx(100 * (0.97 - value), abs=0.5)
    # The sign test asks the same: is the median within the margin?
    assert (e.sign_p[0] < 0.01) == holds


def test_early_is_the_first_part_of_the_epochs():
    frame = results(epochs=20)
    seen = []
    test = lambda part: seen.append(part["epoch"].max()) or studies.settled(True)
    studies.early(test)(frame)
    studies.early(test)(results(epochs=4))
    assert seen == [2, 1]


def test_sooner_counts_epochs_to_a_loss():
    frame = results(("relu", "elu"), epochs=10)
    fast = frame["activation"] == "elu"
    loss = np.where(fast, 1.0, 2.0) * np.exp(-0.3 * frame["epoch"])
    noise = np.random.default_rng(0).normal(0, 1e-6, len(frame))
    test = studies.sooner("elu", ["relu"], baseline="relu")
    e = test(frame.assign(loss=loss + noise))
    assert e.effect == pytest.approx(2, abs=0.5) and e.p_for < 0.05


def test_every_class_is_that_of_the_hardest():
    frame = results(("relu",), classes=2, n_test=100, seeds=4)
    wrong = [[45, 5, 1 + seed % 2, 49 - seed % 2] for seed in frame["seed"]]
    frame = frame.assign(confusion=wrong)
    e = studies.every_class("relu", "wdbc", 0.8)(frame)
    assert e.effect == pytest.approx(10) and e.values["hardest"] == pytest.approx(90)
    with pytest.raises(relujax.InputError, match="mnist"):
        studies.every_class("relu", "mnist", 0.8)(frame)
