"""Samples of data as a source of chance: each seed has one of its own."""

import numpy as np
import pandas as pd
import pytest

import relujax
from relujax import studies

DRAWS = 10


def crossed(draws, seeds=DRAWS, *, spread=1.0):
    """Errors on several samples: what a sample adds to the difference is its own."""
    rng = np.random.default_rng(0)
    of_sample = rng.normal(0, spread, 100)
    rows = [
        {
            "cell": f"{activation} {draw}",
            "data": f"synthetic(d=1, seed={draw})",
            "model": "deep_mlp",
            "optimizer": "adam",
            "activation": activation,
            "seed": seed,
            "epoch": 1,
            "split": "test",
            "mse": 1 + (activation == "relu") * of_sample[draw] + rng.normal(0, 0.01),
            "diverged": False,
        }
        for draw in draws
        for activation in ("relu", "elu")
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_each_seed_has_a_sample_of_its_own():
    frame = crossed(range(DRAWS))
    frame.attrs["probes"] = {"deaths": [{"seed": 0}]}
    found = studies.own_samples(frame)
    assert found.attrs == frame.attrs
    assert len(found) == 2 * DRAWS and found["data"].unique() == ["synthetic(d=1)"]
    assert found.groupby("activation")["cell"].nunique().eq(1).all()
    e = studies.better("elu", "relu", "mse")(found)
    rows = frame[frame["data"].str.contains("seed=3") & (frame["seed"] == 3)]
    kept = found[found["seed"] == 3]
    assert kept["mse"].tolist() == rows["mse"].tolist() and e.n == DRAWS


def test_a_sample_of_chance_decides_nothing():
    better = studies.better("elu", "relu", "mse")
    one = [better(crossed([draw])) for draw in range(20)]
    # On one sample ten networks agree, for and against, and are sure of it.
    assert min(e.p_for for e in one) < 1e-6 and min(e.p_against for e in one) < 1e-6
    # Over samples the interval has the spread of the samples.
    e = better(studies.own_samples(crossed(range(DRAWS))))
    assert min(e.p_for, e.p_against) > 0.01
    assert e.error == pytest.approx(1 / np.sqrt(DRAWS), rel=0.5)


def test_one_sample_or_none_is_left_as_it_is():
    for frame in (crossed([4]), crossed([4]).assign(data="wdbc")):
        assert studies.own_samples(frame) is frame


def test_too_few_seeds_are_told():
    with pytest.raises(relujax.InputError, match="seed 5 on the sample of that seed"):
        studies.own_samples(crossed(range(DRAWS), seeds=5))
