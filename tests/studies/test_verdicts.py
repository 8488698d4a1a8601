"""The kinds of verdict, and what stands beside them."""

import numpy as np
import pandas as pd
import pytest
from frames import results
from scipy import stats

from relujax.errors import InputError
from relujax.studies import (
    VERDICTS,
    Claim,
    Evidence,
    better,
    equivalent,
    every,
    judge,
    observed,
    positive,
    promise,
    settled,
)


def claim(x_or_test, **more):
    test = x_or_test
    if not callable(x_or_test):
        test = lambda _: positive(x_or_test, "So it is.", unit="points", scale=100)
    return Claim(id="c", quote="It is.", where="Abstract", test=test, **more)


def judged(*claims):
    return judge(claims, pd.DataFrame())


UP = np.array([0.1, 0.2, 0.1, 0.2, 0.15, 0.12, 0.18, 0.14, 0.16, 0.11, 0.13, 0.17])
NOISE = np.array([0.1, -0.2, 0.15, -0.1, 0.02, -0.05, 0.2, -0.12])


def lacking(_):
    raise InputError("No MNIST.")


def test_there_are_five_verdicts():
    found = judged(
        claim(UP),
        claim(-UP),
        claim(-UP, under_our_choices=True),
        claim(NOISE),
        claim(lacking),
    )
    assert tuple(j.verdict for j in found) == VERDICTS
    assert any("Not reproduced under our choices" in note for note in found[2].notes)
    assert found[4].p is None and "No MNIST" in found[4].evidence.summary


def test_what_goes_against_a_claim_that_hangs_on_our_choices_is_not_reproduced():
    facts = settled(False, "It is not."), observed(False, "None did.", n=5)
    for e in facts:
        free, bound = judged(
            claim(lambda _, e=e: e), claim(lambda _, e=e: e, under_our_choices=True)
        )
        assert (free.verdict, bound.verdict) == ("contradicted", "not reproduced")
    assert judged(claim(UP, under_our_choices=True))[0].verdict == "supported"


def test_undecided_claims_say_what_so_many_seeds_could_show():
    (found,) = judged(claim(NOISE))
    # In errors, the shift at which Student's t is beyond its 97.5 % quantile at 80 %.
    shift = found.smallest_effect / (100 * stats.sem(NOISE))
    assert stats.nct.sf(stats.t.isf(0.025, 7), 7, shift) == pytest.approx(0.8)
    assert found.notes == [
        "With a chance of 80 %, 8 seeds would show an effect of 16 points or more, "
        "counted from the margin where one is claimed."
    ]
    many = judged(*[claim(NOISE)] * 20)
    assert many[0].smallest_effect > 1.5 * found.smallest_effect
    # Beside decided claims, a smaller family is left.
    beside = judged(claim(NOISE), *[claim(UP)] * 19)
    assert beside[0].smallest_effect == pytest.approx(found.smallest_effect)


def test_what_no_effect_could_have_shown():
    one, same = judged(claim([0.1])), judged(*[claim([0.1] * 5)] * 30)
    assert one[0].verdict == same[0].verdict == "undecided"
    assert one[0].notes == [
        "One seed shows no effect, of whatever size, in this many claims."
    ]
    assert same[0].smallest_effect == np.inf
    assert "These 5 seeds show no effect" in same[0].notes[0]


def test_verdicts_on_means_say_what_they_rest_on():
    (few,) = judged(claim(UP))
    assert few.median_verdict == "supported" and few.p_median == pytest.approx(2**-11)
    assert few.notes[0].startswith("Fragile: 12 seeds need not show a failure")
    assert few.notes[1].startswith("The median seed decides likewise")
    (many,) = judged(claim(np.tile(UP, 4)))
    assert not many.fragile and len(many.notes) == 1
    (spoilt,) = judged(claim(np.append(np.tile(UP, 4), 1.5)))
    assert spoilt.verdict == "supported" and "skewed" in spoilt.fragile
    assert judged(claim(NOISE))[0].fragile == ""
    assert "needs 11 seeds" in judged(*[claim(UP[:9])] * 30)[0].on_median


def test_a_claim_may_be_about_the_median():
    failing = np.append(np.tile(UP, 2), -30.0)
    mean, median = judged(claim(failing)), judged(claim(failing, estimand="median"))
    assert mean[0].verdict == "undecided" and mean[0].median_verdict == "supported"
    assert median[0].verdict == "supported" and not median[0].fragile
    assert median[0].p == pytest.approx(2 * 26 / 2**25)
    few = judged(claim(UP[:5], estimand="median"))
    assert few[0].verdict == "undecided" and few[0].smallest_effect == np.inf
    assert few[0].least_p == (1 / 16, 1 / 16)


def test_a_median_is_not_asked_of_evidence_without_signs():
    e = Evidence(1.0, (0.5, 1.5), 0.001, 0.999, 10, "points", "So it is.")
    mean, median = judged(claim(lambda _: e), claim(lambda _: e, estimand="median"))
    assert mean.verdict == "supported" and mean.median_verdict == "not tested"
    assert mean.p == pytest.approx(0.002) and mean.on_median == ""
    assert median.verdict == "not tested" and median.p is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [12, 24])
def test_a_value_that_is_not_finite_is_not_tested(value, n):
    x = np.resize(UP, n)
    x[3] = value
    spoilt, sound = judged(claim(x), claim(UP))
    assert spoilt.verdict == "not tested" and spoilt.p is None
    assert "not finite" in spoilt.evidence.summary
    assert sound == judged(claim(UP))[0]._replace(claim=sound.claim)


def test_results_with_a_value_that_is_not_finite_are_not_tested():
    frame = results(["relu", "elu"], accuracy={"elu": 0.8}, seeds=20)
    last = (frame["epoch"] == frame["epoch"].max()) & (frame["split"] == "test")
    frame.loc[last & (frame["seed"] == 3), "accuracy"] = np.nan
    tests = better("relu", "elu"), equivalent("relu", "elu", margin=0.01)
    tests = *tests, every(*tests)
    found = judge([claim(test) for test in tests], frame)
    assert {j.verdict for j in found} == {"not tested"}


def test_where_a_quote_comes_from_is_said():
    sources = ["body", "abstract", "aggregator", "extraction"]
    notes = [judged(claim(NOISE, source=source))[0].notes[1:] for source in sources]
    assert notes[:2] == [[], []]
    assert "summary by others" in notes[2][0] and "a program read" in notes[3][0]
    assert claim(NOISE).source == "body"


def test_a_claim_with_one_side_spends_its_level_on_it():
    e = Evidence(1.0, (0.5, 1.5), 0.03, None, 10, "points", "So it is.")
    (found,) = judged(claim(lambda _: e))
    assert found.verdict == "supported" and found.p == pytest.approx(0.03)


def test_the_promise_counts_the_planned_and_the_fragile():
    firm, fragile = claim(np.tile(UP, 5)), claim(UP)
    late, fact = claim(UP, exploratory=True), claim(lambda _: settled(True, "So."))
    assert "on the 1 planned claim tested" in promise(judged(firm, fact))
    assert "fragile" not in promise(judged(firm, fact))
    text = promise(judged(firm, fragile, late, fact, claim(lacking)))
    assert "on the 2 planned claims tested is at most 5 %" in text
    assert "2 verdicts are fragile" in text and "the 54 that show" in text
