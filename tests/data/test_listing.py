"""What can be said of the data sets without loading them."""

import subprocess
import sys

import pytest

import relujax

LISTING = """
import sys
import relujax
import relujax.data
for info in relujax.list_datasets():
    relujax.dataset_info(info.name)
slow = {"jax", "sklearn", "scipy", "tensorflow_datasets", "tensorflow", "pandas"}
print(sorted(slow & set(sys.modules)))
"""


def test_listing_imports_nothing_slow():
    run = subprocess.run(
        [sys.executable, "-c", LISTING], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_without_files_the_shipped_and_generated_are_available():
    rows = {info.name: info for info in relujax.list_datasets()}
    here = {name for name, info in rows.items() if info.available}
    yours = {"csv", "npz", "images", "tfds"}
    generated = {"synthetic", "mnist1d"}
    assert here == {"wdbc", "digits", "wine"} | generated | yours
    assert "relujax data prepare mnist" in rows["mnist"].advice
    assert all((info.advice == "") == info.available for info in rows.values())


@pytest.mark.parametrize("name", ["wdbc", "digits", "wine", "synthetic", "mnist1d"])
def test_the_listing_tells_what_loading_gives(name):
    info, data = relujax.dataset_info(name), relujax.load_dataset(name)
    assert data.task in info.task
    assert f"{data.classes or 2} classes" in info.size
    n = data.provenance.n_train + data.provenance.n_test
    assert f"{n:,}" in info.size or info.origin == "generated from a seed"
    assert data.provenance.n_train == len(data.x_train) == len(data.y_train)
    assert data.provenance.n_test == len(data.x_test) == len(data.y_test)


def test_files_of_a_folder_are_found(tmp_path):
    (tmp_path / "sms_spam").mkdir()
    path = tmp_path / "sms_spam" / "SMSSpamCollection"
    path.touch()
    info = relujax.dataset_info("sms_spam", data_dir=tmp_path)
    assert (info.available, info.found) == (True, str(path))
    assert not relujax.dataset_info("mnist", data_dir=str(tmp_path)).available


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(relujax.InputError, match="Did you mean 'fashion_mnist'"):
        relujax.dataset_info("fashion")


def test_data_sets_do_not_compare_by_their_arrays():
    one, two = relujax.load_dataset("wine"), relujax.load_dataset("wine")
    assert one == one
    assert one != two


def test_a_user_without_a_home_has_data_all_the_same(monkeypatch, tmp_path):
    def no_home(path):
        if str(path).startswith("~"):
            raise RuntimeError("Could not determine home directory.")
        return path

    monkeypatch.setattr("pathlib.Path.expanduser", no_home)
    monkeypatch.delenv("TFDS_DATA_DIR")
    assert not relujax.dataset_info("mnist").available
    with pytest.raises(relujax.InputError, match="Expected a folder to write to"):
        relujax.prepare_dataset("mnist")
    with pytest.raises(
        relujax.InputError, match="existing folder for data_dir, got '~"
    ):
        relujax.dataset_info("mnist", "~/data")


@pytest.mark.parametrize("what", [None, 3, b"wdbc", ["wdbc"]])
def test_what_is_no_name_is_one_sentence(what):
    for function in (relujax.dataset_info, relujax.prepare_dataset):
        with pytest.raises(relujax.InputError, match="the name of a data set, got"):
            function(what)


def test_what_is_no_folder_is_one_sentence():
    for function in (relujax.load_dataset, relujax.dataset_info):
        with pytest.raises(relujax.InputError, match="the path of a folder, got 3"):
            function("mnist", data_dir=3)
        for folder in ("a\0b", "a" * 5000, "/nowhere"):
            with pytest.raises(relujax.InputError, match="existing folder for data_d"):
                function("mnist", data_dir=folder)
