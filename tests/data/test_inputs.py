"""What is said of data before a network is trained on them; what they look like."""

import dataclasses

import numpy as np
import pytest

import relujax
from relujax import InputError
from relujax.data import check_inputs, from_arrays

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 3)), np.arange(30) % 3


def _data(x=X, y=Y, **options):
    return from_arrays(x, y, X, Y, columns=("age", "dose", "site=A"), **options)


def _put(value, rows, column=1):
    x = X.copy()
    x[rows, column] = value
    return x


@pytest.mark.parametrize("name", ["wdbc", "digits", "wine", "synthetic"])
def test_what_is_shipped_is_in_order(name):
    assert check_inputs(relujax.load_dataset(name)) == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["train", "test", "validation"])
def test_a_value_that_is_not_finite_is_named(part, value):
    x = {"train": X, "test": X, "validation": X} | {part: _put(value, [2, 7])}
    data = from_arrays(
        x["train"], Y, x["test"], Y, x_validation=x["validation"], y_validation=Y
    )
    kind = "NaN" if np.isnan(value) else "inf"
    message = f"2 {kind} values in 2 of 30 examples of the {part} part .* in column 1:"
    with pytest.raises(InputError, match=message):
        check_inputs(data)


def test_columns_are_named_where_they_have_names():
    x = _put(np.nan, [0, 1], column=0)
    x[1, 2] = np.inf
    message = "3 NaN or inf values in 2 of 30 .* in columns 'age' and 'site=A'"
    with pytest.raises(InputError, match=message):
        check_inputs(_data(x))
    # Pixels have no columns.
    images = np.full((6, 2, 2, 1), np.nan)
    with pytest.raises(InputError, match=r"24 NaN values in 6 of 6 .*: leave"):
        check_inputs(from_arrays(images, [0, 1] * 3, images, [0, 1] * 3))


def test_targets_are_checked():
    y = X[:, 0].copy()
    y[3] = np.nan
    with pytest.raises(InputError, match="1 NaN value in the train part"):
        check_inputs(from_arrays(X, y, X, X[:, 0]))
    data = dataclasses.replace(_data(), classes=2)
    with pytest.raises(InputError, match=r"from 0 to 1 in the train .* got 2 \(10 in"):
        check_inputs(data)
    data = dataclasses.replace(_data(), y_test=np.array([-1] * 30))
    with pytest.raises(InputError, match=r"in the test part of .*, got -1"):
        check_inputs(data)


def test_a_class_without_training_examples_is_named():
    with pytest.raises(InputError, match="got none of class '0'"):
        check_inputs(_data(y=Y % 2 + 1))
    data = _data(y=np.zeros(30, int), classes=["low", "middle", "high"])
    with pytest.raises(InputError, match="none of classes 'middle' and 'high'"):
        check_inputs(data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": X + 1j}, "real numbers in x_train .* complex128"),
        ({"x_test": X.astype(str)}, "real numbers in x_test"),
        ({"y_train": Y.astype(object)}, "real numbers in y_train .* object"),
        ({"x_test": X[:0], "y_test": Y[:0]}, "examples in the test part .* got none"),
        ({"x_test": X[:, :2]}, r"x_test of shape \[n, 3\]"),
        ({"y_train": Y[:-1]}, r"and \(29,\)"),
        ({"x_train": X * 1e300}, "90 inf values in 30 of 30"),
    ],
)
def test_data_that_were_built_by_hand_are_checked(changes, message):
    with pytest.raises(InputError, match=message):
        check_inputs(dataclasses.replace(_data(), **changes))


def test_lists_are_no_arrays():
    with pytest.raises(InputError, match=r"NumPy arrays in the test part .* got list"):
        dataclasses.replace(_data(), y_test=[0] * 30)


def test_what_may_be_meant_is_a_line():
    assert check_inputs(_data(_put(4.0, slice(None)))) == (
        "Constant in the training part: column 'dose'.",
    )
    rare = Y.copy()
    rare[rare == 2] = 0
    rare[5] = 2
    assert check_inputs(_data(y=rare)) == ("One training example alone: class '2'.",)
    pixels = RNG.integers(0, 256, (30, 2, 2, 1), np.uint8)
    (line,) = check_inputs(from_arrays(pixels, Y, pixels, Y))
    assert line.startswith("The inputs are bytes up to 25")
    (line,) = check_inputs(from_arrays(X, Y, X[Y < 2], Y[Y < 2]))
    assert line == "No test example: class '2'."
    (line,) = check_inputs(from_arrays(X, np.ones(30), X, np.ones(30)))
    assert line == "All targets of the training part are 1."


def test_the_repr_is_short_and_holds_no_array():
    data = relujax.load_dataset("digits(validation=0.1)")
    assert repr(data) == (
        "<digits(split=0, validation=0.1): classification, 1,293 train + "
        "144 validation + 360 test, each 8 x 8 x 1, 10 classes>"
    )


def test_a_notebook_shows_tables():
    data = from_arrays(X, np.array(["<b>", "&", "c"])[Y], name="mine")
    html = data._repr_html_()
    assert "<caption><b>mine</b></caption>" in html
    assert "&lt;b&gt;" in html and "<td><b></td>" not in html
    assert data.provenance.sha256 in html and len(html) < 3000
    assert "<td>c</td><td>8</td><td>2</td>" in html
    many = from_arrays(np.zeros((999, 1)), np.arange(999) % 100)._repr_html_()
    assert "and 80 more" in many
