"""The ledger on data whose truth is known: how often its verdicts are wrong.

Each study has a test set of 1,000 examples, and each seed a difficulty of its own, so
that scores are a lattice, noisy, and paired.
"""

import itertools

import numpy as np
import pandas as pd
import pytest

from relujax.analysis import best, better, equivalent, judge, no_worse
from relujax.study import Claim

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
