"""The rows that a statement is about, by parameters of specs."""

import itertools

import pandas as pd
import pytest

from relujax import InputError
from relujax.statistics import parameter, select


@pytest.fixture
def frame():
    """Samples of one and two inputs, nets of depth 1 and 30; one pair is missing."""
    pairs = [(1, 1), (1, 30), (2, 1)]
    rows = [
        {"data": f"synthetic(n=100, d={d})", "model": f"deep_mlp(depth={depth})"}
        for d, depth in pairs
    ]
    rows.append({"data": "mnist", "model": "mlp"})
    rows.append({"data": "my arrays (d=1)", "model": "mlp"})
    return pd.DataFrame(rows)


def test_parameters_are_read_from_specs(frame):
    found = parameter(frame, "data.d")
    assert found[:3].tolist() == [1, 1, 2] and found[3:].isna().all()
    with pytest.raises(InputError, match="dataa"):
        parameter(frame, "dataa.d")


def test_a_column_of_a_sweep_is_what_it_is(frame):
    given = frame.assign(**{"data.d": 7})
    assert (parameter(given, "data.d") == 7).all()


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({"data.d": 1}, [0, 1]),
        ({"data.d": 1, "model.depth": (1, 30)}, [0, 1]),
        ({"data.d": [1, 2], "model.depth": 1.0}, [0, 2]),
        ({"data": "synthetic", "model.depth": 30}, [1]),
        ({"data": ("mnist", "wdbc")}, [3]),
    ],
)
def test_rows_match_by_parameters(frame, where, rows):
    assert select(frame, where).index.tolist() == rows


def test_rows_of_several_tables_under_one_index_are_taken_once(frame):
    both = pd.concat([frame, frame])
    assert len(select(both, {"data.d": 1, "model.depth": (1, 30)})) == 4


@pytest.mark.parametrize(
    "where", [{"data.d": 3}, {"data.d": (1, 2), "model.depth": (1, 30)}]
)
def test_a_combination_that_was_not_run_is_missed(frame, where):
    with pytest.raises(
        InputError, match=r"results with data\.d = (3|2, model\.depth = 30), found"
    ):
        select(frame, where)


def test_what_is_missing_is_said_in_the_order_of_the_question():
    """Of several, not the one that comes first in a set."""
    frame = pd.DataFrame({"data": ["wdbc"], "model": ["mlp"], "optimizer": ["adam"]})
    for order in itertools.permutations(frame):
        first = {"data": "data set"}.get(order[0], order[0])
        with pytest.raises(InputError, match=f"Unknown {first} 'none'"):
            select(frame, dict.fromkeys(order, "none"))
