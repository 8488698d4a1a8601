"""The sentence that names neighbours."""

from relujax.errors import InputError, unknown


def test_near_names_are_offered():
    error = unknown("activation", "RELU", ["relu", "elu", "zzz"])
    assert isinstance(error, InputError) and isinstance(error, ValueError)
    assert str(error) == "Unknown activation 'RELU'. Did you mean 'relu' or 'elu'?"


def test_far_names_get_the_whole_list_sorted():
    error = unknown("data set", "qqqq", ["mnist", "digits"])
    assert str(error) == "Unknown data set 'qqqq'. Known: digits, mnist."
