"""Claims about the spread over seeds."""

import numpy as np
import pytest
from frames import results

import relujax
from relujax.studies import steadier


def spread(**deviations):
    """Results on two tasks whose accuracies have these standard deviations."""
    frame = results(tuple(deviations), data=("wdbc", "wine"), seeds=10, epochs=1)
    middle = frame["data"].map({"wdbc": 0.9, "wine": 0.5})
    noise = np.random.default_rng(0).normal(size=len(frame))
    return frame.assign(accuracy=middle + noise * frame["activation"].map(deviations))


def test_the_steadier_of_two_is_found():
    frame = spread(relu=0.02, elu=0.002)
    e = steadier("elu", "relu")(frame)
    assert e.p_for < 0.001 and e.n == 10 and e.unit.startswith("percentage points")
    # The mean distance of a normal number from its centre is 0.8 standard deviations.
    assert e.effect == pytest.approx(100 * 0.8 * 0.018, rel=0.4)
    turned = steadier("relu", "elu", where={"data": "wine"})(frame)
    assert turned.p_against < 0.01 and turned.effect < 0


def test_levels_of_tasks_do_not_count():
    """Accuracies that differ by task, and not by seed, have no spread."""
    e = steadier("elu", "relu")(spread(relu=0.0, elu=0.0))
    assert e.effect == pytest.approx(0) and "0.00 percentage points" in e.summary


def test_what_is_lacking_is_named():
    frame = spread(relu=0.01, elu=0.01)
    with pytest.raises(relujax.InputError, match="gelu"):
        steadier("gelu", "relu")(frame)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [5, 10])
@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_equal_spreads_are_told_apart_as_rarely_as_promised(draw, seeds):
    frame = results(("relu", "elu"), seeds=seeds, epochs=0)
    rng, wrong, families = np.random.default_rng(0), 0, 200
    for _ in range(families):
        accuracy = getattr(rng, draw)(size=len(frame))
        e = steadier("elu", "relu")(frame.assign(accuracy=accuracy))
        wrong += 2 * min(e.p_for, e.p_against) <= 0.05
    assert wrong / families <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / families)
