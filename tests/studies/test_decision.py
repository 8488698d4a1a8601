"""The table of decisions: what it says to take, and what that rests on."""

import numpy as np
import pandas as pd
import pytest
from frames import regression, results

from relujax import InputError
from relujax.statistics import paired_comparisons
from relujax.studies import (
    against_baseline,
    cost_table,
    dead_table,
    decision_table,
    task_in_words,
)

DEEP = "deep_mlp(width=32, depth=20, capacity=50, initializer='he')"
ACCURACY = {"relu": 0.90, "elu": 0.97, "gelu": 0.94, "silu": 0.90, "tanh": 0.80}


def frame_of(**more):
    return results(list(ACCURACY), accuracy=ACCURACY, models=[DEEP], **more)


def only_row(frame):
    rows = decision_table("relu", {"wdbc": "a table"})(frame)
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_best_of_those_that_are_better_is_taken():
    frame = frame_of()
    row = only_row(frame)
    assert (row["take"], row["as well"], row["not"]) == ("elu", "gelu", "tanh")
    assert row["your data"] == "a table"
    assert row["your network"] == "20 layers of 32, no normalisation, He; adam 0.001"
    assert row["seeds"] == "10"
    tested = paired_comparisons(frame, "accuracy", "relu").set_index("activation")
    found = tested.loc["elu"]
    shown = f"{100 * found['difference']:+.2f} [{100 * found['low']:+.2f}"
    assert row["against relu"].startswith(shown)


def test_without_a_better_one_it_is_the_baseline():
    row = only_row(results(["relu", "elu"], models=[DEEP]))
    assert (row["take"], row["as well"], row["not"]) == ("relu", "–", "–")
    frame = results(["relu", "elu"], models=[DEEP])
    tested = paired_comparisons(frame, "accuracy", "relu")
    shown = f"{100 * tested['smallest_effect'].iloc[0]:.2f} points"
    assert row["against relu"] == f"none better; {shown} would show"


def test_one_seed_shows_nothing():
    row = only_row(results(["relu", "elu"], models=[DEEP], seeds=1))
    assert (row["take"], row["against relu"]) == ("relu", "none better than relu")


def test_what_diverged_is_named():
    lost = [("silu", seed) for seed in range(10)] + [("gelu", 3)]
    row = only_row(frame_of(diverge=lost))
    assert row["not"] == "silu (10 diverged), gelu (1 diverged), tanh"
    differences = against_baseline("relu")(frame_of(diverge=lost)).iloc[0]
    assert differences["silu"] == "10 diverged"
    assert differences["elu"].endswith("]*")


def test_less_error_is_better():
    frame = regression(["relu", "elu"], models=[DEEP], seeds=10)
    frame.loc[frame["activation"] == "elu", "mse"] *= 0.5
    row = only_row(frame)
    assert row["take"] == "elu"
    assert row["against relu"].startswith("−")


def test_tasks_of_several_kinds_have_a_row_each_in_their_order():
    own = results(["relu", "elu"], data=[""], models=["mine:agent"]).drop(
        columns="dead"
    )
    own["accuracy"], own["reward"] = np.nan, np.arange(len(own), dtype=float)
    both = [regression(["relu", "elu"], data=["wave"], models=[DEEP]), own, frame_of()]
    frame = pd.concat(both, ignore_index=True)
    rows = decision_table("relu", {"mine:agent": "an agent"})(frame)
    assert list(rows["your data"]) == ["wave", "an agent", "wdbc"]
    assert list(rows["dead units, %"] == "–") == [False, True, False]
    assert len(dead_table("relu")(frame)) == 2


def test_dead_units_are_those_of_the_results():
    frame = frame_of()
    row = dead_table("relu")(frame).iloc[0]
    last = frame[(frame["epoch"] == 4) & (frame["split"] == "test")]
    dead = last[last["activation"] == "elu"]["dead"].map(np.mean).mean()
    assert row["elu"] == f"{100 * dead:.2f}"


def test_results_without_dead_units_are_a_sentence():
    with pytest.raises(InputError, match="Expected results with dead units"):
        dead_table("relu")(frame_of().drop(columns="dead"))


def test_costs_are_told_beside_the_products():
    table = cost_table(["relu", "gelu"], width=32)(pd.DataFrame())
    assert list(table["activation"]) == ["relu", "gelu"]
    assert table["step, relu = 100"].iloc[0] == "100"
    assert int(table["step, relu = 100"].iloc[1]) > 100


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("mlp(hidden=(64, 64), dropout=0.3)", "2 layers of 64, no normalisation, Glo"),
        ("mlp(hidden=(64, 32))", "layers of 64, 32, "),
        ("mlp(hidden=())", "linear, "),
        ("deep_mlp(depth=1, normalize=True)", "1 layer of 8, layer norm, PyTorch"),
        ("mine.nets:Net(depth=3)", "mine.nets:Net(depth=3)"),
    ],
)
def test_networks_in_words(model, words):
    told = task_in_words(("csv(path='a.csv')", model, "sgd"))
    assert told["your network"].startswith(words)
    assert told["your data"] == "csv(path='a.csv')"
