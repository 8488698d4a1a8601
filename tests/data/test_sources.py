"""Data sets of the user's by name, by import path and as objects."""

import dataclasses
import sys

import numpy as np
import pytest

import relujax
from relujax import Dataset, InputError, load_dataset
from relujax.data import SOURCES, Transform, from_arrays
from relujax.parts import named

X, Y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2

MODULE = '''
import numpy as np
import relujax

def cohort(year=2020, missing=None):
    """The cohort of one year."""
    x = np.full((20, 2), year, float)
    return x, np.arange(20) % 2, x[:6], np.arange(6) % 2

def whole(scale: float = 1.0):
    return relujax.Dataset.from_arrays(np.eye(20) * scale, np.arange(20) % 2)

def seeded(seed: int):
    return relujax.load_dataset(f"synthetic(seed={seed})")

def broken():
    raise RuntimeError("no disk")

def nothing():
    return None

def changed():
    import dataclasses
    data = relujax.load_dataset("wine")
    return dataclasses.replace(data, x_train=data.x_train * 2)

def three():
    return 1, 2, 3
'''


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """What a test adds is gone after it; `cohorts` can be imported."""
    for table in ("_entries", "_held"):
        monkeypatch.setattr(SOURCES, table, dict(getattr(SOURCES, table)))
    (tmp_path / "cohorts.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("cohorts", None)


def test_an_import_path_calls_the_factory_with_its_values():
    data = load_dataset("cohorts:cohort( year = 2024 )")
    assert data.name == "cohorts:cohort(year=2024)"
    assert (data.x_train == 2024).all() and data.provenance.n_test == 6
    assert data.provenance.source == "Arrays that cohorts:cohort(year=2024) returned."
    assert load_dataset("cohorts:cohort").name == "cohorts:cohort"
    other = load_dataset("cohorts:cohort")
    assert other.provenance.sha256 != data.provenance.sha256


def test_a_factory_may_return_a_data_set():
    data = load_dataset("cohorts:whole(scale=2)")
    assert data.name == "cohorts:whole(scale=2.0)"
    assert data.x_train.max() == 2 and data.shape == (20,)
    seeded = load_dataset("cohorts:seeded(seed=3)")
    shipped = load_dataset("synthetic(seed=3)")
    np.testing.assert_array_equal(seeded.x_train, shipped.x_train)
    assert seeded.provenance.sha256 == shipped.provenance.sha256


def test_the_hash_is_that_of_what_a_factory_returns():
    wine, changed = load_dataset("wine"), load_dataset("cohorts:changed")
    assert changed.provenance.sha256 != wine.provenance.sha256
    assert load_dataset("cohorts:changed").provenance == changed.provenance
    assert changed.name == "cohorts:changed"


def test_a_registered_factory_is_a_name_like_any_other():
    def cohort(year: int = 2020):
        """The cohort.

        Of one year.
        """
        return np.full((20, 1), year), Y

    SOURCES.add("cohort", cohort)
    assert load_dataset("cohort(year=3)").name == "cohort(year=3)"
    assert load_dataset("cohort").x_train[0, 0] == 2020
    info = relujax.dataset_info("cohort")
    assert (info.title, info.parameters) == ("The cohort.", {"year": 2020})
    assert "cohort" in [info.name for info in relujax.list_datasets()]
    with pytest.raises(InputError, match="a whole number for 'year' of data set"):
        load_dataset("cohort(year=1.5)")
    with pytest.raises(InputError, match="Nothing to prepare for 'cohort'"):
        relujax.prepare_dataset("cohort")
    with pytest.raises(InputError, match="'wdbc', which is one of the library's"):
        SOURCES.add("wdbc", cohort)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cohorts:cohrt", "Did you mean 'cohort'"),
        ("cohorts:cohort(yaer=1)", "Did you mean 'year'"),
        ("cohorts:seeded", "Expected a value for 'seed'"),
        (
            "cohorts:broken",
            "a data set from cohorts:broken, got RuntimeError: no disk",
        ),
        ("cohorts:nothing", "a Dataset or arrays from cohorts:nothing, got None"),
        ("cohorts:three", "got 3 items"),
        ("cohorts.py:cohort", "write cohorts:cohort"),
        ("nowhere.at_all:x", "Expected to import 'nowhere.at_all'"),
        (None, "Expected a data set such as 'wdbc"),
        (3, "Expected a data set such as 'wdbc"),
        (lambda: X, "relujax.named"),
        ((X,), "got 1 items"),
        ("a" * 10**6, "Expected a spec"),
        ("arrays(sha256='ab12cd34')", "give the Dataset itself"),
    ],
)
def test_what_names_no_data_is_one_sentence(spec, message):
    with pytest.raises(InputError, match=message) as error:
        load_dataset(spec)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_a_part_holds_its_canonical_text():
    part = SOURCES.part("synthetic(seed=3, test=0.2, curve='linear')")
    assert part.text == ("synthetic(curve='linear', n=500, d=2, seed=3, columns=0)")
    assert part.factory(**dict(part.static)).provenance.n_train == 400
    assert SOURCES.part("wdbc(validation=0.1)").text == "wdbc(split=0, validation=0.1)"
    assert SOURCES.part("mnist").text == "mnist"
    assert SOURCES.part(part.text) == part
    assert not part.numeric and not part.local


