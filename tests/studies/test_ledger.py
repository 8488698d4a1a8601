"""The ledger on data whose truth is known: how often its verdicts are wrong.

Each study has a test set of 1,000 examples, and each seed a difficulty of its own, so
that scores are a lattice, noisy, and paired.
"""

import itertools

import numpy as np
import pandas as pd
import pytest

from relujax.studies import Claim, best, better, equivalent, judge, no_worse

SEEDS, EXAMPLES, STUDIES = 8, 1000, 80


def study(rng, seeds=SEEDS, **rates):
    """Results of activations with the given probabilities of a correct answer."""
    difficulty = rng.normal(0, 0.01, seeds)
    parts = []
    for name, rate in rates.items():
        right = rng.binomial(EXAMPLES, np.clip(rate + difficulty, 0, 1))
        part = pd.DataFrame({"seed": range(seeds), "accuracy": right / EXAMPLES})
        parts.append(part.assign(cell=name, activation=name))
    fixed = dict(data="wdbc", model="mlp", optimizer="adam", epoch=1, split="test")
    return pd.concat(parts).assign(**fixed, diverged=False)


def ledgers(rates, tests, studies=STUDIES, seeds=SEEDS):
    """The verdicts of many studies, `[studies, claims]`."""
    rng = np.random.default_rng(0)
    claims = [
        Claim(id=str(i), quote="It is.", where="Abstract", test=test)
        for i, test in enumerate(tests)
    ]
    made = (study(rng, seeds, **rates) for _ in range(studies))
    return np.array([[j.verdict for j in judge(claims, frame)] for frame in made])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rates", "tests"),
    [
        # No difference at all.
        (
            dict(relu=0.9, elu=0.9, gelu=0.9),
            [better("elu", "relu"), better("gelu", "relu"), better("gelu", "elu")],
        ),
        # A difference, just not larger than what is claimed: the hardest case.
        (
            dict(relu=0.9, elu=0.92),
            [better("elu", "relu", by=0.02), no_worse("relu", "elu", margin=0.02)],
        ),
    ],
)
def test_a_false_verdict_anywhere_is_as_rare_as_stated(rates, tests):
    wrong = (ledgers(rates, tests) != "undecided").any(axis=1).mean()
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / STUDIES)


@pytest.mark.slow
def test_best_of_equals_and_equivalence_at_the_margin_are_rarely_supported():
    # Two are best; the others differ by exactly the margin.
    rates = dict(relu=0.9, elu=0.92, gelu=0.92)
    tests = [best("elu"), equivalent("elu", "relu", margin=0.02)]
    false = (ledgers(rates, tests) == "supported").any(axis=1).mean()
    assert false <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / STUDIES)


def test_what_was_planted_is_found_and_never_reversed():
    rates = dict(relu=0.9, elu=0.93, gelu=0.9)
    tests = [
        better("elu", "relu"),
        best("elu"),
        equivalent("relu", "gelu", margin=0.03),
        better("relu", "elu"),
        best("gelu"),
        equivalent("relu", "elu", margin=0.005),
    ]
    found = ledgers(rates, tests, studies=30)
    true, false = found[:, :3], found[:, 3:]
    assert ((true == "supported").mean(axis=0) > 0.8).all()
    assert ((false == "contradicted").mean(axis=0) > 0.8).all()
    assert not (true == "contradicted").any() and not (false == "supported").any()


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [5, 10, 20])
def test_a_clear_claim_among_many_is_decided_whatever_the_number_of_seeds(seeds):
    others = [f"a{i}" for i in range(5)]
    rates = {"low": 0.6, "high": 0.99} | dict.fromkeys(others, 0.9)
    tests = [
        best("low", among=others),
        best("high", among=others),
        *[better(a, b) for a, b in itertools.permutations(others, 2)],
    ]
    assert len(tests) == 22
    found = ledgers(rates, tests, studies=100 // seeds, seeds=seeds)
    assert (found[:, 0] == "contradicted").all()
    assert (found[:, 1] == "supported").all()
    # At a rate of 5 %, more than three of at most twenty studies would be rare.
    assert (found[:, 2:] != "undecided").any(axis=1).sum() <= 3


def failing(rng, seeds):
    """Accuracies with one mean, of which those of `elu` fail in 7 runs of 100."""
    parts = []
    for name, rate in (("relu", 0.9), ("elu", 0.93)):
        right = rng.binomial(EXAMPLES, rate, seeds) / EXAMPLES
        fails = (name == "elu") & (rng.random(seeds) < 0.07)
        right = np.where(fails, right - 0.03 / 0.07, right)
        parts.append(pd.DataFrame({"seed": range(seeds), "accuracy": right}))
        parts[-1] = parts[-1].assign(cell=name, activation=name)
    fixed = dict(data="wdbc", model="mlp", optimizer="adam", epoch=1, split="test")
    return pd.concat(parts).assign(**fixed, diverged=False)


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "studies"), [(10, 60), (50, 30)])
def test_false_verdicts_on_the_means_of_failing_networks_are_fragile(seeds, studies):
    rng = np.random.default_rng(seeds)
    claim = Claim(id="c", quote="ELU is best.", where="§ 4", test=better("elu", "relu"))
    found = [judge([claim], failing(rng, seeds))[0] for _ in range(studies)]
    decided = [j for j in found if j.verdict == "supported"]
    assert len(decided) > 0.05 * studies
    firm = [j for j in decided if not j.fragile]
    assert len(firm) / studies <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)
    # Of the median it is true, and nearly every study of fifty seeds says so.
    if seeds == 50:
        assert np.mean([j.median_verdict == "supported" for j in found]) > 0.9
