"""WDBC, digits and wine against scikit-learn's own arrays."""

import re

import numpy as np
import pytest
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import relujax

LOADERS = {
    "wdbc": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "digits": datasets.load_digits,
}


def _parts(name, split):
    x, y = LOADERS[name](return_X_y=True)
    return train_test_split(x, y, test_size=0.2, stratify=y, random_state=split)


@pytest.mark.parametrize("split", [0, 3])
@pytest.mark.parametrize("name", ["wdbc", "wine"])
def test_equals_scikit_learns_split_and_scaler(name, split):
    x_train, x_test, y_train, y_test = _parts(name, split)
    scaler = StandardScaler().fit(x_train)
    data = relujax.load_dataset(f"{name}(split={split})")
    for got, raw in ((data.x_train, x_train), (data.x_test, x_test)):
        np.testing.assert_allclose(got, np.asarray(scaler.transform(raw)), atol=1e-5)
    np.testing.assert_array_equal(data.y_train, y_train)
    np.testing.assert_array_equal(data.y_test, y_test)
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert data.y_train.dtype == data.y_test.dtype == np.int32


@pytest.mark.parametrize("name", ["wdbc", "wine"])
def test_training_part_is_standardised(name):
    x = relujax.load_dataset(name).x_train.astype(np.float64)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-6)


def test_digits_stay_bytes_until_the_transform():
    x_train, _, y_train, _ = _parts("digits", 0)
    data = relujax.load_dataset("digits")
    assert data.x_train.dtype == np.uint8
    assert data.shape == (8, 8, 1)
    np.testing.assert_array_equal(data.x_train.reshape(len(x_train), 64), x_train)
    np.testing.assert_array_equal(data.y_train, y_train)
    inputs = data.transform(data.x_train)
    assert inputs.dtype == np.float32
    assert (inputs.min(), inputs.max()) == (0.0, 1.0)


@pytest.mark.parametrize("name", LOADERS)
def test_split_is_stratified_and_complete(name):
    data = relujax.load_dataset(f"{name}(split=7)")
    train, test = np.bincount(data.y_train), np.bincount(data.y_test)
    assert len(train) == len(test) == data.classes
    assert np.abs(test - 0.2 * (train + test)).max() < 1
    assert train.sum() + test.sum() == len(LOADERS[name]().target)


@pytest.mark.parametrize("name", LOADERS)
def test_the_split_number_alone_decides(name):
    first, again, other = (
        relujax.load_dataset(f"{name}(split={split})") for split in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert not np.array_equal(first.y_train, other.y_train)
    assert first.provenance.sha256 == other.provenance.sha256


@pytest.mark.parametrize("name", ["wdbc", "wine"])
def test_a_validation_part_is_cut_from_the_training_part(name):
    x, rest, y, y_rest = _parts(name, 3)
    x, x_validation, y, y_validation = train_test_split(
        x, y, test_size=0.25, stratify=y, random_state=3
    )
    scaler = StandardScaler().fit(x)
    data = relujax.load_dataset(f"{name}(split=3, validation=0.25)")
    assert data.name == f"{name}(split=3, validation=0.25)"
    oracle = {"train": (x, y), "validation": (x_validation, y_validation)}
    oracle["test"] = (rest, y_rest)
    for part, got, labels in data.parts():
        raw, expected = oracle[part]
        np.testing.assert_allclose(got, np.asarray(scaler.transform(raw)), atol=1e-5)
        np.testing.assert_array_equal(labels, expected)
    assert data.provenance.n_validation == len(y_validation)


def test_the_share_of_the_test_part_can_be_chosen():
    data = relujax.load_dataset("digits(test=0.5)")
    assert (data.provenance.n_train, data.provenance.n_test) == (898, 899)
    assert data.name == "digits(split=0, test=0.5)"
    assert relujax.load_dataset("digits(test=0.2)").name == "digits(split=0)"
    assert relujax.load_dataset("digits(validation=0)").name == "digits(split=0)"


def test_classes_and_features_have_names():
    data = relujax.load_dataset("wdbc")
    assert data.class_names == ("malignant", "benign")
    assert data.columns is not None and data.columns[0] == "mean radius"
    counts = np.bincount(np.concatenate([y for _, _, y in data.parts()]))
    assert counts.tolist() == [212, 357]


def test_the_name_is_canonical():
    assert relujax.load_dataset("wdbc").name == "wdbc(split=0)"
    assert relujax.load_dataset("wdbc( split = 4 )").name == "wdbc(split=4)"


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        relujax.load_dataset("wine").x_train[0] = 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("wdcb", "Unknown data set 'wdcb'. Did you mean 'wdbc'"),
        ("wdbc(splt=1)", "parameter of data set wdbc: 'splt'. Did you mean 'split'"),
        ("wdbc(split=-1)", "Expected an integer from 0"),
        ("wdbc(split=0.5)", "Expected a whole number for 'split'"),
        ("wdbc(test=0)", "share of the examples for 'test', above 0"),
        ("wdbc(validation=1.5)", "share of the examples for 'validation'"),
        ("wdbc(validation='a')", "Expected a finite number for 'validation'"),
        ("wdbc(split=99999999999)", "Expected an integer from 0"),
        ("wdbc(split=True)", "Expected a whole number for 'split'"),
    ],
)
def test_a_bad_spec_is_one_sentence(spec, message):
    with pytest.raises(relujax.InputError, match=re.escape(message)):
        relujax.load_dataset(spec)
