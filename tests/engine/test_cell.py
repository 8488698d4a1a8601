"""Cells: canonical text, hashes, refusals."""

import pytest

from relujax import Cell, InputError


def cell(**changes):
    settings = {"data": "wdbc", "model": "mlp", "activation": "n_relu"}
    return Cell(**{**settings, **changes})


def test_equal_cells_have_equal_digests():
    a = cell(activation="n_relu", optimizer="adam")
    b = cell(activation="n_relu(sigma=0.05)", optimizer="adam(learning_rate=0.001)")
    assert a.digest("x", 0) == b.digest("x", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"activation": "n_relu(sigma=0.06)"},
        {"activation": "relu"},
        {"model": "mlp(hidden=(512,))"},
        {"model": "mlp(dropout=0.1)"},
        {"optimizer": "adamw"},
        {"optimizer": "adam(learning_rate=0.002)"},
        {"objective": "binary_cross_entropy"},
        {"batch_size": 64},
        {"epochs": 11},
        {"data": "wdbc(split=1)"},
    ],
    ids=str,
)
def test_different_cells_have_different_digests(change):
    assert cell().digest("x", 0) != cell(**change).digest("x", 0)


def test_data_and_root_are_part_of_the_digest():
    digests = {cell().digest(*args) for args in (("x", 0), ("y", 0), ("x", 1))}
    assert len(digests) == 3


def test_numbers_are_traced_and_switches_are_not():
    parts = cell(model="mlp(hidden=(4,), dropout=0.2)").parts
    assert parts["activation"].numeric == {"sigma": 0.05}
    assert parts["model"].numeric == {"dropout": 0.2}
    assert ("hidden", (4,)) in parts["model"].static
    assert parts["optimizer"].numeric["learning_rate"] == 0.001


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "rleu"}, "'relu'"),
        ({"model": "mpl"}, "'mlp'"),
        ({"model": "mlp(droput=0.1)"}, "'dropout'"),
        ({"model": "mlp(dropout='a')"}, "a finite number or None for 'dropout'"),
        ({"model": "mlp(dropout=1.5)"}, r"rate in \[0, 1\)"),
        ({"model": "mlp(hidden=512)"}, "a tuple of whole numbers for 'hidden'"),
        ({"model": "mlp(initializer='hee')"}, "'he'"),
        ({"optimizer": "adma"}, "'adam'"),
        ({"optimizer": "adam(learning_rate='fast')"}, "number"),
        ({"objective": "mes"}, "'mse'"),
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": -1}, "at least 1"),
        ({"epochs": 10.0}, "whole number of at least 1, got 10.0"),
        ({"epochs": True}, "whole number of at least 1, got True"),
        ({"batch_size": "128"}, "whole number of at least 1, got '128'"),
        ({"evaluate_every": 2.0}, "whole number of at least 1, got 2.0"),
        ({"evaluate_every": 3}, "divides the 10 epochs"),
        ({"model": "deep_mlp", "activation": "crelu"}, "keeps the shape"),
        ({"tolerances": 0.1}, "positive numbers"),
        ({"tolerances": [0.1]}, "positive numbers"),
    ],
    ids=str,
)
def test_bad_cells_are_refused_with_one_sentence(change, message):
    with pytest.raises(InputError, match=message):
        cell(**change)
