"""Arrays of the user's: what they become, what they are called, what is refused."""

import ml_dtypes
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.model_selection import train_test_split

from relujax import Dataset, InputError
from relujax.data import Transform, from_arrays

X = np.random.default_rng(0).normal(size=(50, 3))
Y = np.arange(50) % 3


def test_two_arrays_are_split_as_scikit_learn_does():
    data = Dataset.from_arrays(X, Y, split=4, validation=0.25)
    rows, tested = train_test_split(
        np.arange(50), test_size=0.2, stratify=Y, random_state=4
    )
    train, validated = train_test_split(
        rows, test_size=0.25, stratify=Y[rows], random_state=4
    )
    parts = {"train": train, "validation": validated, "test": tested}
    for part, expected in parts.items():
        np.testing.assert_array_equal(getattr(data, f"y_{part}"), Y[expected])
        x = getattr(data, f"x_{part}")
        np.testing.assert_array_equal(x, X[expected].astype(np.float32))
        assert not x.flags.writeable
    sizes = data.provenance
    assert (sizes.n_train, sizes.n_validation, sizes.n_test) == (30, 10, 10)


def test_given_parts_are_kept_and_copied():
    x = X.copy()
    data = Dataset.from_arrays(
        x, Y, X[:9], Y[:9], x_validation=X[:5], y_validation=Y[:5]
    )
    x[:] = 0
    np.testing.assert_array_equal(data.x_train, X.astype(np.float32))
    np.testing.assert_array_equal(data.x_validation, X[:5].astype(np.float32))
    cut = Dataset.from_arrays(X, Y, X[:9], Y[:9], validation=0.2)
    np.testing.assert_array_equal(cut.x_test, data.x_test)
    assert len(cut.x_train) == 40 and cut.provenance.n_validation == 10


def test_targets_say_what_they_are():
    words = np.array(["b", "a", "c"])[Y]
    named = Dataset.from_arrays(X, words.tolist())
    assert (named.class_names, named.classes) == (("a", "b", "c"), 3)
    assert Dataset.from_arrays(X, words.astype(object)).name == named.name
    assert Dataset.from_arrays(X, Y > 0).classes == 2
    assert Dataset.from_arrays(X, Y, classes=["x", "y", "z", "unseen"]).classes == 4
    amounts = Dataset.from_arrays(X, Y.astype(float))
    assert (amounts.task, amounts.classes, amounts.class_names) == (
        "regression", None, None,
    )  # fmt: skip


def test_every_kind_of_number_is_taken():
    whole = np.round(X) + 0.0
    expected = Dataset.from_arrays(whole, Y)
    for dtype in ("float16", "float32", "longdouble", "int8", "int64"):
        assert Dataset.from_arrays(whole.astype(dtype), Y).name == expected.name, dtype
    others = [whole.astype(ml_dtypes.bfloat16), np.ma.array(whole), whole.tolist()]
    for x in others:
        assert Dataset.from_arrays(x, Y.tolist()).name == expected.name


def test_bytes_stay_bytes_and_have_the_transform_that_is_given():
    images = np.zeros((20, 4, 4, 1), np.uint8)
    labels = np.arange(20) % 2
    assert from_arrays(images, labels).transform == Transform()
    data = from_arrays(images, labels, transform=Transform(scale=255.0))
    assert data.x_train.dtype == np.uint8 and data.transform.scale == 255


def test_names_are_the_content_and_the_split():
    data = Dataset.from_arrays(X, Y)
    assert data.name == f"arrays(sha256={data.provenance.sha256[:8]!r})"
    again = Dataset.from_arrays(X.copy(), Y.astype(np.int8), split=3, test=0.5)
    assert again.provenance.sha256 == data.provenance.sha256
    assert again.name == data.name[:-1] + ", test=0.5, split=3)"
    assert Dataset.from_arrays(X, Y, name="mine").name == "mine"
    assert Dataset.from_arrays(X, Y, name="mine", split=1).name == "mine(split=1)"
    # Parts that are given are not split: the number is no part of the name.
    given_parts = Dataset.from_arrays(X, Y, X, Y)
    assert given_parts.name == Dataset.from_arrays(X, Y, X, Y, split=3).name


