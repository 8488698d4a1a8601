"""Tables against pandas and scikit-learn: what is measured, and on which part."""

import datetime
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from relujax import Dataset, InputError


def _table(n=60, gaps=0, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "dose": rng.normal(50, 9, n),
            "site": rng.choice(["A", "B", "C"], n),
            "count": rng.integers(0, 9, n),
            "smokes": rng.random(n) < 0.4,
            "grade": rng.choice(["low", "high", "none"], n),
        }
    )
    if gaps:
        frame["count"] = frame["count"].astype(float)
        for column in ("dose", "count"):
            frame.loc[rng.choice(n, gaps, replace=False), column] = np.nan
    return frame


def _oracle(frame, missing, split, test=0.2):
    """scikit-learn's own pipeline, fitted on its own training part."""
    x, y = frame.drop(columns="grade"), frame["grade"]
    train, tested = train_test_split(
        np.arange(len(frame)), test_size=test, stratify=y, random_state=split
    )
    strategy = "mean" if missing == "error" else missing
    numbers = make_pipeline(SimpleImputer(strategy=strategy), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (numbers, ["dose"]), (levels, ["site"]), (numbers, ["count"]),
        (OneHotEncoder(sparse_output=False), ["smokes"]),
    )  # fmt: skip
    parts = [columns.fit_transform(x.iloc[train]), columns.transform(x.iloc[tested])]
    labels = LabelEncoder().fit(y)
    return parts, [labels.transform(y.iloc[rows]) for rows in (train, tested)], labels


@pytest.mark.parametrize("missing", ["error", "mean", "median"])
@pytest.mark.parametrize("split", [0, 3])
def test_equals_scikit_learn_fitted_on_the_training_part(missing, split):
    frame = _table(gaps=0 if missing == "error" else 7)
    data = Dataset.from_frame(frame, "grade", missing=missing, split=split)
    (train, test), (y_train, y_test), labels = _oracle(frame, missing, split)
    np.testing.assert_allclose(data.x_train, train, atol=1e-5)
    np.testing.assert_allclose(data.x_test, test, atol=1e-5)
    np.testing.assert_array_equal(data.y_train, y_train)
    np.testing.assert_array_equal(data.y_test, y_test)
    assert data.class_names == tuple(labels.classes_)
    assert data.x_train.dtype == np.float32 and data.y_train.dtype == np.int32
    assert data.columns == (
        "dose", "site=A", "site=B", "site=C", "count", "smokes=False", "smokes=True",
    )  # fmt: skip


def test_nothing_is_learnt_from_the_test_part():
    frame = _table(gaps=7)
    data = Dataset.from_frame(frame, "grade", missing="median")
    _, rows = train_test_split(
        np.arange(len(frame)), test_size=0.2, stratify=frame["grade"], random_state=0
    )
    other = frame.copy()
    other.loc[rows, "dose"] = 1e4
    other.loc[rows, "site"] = "elsewhere"
    changed = Dataset.from_frame(other, "grade", missing="median")
    np.testing.assert_array_equal(data.x_train, changed.x_train)
    assert data.columns == changed.columns
    # A level that the training part does not have is all zeros.
    assert not changed.x_test[:, 1:4].any()


def test_a_validation_part_is_cut_from_the_training_part():
    frame = _table(100)
    plain = Dataset.from_frame(frame, "grade")
    data = Dataset.from_frame(frame, "grade", validation=0.25)
    np.testing.assert_array_equal(plain.y_test, data.y_test)
    rows, _ = train_test_split(
        np.arange(100), test_size=0.2, stratify=frame["grade"], random_state=0
    )
    labels = frame["grade"].to_numpy()[rows]
    train, validated = train_test_split(
        rows, test_size=0.25, stratify=labels, random_state=0
    )
    codes = LabelEncoder().fit_transform(frame["grade"])
    np.testing.assert_array_equal(data.y_validation, codes[validated])
    scaler = StandardScaler().fit(frame[["dose"]].iloc[train].to_numpy())
    expected = scaler.transform(frame[["dose"]].iloc[validated].to_numpy())
    assert data.x_validation is not None
    np.testing.assert_allclose(data.x_validation[:, :1], expected, atol=1e-5)
    assert data.provenance.n_validation == len(validated) == 20


