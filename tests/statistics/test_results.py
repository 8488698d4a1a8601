"""The end of training, where networks end at different epochs."""

import numpy as np
import pandas as pd
import pytest
from frames import regression, results

from relujax.errors import InputError
from relujax.statistics import (
    by_kind,
    differences,
    final,
    primary_metric,
    scores,
    summary,
)

EPOCHS = 4


@pytest.fixture
def frame():
    """Three splits; every row has an accuracy of its own."""
    table = results(["relu", "elu"], seeds=4, epochs=EPOCHS)
    held_out = table[table["split"] == "test"].assign(split="validation")
    table = pd.concat([table, held_out], ignore_index=True)
    table["accuracy"] = np.random.default_rng(0).permutation(len(table)) / len(table)
    return table


def stopped(frame, activation, seed, last):
    own = (frame["activation"] == activation) & (frame["seed"] == seed)
    return frame[~own | (frame["epoch"] <= last)]


def value(frame, activation, seed, epoch, split="test"):
    own = frame[(frame["activation"] == activation) & (frame["seed"] == seed)]
    row = own[(own["epoch"] == epoch) & (own["split"] == split)]
    return row["accuracy"].item()


def score(frame, activation, seed, split="test"):
    values = scores(frame, "accuracy", split)
    return values.xs((activation, seed), level=("activation", "seed")).item()


def test_each_network_ends_at_its_own_last_epoch(frame):
    frame = stopped(stopped(frame, "relu", 1, 2), "elu", 3, 1)
    for activation, seed, last in (("relu", 1, 2), ("elu", 3, 1), ("elu", 0, EPOCHS)):
        for split in ("train", "validation", "test"):
            expected = value(frame, activation, seed, last, split)
            assert score(frame, activation, seed, split) == expected
    assert len(final(frame)) == 8
    assert summary(frame)["seeds"].tolist() == [4, 4]
    by_hand = [
        value(frame, "elu", s, {3: 1}.get(s, EPOCHS))
        - value(frame, "relu", s, {1: 2}.get(s, EPOCHS))
        for s in range(4)
    ]
    assert differences(frame, "accuracy", "elu", "relu") == pytest.approx(by_hand)


def test_the_best_epoch_of_the_last_row_wins(frame):
    frame = stopped(frame, "relu", 1, 3)
    # The best so far, as it is known at each epoch; seed 0 of relu has no choice.
    frame["best_epoch"] = np.maximum(frame["epoch"] - 1.0, 0)
    own = (frame["activation"] == "relu") & (frame["seed"] == 0)
    frame.loc[own, "best_epoch"] = np.nan
    assert score(frame, "relu", 1) == value(frame, "relu", 1, 2)
    assert score(frame, "relu", 0) == value(frame, "relu", 0, EPOCHS)
    assert score(frame, "elu", 2) == value(frame, "elu", 2, EPOCHS - 1)
    gap = scores(frame, "gap").xs(("elu", 2), level=("activation", "seed")).item()
    at = [value(frame, "elu", 2, EPOCHS - 1, split) for split in ("train", "test")]
    assert gap == pytest.approx(at[0] - at[1])


def test_a_best_epoch_on_some_splits_only_counts_for_all(frame):
    frame["best_epoch"] = np.nan
    frame.loc[frame["split"] == "validation", "best_epoch"] = 2.0
    assert score(frame, "elu", 2) == value(frame, "elu", 2, 2)


def test_without_a_choice_the_last_epoch_counts(frame):
    with_none = frame.assign(best_epoch=np.nan)
    assert scores(with_none, "accuracy").equals(scores(frame, "accuracy"))


def test_networks_that_diverged_have_no_end(frame):
    frame = stopped(frame, "relu", 1, 2)
    own = (frame["activation"] == "relu") & (frame["seed"] == 1)
    frame.loc[own & (frame["epoch"] == 2), "diverged"] = True
    assert len(differences(frame, "accuracy", "elu", "relu")) == 3


def test_a_best_epoch_that_is_not_stored_is_refused(frame):
    frame["best_epoch"] = 2.0
    own = (frame["activation"] == "elu") & (frame["seed"] == 2)
    with pytest.raises(InputError, match=r"epoch 2, the best of .*elu, seed 2"):
        final(frame[~own | (frame["epoch"] != 2)])


def test_a_dead_fraction_that_is_one_number_is_its_own_mean():
    frame = results(["relu"], seeds=2).assign(dead=0.25)
    assert scores(frame, "dead").tolist() == [0.25, 0.25]


def test_a_metric_of_several_numbers_is_no_score():
    frame = results(["relu"], seeds=2)
    frame["accuracy"] = [[1, 2]] * len(frame)
    with pytest.raises(InputError, match="number for each network as 'accuracy'"):
        scores(frame, "accuracy")


def test_a_metric_of_the_other_part_is_not_this_parts():
    """Results of classification and regression name one metric for both."""
    both = pd.concat([results(["relu", "elu"]), regression(data=["wave"])])
    both.attrs["metric"] = "accuracy"
    assert [primary_metric(part) for part in by_kind(both)] == ["accuracy", "mse"]
    both.attrs["metric"] = "gap"  # No column: it is computed.
    assert primary_metric(by_kind(both)[0]) == "gap"
