import pytest
from frames import results

from relujax import statistics
from relujax.errors import InputError
from relujax.statistics import METRICS, add_metric, metric_name, metric_of, scores
from relujax.studies import better, reaches


@pytest.fixture
def registry(monkeypatch):
    """What a test registers is forgotten after it."""
    before = dict(METRICS)
    yield
    METRICS.clear()
    METRICS.update(before)


@pytest.fixture
def frame():
    table = results(["relu", "elu"], seeds=6)
    table["reward"] = 10.0 * (table["activation"] == "elu") + 0.1 * table["seed"] ** 2
    table["words"] = "many"
    return table


def test_a_column_of_yours_is_a_metric(frame):
    assert metric_of("reward", frame).label == "reward"
    assert metric_name("reward", "validation", frame) == "validation reward"
    assert len(scores(frame, "reward")) == 12
    row = statistics.paired_comparisons(frame, "reward", "relu").iloc[0]
    assert row["difference"] == pytest.approx(10) and row["wins"] == 6
    assert "elu (+10.0000" in statistics.conclusion(frame, "reward", "relu")
    assert better("elu", "relu", "reward")(frame).effect == pytest.approx(10)
    assert "mean test reward" in reaches("elu", 10.0, "reward")(frame).summary


def test_what_is_registered_has_a_direction_and_a_label(frame, registry):
    add_metric("reward", label="regret", higher_is_better=False, unit="points")
    assert metric_name("reward", "test") == "test regret"
    evidence = better("elu", "relu", "reward")(frame)
    assert evidence.effect == pytest.approx(-10) and evidence.unit == "points"
    assert "worse than relu in test regret" in evidence.summary
    assert statistics.compare(frame, metric="reward")["effect"].item() == 10  # a: relu.
    add_metric("reward", label="regret", higher_is_better=False, unit="points")
    with pytest.raises(InputError, match="Expected a new name"):
        add_metric("reward", label="reward")
    with pytest.raises(InputError, match="'accuracy'"):
        add_metric("accuracy", higher_is_better=False)


def test_an_unknown_name_offers_the_nearest_of_both(frame):
    with pytest.raises(InputError, match="Did you mean 'reward'"):
        scores(frame, "rewrad")
    with pytest.raises(InputError, match="Did you mean 'accuracy'"):
        metric_of("acuracy")
    with pytest.raises(InputError, match="Unknown metric 'words'"):
        metric_of("words", frame)