def test_missing_categories_are_all_zeros():
    frame = _table()
    frame["site"] = frame["site"].where(frame["site"] != "B")
    data = Dataset.from_frame(frame, "grade", missing="mean")
    assert "site=B" not in (data.columns or ())
    sums = data.x_train[:, 1:3].sum(axis=1)
    assert set(sums.tolist()) == {0.0, 1.0}


def test_the_target_decides_on_the_task():
    frame = _table()
    by_number = Dataset.from_frame(frame.drop(columns="grade"), "dose")
    assert (by_number.task, by_number.classes) == ("regression", None)
    assert by_number.y_train.dtype == np.float32
    assert Dataset.from_frame(frame, "smokes").class_names == ("False", "True")
    frame["label"] = np.arange(60) % 3 + 7
    assert Dataset.from_frame(frame, "label").class_names == ("7", "8", "9")
    amounts = Dataset.from_frame(frame, "label", task="regression")
    assert sorted(set(amounts.y_train.tolist())) == [7, 8, 9]
    frame["float"] = frame["label"].astype(float)
    labels = Dataset.from_frame(frame, "float", task="classification")
    assert labels.class_names == ("7", "8", "9")
    frame["row"] = np.arange(60)
    with pytest.raises(InputError, match="write task='regression'"):
        Dataset.from_frame(frame, "row")


@pytest.mark.parametrize("dtype", ["category", "string", "object"])
def test_every_dtype_of_strings_is_a_category(dtype):
    frame = _table()
    expected = Dataset.from_frame(frame, "grade")
    for column in ("site", "grade"):
        frame[column] = frame[column].astype(dtype)
    data = Dataset.from_frame(frame, "grade")
    np.testing.assert_array_equal(data.x_test, expected.x_test)
    assert data.name == expected.name


def test_nullable_numbers_are_numbers():
    frame = _table()
    expected = Dataset.from_frame(frame, "grade")
    frame["count"] = frame["count"].astype("Int64")
    data = Dataset.from_frame(frame, "grade")
    np.testing.assert_array_equal(data.x_test, expected.x_test)
    frame.loc[3, "count"] = pd.NA
    with pytest.raises(InputError, match=r"missing ones: 1 in 'count'"):
        Dataset.from_frame(frame, "grade")


def test_numbers_that_are_declared_categories_are_one_hot():
    frame = _table()
    frame["count"] = pd.Categorical(frame["count"] % 3)
    data = Dataset.from_frame(frame, "grade")
    assert data.columns is not None
    assert data.columns[4:7] == ("count=0", "count=1", "count=2")
    assert Dataset.from_frame(frame, "count").class_names == ("0", "1", "2")
    frame.loc[3, "count"] = None
    with pytest.raises(InputError, match="missing ones: 1 in 'count'"):
        Dataset.from_frame(frame, "grade")
    assert Dataset.from_frame(frame, "grade", missing="mean").columns == data.columns


def test_numbers_among_objects_are_numbers():
    frame = _table()
    expected = Dataset.from_frame(frame, "grade")
    frame["dose"] = frame["dose"].astype(object)
    data = Dataset.from_frame(frame, "grade")
    np.testing.assert_array_equal(data.x_train, expected.x_train)
    frame.loc[3, "dose"] = None
    with pytest.raises(InputError, match="missing ones: 1 in 'dose'"):
        Dataset.from_frame(frame, "grade")


def _with(**columns):
    return lambda frame: frame.assign(**columns)


def _gap(column, rows, value=np.nan):
    def make(frame):
        frame.loc[rows, column] = value
        return frame

    return make


