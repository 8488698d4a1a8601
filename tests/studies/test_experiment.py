"""`relujax.experiment`: rows of any shape, and what is refused before it is stored."""

import numpy as np
import pandas as pd
import pytest

import relujax
from relujax.errors import InputError


def better(activation, seed):
    """A loss that is lower under elu."""
    return {"err": (0.5 if activation == "elu" else 1.0) + seed / 100, "auroc": 0.5}


@pytest.fixture
def experiment(tmp_path):
    """Two activations, twelve seeds, a folder of its own each time."""
    calls = iter(range(100))

    def run(train, activations=("relu", "elu"), metric="err", **options):
        out = tmp_path / str(next(calls))
        return relujax.experiment(
            train, activations, 12, metric=metric, out=out, progress=False, **options
        )

    return run


def test_the_direction_of_a_metric_is_that_of_its_results(experiment):
    # The first call registers the metric; it must not decide for the second.
    up = experiment(better)
    down = experiment(better, higher_is_better=False)
    assert "trails" in up.conclusion()
    assert "beats" in down.conclusion()
    assert "trails" in up.conclusion()


def test_a_side_column_of_one_run_is_the_metric_of_another(experiment):
    assert experiment(better, metric="auroc").metric == "auroc"
    assert "beats" in experiment(better, higher_is_better=False).conclusion()


def test_add_metric_describes_what_results_only_named(experiment, monkeypatch):
    metrics = dict(relujax.statistics.METRICS)
    monkeypatch.setattr("relujax.statistics._metrics.METRICS", metrics)
    experiment(lambda a, s: {"shift": 1.0}, metric="shift")
    relujax.statistics.add_metric("shift", label="Shift", higher_is_better=False)
    assert metrics["shift"].label == "Shift"
    experiment(lambda a, s: {"shift": 1.0}, metric="shift")
    assert metrics["shift"].label == "Shift"


def by_epoch(activation, seed):
    """A metric that is measured at the end only."""
    yield {"running": 1.0}
    yield {"running": 0.5, "err": 1.0 + seed}


def by_split(activation, seed):
    for epoch in (1, 2):
        for split in ("train", "test"):
            yield {"epoch": epoch, "split": split, "err": 1.0 + seed}


def as_frame(activation, seed):
    return pd.DataFrame({"epoch": [0, 1], "err": [2.0, 1.0 + seed]})


@pytest.mark.parametrize("train", [by_epoch, by_split, as_frame])
def test_rows_have_what_their_author_has(experiment, train):
    frame = experiment(train).frame
    assert not frame["diverged"].any()
    last = frame[(frame["epoch"] == frame["epoch"].max()) & (frame["split"] == "test")]
    np.testing.assert_array_equal(last["err"], np.tile(1.0 + np.arange(12), 2))


def test_a_value_that_is_not_finite_is_a_network_that_diverged(experiment):
    found = experiment(lambda a, s: {"err": np.nan if a == "elu" else 1.0})
    assert "12 of 24 networks diverged" in found.conclusion()


def test_one_activation_is_no_comparison(experiment):
    assert "no other activation" in experiment(better, ["relu"]).conclusion()


def twice(activation, seed):
    yield {"epoch": 1, "err": 1.0}
    yield {"epoch": 1, "err": 2.0}


@pytest.mark.parametrize(
    ("train", "options", "sentence"),
    [
        (better, {"activations": "relu"}, "a list of activations"),
        (better, {"activations": []}, "a list of activations"),
        (better, {"activations": ["relu", "relu"]}, "relu with better twice"),
        (better, {"metric": None}, "name of a value"),
        (better, {"metric": "score"}, "'score' in the last row.*auroc, err"),
        (twice, {}, "two of epoch 1 of 'test'"),
        (lambda a, s: {"accuracy": 95.0}, {"metric": "accuracy"}, "from 0 to 1"),
        (lambda a, s: {"err": 10**400}, {}, "Expected numbers"),
        (lambda a, s: {"split": "val", "err": 1.0}, {}, "got no such row"),
        (lambda a, s: None, {}, "rows such as"),
    ],
)
def test_bad_input_is_one_sentence(experiment, train, options, sentence):
    with pytest.raises(InputError, match=sentence):
        experiment(train, **options)
