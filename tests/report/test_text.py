import numpy as np
import pytest

from relujax.analysis import Judgement, positive, settled
from relujax.report import _text
from relujax.study import Claim, Evidence


def judged(e):
    claim = Claim(id="c", quote="It is.", where="Abstract", test=lambda _: e)
    return Judgement(claim, e, "undecided")


@pytest.mark.parametrize(
    ("effect", "unit", "words"),
    [
        (7.0, "place", "7 place"),
        (1, "hyperparameters", "1 hyperparameters"),
        (-2, "wins of SELU more than of ReLU", "−2 wins of SELU more than of ReLU"),
        (0.0, "largest difference", "0 largest difference"),
        (11.08, "% at depth 30", "11.08 % at depth 30"),
        (np.nan, "", ""),
    ],
)
def test_a_number_that_is_no_difference_has_no_plus_and_a_count_no_decimals(
    effect, unit, words
):
    found = judged(settled(True, "So it is.", effect=effect, unit=unit))
    assert _text.measured(found) == words


def test_a_tested_difference_has_a_sign():
    e = Evidence(2.0, (1.5, 2.5), 0.01, 0.99, 10, "percentage points", "")
    assert _text.measured(judged(e)) == "+2.00 [+1.50, +2.50] percentage points"


def test_what_is_counted_is_named():
    times = positive([1.0, 2.0, 3.0], "So.", unit="% more time", counted="repeats")
    found = [judged(e) for e in (times, positive([1.0], "So.", unit="s"))]
    assert list(_text.claims_text(found)["n"]) == ["3 repeats", "1 seed"]
    assert _text.count(settled(True, "So it is.")) == "–"