@given(
    hnp.arrays(np.float32, (12, 2), elements=st.floats(-9, 9, width=32)),
    st.integers(0, 11),
    st.integers(0, 1),
)
def test_any_changed_number_changes_the_hash(x, row, column):
    y = np.arange(12) % 2
    sha256 = from_arrays(x, y).provenance.sha256
    assert from_arrays(x.reshape(12, 2, 1), y).provenance.sha256 != sha256
    other = x.copy()
    other[row, column] += 1
    assert from_arrays(other, y).provenance.sha256 != sha256


RECORDS = np.zeros(50, [("a", float), ("b", int)])
BAD = {
    "no targets": (lambda: (X, None), "both x_train and y_train"),
    "no inputs": (lambda: (None, Y), "both x_train and y_train"),
    "lengths": (lambda: (X, Y[:4]), r"got \(50, 3\) and \(4,\)"),
    "one axis": (lambda: (Y, Y), r"of shape \[n, ...\]"),
    "columns of targets": (lambda: (X, Y[:, None]), r"y_train of shape \[n\]"),
    "one-hot": (lambda: (X, np.eye(3)[Y]), "argmax"),
    "masked": (lambda: (np.ma.masked_greater(X, 1), Y), "a masked array with"),
    "sparse": (lambda: (scipy.sparse.csr_matrix(X), Y), "got a sparse one"),
    "void": (lambda: (X.view("V8"), Y), "got a ndarray that"),
    "no examples": (lambda: (X[:0], Y[:0]), r"got \(0, 3\) and \(0,\)"),
    "no features": (lambda: (X[:, :0], Y), r"got \(50, 0\)"),
    "shapes": (lambda: (X, Y, X[:, :2], Y), r"one shape in all parts, got \(3,\) \(tr"),
    "ragged": (lambda: ([[1], [2, 3]], [0, 1]), "labels for x_train, got a list"),
    "complex": (lambda: (X + 1j, Y), "numbers in x_train, got an array of complex"),
    "records": (lambda: (RECORDS[:, None], Y), "got an array of records"),
    "strings": (lambda: (X.astype(str), Y), "got an array of strings"),
    "objects": (lambda: (X.astype(object), Y), "got an array of objects"),
    "dates": (lambda: (X.astype("M8[s]"), Y), "real numbers in x_train"),
    "complex targets": (lambda: (X, Y + 1j), "labels or float targets, got com"),
    "mixed targets": (lambda: (X, Y, X, Y * 1.0), "got int64 and float64"),
    "negative": (lambda: (X, Y - 1), "labels from 0, got a negative one"),
    "identifiers": (lambda: (X, Y + 10**12), "got 1,000,000,000,002: number the"),
    "huge": (lambda: (X * 1e300, Y), "float32"),
    "huge targets": (lambda: (X, X[:, 0] * 1e300), r"float32\) in y_train"),
    "lonely class": (lambda: (X, np.arange(50) // 49), "got 1 of class 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_one_sentence(case):
    arrays, message = BAD[case]
    with pytest.raises(InputError, match=message) as error:
        Dataset.from_arrays(*arrays())
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": 0}, "share of the examples for 'test', above 0"),
        ({"test": 1.0}, "'test'"),
        ({"test": "0.2"}, "'test'"),
        ({"validation": -0.1}, "'validation', 0"),
        ({"validation": 1}, "'validation'"),
        ({"validation": float("nan")}, "'validation'"),
        ({"test": 0.99}, "with every class and the rest, got 50 of 3"),
        ({"split": -1}, "'split'"),
        ({"split": True}, "'split'"),
        ({"x_validation": X, "y_validation": Y}, "Expected x_test beside"),
        ({"x_test": X, "y_test": Y, "test": 0.3}, "x_test or a share test=0.3"),
        ({"classes": ["a", "b"]}, "a name for each of 3 classes"),
        ({"classes": ["a", "b", "b"]}, "a name for each of 3 classes"),
        ({"classes": "abc"}, "list of names for classes, got 'abc'"),
        ({"classes": 3}, "list of names for classes, got 3"),
        ({"columns": 3}, "list of names for columns, got 3"),
        ({"columns": ["a"]}, r"of shape \(3,\), got 1 for columns"),
        ({"transform": 255}, "Expected a relujax.data.Transform"),
        ({"transform": Transform(scale=0)}, "a scale other than 0"),
        ({"transform": Transform(offset=float("nan"))}, "finite numbers"),
        ({"name": 3}, "Expected a spec"),
        ({"name": "my cohort"}, "Expected a spec"),
    ],
)
def test_bad_options_are_one_sentence(options, message):
    with pytest.raises(InputError, match=message):
        Dataset.from_arrays(X, Y, **options)