DAYS = [datetime.date(2020, 1, 1 + i % 28) for i in range(60)]
BAD = {
    "missing": (_gap("dose", [1, 5, 9]), "missing ones: 3 in 'dose'"),
    "infinite": (_gap("dose", [1, 5], np.inf), "infinite ones: 2 in 'dose'"),
    "no target": (_gap("grade", [4], None), "1 missing in 'grade'"),
    "dates": (_with(day=pd.to_datetime(DAYS)), "in 'day', got dates"),
    "date objects": (_with(day=DAYS), "in 'day', got dates"),
    "date strings": (_with(day=[str(d) for d in DAYS]), "in 'day', got dates"),
    "durations": (_with(day=pd.to_timedelta(range(60))), "in 'day', got dates"),
    "complex": (_with(z=[1j] * 60), "real numbers in 'z'"),
    "lists": (_with(z=[[1], [2, 3]] * 30), "in 'z', got mixed"),
    "huge": (_with(z=[1e300, 1.0] * 30), r"float32\) in 'z', got 1e\+300"),
    "empty column": (_with(z=[np.nan] * 60), "60 in 'z'"),
    "identifiers": (_with(z=[str(i) for i in range(60)]), "in 'z', got 48 in the tr"),
    "one class": (_with(grade="low"), "at least two classes in 'grade', got 1"),
    "lonely class": (_gap("grade", [0], "odd"), "got 1 of class 'odd'"),
    "no column": (lambda f: f[["grade"]], "a column beside the target"),
    "no row": (lambda f: f.iloc[:0], "0 x 5"),
    "no such target": (lambda f: f.drop(columns="grade"), "Unknown column 'grade'"),
    "twice": (lambda f: f.set_axis(["a", "a", "b", "c", "grade"], axis=1), "'a' twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_one_sentence(case):
    spoil, message = BAD[case]
    frame = spoil(_table())
    with pytest.raises(InputError, match=message) as error:
        Dataset.from_frame(frame, "grade")
    assert "\n" not in str(error.value)


def test_headings_may_be_numbers():
    frame = _table().set_axis([0, 1, 2, 3, "grade"], axis=1)
    assert (Dataset.from_frame(frame, "grade").columns or ())[0] == "0"
    assert Dataset.from_frame(frame, "0").task == "regression"
    with pytest.raises(InputError, match="Expected a pandas DataFrame, got dict"):
        Dataset.from_frame({"grade": [1]}, "grade")  # pyright: ignore


def test_a_column_without_numbers_cannot_be_imputed():
    frame = _table().assign(z=np.nan)
    with pytest.raises(InputError, match="'z', got none in the training part"):
        Dataset.from_frame(frame, "grade", missing="mean")
    with pytest.raises(InputError, match="way to treat missing values 'meen'"):
        Dataset.from_frame(frame, "grade", missing="meen")


def test_the_name_is_the_content_and_how_it_was_split():
    frame = _table()
    data = Dataset.from_frame(frame, "grade")
    sha256 = data.provenance.sha256[:8]
    assert data.name == f"frame(sha256='{sha256}', target='grade')"
    other = Dataset.from_frame(frame, "grade", split=2, test=0.3, missing="mean")
    assert other.provenance.sha256 == data.provenance.sha256
    assert other.name.endswith("test=0.3, split=2, missing='mean', target='grade')")
    assert Dataset.from_frame(frame, "grade", name="trial").name == "trial"
    assert Dataset.from_frame(frame, "grade", name="trial", split=2).name == (
        "trial(split=2)"
    )
    frame.loc[0, "dose"] += 1
    assert Dataset.from_frame(frame, "grade").provenance.sha256[:8] != sha256


@settings(max_examples=25)
@given(st.data())
def test_a_csv_file_gives_what_its_table_gives(tmp_path_factory, data):
    """Whatever the cells hold: reading back what pandas wrote changes nothing."""
    from relujax import load_dataset

    n = data.draw(st.integers(12, 30))
    numbers = st.floats(-1e6, 1e6, width=32)
    words = st.sampled_from(["x", "y z", 'q"uote', "com,ma", "b", "ü"])
    frame = pd.DataFrame(
        {
            "number": data.draw(st.lists(numbers, min_size=n, max_size=n)),
            "word": data.draw(st.lists(words, min_size=n, max_size=n)),
            "kind": (["no", "yes", "may be"] * n)[:n],
        }
    )
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    frame.to_csv(path, index=False)
    ours = Dataset.from_frame(pd.read_csv(io.StringIO(path.read_text())), "kind")
    read = load_dataset(f"csv(path={str(path)!r}, target='kind')")
    np.testing.assert_array_equal(read.x_train, ours.x_train)
    assert read.provenance.sha256 == ours.provenance.sha256
    assert read.class_names == ("may be", "no", "yes")