def test_objects_are_held_under_their_name():
    data = Dataset.from_arrays(X, Y)
    text = SOURCES.text(data)
    assert text == data.name
    part = SOURCES.part(text)
    assert part.local and part.text == text
    assert part.factory(**dict(part.static)) is data
    assert part == SOURCES.part(data) and hash(part) == hash(SOURCES.part(data))
    assert load_dataset(text) is data is load_dataset(data)
    assert load_dataset((X, Y)).name == data.name
    four = load_dataset((X, Y, X[:4], Y[:4]))
    assert four.name == from_arrays(X, Y, X[:4], Y[:4]).name
    by_name = load_dataset(named("trial", (X, Y)))
    assert by_name.name == "trial" and SOURCES.part("trial").local
    np.testing.assert_array_equal(by_name.x_train, data.x_train)
    alias = load_dataset(named("grapes", "wine(split=3)"))
    assert alias.name == "grapes"
    assert alias.provenance == load_dataset("wine(split=3)").provenance


def test_a_data_set_that_was_loaded_by_name_goes_by_it():
    data = load_dataset("wine(split=2)")
    part = SOURCES.part(data)
    assert (part.text, part.local) == ("wine(split=2)", False)
    changed = dataclasses.replace(data, x_train=data.x_train * 2)
    with pytest.raises(InputError, match="no longer what 'wine"):
        SOURCES.text(changed)
    mine = dataclasses.replace(changed, name="my_wine")
    held = load_dataset(SOURCES.text(mine))
    np.testing.assert_array_equal(held.x_train, data.x_train * 2)
    assert held.name == "my_wine"
    assert held.provenance.sha256 != data.provenance.sha256


def test_a_changed_copy_never_goes_by_the_hash_of_what_it_was():
    data = Dataset.from_arrays(X, Y)
    more = dataclasses.replace(data, x_train=data.x_train + 1)
    scaled = dataclasses.replace(data, transform=Transform(scale=2.0))
    texts = {SOURCES.text(each) for each in (data, more, scaled)}
    assert len(texts) == 3 and data.name in texts
    held = {load_dataset(text).provenance.sha256 for text in texts}
    assert len(held) == 3
    assert from_arrays(X, Y, transform=Transform(scale=2.0)).name != data.name


def test_one_name_stands_for_one_content():
    first = Dataset.from_arrays(X, Y, name="trial")
    assert SOURCES.text(first) == SOURCES.text(Dataset.from_arrays(X, Y, name="trial"))
    with pytest.raises(InputError, match="another name for other data than"):
        SOURCES.text(Dataset.from_arrays(X + 1, Y, name="trial"))
